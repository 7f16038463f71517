package tag

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func testKey(t *testing.T) *Key {
	t.Helper()
	k, err := NewKey([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// The hash is part of what stores and headquarters share: scheme, length, bytes, under HMAC-SHA-256, cut to 16 bytes.
func TestIDIsWhatEveryStoreComputes(t *testing.T) {
	fob, err := ParseNumber("6F007B3972")
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte("0123456789abcdef0123456789abcdef"))
	mac.Write([]byte{1, 5, 0x6F, 0x00, 0x7B, 0x39, 0x72})
	key := testKey(t)
	for range 2 { // the second must not remember the first
		if got := key.ID(fob); !bytes.Equal(got[:], mac.Sum(nil)[:16]) {
			t.Errorf("got %x", got[:])
		}
	}
	if !key.ID(Number{}).IsZero() {
		t.Error("no number has an ID")
	}
	if n := testing.AllocsPerRun(50, func() { key.ID(fob) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Forms and schemes never meet: the same bytes of another scheme are another tag.
func TestIDTellsSchemesApart(t *testing.T) {
	key, seen := testKey(t), map[ID]string{}
	for _, text := range []string{"em4100-32:007B3972", "wiegand-32:007B3972", "uid:007B3972", "epc:007B3972", "em4100-24:7B3972"} {
		n, err := ParseNumber(text)
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := seen[key.ID(n)]; ok {
			t.Errorf("%s and %s have one ID", text, other)
		}
		seen[key.ID(n)] = text
	}
}

func TestSecrets(t *testing.T) {
	text := NewSecret()
	secret, err := ParseSecret(text)
	if err != nil || text == NewSecret() {
		t.Errorf("secret %d characters, %v", len(text), err)
	}
	if _, err := NewKey(secret); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "xyz", text[:62], text + text} {
		if _, err := ParseSecret(bad); err == nil || len(bad) > 3 && strings.Contains(err.Error(), bad) {
			t.Errorf("%d characters: %v", len(bad), err)
		}
	}
	if _, err := NewKey(secret[:31]); err == nil {
		t.Error("a short key is taken")
	}
}

// Whatever is printed of a number or logged of an ID must not lead back to the card.
func TestNothingLeaks(t *testing.T) {
	n, err := ParseNumber("6F007B3972")
	if err != nil {
		t.Fatal(err)
	}
	id := testKey(t).ID(n)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("read", "number", n, "id", id)
	text := fmt.Sprintf("%v %s %d %+v %v", n, n, n.Scheme(), n, id) + log.String()
	full, err := id.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"007B3972", "007b3972", "8075634", string(full)} {
		if strings.Contains(text, secret) {
			t.Errorf("%s leaks %s", text, secret)
		}
	}
	if !strings.Contains(log.String(), "em4100/5B") || !strings.Contains(log.String(), id.String()) {
		t.Errorf("log %s", &log)
	}
}

func TestIDText(t *testing.T) {
	id := ID{1, 2, 3, 0xFF}
	text, err := id.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	var back ID
	if err := back.UnmarshalText(text); err != nil || back != id {
		t.Errorf("%s: %v, %v", text, back, err)
	}
	for _, bad := range []string{"", "01", string(text) + "00", strings.Repeat("g", 32)} {
		if err := back.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestSchemeNames(t *testing.T) {
	if got := fmt.Sprint(None, EM4100, Wiegand32, Scheme(99)); got != "none em4100 wiegand-32 scheme(99)" {
		t.Error(got)
	}
	for _, size := range []int{0, MaxBytes + 1} {
		if _, err := NewNumber(EPC, make([]byte, size)); err == nil {
			t.Errorf("%d bytes are taken", size)
		}
	}
}
