package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"foyer/reader/tag"
	"foyer/reader/tag/epc"
)

const tagHelp = `foyer tag decode [--prefix DIGITS] TEXT   all forms of one tag number, as JSON. TEXT is what is printed, typed or read:
                        0008075634   123,14706   6F007B3972   04:A0:35:B2:BC:2B:80   2D76451FD4499602D2000000
                        "(8018)952114112345678906"   uid:...   epc:...   em4100:...   w26:123,14706
                        urn:epc:tag:sgtin-96:3.95060001343.05.123456789   urn:epc:id:sgtin:95060001343.05.123456789
--prefix says how many digits the GS1 company prefix has, 6 to 12. With it, "(01)09506000134352(21)123456789" and
https://id.gs1.org/01/09506000134352/21/123456789 become an EPC too: with filter 0, of the shortest scheme that fits.

Fields: text; scheme (of an EPC its own, like gsrn-96, else how the number is stored); stored {scheme, id_hex} and forms
[{scheme, id_hex}]: under which numbers a reader may tell this card; version, card32, checksum, printed_10d, printed_3_5 of
a fob; epc in hex; of a code of GS1: gsrn (a member's), element, dl_path, digital_link, uri, tag_uri, filter, hostname,
check_digit, parts {company_prefix, reference, serial} as texts with their leading zeros, and a note where bytes are no EPC.
It prints the raw number: keep its output out of logs and tickets.
`

type tagForm struct {
	Scheme string `json:"scheme"`
	IDHex  string `json:"id_hex"`
}

// tagForms is what tag decode prints. It is stable.
type tagForms struct {
	Text   string    `json:"text"`
	Scheme string    `json:"scheme"`
	Stored tagForm   `json:"stored"`
	Forms  []tagForm `json:"forms"`
	EPC    string    `json:"epc,omitempty"`
	fob
	gs1
}

// tagCommand shows what a number is.
func tagCommand(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && (args[0] == "-h" || args[0] == "--help" || args[0] == "help") {
		fmt.Fprint(stdout, tagHelp)
		return 0
	}
	prefix, rest, ok := prefixFlag(args)
	if !ok || len(rest) < 2 || rest[0] != "decode" {
		fmt.Fprint(stderr, tagHelp)
		return 2
	}
	text := strings.Join(rest[1:], " ")
	n, raw, err := parseTag(text, prefix)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	out := json.NewEncoder(stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	if err := out.Encode(describeTag(text, n, raw)); err != nil {
		fmt.Fprintf(stderr, "print tag: %v\n", err)
		return 1
	}
	return 0
}

// prefixFlag takes --prefix DIGITS out of the arguments.
func prefixFlag(args []string) (digits int, rest []string, ok bool) {
	at := slices.Index(args, "--prefix")
	if at < 0 {
		return 0, args, true
	}
	if at+1 == len(args) {
		return 0, nil, false
	}
	digits, err := strconv.Atoi(args[at+1])
	return digits, slices.Concat(args[:at], args[at+2:]), err == nil
}

// parseTag gives the number, and the EPC if it is one.
func parseTag(text string, prefix int) (tag.Number, []byte, error) {
	element := strings.HasPrefix(text, "(") && !strings.HasPrefix(text, "(8018)")
	if prefix == 0 && !element && !strings.HasPrefix(text, "urn:epc:") {
		n, err := tag.ParseNumber(text)
		if err == nil && n.Scheme() == tag.EPC {
			return n, n.Bytes(nil), nil
		}
		return n, epcOf(text), err
	}
	e, err := epc.Parse(text, prefix)
	if err != nil {
		return tag.Number{}, nil, fmt.Errorf("tag number: %w", err)
	}
	raw, err := e.Encode()
	if err != nil {
		return tag.Number{}, nil, fmt.Errorf("tag number: %w", err)
	}
	n, err := tag.FromEPC(raw)
	return n, raw, err
}

func describeTag(text string, n tag.Number, raw []byte) tagForms {
	t := tagForms{Text: text, Scheme: n.Scheme().String(), fob: fobForms(n)}
	if s := n.Scheme(); s == tag.EPC || s == tag.GSRN {
		t.gs1, t.EPC = gs1Forms(n, raw), fmt.Sprintf("%X", raw)
	}
	if e, err := epc.Decode(raw); err == nil && t.EPC != "" {
		t.Scheme = e.Scheme.String()
	}
	for _, form := range tag.Forms(n) {
		t.Forms = append(t.Forms, tagForm{form.Scheme().String(), form.Reveal()})
	}
	t.Stored = t.Forms[0]
	return t
}

// epcOf returns the bytes of a text that is a member's EPC in hex, or nil.
func epcOf(text string) []byte {
	text = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(text)), "epc:")
	digits := strings.NewReplacer(":", "", "-", "", " ", "").Replace(text)
	if epc.IsPlus(digits) {
		digits += strings.Repeat("0", (4-len(digits)%4)%4)
	}
	b, err := hex.DecodeString(digits)
	if err != nil || len(b) < 2 {
		return nil
	}
	if _, ok := epc.GSRN(b); !ok {
		return nil
	}
	return b
}
