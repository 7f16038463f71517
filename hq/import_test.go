package hq

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"foyer/hq/store"
	"foyer/reader/tag"
	"foyer/shop/member"
)

func chainKey(t testing.TB) *tag.Key {
	t.Helper()
	key, err := tag.NewKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// hashes gives the hash of a number and those of its shorter forms.
func hashes(t testing.TB, text string) (own tag.ID, also []tag.ID) {
	t.Helper()
	n, err := tag.ParseNumber(text)
	if err != nil {
		t.Fatal(err)
	}
	key := chainKey(t)
	forms := tag.Forms(n)
	for _, f := range forms[1:] {
		also = append(also, key.ID(f))
	}
	return key.ID(forms[0]), also
}

func TestImportFaults(t *testing.T) {
	own, _ := hashes(t, "0008075634")
	existing := []store.Person{
		{Member: member.Member{ID: "m-old", Tags: []tag.ID{own}, Family: "王"}},
	}
	for name, tc := range map[string]struct {
		file string
		want []Fault
	}{
		"nothing":                {"", []Fault{{Line: 1, Code: FaultEmpty}}},
		"header alone":           {"id,tags\n", []Fault{{Line: 1, Code: FaultEmpty}}},
		"neither id nor tag":     {"family\n王\n", []Fault{{Line: 1, Code: FaultColumnNeeded}}},
		"unknown column":         {"id,phone\na,1\n", []Fault{{Line: 1, Column: 2, Name: "phone", Code: FaultColumn, Got: Shape{"letters", 5}}}},
		"column twice":           {"id,id\na,b\n", []Fault{{Line: 1, Column: 2, Name: "id", Code: FaultColumnTwice, Got: Shape{"letters", 2}}}},
		"value under no heading": {"id,family\na,b,c\n", []Fault{{Line: 2, Column: 3, Code: FaultWidth}}},
		"broken quote":           {"id,family\na,\"b\n", []Fault{{Line: 2, Code: FaultQuote}}},
		"a phone as id":          {"id\n13800138000\n", []Fault{{Line: 2, Column: 1, Name: "id", Code: FaultID, Got: Shape{"digits", 11}}}},
		"every field": {"id,family,title,language,tier,birthday,since,contract_ends,tags,consents,no_greeting\n" +
			"m-1,a{b,king,fr,gould,13-40,yesterday,2026-02-30,nonsense,everything,maybe\n", []Fault{
			{Line: 2, Column: 2, Name: "family", Code: FaultText, Got: Shape{"mixed", 3}},
			{Line: 2, Column: 3, Name: "title", Code: FaultTitle, Got: Shape{"letters", 4}},
			{Line: 2, Column: 4, Name: "language", Code: FaultLanguage, Got: Shape{"letters", 2}},
			{Line: 2, Column: 5, Name: "tier", Code: FaultTier, Got: Shape{"letters", 5}},
			{Line: 2, Column: 6, Name: "birthday", Code: FaultMonthDay, Got: Shape{"mixed", 5}},
			{Line: 2, Column: 7, Name: "since", Code: FaultDate, Got: Shape{"letters", 9}},
			{Line: 2, Column: 8, Name: "contract_ends", Code: FaultDate, Got: Shape{"mixed", 10}},
			{Line: 2, Column: 9, Name: "tags", Code: FaultTag, Got: Shape{"letters", 8}},
			{Line: 2, Column: 10, Name: "consents", Code: FaultConsent, Got: Shape{"letters", 10}},
			{Line: 2, Column: 11, Name: "no_greeting", Code: FaultYesNo, Got: Shape{"letters", 5}}}},
		"a spreadsheet's number": {"id,tags\nm-1,8.07563E+06\n", []Fault{{Line: 2, Column: 2, Name: "tags", Code: FaultTagSheet, Got: Shape{"mixed", 11}}}},
		"nobody":                 {"id,tags,family\n,,王\n", []Fault{{Line: 2, Code: FaultNobody}}},
		"the same twice":         {"id\nm-1\nm-1\n", []Fault{{Line: 3, Code: FaultTwice, Other: 2}}},
		"somebody else's card":   {"id,tags\nm-new,0008075634\n", []Fault{{Line: 2, Column: 2, Name: "tags", Code: FaultTagTaken}}},
		"one card, two rows":     {"id,tags\nm-1,uid:04A035B2\nm-2,04a035b2\n", []Fault{{Line: 3, Column: 2, Name: "tags", Code: FaultTagTaken, Other: 2}}},
		"a card that is a short form of another's": {"id,tags\nm-1,em4100:6F00AAAAAA\nm-2,w26:AAAAAA\n",
			[]Fault{{Line: 3, Column: 2, Name: "tags", Code: FaultTagTaken, Other: 2}}},
		"too many cards":            {"id,tags\nm-1," + manyCards(17) + "\n", []Fault{{Line: 2, Column: 2, Name: "tags", Code: FaultTagMany, Got: Shape{"mixed", len(manyCards(17))}}}},
		"neither UTF-8 nor GB18030": {"id,family\nm-1,\xff\xff\n", []Fault{{Line: 2, Code: FaultEncoding}}},
		"UTF-16":                    {"\xff\xfei\x00d\x00", []Fault{{Line: 1, Code: FaultUTF16}}},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan([]byte(tc.file), chainKey(t), existing)
			if diff := cmp.Diff(tc.want, p.Faults); diff != "" || p.FaultCount != len(tc.want) {
				t.Error(p.FaultCount, diff)
			}
		})
	}
}

func manyCards(n int) string {
	var cards []string
	for i := range n {
		cards = append(cards, fmt.Sprintf("uid:04A035%02X", i))
	}
	return strings.Join(cards, " ")
}

func TestImportReads(t *testing.T) {
	const plain = "id,family,given,title,language,tier,birthday,since,contract_ends,tags,consents,no_greeting\n" +
		"m-1,王,安娜,女士,zh,金卡,1988-06-14,2024-03-01,2026/10/31,0008075634|uid:04A035B2,recognise|greet_by_name,否\n"
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(plain)
	if err != nil {
		t.Fatal(err)
	}
	own, also := hashes(t, "0008075634")
	uid, _ := hashes(t, "04A035B2")
	tags := []tag.ID{own, uid}
	slices.SortFunc(tags, func(a, b tag.ID) int { return bytes.Compare(a[:], b[:]) })
	for name, file := range map[string]string{
		"UTF-8": plain, "with a mark": "\uFEFF" + plain, "GB18030": gb, "CRLF": strings.ReplaceAll(plain, "\n", "\r\n"),
		"semicolons": strings.ReplaceAll(plain, ",", ";"), "tabs": strings.ReplaceAll(plain, ",", "\t"),
		"empty lines": strings.Replace(plain, "\n", "\n\n,,,\n", 1), "Chinese header": strings.Replace(plain, "family,given,title", "姓,名,称谓", 1),
	} {
		t.Run(name, func(t *testing.T) {
			p := plan([]byte(file), chainKey(t), nil)
			if p.FaultCount > 0 || p.New != 1 {
				t.Fatalf("%d new, faults %v: want one new member", p.New, p.Faults)
			}
			got := p.put[0]
			if got.Family != "王" || got.Given != "安娜" || got.Title != member.Ms || got.Language != "zh-CN" || got.Tier != "gold" || got.NoGreeting {
				t.Errorf("got %+v", got.Member)
			}
			if got.Birthday.Month != 6 || got.Birthday.Day != 14 || got.Since.Format("2006-01-02") != "2024-03-01" || got.ContractEnds.Format("2006-01-02") != "2026-10-31" {
				t.Errorf("days are %v, %v, %v", got.Birthday, got.Since, got.ContractEnds)
			}
			if diff := cmp.Diff(tags, got.Tags) + cmp.Diff(also, got.Also); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]member.Purpose{member.Recognise, member.GreetByName}, got.Consents); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestImportMerges(t *testing.T) {
	first := plan([]byte("id,family,tier,tags,consents\nm-1,王,gold,uid:04A035B2,recognise\nm-2,李,,uid:04A035B3,recognise|marketing\n"), chainKey(t), nil)
	if first.FaultCount > 0 {
		t.Fatal(first.Faults)
	}
	known := first.put
	uid := func(text string) tag.ID { id, _ := hashes(t, text); return id }
	for name, tc := range map[string]struct {
		file                 string
		fresh, changed, same int
		check                func(store.Person) bool
	}{
		"the same again": {"id,family,tier,tags,consents\nm-1,王,gold,uid:04A035B2,recognise\n", 0, 0, 1, nil},
		"a missing column stays": {"id,tier\nm-1,silver\n", 0, 1, 0, func(p store.Person) bool {
			return p.Family == "王" && p.Tier == "silver" && len(p.Tags) == 1 && len(p.Consents) == 1
		}},
		"an empty value clears":  {"id,consents,tags\nm-1,,\n", 0, 1, 0, func(p store.Person) bool { return len(p.Consents) == 0 && len(p.Tags) == 0 && p.Family == "王" }},
		"found by a card":        {"tags,tier\nuid:04A035B2,diamond\n", 0, 1, 0, func(p store.Person) bool { return p.ID == "m-1" && p.Tier == "diamond" }},
		"a card is added":        {"tags\nuid:04A035B2 uid:04A035B9\n", 0, 1, 0, func(p store.Person) bool { return p.ID == "m-1" && len(p.Tags) == 2 }},
		"cards are replaced":     {"id,tags\nm-1,uid:04A035B9\n", 0, 1, 0, func(p store.Person) bool { return len(p.Tags) == 1 && p.Tags[0] == uid("04A035B9") }},
		"a card moves":           {"id,tags\nm-1,uid:04A035B3\nm-2,uid:04A035B2\n", 0, 2, 0, nil},
		"somebody new by a card": {"tags,family\nuid:04A035C0,赵\n", 1, 0, 0, func(p store.Person) bool { return strings.HasPrefix(string(p.ID), "m-") && len(p.ID) == 18 }},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan([]byte(tc.file), chainKey(t), known)
			if p.FaultCount > 0 || p.New != tc.fresh || p.Changed != tc.changed || p.Same != tc.same {
				t.Fatalf("new %d, changed %d, same %d, faults %v: want %d, %d, %d", p.New, p.Changed, p.Same, p.Faults, tc.fresh, tc.changed, tc.same)
			}
			if tc.check != nil && !tc.check(p.put[0]) {
				t.Errorf("got %+v", p.put[0])
			}
		})
	}
	two := plan([]byte("tags\nuid:04A035B2 uid:04A035B3\n"), chainKey(t), known)
	if diff := cmp.Diff([]Fault{{Line: 2, Code: FaultTagsOfTwo}}, two.Faults); diff != "" {
		t.Error(diff)
	}
}

// Two members whose fobs have the same lower 24 bits are both stored; the short form is counted and nobody's.
func TestImportSharedShortForm(t *testing.T) {
	p := plan([]byte("id,tags\nm-1,em4100:6F007B3972\nm-2,em4100:11117B3972\n"), chainKey(t), nil)
	if p.FaultCount > 0 || p.New != 2 || p.Shared != 1 {
		t.Errorf("new %d, shared %d, faults %v: want 2 and 1", p.New, p.Shared, p.Faults)
	}
}

func TestImportBounds(t *testing.T) {
	big := plan(bytes.Repeat([]byte("a"), MaxImportBytes+1), chainKey(t), nil)
	if diff := cmp.Diff([]Fault{{Line: 1, Code: FaultTooBig}}, big.Faults); diff != "" {
		t.Error(diff)
	}
	many := plan([]byte("id\n"+strings.Repeat("m-1\n", MaxImportRows+1)), chainKey(t), nil)
	if many.FaultCount != 1 || many.Faults[0].Code != FaultTooManyRows || many.Faults[0].Line != MaxImportRows+2 {
		t.Errorf("faults are %v: want too many rows", many.Faults)
	}
	wrong := plan([]byte("id\n"+strings.Repeat("1\n", 5000)), chainKey(t), nil)
	if wrong.FaultCount != 5000 || len(wrong.Faults) != maxFaults {
		t.Errorf("%d faults told of %d: want %d of 5000", len(wrong.Faults), wrong.FaultCount, maxFaults)
	}
}

// No fault repeats a value of the file.
func TestFaultsTellNoValue(t *testing.T) {
	p := plan([]byte("id,family,tags\n13800138000,secretname{,4111111111111111\n"), chainKey(t), nil)
	for _, f := range p.Faults {
		for _, secret := range []string{"138001", "secretname", "411111"} {
			if strings.Contains(f.Error(), secret) {
				t.Errorf("%q tells a value", f.Error())
			}
		}
	}
	if p.FaultCount != 3 {
		t.Errorf("%d faults, want 3: %v", p.FaultCount, p.Faults)
	}
}

func FuzzImport(f *testing.F) {
	f.Add([]byte("id,family,tags,consents\nm-1,王,0008075634,recognise\n"))
	f.Add([]byte("\uFEFFtags;birthday\n\"123,14706\";06-14\n"))
	f.Add([]byte("id\tno_greeting\r\na\t是\r\n"))
	f.Add([]byte("id,family\nm-1,\xcd\xf5\n"))
	key := chainKey(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		p := plan(data, key, nil)
		if len(p.Faults) > maxFaults || (p.FaultCount == 0) != (len(p.Faults) == 0) {
			t.Fatalf("%d faults told of %d", len(p.Faults), p.FaultCount)
		}
		if p.FaultCount > 0 {
			return
		}
		all := make([]member.Member, len(p.put))
		for i, person := range p.put {
			all[i] = person.Member
		}
		if err := member.Check(all); err != nil {
			t.Fatalf("an import without faults makes members that a store refuses: %v", err)
		}
		again := plan(data, key, p.put)
		if again.FaultCount > 0 || again.New > 0 || again.Changed > 0 {
			t.Fatalf("the second time it is new %d, changed %d, faults %v: want all the same", again.New, again.Changed, again.Faults)
		}
	})
}
