package api

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parseAll(text string) (got []string, err error) {
	p := newParser(strings.NewReader(text), func() {})
	for {
		m, err := p.next()
		if err != nil {
			return got, err
		}
		got = append(got, m.event+"="+string(m.data))
	}
}

func TestParser(t *testing.T) {
	for name, tc := range map[string]struct {
		in   string
		want []string
	}{
		"plain":                      {"id: 1\nevent: card\ndata: {}\n\n", []string{"card={}"}},
		"comments between":           {": hello\n\nevent: a\n: beat\ndata: 1\n\n: beat\n\n", []string{"a=1"}},
		"CR LF":                      {"event: a\r\ndata: 1\r\n\r\n", []string{"a=1"}},
		"several data lines":         {"data: 1\ndata: 2\n\n", []string{"=1\n2"}},
		"no space after the colon":   {"event:a\ndata:1\n\n", []string{"a=1"}},
		"unknown fields":             {"retry: 5\nfoo\nevent: a\ndata: 1\n\n", []string{"a=1"}},
		"no data is no message":      {"event: a\n\ndata: 1\n\n", []string{"=1"}},
		"cut off is not a message":   {"event: a\ndata: 1\n\nevent: b\ndata: 2\n", []string{"a=1"}},
		"the event does not linger":  {"event: a\ndata: 1\n\ndata: 2\n\n", []string{"a=1", "=2"}},
		"empty data is data":         {"data\n\n", []string{"="}},
		"nothing":                    {"", nil},
		"only line ends":             {"\n\n\r\n\n", nil},
		"an empty line within a gap": {"data: 1\n\n\n\ndata: 2\n\n", []string{"=1", "=2"}},
	} {
		got, err := parseAll(tc.in)
		if d := cmp.Diff(tc.want, got); d != "" || !errors.Is(err, io.EOF) {
			t.Errorf("%s: %v %s", name, err, d)
		}
	}
}

func TestParserIsBounded(t *testing.T) {
	line := "data: " + strings.Repeat("x", maxMessage/2) + "\n"
	for name, text := range map[string]string{
		"one line":   "data: " + strings.Repeat("x", 2*maxMessage) + "\n\n",
		"many lines": line + line + line + "\n",
	} {
		if _, err := parseAll(text); !errors.Is(err, bufio.ErrTooLong) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParser: no panic, bounded messages, and what was parsed parses to itself when it is written again.
func FuzzParser(f *testing.F) {
	for _, seed := range []string{"", "id: 1\nevent: card\ndata: {\"id\":1}\n\n", ": x\n\ndata: 1\r\ndata: 2\r\n\r\n", "data\n\n\x00", "event: resync\ndata: {}\n\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := newParser(strings.NewReader(text), func() {})
		for {
			m, err := p.next()
			if err != nil {
				return
			}
			if len(m.data) > maxMessage {
				t.Fatalf("a message of %d bytes", len(m.data))
			}
			again := newParser(strings.NewReader(fmt.Sprintf("event: %s\ndata: %s\n\n", m.event, strings.ReplaceAll(string(m.data), "\n", "\ndata: "))), func() {})
			got, err := again.next()
			if strings.HasSuffix(string(m.data), "\r") || strings.Contains(string(m.data), "\r\n") || strings.HasSuffix(m.event, "\r") {
				return // a CR before a line end belongs to it
			}
			if err != nil || got.event != m.event || string(got.data) != string(m.data) {
				t.Fatalf("%q came back as %q: %v", m, got, err)
			}
		}
	})
}
