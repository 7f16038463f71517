package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"foyer/reader/tag"
)

const tagHelp = `foyer tag decode TEXT   all forms of one tag number, as JSON. TEXT is what is printed, typed or read:
                        0008075634   123,14706   6F007B3972   04:A0:35:B2:BC:2B:80   2D76451FD4499602D2000000
                        "(8018)952114112345678906"   uid:...   epc:...   em4100:...   w26:123,14706

Fields: text; scheme (of an EPC its own, like gsrn-96, else how the number is stored); stored {scheme, id_hex} and forms
[{scheme, id_hex}]: under which numbers a reader may tell this card; version, card32, checksum, printed_10d, printed_3_5 of
a fob; gsrn, element, dl_path, uri, tag_uri, filter of a member's GSRN.
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
	fob
	member
}

// tagCommand shows what a number is.
func tagCommand(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && (args[0] == "-h" || args[0] == "--help" || args[0] == "help") {
		fmt.Fprint(stdout, tagHelp)
		return 0
	}
	if len(args) < 2 || args[0] != "decode" {
		fmt.Fprint(stderr, tagHelp)
		return 2
	}
	text := strings.Join(args[1:], " ")
	n, err := tag.ParseNumber(text)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	out := json.NewEncoder(stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	if err := out.Encode(describeTag(text, n)); err != nil {
		fmt.Fprintf(stderr, "print tag: %v\n", err)
		return 1
	}
	return 0
}

func describeTag(text string, n tag.Number) tagForms {
	t := tagForms{Text: text, Scheme: n.Scheme().String(), fob: fobForms(n), member: gs1Forms(n, epcOf(text))}
	for _, form := range tag.Forms(n) {
		t.Forms = append(t.Forms, tagForm{form.Scheme().String(), form.Reveal()})
	}
	t.Stored = t.Forms[0]
	if t.Filter != nil {
		t.Scheme = "gsrn-96"
	}
	return t
}

// epcOf returns the bytes of a text that is an EPC in hex, or nil.
func epcOf(text string) []byte {
	text = strings.TrimPrefix(strings.ToLower(strings.TrimSpace(text)), "epc:")
	b, err := hex.DecodeString(strings.NewReplacer(":", "", "-", "", " ", "").Replace(text))
	if err != nil {
		return nil
	}
	return b
}
