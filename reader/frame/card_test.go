package frame

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"foyer/reader/tag"
)

// Cards of which others published bits, facility and number: an access test-suite and a reader's documentation.
func TestPublishedCards(t *testing.T) {
	c := NewCard(find(t, "wiegand26"))
	for _, want := range []struct {
		bits           string
		facility, card uint64
	}{
		{"10111011000000110010000110", 118, 1603},
		{"10000000100000000000001011", 1, 5},
		{"11110000000000101001110011", 224, 1337},
	} {
		card, n, ok := CardBits(want.bits)
		var s Sighting
		if bad := c.Decode(card, n, &s); !ok || bad != Good {
			t.Fatalf("%s: %v, %v", want.bits, ok, bad)
		}
		facility, _ := c.Facility(card)
		number, _ := c.Number(card)
		if facility != want.facility || number != want.card {
			t.Errorf("%s: facility %d, card %d", want.bits, facility, number)
		}
		if hex := fmt.Sprintf("%02X%04X", want.facility, want.card); s.Number.Scheme() != tag.EM4100x24 || s.Number.Reveal() != hex {
			t.Errorf("%s: %s %s, want %s", want.bits, s.Number.Scheme(), s.Number.Reveal(), hex)
		}
	}
}

// encode34 writes a Wiegand-34 frame as a reader does, by counting ones in text.
func encode34(v uint32) string {
	digits := fmt.Sprintf("%032b", v)
	ones := func(s string) (n int) {
		for _, c := range s {
			n += int(c - '0')
		}
		return n
	}
	return fmt.Sprint(ones(digits[:16])%2) + digits + fmt.Sprint((ones(digits[16:])+1)%2)
}

func TestEvery34BitCard(t *testing.T) {
	c := NewCard(find(t, "wiegand34"))
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Uint32().Draw(t, "number")
		card, n, _ := CardBits(encode34(v))
		var s Sighting
		if bad := c.Decode(card, n, &s); bad != Good || s.Number.Reveal() != fmt.Sprintf("%08X", v) || s.Also.Reveal() != fmt.Sprintf("%06X", v&0xFFFFFF) {
			t.Fatalf("%v, %s also %s", bad, s.Number.Reveal(), s.Also.Reveal())
		}
		flipped := card ^ 1<<rapid.IntRange(0, 33).Draw(t, "bit")
		if bad := c.Decode(flipped, n, &s); bad != Parity {
			t.Fatalf("one bit turned: %v", bad)
		}
	})
}

func TestCanonicalOfA34BitCard(t *testing.T) {
	for scheme, want := range map[tag.Scheme]string{
		tag.EM4100x32: "em4100-32 007B3972", tag.EM4100x24: "em4100-24 7B3972", tag.Wiegand32: "wiegand-32 007B3972",
	} {
		c := NewCard(find(t, "wiegand34"))
		c.scheme, c.also = scheme, tag.None
		card, n, _ := CardBits(encode34(0x007B3972))
		var s Sighting
		if bad := c.Decode(card, n, &s); bad != Good || s.Number.Scheme().String()+" "+s.Number.Reveal() != want {
			t.Errorf("%v, %s %s, want %s", bad, s.Number.Scheme(), s.Number.Reveal(), want)
		}
	}
}

// The last byte first or the first: only the profile knows.
func TestTheOrderOfAUID(t *testing.T) {
	card, n, _ := CardBits(encode34(0xA1B2C3D4))
	for reverse, want := range map[bool]string{false: "A1B2C3D4", true: "D4C3B2A1"} {
		p := *find(t, "wiegand34-uid")
		plan := *p.Wiegand
		plan.Reverse = reverse
		p.Wiegand = &plan
		var s Sighting
		if bad := NewCard(&p).Decode(card, n, &s); bad != Good || s.Number.Scheme() != tag.UID || s.Number.Reveal() != want {
			t.Errorf("reverse %v: %v, %s %s, want %s", reverse, bad, s.Number.Scheme(), s.Number.Reveal(), want)
		}
		sent, err := tag.NewNumber(tag.Wiegand32, []byte{0xA1, 0xB2, 0xC3, 0xD4})
		if uid, ok := tag.UIDFromWiegand(sent, reverse); err != nil || !ok || uid != s.Number {
			t.Errorf("reverse %v: an import's %v is another card", reverse, uid)
		}
	}
}

func TestCardBits(t *testing.T) {
	if card, n, ok := CardBits("1101"); card != 0b1011 || n != 4 || !ok {
		t.Errorf("got %b, %d, %v", card, n, ok)
	}
	for _, bad := range []string{"12", "1 0", "00000000000000000000000000000000000000000000000000000000000000000"} {
		if _, _, ok := CardBits(bad); ok {
			t.Errorf("%q is taken", bad)
		}
	}
}

func FuzzCard(f *testing.F) {
	f.Add(uint64(0x1851BB), 26)
	f.Fuzz(func(t *testing.T, card uint64, n int) {
		for _, id := range []string{"wiegand26", "wiegand34", "wiegand34-uid"} {
			var s Sighting
			if bad := NewCard(find(t, id)).Decode(card, n, &s); (bad == Good) == s.Number.IsZero() {
				t.Fatalf("%s: %v with number %v", id, bad, s.Number)
			}
		}
	})
}
