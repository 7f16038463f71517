package virtual

import (
	"strings"
	"testing"

	profiles "foyer/firmware-profiles"
)

func TestItAnswersAsAPrinter(t *testing.T) {
	for _, c := range []struct {
		fault Fault
		ask   string
		want  string
	}{
		{0, "\x10\x04\x01\x10\x04\x02\x10\x04\x03\x10\x04\x04", "\x12\x12\x12\x12"},
		{NoPaper, "\x10\x04\x01\x10\x04\x02\x10\x04\x04", "\x1a\x32\x7e"}, // as a TM-T88 does without paper
		{Cover, "\x10\x04\x02", "\x16"},
		{Cutter, "\x10\x04\x03", "\x1a"},
		{NearEnd, "\x1dr\x01\x10\x04\x04", "\x1e\x03"}, // what is asked in real time is answered first
		{0, "\x1dI\x42", "_FOYER\x00"},
		{0, "\x1d(H\x06\x000012ab", "7\"12ab\x00"},
		{0, "\x1da\xff", "\x10\x00\x00\x0f"},
	} {
		p := some(t)
		p.Set(c.fault)
		p.Answer()
		p.Receive([]byte(c.ask))
		if got := string(p.Answer()); got != c.want {
			t.Errorf("with %d, % X is answered % X, want % X", c.fault, c.ask, got, c.want)
		}
	}
}

// Without paper nothing is printed and questions that wait for their turn wait; with a new roll it goes on where it was.
func TestItGoesOnWithANewRoll(t *testing.T) {
	p := some(t)
	p.After(2, NoPaper)
	p.Receive([]byte("one\ntwo\nthree\n\x1dr\x01"))
	if p.Text() != "one\ntwo" || len(p.Answer()) != 0 || p.Faults() != NoPaper {
		t.Errorf("printed %q", p.Text())
	}
	p.Set(0)
	if p.Text() != "one\ntwo\nthree" || string(p.Answer()) != "\x00" {
		t.Errorf("then %q", p.Text())
	}
}

// Its memory is small while it stands still, and empty after the plug was pulled.
func TestItTakesNoMoreThanItHasRoomFor(t *testing.T) {
	p := some(t)
	p.Set(Cover)
	if n := p.Receive(make([]byte, 2*maxBuffer)); n != maxBuffer {
		t.Errorf("took %d bytes", n)
	}
	p.SwitchOff()
	p.Set(0)
	p.Receive([]byte("new\n"))
	if p.Text() != "new" {
		t.Errorf("printed %q", p.Text())
	}
}

func TestTextOnTheLine(t *testing.T) {
	for job, want := range map[string]string{
		"a\tb\n":                                     "a       b",
		"\x1bD\x04\x00a\tb\n":                        "a   b",
		"\x1c&\xd3\xc5\xbb\xdd\xc8\xaf\n":            "优惠券",
		"\x1c.\x1bt\x10\xe9\n":                       "é",
		"\x1b$\x78\x00x\n":                           "x",
		strings.Repeat("x", 50) + "\n":               strings.Repeat("x", 48) + "\nxx",
		"\x1d!\x11" + strings.Repeat("y", 25) + "\n": strings.Repeat("y", 24) + "\ny",
		"\x81\x30\x84\x36\n":                         "¥",
	} {
		p := some(t)
		p.Receive([]byte(job))
		if p.Text() != want {
			t.Errorf("% X: %q, want %q", job, p.Text(), want)
		}
	}
}

// Half a command waits for the rest, byte by byte, and comes to the same.
func TestBytesMayComeOneByOne(t *testing.T) {
	job := []byte("\x1b@\x1c&\xd3\xc5\x1ba\x01mid\n\x1dv0\x00\x01\x00\x02\x00\xff\x81\x1d(k\x04\x001A2\x00\x1dk\x49\x04{Bab\x1dVB\x00")
	whole, single := some(t), some(t)
	whole.Receive(job)
	for _, c := range job {
		single.Receive([]byte{c})
	}
	if whole.Text() != single.Text() || len(whole.Events()) != len(single.Events()) || whole.Paper().H != single.Paper().H {
		t.Errorf("%q %v\n%q %v", whole.Text(), whole.Events(), single.Text(), single.Events())
	}
}

func FuzzPrinter(f *testing.F) {
	f.Add([]byte("\x1b@\x1c&\xd3\xc5\x1ba\x01mid\n\x1dv0\x00\x01\x00\x02\x00\xff\x81\x1d(k\x04\x001A2\x00\x1dk\x49\x04{Bab\x1dVB\x00"), uint8(0))
	f.Add([]byte("\x1d8L\x0c\x00\x00\x000p0\x01\x011\x08\x00\x02\x00\xff\x81\x1d(L\x02\x0002\x1b*\x21\x01\x00\xff\xff\xff\n"), uint8(4))
	m := profiles.Printers()[0]
	f.Fuzz(func(t *testing.T, job []byte, fault uint8) {
		p := New(m)
		p.After(int(fault%8), Fault(fault))
		p.Receive(job)
		p.Set(0)
		if p.Paper().H > maxStrip || len(p.Answer()) > 64*len(job)+64 {
			t.Errorf("%d dots of paper", p.Paper().H)
		}
		// Whatever came before, after a new start it prints.
		p.SwitchOff()
		p.Tear()
		p.Receive([]byte("\x1b@after\n"))
		if p.Text() != "after" {
			t.Errorf("after it: %q", p.Text())
		}
	})
}

func BenchmarkLines(b *testing.B) {
	p := New(profiles.Printers()[0])
	line := []byte("a line of a receipt, 10.00\n")
	for b.Loop() {
		p.Receive(line)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
