package wire

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
)

func anErasuresBody() ErasuresBody {
	b := ErasuresBody{Salt: Salt{1, 2, 3}}
	for i, who := range []string{"m-anna", "m-bob"} {
		b.Erasures = append(b.Erasures, Erasure{Number: uint64(3 + i), Who: b.Salt.Of(who)})
	}
	return b
}

func TestErasures(t *testing.T) {
	s, err := NewSnapshot(Erasures, "demo", 1, time.Now(), anErasuresBody())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(s.Body), "anna") {
		t.Errorf("it names somebody: %s", s.Body)
	}
	b, err := s.Erasures()
	if err != nil {
		t.Fatal(err)
	}
	for who, want := range map[string]bool{"m-anna": true, "m-bob": true, "m-ann": false, "": false} {
		if got := b.Match(0)(who); got != want {
			t.Errorf("%q: %v", who, got)
		}
	}
	if b.Match(3)("m-anna") || !b.Match(3)("m-bob") || b.Match(4) != nil || len(b.Above(3)) != 1 {
		t.Error("what is done already matches")
	}
	if other := (Salt{9}); other.Of("m-anna") == b.Salt.Of("m-anna") {
		t.Error("another chain's list has the same")
	}
}

func TestErasuresThatAreNone(t *testing.T) {
	for name, change := range map[string]func(*ErasuresBody){
		"numbers that do not grow": func(b *ErasuresBody) { b.Erasures[1].Number = 3 },
		"number 0":                 func(b *ErasuresBody) { b.Erasures[0].Number = 0 },
		"too many":                 func(b *ErasuresBody) { b.Erasures = make([]Erasure, MaxErasures+1) },
	} {
		b := anErasuresBody()
		change(&b)
		s, err := NewSnapshot(Erasures, "demo", 1, time.Now(), b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Erasures(); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzErasures(f *testing.F) {
	good, err := json.Marshal(anErasuresBody())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"salt":"","erasures":[{"n":1,"who":"00"}]}`))
	f.Add([]byte(`{"salt":"0102030405060708090a0b0c0d0e0f10","erasures":[{"n":1,"who":"zz02030405060708090a0b0c0d0e0f10"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := Snapshot{Kind: Erasures, Body: data}
		decodesToItself(t, data, func([]byte) (ErasuresBody, error) { return s.Erasures() }, func(b ErasuresBody) ([]byte, error) { return json.Marshal(b) })
	})
}
