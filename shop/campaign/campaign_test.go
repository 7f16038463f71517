package campaign

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var nine = time.Date(2026, 6, 14, 9, 0, 0, 0, time.UTC)

// tea is a valid campaign to be changed by the tests.
func tea(change ...func(*Campaign)) Campaign {
	c := Campaign{
		ID: "tea", Name: "Tea", Audience: "true", Starts: nine.AddDate(0, 0, -1), Ends: nine.AddDate(0, 0, 1), Art: "cup",
		Content: map[string]Content{
			"zh-CN": {Title: "一杯热茶", Text: "{name}，柜台有茶，请慢用。", Talk: "请喝茶。"},
			"en":    {Title: "A cup of tea", Text: "Tea is ready at the counter.", Talk: "Offer tea."},
		},
	}
	for _, f := range change {
		f(&c)
	}
	return c
}

func rules(audience string) func(*Campaign) { return func(c *Campaign) { c.Audience = audience } }

func mustCompile(t testing.TB, cs ...Campaign) *Set {
	t.Helper()
	s, err := Compile(cs)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMatch(t *testing.T) {
	gold := Facts{Member: Member{Tier: "gold", NthVisit: 3, DaysSinceLastVisit: 70, DaysToContractEnd: 12, DaysSinceJoined: 400}, Visit: Visit{Zone: "entrance", Hour: 9, Weekday: 7}}
	stranger := Facts{Member: Member{NthVisit: 1, DaysSinceLastVisit: NoDays, DaysToContractEnd: NoContract, DaysSinceJoined: NoDays}}
	for _, tc := range []struct {
		name   string
		change func(*Campaign)
		facts  Facts
		want   Code
	}{
		{"everybody", rules(" true "), stranger, Matched},
		{"tier", rules(`member.tier in ["gold", "diamond"]`), gold, Matched},
		{"other tier", rules(`member.tier == "silver"`), gold, NotInAudience},
		{"numbers", rules(`member.days_since_last_visit > 60 && member.days_to_contract_end <= 30 && member.nth_visit == 3`), gold, Matched},
		{"the moment", rules(`visit.zone == "entrance" && visit.hour < 12 && visit.weekday >= 6`), gold, Matched},
		{"no last visit is not long ago", rules(`member.days_since_last_visit > 60`), stranger, NotInAudience},
		{"no contract does not end", rules(`member.days_to_contract_end <= 30`), stranger, NotInAudience},
		{"not started", func(c *Campaign) { c.Starts = nine.Add(1) }, gold, NotStarted},
		{"starts now", func(c *Campaign) { c.Starts = nine }, gold, Matched},
		{"ends now", func(c *Campaign) { c.Ends = nine }, gold, Over},
		{"other store", func(c *Campaign) { c.Stores = []string{"s2"} }, gold, OtherStore},
		{"this store", func(c *Campaign) { c.Stores = []string{"s2", "s1"} }, gold, Matched},
		{"a rule that divides by zero", rules(`10 / (member.nth_visit - 3) > 1`), gold, RuleError},
		{"capped", rules("true"), Facts{Offered: map[string]int{"tea": 1}}, Capped},
		{"two a day", func(c *Campaign) { c.PerDay = 2 }, Facts{Offered: map[string]int{"tea": 1}}, Matched},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := mustCompile(t, tea(tc.change)).Match(tc.facts, nine, "s1")
			if len(v) != 1 || v[0].Code != tc.want || v[0].Yes != (tc.want == Matched) || v[0].Campaign.ID != "tea" {
				t.Errorf("%+v, want %s", v, tc.want)
			}
		})
	}
}

func TestPriorityAndPublic(t *testing.T) {
	at := func(id string, p int, rule string, from, to int) Campaign {
		return tea(func(c *Campaign) {
			c.ID, c.Priority, c.Audience, c.Starts, c.Ends = id, p, rule, nine.Add(time.Duration(from)*time.Hour), nine.Add(time.Duration(to)*time.Hour)
		})
	}
	s := mustCompile(t, at("b", 1, "true", -1, 5), at("a", 1, "member.nth_visit > 0", -1, 3), at("z", 9, "true", -1, 2), at("later", 5, "true", 1, 9))
	var order []string
	for _, v := range s.Match(Facts{}, nine, "s1") {
		order = append(order, v.Campaign.ID)
	}
	if diff := cmp.Diff([]string{"z", "later", "a", "b"}, order); diff != "" {
		t.Error(diff)
	}
	ids := func(now time.Time) (out []string) {
		for _, c := range s.Public(now, "s1") {
			out = append(out, c.ID)
		}
		return out
	}
	for _, tc := range []struct {
		hour int
		want []string
		next int
	}{{0, []string{"z", "b"}, 1}, {1, []string{"z", "later", "b"}, 2}, {2, []string{"later", "b"}, 3}, {8, []string{"later"}, 9}} {
		now := nine.Add(time.Duration(tc.hour) * time.Hour)
		if diff := cmp.Diff(tc.want, ids(now)); diff != "" {
			t.Errorf("public at +%d h: %s", tc.hour, diff)
		}
		if next := s.Next(now, "s1"); !next.Equal(nine.Add(time.Duration(tc.next) * time.Hour)) {
			t.Errorf("after +%d h comes %v, want +%d h", tc.hour, next, tc.next)
		}
	}
	if next := s.Next(nine.Add(9*time.Hour), "s1"); !next.IsZero() {
		t.Errorf("after everything comes %v", next)
	}
	if n := len(s.Running(nine, "s1")); n != 3 {
		t.Errorf("%d running, want 3", n)
	}
}

func TestNoSetIsEmpty(t *testing.T) {
	var s *Set
	if s.Len() != 0 || s.Match(Facts{}, nine, "") != nil || s.Public(nine, "") != nil || s.Running(nine, "") != nil || !s.Next(nine, "").IsZero() {
		t.Error("a nil set holds something")
	}
}

func TestCompileRefuses(t *testing.T) {
	bomb := `[1,2,3,4,5,6,7,8,9,10]`
	for range 7 {
		bomb = `[1,2,3,4,5,6,7,8,9,10].map(x, ` + bomb + `.size() + x)`
	}
	en := func(f func(*Content)) func(*Campaign) {
		return func(c *Campaign) {
			x := c.Content["en"]
			f(&x)
			c.Content["en"] = x
		}
	}
	for _, tc := range []struct {
		name   string
		change func(*Campaign)
		field  string
		want   string // in the message
	}{
		{"typo in a field", rules(`member.teir == "gold"`), "audience", "column 7: undefined field 'teir'"},
		{"unknown variable", rules(`person.tier == "gold"`), "audience", "undeclared reference to 'person'"},
		{"wrong type", rules(`member.nth_visit == "3"`), "audience", "no matching overload"},
		{"not a yes or no", rules(`member.nth_visit`), "audience", "gives int"},
		{"syntax", rules(`member.tier ==`), "audience", "Syntax error"},
		{"empty rule", rules(" "), "audience", "empty"},
		{"long rule", rules(strings.Repeat("true || ", 200) + "true"), "audience", "code point size"},
		{"very long rule", rules(strings.Repeat("true || ", 20000) + "true"), "audience", "at most 1000 characters"},
		{"deep rule", rules(strings.Repeat("(", 200) + "true" + strings.Repeat(")", 200)), "audience", "recursion"},
		{"bomb", rules(bomb + ".size() > 0"), "audience", ""},
		{"costly", rules(`[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, a+b+c > 0)))`), "audience", "more than the 1000 allowed"},
		{"id", func(c *Campaign) { c.ID = "Tea!" }, "id", `"Tea!"`},
		{"long id", func(c *Campaign) { c.ID = strings.Repeat("a", 65) }, "id", "at most 64"},
		{"name", func(c *Campaign) { c.Name = "" }, "name", "empty"},
		{"no end", func(c *Campaign) { c.Ends = time.Time{} }, "ends", "not given"},
		{"ends before it starts", func(c *Campaign) { c.Ends = c.Starts }, "ends", "a time after"},
		{"no start", func(c *Campaign) { c.Starts = time.Time{} }, "starts", "not given"},
		{"store", func(c *Campaign) { c.Stores = []string{"Main Street"} }, "stores", "Main Street"},
		{"priority", func(c *Campaign) { c.Priority = 5000 }, "priority", "5000"},
		{"per day", func(c *Campaign) { c.PerDay = -1 }, "per_day", "-1"},
		{"art", func(c *Campaign) { c.Art = "cat" }, "art", `"cat"`},
		{"a language is missing", func(c *Campaign) { delete(c.Content, "zh-CN") }, "content.zh-CN", "missing"},
		{"a language's name", func(c *Campaign) { c.Content["English!"] = c.Content["en"] }, "content", "English!"},
		{"title empty", en(func(x *Content) { x.Title = "" }), "content.en.title", "empty"},
		{"title long", en(func(x *Content) { x.Title = strings.Repeat("茶", 25) }), "content.en.title", "25 characters"},
		{"text long", en(func(x *Content) { x.Text = strings.Repeat("茶", 81) }), "content.en.text", "81 characters"},
		{"talk long", en(func(x *Content) { x.Talk = strings.Repeat("茶", 161) }), "content.en.talk", "161 characters"},
		{"hello in one language", en(func(x *Content) { x.Hello = "Hi" }), "content.*.hello", "some languages only"},
		{"talk in one language", en(func(x *Content) { x.Talk = "" }), "content.*.talk", "some languages only"},
		{"a mark that tells the tier", en(func(x *Content) { x.Text = "For {tier} members" }), "content.en.text", `"{tier}"`},
		{"half a mark", en(func(x *Content) { x.Title = "Hi {name" }), "content.en.title", `"{name"`},
		{"a line break", en(func(x *Content) { x.Text = "a\nb" }), "content.en.text", "control character at place 2"},
		{"turned text", en(func(x *Content) { x.Text = "a\u202eb" }), "content.en.text", "control character"},
		{"not UTF-8", en(func(x *Content) { x.Text = "a\xff" }), "content.en.text", "not UTF-8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Compile([]Campaign{tea(tc.change)})
			if err == nil {
				t.Fatal("accepted")
			}
			f, ok := errors.AsType[*Fault](err)
			if !ok || f.Field != tc.field || !strings.Contains(f.Error(), tc.want) || f.Want == "" {
				t.Errorf("%v\nwant field %s and %q", err, tc.field, tc.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("more than one line:\n%v", err)
			}
		})
	}
}

func TestCompileTellsAllFaultsOfAll(t *testing.T) {
	_, err := Compile([]Campaign{
		tea(func(c *Campaign) { c.ID, c.Art, c.Audience = "one", "cat", "member.x" }),
		tea(), tea(),
		tea(func(c *Campaign) { c.ID, c.Name = "", "" }),
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"campaign one: art", "campaign one: audience", "campaign tea: id: another campaign", "campaign no. 4: id", "campaign no. 4: name"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in:\n%v", want, err)
		}
	}
	if _, err := Compile(make([]Campaign, MaxCampaigns+1)); err == nil || !strings.Contains(err.Error(), "at most 1000") {
		t.Errorf("1001 campaigns: %v", err)
	}
	_, err = Compile(make([]Campaign, MaxCampaigns))
	if n := strings.Count(err.Error(), "\n"); n != MaxFaults {
		t.Errorf("%d lines, want %d and how many more", n, MaxFaults)
	}
}

func TestVariables(t *testing.T) {
	for _, v := range Variables() {
		if v.Means == "" {
			t.Errorf("%s is not explained", v.Name)
		}
		test := map[string]string{"string": ` == ""`, "int": " == 0", "bool": ""}[v.Type]
		if _, err := compileRule(v.Name + test); err != nil {
			t.Errorf("%s: %v", v.Name, err)
		}
	}
	if n := len(Variables()); n != 10 {
		t.Errorf("%d variables, want 10", n)
	}
}

// Any text either is refused in words, or is a rule that ends within its cost.
func FuzzAudience(f *testing.F) {
	for _, s := range []string{"true", `member.tier in ["gold"] && member.nth_visit > 2`, `member.teir`, `[1,2].all(x, x > 0)`, `"a".matches("(a*)*b")`, `10/(visit.hour)>1`,
		`member.tier.matches("^g") || "x" + member.language == "xen"`, `timestamp("2026-01-01T00:00:00Z").getFullYear() == 2026`, "((((", "\x00", `campaign.Member{tier:"a"}.tier == "a"`} {
		f.Add(s)
	}
	facts := Facts{Member: Member{Tier: "gold", Language: "zh-CN"}}
	f.Fuzz(func(t *testing.T, s string) {
		set, err := Compile([]Campaign{tea(rules(s))})
		if err != nil {
			if !utf8Line(err.Error()) {
				t.Errorf("%q: error of more than one line: %q", s, err)
			}
			return
		}
		v := set.Match(facts, nine, "")
		if v[0].Yes != (v[0].Code == Matched) {
			t.Errorf("%q: %+v", s, v[0])
		}
	})
}

func utf8Line(s string) bool { return !strings.ContainsAny(s, "\n\r") }

func BenchmarkRule(b *testing.B) {
	r, err := compileRule(`member.tier in ["gold"] && member.days_since_last_visit > 60`)
	if err != nil {
		b.Fatal(err)
	}
	f := Facts{Member: Member{Tier: "gold", DaysSinceLastVisit: 70}}
	facts := map[string]any{"member": &f.Member, "visit": &f.Visit}
	b.ReportAllocs()
	for b.Loop() {
		if r.ask(facts) != Matched {
			b.Fatal("no match")
		}
	}
}

func BenchmarkMatch1000(b *testing.B) {
	var cs []Campaign
	for i := range MaxCampaigns {
		cs = append(cs, tea(func(c *Campaign) {
			c.ID = "c-" + strings.Repeat("x", i%7) + time.Duration(i).String()
			c.ID = strings.NewReplacer("µ", "u", ".", "-", "ns", "n").Replace(c.ID)
			c.Audience = `member.tier in ["silver"] && member.days_since_last_visit > 60`
		}))
	}
	s := mustCompile(b, cs...)
	f := Facts{Member: Member{Tier: "gold", DaysSinceLastVisit: 70}}
	for b.Loop() {
		s.Match(f, nine, "")
	}
}
