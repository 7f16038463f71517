//go:build linux

package main

import (
	"fmt"
	"math/bits"
	"math/rand/v2"

	profiles "foyer/firmware-profiles"
	"foyer/reader/frame"
	"foyer/reader/tag"
)

var secret = []byte("a key for the simulated machine!")

// card is what is played, and what must be heard.
type card struct {
	wire string // '0' and '1'
	id   tag.ID
}

// deck makes n different cards of a profile's format.
func deck(profile string, n int, seed uint64) ([]card, error) {
	p, ok := profiles.Find(profile)
	if !ok || p.Wiegand == nil {
		return nil, fmt.Errorf("no wiegand profile %q", profile)
	}
	key, err := tag.NewKey(secret)
	if err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(seed, 26))
	known := map[tag.ID]bool{}
	var all []card
	for len(all) < n {
		word := framed(p.Wiegand, rng.Uint64())
		var s frame.Sighting
		if bad := frame.NewCard(p).Decode(word, p.Wiegand.Bits, &s); bad != frame.Good {
			return nil, fmt.Errorf("made a card that is %v", bad)
		}
		c := card{id: key.ID(s.Number)}
		for i := range p.Wiegand.Bits {
			c.wire += string('0' + rune(word>>i&1))
		}
		if !known[c.id] {
			known[c.id] = true
			all = append(all, c)
		}
	}
	return all, nil
}

// framed puts a number and its parity into a frame. The parities come in the profile's order: a later one covers earlier ones.
func framed(w *profiles.Wiegand, number uint64) uint64 {
	word := (number & (1<<w.Number.Bits - 1)) << w.Number.At
	for _, p := range w.Parity {
		odd := bits.OnesCount64(word&uint64(p.Over))%2 == 1
		if odd != (p.Kind == profiles.Odd) {
			word |= 1 << p.Bit
		}
	}
	return word
}
