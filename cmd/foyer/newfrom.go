package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	profiles "foyer/firmware-profiles"
	"foyer/reader/frame"
)

// What a guess must explain, and how much of a recording is looked at.
const (
	maxGuessed  = 256 << 10 // bytes
	burstPause  = 0.02      // seconds of silence between two frames
	mostBytes   = 0.9       // of the recording must lie in good frames
	fewFrames   = 2
	surelyMany  = 3 // different frames that make chance unlikely
	longestHead = 4 // bytes before a length field
)

// guess is a framing and what it makes of a recording.
type guess struct {
	framing  profiles.Framing
	frames   [][]byte // raw
	payloads [][]byte
	covered  int // bytes in good frames
}

// profileFrom prints a profile begun from a recording: as much of the framing as the recording proves.
func profileFrom(id, capture string, stdout, stderr io.Writer) int {
	text, note, err := beginFrom(id, capture)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	fmt.Fprint(stdout, text)
	fmt.Fprintln(stderr, note)
	return 0
}

func beginFrom(id, capture string) (text, note string, err error) {
	pieces, err := loadCapture(capture)
	if err != nil {
		return "", "", err
	}
	bursts, total := burstsOf(pieces)
	if total == 0 {
		return "", "", fmt.Errorf("%s: nothing in it came from the reader", capture)
	}
	if known := knownFor(bursts, total); known != "" {
		return "", "", fmt.Errorf("%s: the profile %s understands it already; use that, or take its file over", capture, known)
	}
	g, ok := guessFraming(bursts, total)
	if !ok {
		return strings.ReplaceAll(skeleton, "NEW-ID", id), fmt.Sprintf("No framing explains the %d bytes of %s: this is the plain beginning. "+
			"A recording of three different cards helps; so does the right baud rate.", total, capture), nil
	}
	text, err = g.profile(id, total)
	return text, fmt.Sprintf("%d frames, %d of them different, explain %d of %d bytes. It holds raw tag numbers: keep it to yourself until they are replaced.",
		len(g.frames), g.different(), g.covered, total), err
}

// burstsOf is what came from the reader, parted where it paused.
func burstsOf(pieces []piece) (bursts [][]byte, total int) {
	last := 0.0
	for _, p := range pieces {
		if p.sent || len(p.data) == 0 || total+len(p.data) > maxGuessed {
			continue
		}
		total += len(p.data)
		joined := len(bursts) > 0 && p.at != nil && *p.at-last < burstPause
		if p.at != nil {
			last = *p.at
		}
		if joined {
			bursts[len(bursts)-1] = append(bursts[len(bursts)-1], p.data...)
		} else {
			bursts = append(bursts, slices.Clone(p.data))
		}
	}
	return bursts, total
}

// knownFor names the profile that comes with the program and understands a recording, or "".
func knownFor(bursts [][]byte, total int) string {
	for _, p := range profiles.Builtin() {
		if p.Kind == profiles.Serial && checkable(p) {
			if g := measure(p, bursts); g.explains(total) {
				return p.ID
			}
		}
	}
	return ""
}

func measure(p *profiles.Profile, bursts [][]byte) guess {
	g := guess{framing: *p.Framing}
	s := frame.New(p)
	each := func(f frame.Frame) {
		g.frames = append(g.frames, bytes.Clone(f.Raw))
		g.payloads = append(g.payloads, bytes.Clone(f.Payload))
		g.covered += len(f.Raw)
	}
	for _, b := range bursts {
		s.Feed(b, each)
		s.Flush(each)
	}
	return g
}

func (g guess) explains(total int) bool {
	return len(g.frames) >= fewFrames && float64(g.covered) >= mostBytes*float64(total)
}

func (g guess) different() int {
	all := map[string]bool{}
	for _, f := range g.frames {
		all[string(f)] = true
	}
	return len(all)
}

// guessFraming tries every framing that the vocabulary can say and that the first bursts suggest. The best explains most;
// of equals the one with the longer check, then the one that is tried first, the plainest.
func guessFraming(bursts [][]byte, total int) (best guess, ok bool) {
	for _, f := range candidates(bursts) {
		g := measure(&profiles.Profile{Framing: &f}, bursts)
		if !g.explains(total) {
			continue
		}
		if !ok || g.covered > best.covered || g.covered == best.covered && f.Check.Size() > best.framing.Check.Size() {
			best, ok = g, true
		}
	}
	return best, ok
}

func candidates(bursts [][]byte) []profiles.Framing {
	first := typical(bursts)
	if f, ok := lines(bursts); ok {
		return []profiles.Framing{f}
	}
	all := delimitedBy(first)
	for _, start := range []int{1, 2} {
		if len(first) <= start {
			continue
		}
		for at := range longestHead {
			all = append(all, ledBy(first, start, at)...)
		}
	}
	return all
}

// typical is the first burst of the commonest size: others may be cut, or two in one.
func typical(bursts [][]byte) []byte {
	sizes := map[int]int{}
	for _, b := range bursts {
		sizes[len(b)]++
	}
	best := bursts[0]
	for _, b := range bursts {
		if sizes[len(b)] > sizes[len(best)] {
			best = b
		}
	}
	return best
}

// lines is the framing of text: nothing but what can be printed, and what ends a line.
func lines(bursts [][]byte) (f profiles.Framing, ok bool) {
	text := bytes.Join(bursts, nil)
	f = profiles.Framing{Kind: profiles.TextLine, Payload: 256, Charset: profiles.Printable}
	for _, end := range []byte("\r\n\t") {
		if bytes.IndexByte(text, end) >= 0 {
			f.Ends = append(f.Ends, profiles.Bytes{end})
		}
	}
	odd := bytes.ContainsFunc(text, func(r rune) bool {
		return r > 0x7E || r < ' ' && !slices.Contains([]rune("\r\n\t"), r) && r != profiles.GS
	})
	return f, len(f.Ends) > 0 && !odd
}

// delimitedBy is frames of the size of b between its first byte and its last, or its last two or three where those end a line.
func delimitedBy(b []byte) (all []profiles.Framing) {
	for _, n := range []int{1, 2, 3} {
		size := len(b) - 1 - n // payload and check
		if size < 2 {
			break
		}
		body, end := b[1:1+size], profiles.Bytes(b[1+size:])
		for _, check := range []profiles.CheckKind{profiles.XOR, profiles.Sum8, profiles.NegSum8} {
			f := profiles.Framing{Kind: profiles.Delimited, Start: profiles.Bytes(b[:1]), Payload: size - 1, Check: check, Ends: []profiles.Bytes{end}}
			all = append(all, f)
			if hexDigits(body) && size%2 == 0 && size >= 4 {
				f.Text, f.Payload = profiles.HexText, size/2-1
				all = append(all, f)
			}
		}
	}
	return all
}

func hexDigits(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool { return !strings.ContainsRune("0123456789ABCDEFabcdef", r) })
}

// ledBy is frames with the first bytes of b, and a length at an offset after these that says how long b is.
func ledBy(b []byte, start, at int) (all []profiles.Framing) {
	for _, length := range []profiles.Length{{At: at, Size: 1}, {At: at, Size: 2, Order: profiles.Big}, {At: at, Size: 2, Order: profiles.Little}} {
		from := start + at
		if len(b) < from+length.Size {
			continue
		}
		says := int(b[from])
		if length.Size == 2 {
			says = int(b[from])<<8 | int(b[from+1])
			if length.Order == profiles.Little {
				says = int(b[from+1])<<8 | int(b[from])
			}
		}
		length.Add, length.Max = len(b)-says, 256
		if length.Add < 0 || length.Add > start+at+length.Size+4 {
			continue
		}
		for _, check := range profiles.CheckKind("").Words() {
			kind := profiles.CheckKind(check)
			if kind.Size() == 0 {
				continue
			}
			f := profiles.Framing{Kind: profiles.LengthLed, Start: profiles.Bytes(b[:start]), Length: &length, Check: kind}
			if f.Shortest() > len(b) {
				continue
			}
			all = append(all, f)
			f.Ends = []profiles.Bytes{{b[len(b)-1]}}
			if f.Shortest() <= len(b) {
				all = append(all, f)
			}
		}
	}
	return all
}

var errNothing = errors.New("its frames are too short to hold a number")

// profile writes the YAML. Its examples are the recording's own frames, and what comes out of them was played.
func (g guess) profile(id string, total int) (string, error) {
	fields, scheme, err := g.identity()
	if err != nil {
		return "", err
	}
	head := g.text(id, fields, scheme, total)
	p, err := profiles.Parse(id, []byte(head+"examples:\n  - {name: any, wire: [\"00\"], expect: [{tag: \"uid:00000000\"}]}\n"))
	if err != nil {
		return "", fmt.Errorf("what was guessed is no profile: %w", err)
	}
	good, half := g.frames[0], len(g.frames[0])/2
	bad := bytes.Clone(good)
	bad[half] ^= 0x01
	var examples strings.Builder
	examples.WriteString("examples:\n")
	for _, e := range []struct {
		name string
		wire []profiles.Bytes
	}{
		{"a frame", []profiles.Bytes{good}},
		{"split across two reads", []profiles.Bytes{good[:half], good[half:]}},
		{"two joined in one read", []profiles.Bytes{slices.Concat(good, g.frames[len(g.frames)-1])}},
		{"after noise", []profiles.Bytes{{0x00, 0xFF}, good}},
		{"a bit changed, a good frame follows", []profiles.Bytes{slices.Concat(bad, good)}},
	} {
		fmt.Fprintf(&examples, "  - name: %s\n    wire: [%s]\n    expect: [%s]\n", e.name, hexes(e.wire), expected(frame.Play(p, profiles.Example{Wire: e.wire})))
	}
	return head + examples.String(), nil
}

func hexes(wire []profiles.Bytes) string {
	var all []string
	for _, b := range wire {
		all = append(all, fmt.Sprintf(`"% X"`, []byte(b)))
	}
	return strings.Join(all, ", ")
}

func expected(outcomes []profiles.Expect) string {
	var all []string
	for _, x := range outcomes {
		switch {
		case x.Tag != "":
			all = append(all, fmt.Sprintf("{tag: %q}", x.Tag))
		case x.Bad != "":
			all = append(all, fmt.Sprintf("{bad: %s}", x.Bad))
		default:
			all = append(all, fmt.Sprintf("{answer: %s}", x.Answer))
		}
	}
	return strings.Join(all, ", ")
}

// identity is a first thought of which bytes are the number: all behind what no frame changes, if a number can be so long.
func (g guess) identity() (fields, scheme string, err error) {
	if g.framing.Kind == profiles.TextLine {
		return "[{is: text, size: rest}]", "text", nil
	}
	payload := g.payloads[0]
	at := 0
	if g.framing.Length != nil {
		at = g.framing.Length.At + g.framing.Length.Size
	}
	switch n := len(payload) - at; {
	case n < 4:
		return "", "", errNothing
	case n == 5:
		fields, scheme = "{is: em4100}]", "em4100"
	case n >= 12:
		fields, scheme = fmt.Sprintf("{is: skip, size: %d}, {is: epc, size: 12}]", n-12), "epc"
	default:
		fields, scheme = fmt.Sprintf("{is: skip, size: %d}, {is: uid, size: 4}]", n-4), "uid"
	}
	fields = strings.Replace(fields, "{is: skip, size: 0}, ", "", 1)
	if at > 0 {
		fields = fmt.Sprintf("{is: skip, size: %d}, ", at) + fields
	}
	return "[" + fields, scheme, nil
}

// text is all of the profile but its examples.
func (g guess) text(id, fields, scheme string, total int) string {
	f := g.framing
	var b strings.Builder
	fmt.Fprintf(&b, guessedHead, id, g.evidence(total))
	fmt.Fprintf(&b, "framing:\n  kind: %s\n", f.Kind)
	if len(f.Start) > 0 {
		fmt.Fprintf(&b, "  start: %s\n", hexes([]profiles.Bytes{f.Start}))
	}
	if f.Text != "" {
		fmt.Fprintf(&b, "  text: %s\n", f.Text)
	}
	if l := f.Length; l != nil {
		order := ""
		if l.Size == 2 {
			order = ", order: " + string(l.Order)
		}
		fmt.Fprintf(&b, "  length: {at: %d, size: %d%s, add: %d, max: %d} # max is not known: see the manual\n", l.At, l.Size, order, l.Add, l.Max)
	}
	if f.Payload > 0 {
		fmt.Fprintf(&b, "  payload: %d\n", f.Payload)
	}
	if f.Charset != "" {
		fmt.Fprintf(&b, "  charset: %s\n", f.Charset)
	}
	if f.Check != "" {
		fmt.Fprintf(&b, "  check: %s\n", f.Check)
	}
	if len(f.Ends) > 0 {
		fmt.Fprintf(&b, "  ends: [%s]\n", hexes(f.Ends))
	}
	when := ""
	if l := f.Length; l != nil {
		when = fmt.Sprintf("when: [{at: %d, is: \"% X\"}], ", l.At, g.payloads[0][l.At:l.At+l.Size])
	}
	fmt.Fprintf(&b, guessedTail, when, fields, scheme)
	return b.String()
}

// evidence says how far the guess is to be believed.
func (g guess) evidence(total int) string {
	different, sizes := g.different(), map[int]bool{}
	for _, f := range g.frames {
		sizes[len(f)] = true
	}
	text := fmt.Sprintf("# PROVED by the recording: %d frames, %d of them different, hold %d of its %d bytes.", len(g.frames), different, g.covered, total)
	if different < surelyMany {
		text = fmt.Sprintf("# GUESSED from too little: %d frames, %d of them different, hold %d of %d bytes. Record three different cards.",
			len(g.frames), different, g.covered, total)
	}
	if g.framing.Length != nil && len(sizes) == 1 {
		text += "\n# All frames have one length, so the length field is a guess all the same."
	}
	return text
}

const guessedHead = `# Begun from a recording by foyer profile new. What stands here was seen or is marked as a guess; the manual decides.
# THE EXAMPLES HOLD RAW TAG NUMBERS: replace them before anybody else sees this file.
# Every key is explained in firmware-profiles/REFERENCE.md. While you work: foyer profile check FILE.
schema: 1
id: %s
kind: serial
about:
  title: {en: Name of the reader for people, zh-CN: 读卡器名称}
  products: [{vendor: Maker, model: Model}]
report: continuous # GUESS. continuous: again and again while the tag is near; once: one frame a visit; polled: we ask
link:
  serial: {baud: 9600, data: 8, parity: none, stop: 1} # as you recorded it: a recording does not say
%s
`

const guessedTail = `frames:
  reads:
    # GUESS: which bytes are the number cannot be seen. Compare with what is printed on a card (foyer profile play).
    - {name: tag, %sfields: %s}
  answers:
    - {name: other, fields: [{is: data, size: rest}]}
canonical: {scheme: %s} # GUESS
`
