package member

import "testing"

func TestSplit(t *testing.T) {
	for name, want := range map[string][2]string{
		"王小明": {"王", "小明"}, "王": {"王", ""}, "欧阳修远": {"欧阳", "修远"}, "欧阳": {"欧", "阳"}, "单田芳": {"单", "田芳"},
		"Anna Lindqvist": {"Lindqvist", "Anna"}, "Anna  Maria O'Neil ": {"O'Neil", "Anna Maria"}, "Madonna": {"Madonna", ""},
		"买买提·艾则孜": {"", "买买提·艾则孜"}, "": {"", ""}, "王 小明": {"王", "小明"},
	} {
		if family, given := Split(name); family != want[0] || given != want[1] {
			t.Errorf("%q: %q and %q, want %q", name, family, given, want)
		}
	}
}

func TestPhones(t *testing.T) {
	for s, want := range map[string]bool{
		"13812345678": true, "12812345678": false, "1381234567": false, "138123456789": false, "0046701234567": true, "00": false,
		"0001234567890": false, "": false, "1381234567a": false,
	} {
		if ValidPhone(s) != want {
			t.Errorf("%q: %v", s, !want)
		}
	}
	if got := MaskPhone("13812345678"); got != "138****5678" {
		t.Error(got)
	}
	if got := MaskPhone("123"); got != "***" {
		t.Error(got)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("王小明")
	f.Add("a·b c")
	f.Fuzz(func(t *testing.T, name string) {
		if family, given := Split(name); len(family)+len(given) > 3*len(name) {
			t.Errorf("%q grew to %q and %q", name, family, given)
		}
	})
}

func TestNewcomersStandOverTheBook(t *testing.T) {
	consents := []Purpose{Recognise, GreetByName}
	base, err := NewBook([]Member{{ID: "m-1", Family: "王", Consents: consents, Was: []ID{"m-old"}}})
	if err != nil {
		t.Fatal(err)
	}
	for about, b := range map[string]*Book{"over a book": base, "over none": nil} {
		over := b.WithNewcomers([]Member{{ID: "m-new", Family: "李", Given: "雷", Consents: consents}})
		if m, ok := over.ByID("m-new"); !ok || m.Family != "李" {
			t.Errorf("%s: not found", about)
		}
		if found := over.Search("李雷", 5); len(found) != 1 {
			t.Errorf("%s: %d found by name", about, len(found))
		}
		if _, known := b.ByID("m-new"); known {
			t.Errorf("%s: the book itself has changed", about)
		}
	}
	if !base.Has("m-1") || !base.Has("m-old") || base.Has("m-new") {
		t.Error("a book has its members, and those that they were before")
	}
}
