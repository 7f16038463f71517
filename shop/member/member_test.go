package member

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"foyer/internal/words"
	"foyer/reader/tag"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func card(n byte) tag.ID { return tag.ID{15: n} }

func TestBookFindsOnlyWhoAllowedIt(t *testing.T) {
	b, err := NewBook([]Member{
		{ID: "anna", Tags: []tag.ID{card(1), card(2)}, Consents: []Purpose{Recognise, Marketing}},
		{ID: "shy", Tags: []tag.ID{card(3)}, Consents: []Purpose{Marketing, GreetByName}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[byte]ID{1: "anna", 2: "anna", 3: "", 4: ""} {
		m, ok := b.ByTag(card(n))
		if ok != (want != "") || ok && m.ID != want {
			t.Errorf("tag %d: %v, %v; want %q", n, m, ok, want)
		}
	}
	if _, ok := b.ByID("shy"); ok {
		t.Error("found by id who did not allow to be recognised")
	}
	if anna, ok := b.ByID("anna"); !ok || !anna.Allows(Marketing) || anna.Allows(PublicScreen) {
		t.Errorf("anna: %v, %v", anna, ok)
	}
	if b.Len() != 2 {
		t.Errorf("Len() = %d, want 2", b.Len())
	}
	shy := Member{Consents: []Purpose{Marketing}}
	if shy.Allows(Marketing) {
		t.Error("marketing counts without recognise")
	}
}

func TestATagOfTwoMembersMatchesNobody(t *testing.T) {
	all := []Purpose{Recognise}
	b, err := NewBook([]Member{
		{ID: "b", Tags: []tag.ID{card(1), card(2)}, Consents: all},
		{ID: "a", Tags: []tag.ID{card(1)}, Consents: all},
		{ID: "c", Tags: []tag.ID{card(2)}}, // not recognisable: its claim changes nothing
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := b.ByTag(card(1)); ok {
		t.Error("an ambiguous tag matched")
	}
	if m, ok := b.ByTag(card(2)); !ok || m.ID != "b" {
		t.Errorf("tag 2: %v, %v; want b", m, ok)
	}
	if diff := cmp.Diff([]Clash{{card(1), []ID{"a", "b"}}}, b.Clashes()); diff != "" {
		t.Error(diff)
	}
}

func TestNoBookIsEmpty(t *testing.T) {
	var b *Book
	if _, ok := b.ByTag(card(1)); ok || b.Len() != 0 || len(b.Clashes()) != 0 {
		t.Error("a nil book holds something")
	}
}

func TestCheckTellsAllFaults(t *testing.T) {
	err := Check([]Member{
		{ID: "good", Family: strings.Repeat("王", MaxName)},
		{ID: "good"},
		{ID: "b d", Family: strings.Repeat("a", 41), FamilyLatin: "\t", Given: "x\ny", Title: "lord", Language: "klingon", Tier: "iron", Birthday: MonthDay{2, 30},
			Since: time.Date(1, 2, 3, 0, 0, 0, 0, time.UTC), ContractEnds: time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC),
			Tags: []tag.ID{{}, card(1), card(1)}, Consents: []Purpose{"recognise", "recognise", "sell_my_soul"}, ConsentText: "v\x00"},
		{ID: "many", Tags: make([]tag.ID, 17)},
		{ID: "rtl", Family: "a\u202eb"},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`member 2 (id "good"): id is that of member 1`, "id: want 1 to 64", "family: want at most 40", "family_latin:", "given:", `title "lord"`,
		`language "klingon"`, `tier "iron"`, "birthday 2-30", "since: year 1", "contract_ends: year 2300", "tag 1 is all zeros", "tag 3 is there twice",
		`consent "recognise" is there twice`, `consent "sell_my_soul"`, "consent_text", `"many"): 17 tags`, `member 5 (id "rtl"): family`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "aaaa") {
		t.Error("the error holds a name")
	}
}

func TestCheckIsBrief(t *testing.T) {
	err := Check(make([]Member, 10_000))
	if n := strings.Count(err.Error(), "\n"); n != MaxFaults {
		t.Errorf("%d lines, want %d and one", n, MaxFaults)
	}
}

func TestNames(t *testing.T) {
	w := words.Load()
	for _, tc := range []struct {
		m                  Member
		zh, en             string // "" is no public name
		calledZH, calledEN string
		masked             string
	}{
		{Member{Family: "王", Given: "小明", Title: Ms}, "王女士", "Ms Wang", "王女士", "Ms Wang", "王**"},
		{Member{Family: "欧阳", Given: "修", Title: Mr}, "欧阳先生", "Mr Ouyang", "欧阳先生", "Mr Ouyang", "欧**"},
		{Member{Family: "单", Title: Teacher}, "单老师", "Teacher Shan", "单老师", "Teacher Shan", "单**"},
		{Member{Family: "吕", Title: Doctor}, "吕医生", "Dr Lü", "吕医生", "Dr Lü", "吕**"},
		{Member{Family: "Smith", Given: "Anna", Title: Ms}, "Smith 女士", "Ms Smith", "Smith 女士", "Ms Smith", "S*** A***"},
		{Member{Family: "覃", FamilyLatin: "Qin", Title: Mr}, "覃先生", "Mr Qin", "覃先生", "Mr Qin", "覃**"},
		{Member{FamilyLatin: "Smith", Title: Mr}, "Smith 先生", "Mr Smith", "Smith 先生", "Mr Smith", ""},
		{Member{Family: "龘", Title: Mr}, "龘先生", "Mr 龘", "龘先生", "Mr 龘", "龘**"},
		{Member{Family: "王", Given: "小明"}, "", "", "王小明", "王小明", "王**"},
		{Member{Family: "Smith", Given: "Anna"}, "", "", "Anna Smith", "Anna Smith", "S*** A***"},
		{Member{Given: "Anna", Title: Ms}, "", "", "Anna", "Anna", "A***"},
		{Member{Title: Ms}, "", "", "", "", ""},
	} {
		t.Run(fmt.Sprintf("%s %s %s", tc.m.Family, tc.m.Given, tc.m.Title), func(t *testing.T) {
			pub, ok := tc.m.Public(w)
			if ok != (tc.zh != "") || pub["zh-CN"] != tc.zh || pub["en"] != tc.en {
				t.Errorf("Public() = %v, %v; want %q and %q", pub, ok, tc.zh, tc.en)
			}
			called, ok := tc.m.Called(w)
			if ok != (tc.calledZH != "") || called["zh-CN"] != tc.calledZH || called["en"] != tc.calledEN {
				t.Errorf("Called() = %v, %v; want %q and %q", called, ok, tc.calledZH, tc.calledEN)
			}
			if got := tc.m.Masked(); tc.masked != "" && got != tc.masked {
				t.Errorf("Masked() = %q, want %q", got, tc.masked)
			}
		})
	}
}

func TestEverySurnameIsReadOnce(t *testing.T) {
	fields := strings.Fields(surnames)
	if len(fields)%2 != 0 {
		t.Fatal("a reading without names")
	}
	seen := map[string]bool{}
	for i := 0; i < len(fields); i += 2 {
		names := strings.Split(fields[i+1], "")
		if strings.Contains(compounds, " "+fields[i]+" ") {
			names = fields[i+1 : i+2]
		}
		for _, n := range names {
			if seen[n] {
				t.Errorf("%s is there twice", n)
			}
			if !hasHan(n) || hasHan(fields[i]) {
				t.Errorf("%s %s: want a reading, then names", fields[i], n)
			}
			seen[n] = true
		}
	}
}

func TestMonthDay(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.Parse("2006-01-02", s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	leap := MonthDay{time.February, 29}
	for _, tc := range []struct {
		d    MonthDay
		on   string
		want bool
	}{
		{MonthDay{time.June, 14}, "2026-06-14", true}, {MonthDay{time.June, 14}, "2026-06-15", false},
		{leap, "2028-02-29", true}, {leap, "2028-02-28", false}, {leap, "2026-02-28", true}, {leap, "2026-03-01", false},
		{MonthDay{}, "2026-06-14", false},
	} {
		if got := tc.d.Is(day(tc.on)); got != tc.want {
			t.Errorf("%v on %s: %v", tc.d, tc.on, got)
		}
	}
}

// A valid member comes back from JSON as it was, and is valid still.
func TestMemberTravels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Member{
			ID:       ID(rapid.StringMatching(`m-[0-9a-f]{1,20}`).Draw(t, "id")),
			Family:   rapid.SampledFrom([]string{"", "王", "Smith"}).Draw(t, "family"),
			Title:    rapid.SampledFrom(titles).Draw(t, "title"),
			Tags:     []tag.ID{card(rapid.ByteRange(1, 255).Draw(t, "tag"))},
			Birthday: MonthDay{time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 28).Draw(t, "day")},
			Consents: rapid.SliceOfNDistinct(rapid.SampledFrom(Purposes), 1, 5, rapid.ID).Draw(t, "consents"),
		}
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back Member
		if err := json.Unmarshal(data, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, back); diff != "" {
			t.Fatal(diff)
		}
		if err := Check([]Member{back}); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzMonthDay(f *testing.F) {
	f.Add("06-14")
	f.Add("02-29")
	f.Add("13-01")
	f.Fuzz(func(t *testing.T, s string) {
		var d MonthDay
		if err := d.UnmarshalText([]byte(s)); err != nil {
			return
		}
		if !d.valid() || d.IsZero() {
			t.Errorf("%q gave %v", s, d)
		}
		text, err := d.MarshalText()
		if err != nil || string(text) != s {
			t.Errorf("%q came back as %q, %v", s, text, err)
		}
	})
}

// Guests stand beside those who are at hand; what is said of a guest is the newer word, and a tag of two is nobody's.
func TestGuests(t *testing.T) {
	all := []Purpose{Recognise, GreetByName}
	at, err := NewBook([]Member{
		{ID: "anna", Family: "Anna", Tags: []tag.ID{card(1)}, Consents: all},
		{ID: "bo", Family: "Old", Tags: []tag.ID{card(2), card(3)}, Consents: all},
		{ID: "cy", Tags: []tag.ID{card(4)}, Blocked: []tag.ID{card(5)}, Consents: all},
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := at.With([]Member{
		{ID: "bo", Family: "New", Tags: []tag.ID{card(3), card(6)}, Consents: all},
		{ID: "dee", Family: "Dee", Tags: []tag.ID{card(1), card(5), card(7)}, Blocked: []tag.ID{card(4)}, Shared: []tag.ID{card(8)}, Consents: all},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		id   byte
		want Standing
		who  ID
	}{
		{1, Clashing, ""}, {2, Unknown, ""}, {3, Carried, "bo"}, {4, Blocked, "dee"}, {5, Blocked, "cy"}, {6, Carried, "bo"}, {7, Carried, "dee"}, {8, Clashing, ""}, {9, Unknown, ""},
	} {
		standing, m := b.Look(card(c.id))
		if standing != c.want || m == nil != (c.who == "") || m != nil && m.ID != c.who {
			t.Errorf("card %d: %s, %v; want %s, %q", c.id, standing, m, c.want, c.who)
		}
	}
	if m, ok := b.ByID("bo"); !ok || m.Family != "New" {
		t.Errorf("bo is %v", m)
	}
	if m, ok := b.ByID("anna"); !ok || b.Len() != 5 || len(b.Clashes()) != 1 {
		t.Errorf("anna is %v among %d, clashes %v", m, b.Len(), b.Clashes())
	}
	if found := b.Search("old", 9); len(found) != 0 {
		t.Errorf("by an old name: %v", found)
	}
	if found := b.Search("dee", 9); len(found) != 1 {
		t.Errorf("a guest is not found: %v", found)
	}
	if same, err := at.With(nil); same != at || err != nil {
		t.Error("no guests change nothing")
	}
	if alone, err := (*Book)(nil).With([]Member{{ID: "dee", Tags: []tag.ID{card(7)}, Consents: all}}); err != nil || alone.Len() != 1 {
		t.Errorf("%v", err)
	}
	if _, err := at.With([]Member{{}}); err == nil {
		t.Error("a guest without an id is taken")
	}
}
