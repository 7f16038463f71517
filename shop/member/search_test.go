package member

import (
	"strings"
	"testing"
)

func TestSearch(t *testing.T) {
	named := []Purpose{Recognise, GreetByName}
	b, err := NewBook([]Member{
		{ID: "m-1", Family: "王", FamilyLatin: "Wang", Given: "安娜", Consents: named},
		{ID: "m-2", Family: "王", Given: "小明", Consents: named},
		{ID: "m-3", Family: "Miller", Given: "Bob", Consents: named},
		{ID: "m-4", Family: "王", Given: "静", Consents: []Purpose{Recognise}},
		{ID: "m-5", Family: "王", Given: "远", Consents: []Purpose{GreetByName}},
		{ID: "m-6", Given: "Cher", Consents: named},
	})
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{
		"王": "m-1 m-2", "王安": "m-1", "wang": "m-1 m-2", " WANG 安 ": "m-1", "bob mill": "m-3", "millerb": "m-3", "her": "m-6",
		"m-4": "m-4", "M-4": "m-4", "m-": "", "静": "", "m-5": "", "": "", "  ": "", "zz": "",
	} {
		var got []string
		for _, m := range b.Search(query, 10) {
			got = append(got, string(m.ID))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q finds %v, want %s", query, got, want)
		}
	}
	if got := b.Search("王", 1); len(got) != 1 || got[0].ID != "m-1" {
		t.Errorf("at most one: %v", got)
	}
	if (*Book)(nil).Search("王", 1) != nil {
		t.Error("a nil book finds somebody")
	}
}
