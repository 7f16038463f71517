package reader

import (
	"testing"
	"time"

	profiles "foyer/firmware-profiles"
	"foyer/reader/link"
	"foyer/reader/link/linktest"
	"foyer/reader/tag"
)

func between(l **linktest.Lines) func(*Reader) {
	return func(r *Reader) {
		*l = linktest.NewLines()
		s := &socket[link.Edges]{}
		s.put(*l, nil)
		r.wiegand = s.dialer()
	}
}

// card26 is the fob 6F007B3972 over 26 bits.
const card26 = "00111101100111001011100101"

func TestACardOverWiegand26(t *testing.T) {
	var l *linktest.Lines
	bubble(t, "wiegand26", between(&l), func(t *testing.T, s *shop) {
		after(time.Minute)
		l.Pull(card26)
		last := time.Now()
		read := <-s.reads
		if read.ID != id(tag.EM4100x24, "7B3972") || !read.At.Equal(last) || read.HasRSSI {
			t.Errorf("%+v, last edge at %v", read, last)
		}
		if waited := time.Since(last); waited > 31*time.Millisecond {
			t.Errorf("told %v after its last bit", waited)
		}
		if s.whys() != "online" {
			t.Errorf("story: %s", s.whys())
		}
	})
}

func TestACardReaderWithAKeypad(t *testing.T) {
	var l *linktest.Lines
	var keys []byte
	dial := func(r *Reader) {
		between(&l)(r)
		both := *r.config.Profile
		pins := *both.Wiegand
		pins.Keypad = profiles.ComplementKeys
		both.Wiegand = &pins
		r.config.Profile = &both
		r.config.Keys = func(k Key) { keys = append(keys, k.Key) }
	}
	bubble(t, "wiegand26", dial, func(t *testing.T, s *shop) {
		after(time.Second)
		for _, bits := range []string{"11100001", card26, "01001011", "11110001"} { // the last has a bit turned
			l.Pull(bits)
			after(time.Second)
		}
		if c := s.Health().Counts; string(keys) != "1#" || len(s.reads) != 1 || c.Bad.Sum() != 1 || c.Frames != 3 {
			t.Errorf("keys %q, %d reads, %+v", keys, len(s.reads), c)
		}
	})
}

func TestTwoCardsInARow(t *testing.T) {
	var l *linktest.Lines
	bubble(t, "wiegand26", between(&l), func(t *testing.T, s *shop) {
		after(time.Second)
		for range 3 {
			l.Pull(card26)
			after(40 * time.Millisecond)
		}
		after(time.Second)
		if c := s.Health().Counts; len(s.reads) != 3 || c.Frames != 3 || c.Bad.Sum() != 0 {
			t.Errorf("%d reads, %+v", len(s.reads), c)
		}
	})
}

// The lines open while somebody's card is being sent: what is left of it might pass as another card.
func TestACardThatHadBegun(t *testing.T) {
	var l *linktest.Lines
	bubble(t, "wiegand26", between(&l), func(t *testing.T, s *shop) {
		l.Pull(card26)
		after(time.Second)
		l.Pull(card26)
		after(time.Second)
		if c := s.Health().Counts; len(s.reads) != 1 || c.Frames != 1 || c.Bad.Sum() != 1 {
			t.Errorf("%d reads, %+v", len(s.reads), c)
		}
	})
}

func TestBadCardsAreRefusedAndSuspected(t *testing.T) {
	var l *linktest.Lines
	bubble(t, "wiegand26", between(&l), func(t *testing.T, s *shop) {
		for i := range 12 {
			switch i % 3 {
			case 0:
				l.Pull(card26[1:]) // a bit lost
			case 1:
				l.Pull("1" + card26[1:]) // a bit turned
			case 2:
				l.Pull(card26 + "1")
			}
			after(time.Second)
		}
		if c := s.Health().Counts; len(s.reads) != 0 || c.Bad.Sum() != 12 || s.whys() != "online noise" || s.logged() != 2 {
			t.Errorf("%d reads, %+v, story: %s, log:\n%s", len(s.reads), c, s.whys(), s.log())
		}
		l.Pull(card26)
		after(time.Second)
		if len(s.reads) != 1 || s.whys() != "online noise online" {
			t.Errorf("%d reads, story: %s", len(s.reads), s.whys())
		}
	})
}

func TestAChipThatVanishesAndReturns(t *testing.T) {
	var l *linktest.Lines
	chip := &socket[link.Edges]{}
	dial := func(r *Reader) {
		l = linktest.NewLines()
		chip.put(l, nil)
		r.wiegand = chip.dialer()
	}
	bubble(t, "wiegand26", dial, func(t *testing.T, s *shop) {
		l.Pull(card26[:13])
		chip.put(nil, link.ErrNoDevice)
		l.Vanish() // in the middle of a card
		after(time.Minute)
		back := linktest.NewLines()
		chip.put(back, nil)
		after(time.Minute)
		back.Pull(card26)
		after(time.Second)
		if len(s.reads) != 1 || s.whys() != "online unplugged online" {
			t.Errorf("%d reads, story: %s", len(s.reads), s.whys())
		}
	})
}
