package frame

import (
	"fmt"
	"strings"
	"testing"

	"foyer/firmware-profiles"
	"foyer/reader/tag"

	"github.com/google/go-cmp/cmp"
)

// meanings decodes every frame of a wire and describes what it means.
func meanings(t *testing.T, p *profiles.Profile, wire string) []string {
	t.Helper()
	var got []string
	d := NewDecoder(p)
	s := New(p)
	each := func(f Frame) {
		var s Sighting
		m := d.Decode(f, &s)
		text := fmt.Sprintf("%s %q code %02X %q %s", m.Kind, m.Rule, m.Code, m.Text, m.Bad)
		if m.Kind == Tag {
			text = fmt.Sprintf("tag %s %s also %s rssi %d %v", s.Number.Scheme(), s.Number.Reveal(), s.Also.Scheme(), s.RSSI, s.HasRSSI)
		}
		got = append(got, text)
	}
	s.Feed(unhex(wire), each)
	s.Flush(each)
	return got
}

// R200 vectors are derived by hand from the M100's: header AA, end DD, the same sums.
func TestMeanings(t *testing.T) {
	for name, c := range map[string]struct{ id, wire, want string }{
		"fob":                {"rdm6300", fob, `tag em4100 6F007B3972 also em4100-32 rssi 0 false`},
		"UHF tag":            {"m100", uhf, `tag epc E20010710000529B0940B402 also none rssi -56 true`},
		"UHF tag on R200":    {"r200", "AA 02 22 00 11 CB 34 00 E2 00 47 1B B0 00 60 13 04 45 09 D0 95 82 D4 DD", `tag epc E200471BB0006013044509D0 also none rssi -53 true`},
		"RSSI D3":            {"m100", "BB 02220007D308003000" + crcOf("08003000") + " " + sumOf("02220007D308003000"+crcOf("08003000")) + " 7E", `tag epc 3000 also none rssi -45 true`},
		"tag heard wrong":    {"m100", "BB 02220007D308003000804C " + sumOf("02220007D308003000804C") + " 7E", `refused "tag" code 00 "" epc_crc_mismatch`},
		"empty round":        {"m100", noTag, `quiet "no tag in the field" code 15 "" `},
		"command error":      {"m100", "BB 01 FF 00 01 17 18 7E", `error "error" code 17 "the command was not understood" `},
		"unnamed error":      {"r200", "AA 01 FF 00 01 99 9A DD", `error "error" code 99 "" `},
		"error with tag":     {"m100", "BB 01 FF 00 04 09 02 30 00 3F 7E", `error "error" code 09 "reading the tag's memory failed" `},
		"stopped":            {"m100", "BB 01 28 00 01 00 2A 7E", `answer "inventory stopped" code 00 "" `},
		"read, cut data":     {"m100", "BB 01 39 00 01 0E 49 7E", `answer "other" code 00 "" `},
		"command":            {"m100", "BB 00 22 00 00 22 7E", `answer "other" code 00 "" `},
		"notice too short":   {"m100", "BB 02 22 00 02 C8 34 22 7E", `refused "tag" code 00 "" fields_mismatch`},
		"notice without EPC": {"m100", "BB 02 22 00 05 C8 00 00 " + crcOf("0000") + " " + sumOf("02220005C80000"+crcOf("0000")) + " 7E", `refused "tag" code 00 "" fields_mismatch`},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff([]string{c.want}, meanings(t, find(t, c.id), c.wire)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func crcOf(hex string) string { return fmt.Sprintf("%04X", slowCRC(unhex(hex))) }

func sumOf(hex string) string {
	sum := 0
	for _, b := range unhex(hex) {
		sum += int(b)
	}
	return fmt.Sprintf("%02X", sum%256)
}

func TestFieldsOfAFrame(t *testing.T) {
	p := find(t, "m100")
	d := NewDecoder(p)
	var got []string
	New(p).Feed(unhex("BB 01 39 00 17 0E 34 00 E2 00 00 16 55 11 02 06 03 90 EA AF 01 02 03 04 05 06 07 08 49 7E"), func(f Frame) {
		d.Decode(f, new(Sighting))
		for kind, b := range d.Fields(f) {
			got = append(got, fmt.Sprintf("%s %X", kind, b))
		}
	})
	want := []string{"type 01", "cmd 39", "length 0E", "pc 3400", "epc E2000016551102060390EAAF", "data 0102030405060708"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if d.TypeName(1) != "response" || d.TypeName(9) != "" {
		t.Errorf("types are called %q and %q", d.TypeName(1), d.TypeName(9))
	}
}

func TestNoRuleNoMeaning(t *testing.T) {
	p := *find(t, "m100")
	f := *p.Frames
	f.Answers = nil
	p.Frames = &f
	d := NewDecoder(&p)
	if m := d.Decode(Frame{Payload: unhex("01 28 00 01 00")}, new(Sighting)); m != (Meaning{}) {
		t.Errorf("got %+v", m)
	}
	for range d.Fields(Frame{Payload: unhex("01 28 00 01 00")}) {
		t.Error("a field of a frame without a rule")
	}
}

func TestReplyOfACommand(t *testing.T) {
	stop := find(t, "r200").Session.Start[1]
	for wire, want := range map[string]bool{"01 28 00 01 00": true, "01 28": true, "01": false, "02 28 00 01 00": false, "": false} {
		if got := Matches(stop.Reply, unhex(wire)); got != want {
			t.Errorf("%q: %v", wire, got)
		}
	}
	if Matches(nil, unhex("01")) {
		t.Error("a command that wants no reply has got one")
	}
}

func TestCanonicalForms(t *testing.T) {
	for name, c := range map[string]struct {
		scheme, also profiles.Scheme
		want         string
	}{
		"longest":      {profiles.EM4100, "", "tag em4100 6F007B3972 also none"},
		"with printed": {profiles.EM4100, profiles.EM4100x32, "tag em4100 6F007B3972 also em4100-32"},
		"with door":    {profiles.EM4100, profiles.EM4100x24, "tag em4100 6F007B3972 also em4100-24"},
		"printed":      {profiles.EM4100x32, profiles.EM4100x24, "tag em4100-32 007B3972 also em4100-24"},
		"door":         {profiles.EM4100x24, "", "tag em4100-24 7B3972 also none"},
	} {
		t.Run(name, func(t *testing.T) {
			p := *find(t, "rdm6300")
			p.Canonical = profiles.Canonical{Scheme: c.scheme, Also: c.also}
			got := meanings(t, &p, fob)
			if len(got) != 1 || !strings.HasPrefix(got[0], c.want+" ") {
				t.Errorf("got %q, want %s", got, c.want)
			}
		})
	}
}

// Every scheme that a profile may name is one of reader/tag.
func TestSchemesAreKnown(t *testing.T) {
	for _, word := range profiles.Scheme("").Words() {
		if schemeOf(profiles.Scheme(word)) == tag.None {
			t.Errorf("scheme %s is not known", word)
		}
	}
	if schemeOf("") != tag.None {
		t.Error("no scheme is one")
	}
}

// Every reason has its word in the vocabulary.
func TestBadNames(t *testing.T) {
	words := profiles.Bad("").Words()
	if len(BadKinds()) != len(words) {
		t.Errorf("%d reasons, %d words", len(BadKinds()), len(words))
	}
	for i, b := range BadKinds() {
		if b.String() != words[i] {
			t.Errorf("reason %d is %q, its word %q", b, b, words[i])
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, wire := range []string{"0C 00 01 01 02 04 11 10 00 A4 02 30 00", "15 00 01 01 02 01 04 11 10 00 A4 50", "D5 4B 01 01 00 04 08 04 07 8C FC 4F",
		"13 01 89 0C 30 00 E2 80 68 94 00 00 40 0A 9D 22 AC FF 4A", "1C 22 00 00 10 00 1B 01 FF 01 01 D9", "02 22 00 11 C8 34 00 E2", "01 39 00 17 0E 34 00", "01 FF 00 01", "6F 00 7B 39 72"} {
		f.Add(unhex(wire))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		for _, p := range profiles.Builtin() {
			id := p.ID
			if p.Kind != profiles.Serial {
				continue
			}
			d := NewDecoder(find(t, id))
			var s Sighting
			m := d.Decode(Frame{Payload: payload}, &s)
			if (m.Kind == Tag) == s.Number.IsZero() {
				t.Fatalf("%s: %x is %v with number %v", id, payload, m.Kind, s.Number)
			}
			if (m.Kind == Refused) != (m.Bad != Good) || m.Kind == Refused && d.Counters().Bad[m.Bad] != 1 {
				t.Fatalf("%s: %x is %+v, counted %+v", id, payload, m, d.Counters())
			}
			for kind, b := range d.Fields(Frame{Payload: payload}) {
				if len(b) > len(payload) {
					t.Fatalf("%s: field %s of %d bytes in %d", id, kind, len(b), len(payload))
				}
			}
		}
	})
}
