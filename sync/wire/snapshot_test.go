package wire

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"foyer/reader/tag"
	"foyer/shop/campaign"
	"foyer/shop/member"
)

// key is a fixed key pair, so that a failing test fails again.
func key(n byte) (id string, private ed25519.PrivateKey, trusted map[string]ed25519.PublicKey) {
	private = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
	public := private.Public().(ed25519.PublicKey)
	return KeyID(public), private, map[string]ed25519.PublicKey{KeyID(public): public}
}

func membersSnapshot(t testing.TB, version uint64) Snapshot {
	s, err := NewSnapshot(Members, "wanlian", version, noon, MembersBody{[]member.Member{{
		ID: "m-1", Family: "陈", Title: member.Ms, Tags: []tag.ID{{1, 2, 3}},
		Birthday: member.MonthDay{Month: time.June, Day: 14}, Consents: []member.Purpose{member.Recognise},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func seal(t testing.TB, s Snapshot, n byte) []byte {
	id, private, _ := key(n)
	data, err := Seal(s, id, private)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSnapshotTravels(t *testing.T) {
	want := membersSnapshot(t, 7)
	_, _, trusted := key(1)
	got, err := Open(seal(t, want, 1), trusted)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	body, err := got.Members()
	if err != nil || body.Members[0].Family != "陈" || body.Members[0].Birthday.Day != 14 {
		t.Errorf("got %+v, %v", body, err)
	}
	if !bytes.Equal(seal(t, want, 1), seal(t, want, 1)) {
		t.Error("the same snapshot seals to different bytes: a repeated one could not be told from an altered one")
	}
}

func TestEveryTurnedBitIsSeen(t *testing.T) {
	sealed := seal(t, membersSnapshot(t, 7), 1)
	_, _, trusted := key(1)
	for i := range sealed {
		bad := bytes.Clone(sealed)
		bad[i] ^= 1 << (i % 8)
		want := ErrForged
		switch {
		case i < 5:
			want = ErrFormat
		case i < headLength:
			want = ErrUnknownKey
		}
		if _, err := Open(bad, trusted); !errors.Is(err, want) {
			t.Fatalf("byte %d: got %v, want %v", i, err, want)
		}
	}
	for n := range len(sealed) {
		if _, err := Open(sealed[:n], trusted); err == nil {
			t.Fatalf("cut to %d bytes it opens", n)
		}
	}
	if _, err := Open(append(bytes.Clone(sealed), 0), trusted); !errors.Is(err, ErrForged) {
		t.Errorf("one byte more: %v", err)
	}
}

func TestOnlyTrustedKeysCount(t *testing.T) {
	sealed := seal(t, membersSnapshot(t, 7), 1)
	id, _, _ := key(1)
	_, _, other := key(2)
	if _, err := Open(sealed, other); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("signed by a stranger: %v", err)
	}
	for _, public := range other { // a stranger who uses the trusted key's id
		if _, err := Open(sealed, map[string]ed25519.PublicKey{id: public}); !errors.Is(err, ErrForged) {
			t.Errorf("a trusted id with another key: %v", err)
		}
	}
	if _, err := Open(sealed, map[string]ed25519.PublicKey{id: {1, 2}}); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("a broken trusted key: %v", err)
	}
	if _, err := Open(sealed, nil); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("no trusted key: %v", err)
	}
}

// signed seals any bytes, as a headquarters gone wrong would.
func signed(n byte, packed []byte) []byte {
	id, private, _ := key(n)
	raw := []byte(magic + "\x01")
	for i := 0; i < len(id); i += 2 {
		raw = append(raw, unhex(id[i])<<4|unhex(id[i+1]))
	}
	return append(append(raw, ed25519.Sign(private, append(bytes.Clone(raw), packed...))...), packed...)
}

func unhex(c byte) byte { return byte(strings.IndexByte("0123456789abcdef", c)) }

func zipped(text []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	z.Write(text)
	z.Close()
	return b.Bytes()
}

func TestEvenSignedBytesKeepTheLimits(t *testing.T) {
	_, _, trusted := key(1)
	good, err := encode(membersSnapshot(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(signed(1, zipped(good)), trusted); err != nil {
		t.Fatalf("the test's own sealing: %v", err)
	}
	for _, tc := range []struct {
		name   string
		packed []byte
		want   error
	}{
		{"a bomb", zipped(make([]byte, MaxOpened+1)), ErrTooLarge},
		{"too long", make([]byte, MaxSealed), ErrTooLarge},
		{"no gzip", good, ErrFormat},
		{"cut gzip", zipped(good)[:40], ErrFormat},
		{"a second gzip", append(zipped(good), zipped(good)...), ErrFormat},
		{"no JSON", zipped([]byte("hello")), ErrFormat},
		{"no version", zipped([]byte(`{"kind":"members","chain":"c","made_at":"2026-06-14T12:00:00Z","body":{}}`)), ErrFormat},
		{"no body", zipped([]byte(`{"kind":"members","chain":"c","version":1,"made_at":"2026-06-14T12:00:00Z"}`)), ErrFormat},
		{"odd chain", zipped([]byte(`{"kind":"members","chain":"C/#","version":1,"made_at":"2026-06-14T12:00:00Z","body":{}}`)), ErrFormat},
	} {
		if _, err := Open(signed(1, tc.packed), trusted); !errors.Is(err, tc.want) {
			t.Errorf("%s: got %v, want %v", tc.name, err, tc.want)
		}
	}
	newer := signed(1, zipped(good))
	newer[4] = 2
	if _, err := Open(newer, trusted); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("a newer envelope: %v", err)
	}
}

func TestSealRefusesWhatNoStoreWouldOpen(t *testing.T) {
	id, private, _ := key(1)
	for name, spoil := range map[string]func(*Snapshot){
		"version 0": func(s *Snapshot) { s.Version = 0 },
		"no chain":  func(s *Snapshot) { s.Chain = "" },
		"odd store": func(s *Snapshot) { s.Store = "A" },
		"no body":   func(s *Snapshot) { s.Body = nil },
		"no time":   func(s *Snapshot) { s.MadeAt = time.Time{} },
		"too long":  func(s *Snapshot) { s.Body = json.RawMessage(`"` + strings.Repeat("x", MaxOpened) + `"`) },
	} {
		s := membersSnapshot(t, 1)
		spoil(&s)
		if _, err := Seal(s, id, private); err == nil {
			t.Errorf("%s: sealed", name)
		}
	}
	if _, err := Seal(membersSnapshot(t, 1), "xyz", private); err == nil {
		t.Error("sealed under no key id")
	}
	if _, err := Seal(membersSnapshot(t, 1), id, private[:10]); err == nil {
		t.Error("sealed with half a key")
	}
}

func TestForBindsChainAndStore(t *testing.T) {
	here := Place{"wanlian", "fuxing-road"}
	for _, tc := range []struct {
		chain, store string
		ok           bool
	}{
		{"wanlian", "", true}, {"wanlian", "fuxing-road", true}, {"wanlian", "other", false}, {"other", "", false}, {"other", "fuxing-road", false},
	} {
		err := Snapshot{Chain: tc.chain, Store: tc.store}.For(here)
		if (err == nil) != tc.ok || err != nil && !errors.Is(err, ErrElsewhere) {
			t.Errorf("%+v: %v", tc, err)
		}
	}
}

func TestBodiesAreOfTheirKind(t *testing.T) {
	s, err := NewSnapshot(Campaigns, "wanlian", 1, noon, CampaignsBody{[]campaign.Campaign{{ID: "june", Audience: "true"}}})
	if err != nil {
		t.Fatal(err)
	}
	if body, err := s.Campaigns(); err != nil || body.Campaigns[0].ID != "june" {
		t.Errorf("got %+v, %v", body, err)
	}
	if _, err := s.Members(); !errors.Is(err, ErrFormat) {
		t.Errorf("campaigns as members: %v", err)
	}
	s.Body = []byte(`{"campaigns":7}`)
	if _, err := s.Campaigns(); !errors.Is(err, ErrFormat) {
		t.Errorf("a number as campaigns: %v", err)
	}
	s.Body = []byte(`{"campaigns":[` + strings.TrimSuffix(strings.Repeat(`{},`, MaxCampaigns+1), ",") + `]}`)
	if _, err := s.Campaigns(); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too many campaigns: %v", err)
	}
}

func TestKeyFiles(t *testing.T) {
	id, private, trusted := key(3)
	back, err := ParsePrivateKey("# headquarters\n" + FormatPrivateKey(private))
	if err != nil || !back.Equal(private) {
		t.Errorf("private key: %v", err)
	}
	_, second, _ := key(4)
	keys, err := ParsePublicKeys(FormatPublicKey(trusted[id]) + "\n  # the next one\n" + FormatPublicKey(second.Public().(ed25519.PublicKey)))
	if err != nil || len(keys) != 2 || !keys[id].Equal(trusted[id]) {
		t.Errorf("public keys: %v, %v", keys, err)
	}
	for _, tc := range []struct{ text, want string }{
		{"", "there is none"},
		{"# only words\n", "there is none"},
		{FormatPrivateKey(private), "this is a file for foyer-ed25519-private"},
		{"ssh-ed25519 AAAA\n", `line 1: want it to begin with "foyer-ed25519-public"`},
		{"\nfoyer-ed25519-public\n", "line 2: want the key after"},
		{"foyer-ed25519-public AAAA\n", "line 1: want 32 bytes"},
		{"foyer-ed25519-public *\n", "line 1: want 32 bytes"},
		{strings.TrimSpace(FormatPublicKey(trusted[id])) + " x", "nothing else"},
	} {
		_, err := ParsePublicKeys(tc.text)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%.30q: got %v, want %q", tc.text, err, tc.want)
		}
		if secret := strings.Fields(FormatPrivateKey(private))[1]; err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error tells a private key: %v", err)
		}
	}
	if _, err := ParsePrivateKey(FormatPrivateKey(private) + FormatPrivateKey(second)); err == nil {
		t.Error("two private keys in one file")
	}
}
