package member

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"foyer/reader/tag"
)

func number(t *testing.T, text string) tag.Number {
	t.Helper()
	n, err := tag.ParseNumber(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func hasher(t *testing.T) func(tag.Number) tag.ID {
	t.Helper()
	key, err := tag.NewKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return key.ID
}

// door is a reader of fobs: the form that it tells, and the shorter one that its profile allows to match.
type door struct {
	name string
	told tag.Scheme
	also tag.Scheme
}

var doors = []door{
	{"serial, 40 bits", tag.EM4100, tag.None},
	{"serial, 40 bits, 32 allowed", tag.EM4100, tag.EM4100x32},
	{"serial, 40 bits, 24 allowed", tag.EM4100, tag.EM4100x24},
	{"Wiegand-34", tag.EM4100x32, tag.None},
	{"Wiegand-34, 24 allowed", tag.EM4100x32, tag.EM4100x24},
	{"Wiegand-26", tag.EM4100x24, tag.None},
}

// read is what the door's reader makes of a whole fob.
func (d door) read(fob tag.Number, id func(tag.Number) tag.ID) (told, also tag.ID) {
	n := fob
	if d.told != tag.EM4100 {
		n, _ = tag.Shorter(fob, d.told)
	}
	short, _ := tag.Shorter(n, d.also)
	return id(n), id(short)
}

// One fob has four ids: 6F007B3972, 0008075634 printed, 007B3972 by Wiegand-34, and 123,14706 by Wiegand-26. Whichever was
// enrolled, with all shorter forms of it as headquarters keeps them, a door knows the fob if the profile lets it.
func TestFourIDsOfOneFob(t *testing.T) {
	id, fob := hasher(t), number(t, "6F007B3972")
	for _, c := range []struct {
		enrolled string
		knows    []bool // by door
	}{
		{"6F007B3972", []bool{true, true, true, true, true, true}},
		{"6F007B39725F", []bool{true, true, true, true, true, true}},
		{"0008075634", []bool{false, true, true, true, true, true}},
		{"w34:007B3972", []bool{false, true, true, true, true, true}},
		{"123,14706", []bool{false, false, true, false, true, true}},
		{"wiegand-32:007B3972", []bool{false, false, false, false, false, false}}, // the same bits, but of no fob
		{"uid:007B3972", []bool{false, false, false, false, false, false}},
		{"123,14707", []bool{false, false, false, false, false, false}},
	} {
		var tags []tag.ID
		for _, form := range tag.Forms(number(t, c.enrolled)) {
			tags = append(tags, id(form))
		}
		b, err := NewBook([]Member{{ID: "anna", Tags: tags, Consents: []Purpose{Recognise}}})
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range doors {
			standing, m := b.Find(d.read(fob, id))
			if (standing == Carried) != c.knows[i] || c.knows[i] && m.ID != "anna" {
				t.Errorf("enrolled as %s, read by %s: %s, want known: %v", c.enrolled, d.name, standing, c.knows[i])
			}
		}
	}
}

// Two fobs that share their last 24 bits: told in full they are two members', told in 24 bits nobody's.
func TestAClashOnAShortFormMatchesNobody(t *testing.T) {
	id := hasher(t)
	anna, bo, stranger := number(t, "6F007B3972"), number(t, "6F017B3972"), number(t, "6F027B3972")
	enrol := func(who ID, n tag.Number) Member {
		m := Member{ID: who, Consents: []Purpose{Recognise}}
		for _, form := range tag.Forms(n) {
			m.Tags = append(m.Tags, id(form))
		}
		return m
	}
	b, err := NewBook([]Member{enrol("anna", anna), enrol("bo", bo)})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range doors {
		for _, c := range []struct {
			fob tag.Number
			who ID
		}{{anna, "anna"}, {bo, "bo"}, {stranger, ""}} {
			want, who := Carried, c.who
			if d.told == tag.EM4100x24 || c.who == "" && d.also == tag.EM4100x24 {
				want, who = Clashing, ""
			} else if c.who == "" {
				want = Unknown
			}
			standing, m := b.Find(d.read(c.fob, id))
			if standing != want || m == nil != (who == "") || m != nil && m.ID != who {
				t.Errorf("%s reads the fob of %q: %s, %v; want %s, %q", d.name, c.who, standing, m, want, who)
			}
		}
	}
	if clashes := b.Clashes(); len(clashes) != 1 || !slices.Equal(clashes[0].Members, []ID{"anna", "bo"}) {
		t.Errorf("reported: %v", clashes)
	}
}

// A longest form that clashes or is blocked does not become somebody's by its shorter form.
func TestNobodyByFewerDigits(t *testing.T) {
	all := []Purpose{Recognise}
	b, err := NewBook([]Member{
		{ID: "anna", Tags: []tag.ID{card(1), card(2)}, Consents: all},
		{ID: "bo", Tags: []tag.ID{card(1)}, Blocked: []tag.ID{card(3), card(5)}, Consents: all},
		{ID: "cy", Tags: []tag.ID{card(5)}, Consents: all},
		{ID: "shy", Tags: []tag.ID{card(6)}, Blocked: []tag.ID{card(7)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		id, also byte
		want     Standing
		who      ID
	}{
		{2, 0, Carried, "anna"},
		{9, 2, Carried, "anna"},
		{9, 0, Unknown, ""},
		{1, 2, Clashing, ""},
		{9, 1, Clashing, ""},
		{3, 2, Blocked, "bo"},
		{9, 3, Blocked, "bo"},
		{5, 2, Blocked, "bo"}, // somebody else carries it too: the block is the safer word
		{6, 0, Unknown, ""},
		{7, 0, Unknown, ""},
	} {
		var also tag.ID
		if c.also != 0 {
			also = card(c.also)
		}
		standing, m := b.Find(card(c.id), also)
		if standing != c.want || m == nil != (c.who == "") || m != nil && m.ID != c.who {
			t.Errorf("%d also %d: %s, %v; want %s, %q", c.id, c.also, standing, m, c.want, c.who)
		}
	}
	if fmt.Sprint(len(b.Clashes())) != "2" {
		t.Errorf("clashes: %v", b.Clashes())
	}
	if standing, m := (*Book)(nil).Find(card(1), card(2)); standing != Unknown || m != nil {
		t.Error("a nil book knows a tag")
	}
	if standing, _ := b.Find(tag.ID{}, tag.ID{}); standing != Unknown {
		t.Error("no tag is somebody's")
	}
}

func TestCheckLooksAtBlockedTags(t *testing.T) {
	err := Check([]Member{{ID: "a", Tags: []tag.ID{card(1)}, Blocked: []tag.ID{{}, card(2), card(2), card(1)}}, {ID: "b", Blocked: make([]tag.ID, 17)}})
	for _, want := range []string{"blocked tag 1 is all zeros", "blocked tag 3 is there twice", "blocked tag 4 is among the tags too", "17 blocked tags"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in %v", want, err)
		}
	}
}
