package link_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"foyer/reader/link"
)

func readAll(text string) (chunks []link.Chunk, err error) {
	for c, err := range link.ReadCapture(strings.NewReader(text)) {
		if err != nil {
			return chunks, err
		}
		chunks = append(chunks, c)
	}
	return chunks, nil
}

func TestReadCapture(t *testing.T) {
	got, err := readAll("# head\n\n0.000000 < 02 36\n 0.5>BB00  # poll\n< 03\n0A0b\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []link.Chunk{
		{Data: []byte{2, 0x36}},
		{At: 500 * time.Millisecond, Sent: true, Data: []byte{0xBB, 0}},
		{At: 500 * time.Millisecond, Data: []byte{3}},
		{At: 500 * time.Millisecond, Data: []byte{0x0A, 0x0B}},
	}
	same := func(a, b link.Chunk) bool { return a.At == b.At && a.Sent == b.Sent && bytes.Equal(a.Data, b.Data) }
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("got %+v", got)
	}
}

func TestBadCaptureNamesTheLine(t *testing.T) {
	for text, says := range map[string]string{
		"0 < 02\n0 < 0":                        "line 2: want bytes in hex",
		"x < 02":                               "line 1: \"x\" is no time",
		"-1 < 02":                              "is no time",
		"NaN < 02":                             "is no time",
		"1e300 < 02":                           "is no time",
		"2 < 02\n1 < 02":                       "line 2: time 1s is before 2s",
		"1 <":                                  "want bytes in hex",
		"0 < " + strings.Repeat("00", 40<<10):  "line 1: longer than",
		"\x00\xff":                             "want bytes in hex",
		"1.0 < 02 < 03":                        "want bytes in hex",
		"1.0 0203":                             "want bytes in hex",
		"# only remarks\n1 < zz # and no more": "line 2",
	} {
		if _, err := readAll(text); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%.40q: got %v, want %q", text, err, says)
		}
	}
}

func FuzzCapture(f *testing.F) {
	f.Add("# x\n0.000000 < 02 36\n0.5 > BB\n03\n")
	f.Add("9e9 < 00")
	f.Fuzz(func(t *testing.T, text string) {
		chunks, _ := readAll(text)
		var again []byte
		for _, c := range chunks {
			again, _ = c.AppendText(again)
		}
		if len(again) > 0 && bytes.Contains(again, []byte("\n")) {
			for line := range strings.SplitSeq(string(again), "\n") {
				if len(line) >= 64<<10 {
					return // what was read without spaces may be too long with them
				}
			}
		}
		back, err := readAll(string(again))
		if err != nil || len(back) != len(chunks) {
			t.Fatalf("%d chunks became %d: %v", len(chunks), len(back), err)
		}
		for i, c := range chunks {
			if c.At != back[i].At || c.Sent != back[i].Sent || !bytes.Equal(c.Data, back[i].Data) {
				t.Fatalf("%+v became %+v", c, back[i])
			}
		}
	})
}
