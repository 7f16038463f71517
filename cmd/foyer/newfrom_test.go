package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	profiles "foyer/firmware-profiles"
	"foyer/reader/frame"
)

// unknown makes frames that no profile of ours has.
type unknown func(number []byte) []byte

var unknowns = map[string]unknown{
	"length-led": func(n []byte) []byte { // 7A, length of what follows it, 51, number, sum, 0D
		if n[2] == 0x21 {
			n = n[:4] // a card of another kind
		}
		b := append([]byte{0x7A, byte(len(n) + 3), 0x51}, n...)
		var sum byte
		for _, x := range b[1:] {
			sum += x
		}
		return append(b, sum, 0x0D)
	},
	"delimited": func(n []byte) []byte { // 1B, hex digits, xor, 04
		var xor byte
		for _, x := range n {
			xor ^= x
		}
		return fmt.Appendf(nil, "\x1B%X%02X\x04", n, xor)
	},
	"text": func(n []byte) []byte { return fmt.Appendf(nil, "CARD %X\r\n", n) },
}

// recordingOf is frames of three cards, a few of each, as foyer reader record writes them.
func recordingOf(make unknown) string {
	var b strings.Builder
	b.WriteString("# foyer reader record, nothing is sent\n")
	for i := range 9 {
		n := []byte{0x6F, 0x01, byte(0x20 + i%3), 0x39, byte(0x70 + i%3)}
		fmt.Fprintf(&b, "%d.%03d000 < % X\n", i, 100*i, make(n))
	}
	return b.String()
}

func begin(t *testing.T, capture string) (text, notes string, code int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "door.capture")
	if err := os.WriteFile(path, []byte(capture), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	code = profileCommand([]string{"new", "mine", "-from", path}, &stdout, &stderr)
	return stdout.String(), stderr.String(), code
}

// What is begun from a recording is a sound profile, and reads the cards of the recording and others.
func TestProfileFromARecording(t *testing.T) {
	for name, make := range unknowns {
		text, notes, code := begin(t, recordingOf(make))
		p, err := profiles.Parse("mine.yaml", []byte(text))
		if code != 0 || err != nil {
			t.Errorf("%s: exit %d, %s: %v\n%s", name, code, notes, err, text)
			continue
		}
		if err := frame.CheckExamples(p); err != nil {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
		other := make([]byte{0x11, 0x22, 0x33, 0x44, 0x55})
		got := frame.Play(p, profiles.Example{Wire: []profiles.Bytes{other, other}})
		if len(got) != 2 || got[0].Tag == "" || p.ID != "mine" || !strings.Contains(text, "RAW TAG NUMBERS") || !strings.Contains(text, "PROVED") {
			t.Errorf("%s: another card gives %+v\n%s", name, got, text)
		}
		changed := bytes.Clone(other)
		changed[5] ^= 1
		if got := frame.Play(p, profiles.Example{Wire: []profiles.Bytes{changed}}); name != "text" && (len(got) != 1 || got[0].Bad == "") {
			t.Errorf("%s: a changed bit gives %+v", name, got)
		}
	}
}

func TestProfileFromARecordingIsHonest(t *testing.T) {
	led := unknowns["length-led"]
	one := fmt.Sprintf("0.1 < % X\n0.5 < % X\n", led([]byte{1, 2, 3, 4, 5}), led([]byte{1, 2, 3, 4, 5}))
	if text, _, code := begin(t, one); code != 0 || !strings.Contains(text, "GUESSED from too little") || !strings.Contains(text, "kind: delimited") {
		t.Errorf("one card, twice: exit %d\n%s", code, text)
	}
	var sameLength strings.Builder
	for i := range byte(5) { // a check of two bytes behind: only a length tells the end
		b := []byte{0x7A, 0x08, 0x51, 0xF0 + i, 2 * i, 3, 4, 5}
		crc := profiles.MCRF4XX.Of(b, 1)
		fmt.Fprintf(&sameLength, "%d.1 < % X\n", i, append(b, byte(crc), byte(crc>>8)))
	}
	if text, notes, code := begin(t, sameLength.String()); code != 0 || !strings.Contains(text, "length field is a guess") || !strings.Contains(text, "check: crc16-mcrf4xx") {
		t.Errorf("frames of one length: exit %d, %s\n%s", code, notes, text)
	}
	if text, notes, code := begin(t, "0.1 < 31 99 7F 02\n0.2 < 45 FE\n0.3 < 00 12 88 9A 77 01 23\n"); code != 0 || text != strings.ReplaceAll(skeleton, "NEW-ID", "mine") || !strings.Contains(notes, "No framing") {
		t.Errorf("noise: exit %d, %s\n%s", code, notes, text)
	}
	known := "0.1 < 02 36 46 30 30 37 42 33 39 37 32 35 46 03\n"
	if text, notes, code := begin(t, known+strings.Replace(known, "0.1", "0.2", 1)); code != 1 || text != "" || !strings.Contains(notes, "rdm6300") {
		t.Errorf("a reader that we know: exit %d, %s", code, notes)
	}
	if _, notes, code := begin(t, "0.1 > BB 00\n"); code != 1 || !strings.Contains(notes, "nothing in it came from the reader") {
		t.Errorf("only sent: exit %d, %s", code, notes)
	}
}

// Whatever was recorded: no panic, and what comes out is sound.
func FuzzProfileFrom(f *testing.F) {
	for _, make := range unknowns {
		f.Add([]byte(recordingOf(make)))
	}
	f.Add([]byte("0.1 < 7A\n0.2 < 7A 00\n"))
	f.Fuzz(func(t *testing.T, capture []byte) {
		if len(capture) > 4<<10 {
			return
		}
		path := filepath.Join(t.TempDir(), "capture")
		if err := os.WriteFile(path, capture, 0o600); err != nil {
			t.Fatal(err)
		}
		text, _, err := beginFrom("mine", path)
		if err != nil {
			return
		}
		p, err := profiles.Parse("mine.yaml", []byte(text))
		if err == nil {
			err = frame.CheckExamples(p)
		}
		if err != nil {
			t.Errorf("%v\n%s", err, text)
		}
	})
}
