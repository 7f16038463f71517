package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	profiles "foyer/firmware-profiles"
	"foyer/reader/frame"
)

const playHelp = `foyer profile play PROFILE CAPTURE

Decodes a recording by a profile and prints one JSON object a line for each frame, good or refused.
PROFILE is an id from "foyer profile list" or a YAML file. CAPTURE is a file, or - for standard input:
  raw bytes            as they came from the port
  text                 "0.065104 < BB 02 22": seconds, < from the reader or > to it (left out), bytes in hex; time and
                       direction may be missing; # begins a remark. A frame may go on in the next line. What was sent
                       to the reader is left out.
  JSON lines           {"hex": "BB0222..."} or, for Wiegand, {"bits": "1011..."} or {"hex": "2020459", "nbits": 26}; each
                       line stands alone. With "direction": "tx" it is a frame that was sent to the reader. Lines whose
                       "protocol" is another profile's are passed over.

Fields. Hex is lower case except where it is a number's name (id_hex, version, checksum). A field that a frame does not
have is left out.
  profile     id of the profile
  protocol    what the capture calls it, else the profile's id; a frame that has a protocol of its own (ThingMagic: 5 is
              Gen2) shows that number in its place
  line        line of the capture where the frame ended; not for raw bytes
  at_s        seconds of the capture, if it tells them
  offset      of the frame's first byte: in the line for JSON lines, else in all bytes from the reader
  frame       the frame's bytes in hex; for Wiegand its bits
  kind        tag, key (of a keypad), quiet (normal: no tag near), reply (anything else that is whole) or error (refused)
  rule        name of the profile's rule
  error       of kind error: checksum_mismatch, bad_length, bad_end, bad_charset, cut_short, epc_crc_mismatch,
              pc_length_mismatch, fields_mismatch, parity_mismatch, bit_count_mismatch; no_frame: a JSON line without one
  scheme      of kind tag: how the number is stored (em4100, em4100-32, em4100-24, wiegand-32, wiegand, epc, gsrn)
  id_hex      of kind tag: the number; for em4100 frames all 40 bits
  also_scheme, also_hex    the shorter form that may match too
  version, card32, checksum, printed_10d, printed_3_5    em4100: first byte, lower 32 bits, check byte, what is printed
  format, nbits, parity_ok, facility, card, key          Wiegand
  direction   tx for a frame that was sent to the reader
  type, cmd   type of the frame (command, response, notice, ack) and the command: its number, or its name for a PN532
  op, adr, session, q, ...      further numbers of a frame, by the names that the profile gives them ("as")
  meaning     what the profile says that the frame means
  tags        tags of a frame that may hold several: a list, empty for a frame without one; each has its scheme and id_hex,
              and what the reader tells of it (epc, pc, rssi_dbm or rssi_raw, antenna, uid, atqa, sak). What the first one
              has stands beside the list too. random: true marks a UID that is no identity.
  targets     of a PN532: how many cards it saw
  antenna     number of the antenna, from 1
  text        what was scanned
  rssi_dbm, pc, epc, epc_crc    UHF tags
  gsrn, element, dl_path, uri, tag_uri, filter    a member's GSRN and its GS1 forms
  message_id, tags    LLRP, one object a message; type is its name. A capture's line of a protocol that ends in _body is the
              body of a report. Each of tags has epc, epc_bits where they are not 96, and what the reader told of antenna,
              peak_rssi_dbm, first_seen_utc_us, last_seen_utc_us, seen_count
  ids         LLRP, one a tag: scheme, id_hex and the GS1 forms, or error
  status, status_text           LLRP: how a command went
  status, data                  of replies; data of quiet frames and of the reader's errors is all after the length
  error_code, error_text        of replies and quiet frames: the reader's own error and what it means

A summary goes to standard error. Exit status: 0 played to the end, 1 a file cannot be read, 2 not understood.
`

// profilePlay decodes a recording. It prints raw numbers: it is run by a technician on a file.
func profilePlay(args []string, stdout, stderr io.Writer) int {
	if len(args) == 1 && slices.Contains([]string{"-h", "--help", "help"}, args[0]) {
		fmt.Fprint(stdout, playHelp)
		return 0
	}
	if len(args) != 2 {
		fmt.Fprint(stderr, playHelp)
		return 2
	}
	p, err := loadProfile(args[0])
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	pieces, err := loadCapture(args[1])
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	out := bufio.NewWriter(stdout)
	d := newDeck(p, out)
	err = errors.Join(d.play(pieces), out.Flush())
	fmt.Fprintln(stderr, d.summary())
	if err != nil {
		fmt.Fprintf(stderr, "play %s: %v\n", args[1], err)
		return 1
	}
	return 0
}

// deck plays pieces of a capture and writes what comes out.
type deck struct {
	profile  *profiles.Profile
	out      *json.Encoder
	splitter *frame.Splitter
	decoder  *frame.Decoder
	received *frame.Decoder // what the reader says
	sent     *frame.Decoder // what we say
	card     *frame.Card
	headSize int
	kinds    map[string]int // events by kind
	passed   map[string]int // lines passed over by protocol
	now      piece          // what is being fed
	network                 // of profiles that are no serial line and no card
	err      error          // of writing
}

func newDeck(p *profiles.Profile, out io.Writer) *deck {
	d := &deck{profile: p, out: json.NewEncoder(out), kinds: map[string]int{}, passed: map[string]int{}}
	d.out.SetEscapeHTML(false)
	if p.Kind == profiles.WiegandGPIO {
		d.card = frame.NewCard(p)
		return d
	}
	if d.networked() {
		return d
	}
	d.received, d.sent = frame.NewDecoder(p), frame.NewSentDecoder(p)
	d.decoder = d.received
	for _, f := range p.Frames.Head {
		d.headSize += max(f.Size.N, f.Is.OwnSize())
	}
	d.rewind()
	return d
}

// rewind forgets what is incomplete, and takes the side of whoever speaks now.
func (d *deck) rewind() {
	d.splitter, d.decoder = frame.New(d.profile), d.received
	if d.now.sent {
		d.splitter, d.decoder = frame.NewSent(d.profile), d.sent
	}
	d.splitter.OnFault = d.fault
}

func (d *deck) play(pieces []piece) error {
	for _, p := range pieces {
		if !d.speaks(p.protocol) {
			d.passed[p.protocol]++
			continue
		}
		d.now = p
		if err := d.feed(p); err != nil {
			return fmt.Errorf("line %d: %w", p.line, err)
		}
	}
	if d.splitter != nil {
		d.splitter.Flush(d.frame)
	}
	if d.llrp.Held() > 0 {
		d.write(event{Kind: "error", Error: "cut_short", Offset: d.offset})
	}
	return d.err
}

func (d *deck) feed(p piece) error {
	switch {
	case p.err != nil:
		return p.err
	case d.card != nil && p.bits == "":
		return errors.New("a wiegand profile plays JSON lines with bits, like {\"bits\": \"1011\"}")
	case d.card != nil:
		return d.bits(p.bits)
	case len(p.data) == 0:
		return fmt.Errorf("a %s profile plays bytes, and this line has only bits", d.profile.Kind)
	case d.profile.Kind == profiles.LLRPNetwork:
		return d.messages(p)
	case d.typist != nil:
		return d.typed(p)
	case !p.alone:
		d.splitter.Feed(p.data, d.frame)
		return d.err
	}
	before := d.total()
	d.rewind()
	d.splitter.Feed(p.data, d.frame)
	d.splitter.Flush(d.frame)
	if d.total() == before {
		d.write(event{Kind: "error", Error: "no_frame", Frame: fmt.Sprintf("%x", p.data)})
	}
	return d.err
}

func (d *deck) total() (n int) {
	for _, count := range d.kinds {
		n += count
	}
	return n
}

// speaks reports whether lines of that protocol are this profile's: by id, by a name that the profile lists, or by a name
// that begins with the id.
func (d *deck) speaks(protocol string) bool {
	return protocol == "" || protocol == d.profile.ID || slices.Contains(d.profile.About.Captures, protocol) ||
		strings.HasPrefix(protocol, d.profile.ID+"_")
}

// write completes e with where it came from.
func (d *deck) write(e event) {
	d.kinds[e.Kind]++
	e.Profile, e.Protocol = d.profile.ID, d.now.protocol
	if e.Protocol == "" {
		e.Protocol = d.profile.ID
	}
	if e.has("protocol") { // a number of the frame itself goes first: no name stands twice
		e.Protocol = ""
	}
	e.Line, e.At = d.now.line, d.now.at
	if d.now.sent {
		e.Direction = "tx"
	}
	if err := d.out.Encode(e); err != nil && d.err == nil {
		d.err = err
	}
}

func (d *deck) summary() string {
	var text strings.Builder
	fmt.Fprintf(&text, "tags %d, quiet %d, replies %d, errors %d", d.kinds["tag"], d.kinds["quiet"], d.kinds["reply"], d.kinds["error"])
	for _, protocol := range slices.Sorted(maps.Keys(d.passed)) {
		fmt.Fprintf(&text, "; lines of %s passed over: %d", protocol, d.passed[protocol])
	}
	return text.String()
}
