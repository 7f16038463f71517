package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Erasures is the kind of snapshot that tells stores whom to erase: ErasuresBody.
const Erasures = "erasures"

// Limits of ErasuresBody.
const (
	MaxErasures  = 5000
	SaltBytes    = 16
	erasedBytes  = 16
	erasureLabel = "foyer erasure 1\x00"
)

// ErasuresBody lists who was erased at headquarters. A store that knows a pseudonym finds it here; whoever does not know it
// learns nothing: it is not a list of members.
type ErasuresBody struct {
	Salt     Salt      `json:"salt"` // the chain's
	Erasures []Erasure `json:"erasures"`
}

// Erasure is one person's. Numbers grow from 1; one may be missing.
type Erasure struct {
	Number uint64 `json:"n"`
	Who    Erased `json:"who"`
}

// Salt makes an Erased one of its chain.
type Salt [SaltBytes]byte

// Erased stands for a pseudonym that must not be told any more: the first half of SHA-256 over a label, the salt and the pseudonym.
type Erased [erasedBytes]byte

// Of is what stands for a pseudonym.
func (s Salt) Of(member string) Erased {
	sum := sha256.New()
	sum.Write([]byte(erasureLabel))
	sum.Write(s[:])
	sum.Write([]byte(member))
	return Erased(sum.Sum(nil)[:erasedBytes])
}

// MarshalText writes it in hex.
func (s Salt) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *Salt) UnmarshalText(text []byte) error { return hexInto(s[:], text) }

// MarshalText writes it in hex.
func (e Erased) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, e[:]), nil }

// UnmarshalText reads what MarshalText wrote.
func (e *Erased) UnmarshalText(text []byte) error { return hexInto(e[:], text) }

func hexInto(into, text []byte) error {
	if hex.DecodedLen(len(text)) != len(into) || len(text)%2 != 0 {
		return fmt.Errorf("%d characters: want %d hex digits", len(text), hex.EncodedLen(len(into)))
	}
	_, err := hex.Decode(into, text)
	return err
}

// Match gives what tells whether a pseudonym is of those listed with a number above this one; nil where there are none.
func (b ErasuresBody) Match(above uint64) func(member string) bool {
	who := map[Erased]bool{}
	for _, e := range b.Erasures {
		if e.Number > above {
			who[e.Who] = true
		}
	}
	if len(who) == 0 {
		return nil
	}
	return func(member string) bool { return who[b.Salt.Of(member)] }
}

// Above lists the numbers above this one.
func (b ErasuresBody) Above(number uint64) []uint64 {
	var all []uint64
	for _, e := range b.Erasures {
		if e.Number > number {
			all = append(all, e.Number)
		}
	}
	return all
}

// Check tells what is wrong with the list.
func (b ErasuresBody) Check() error {
	if len(b.Erasures) > MaxErasures {
		return fmt.Errorf("%d erasures: want at most %d", len(b.Erasures), MaxErasures)
	}
	last := uint64(0)
	for _, e := range b.Erasures {
		if e.Number <= last {
			return fmt.Errorf("erasure %d comes after %d: want growing numbers", e.Number, last)
		}
		last = e.Number
	}
	return nil
}

// Erasures decodes the body of such a snapshot.
func (s Snapshot) Erasures() (ErasuresBody, error) {
	var b ErasuresBody
	if err := s.body(Erasures, &b); err != nil {
		return ErasuresBody{}, err
	}
	if err := b.Check(); err != nil {
		return ErasuresBody{}, fmt.Errorf("open snapshot %s: %w: %w", Erasures, ErrFormat, err)
	}
	return b, nil
}

// EraseReceipt is a store's word that nothing of the person is left there.
type EraseReceipt struct {
	Erasure uint64 `json:"erasure"` // its number
}
