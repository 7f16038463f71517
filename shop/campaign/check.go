package campaign

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of a snapshot.
const (
	MaxCampaigns = 1000
	MaxFaults    = 50 // told of one broken snapshot
)

const (
	maxID        = 64
	maxName      = 80
	maxStores    = 2000
	maxLanguages = 8
	maxPriority  = 1000
	maxPerDay    = 24
	maxTitle     = 24
	maxText      = 80
	maxHello     = 40
	maxTalk      = 160
)

// mandatory are the languages that every campaign must have.
var mandatory = []string{"zh-CN", "en"}

var (
	idShape    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	langShape  = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	storeShape = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)
	markShape  = regexp.MustCompile(`\{[^{}]*\}?|\}`)
)

// Fault is one thing that is wrong with one campaign.
type Fault struct {
	Campaign string // its ID, or "campaign 3" where it has none that could be told
	Field    string // as in JSON: "content.en.title"
	Wrong    string
	Want     string
}

// Error says it in one line.
func (f *Fault) Error() string {
	return fmt.Sprintf("campaign %s: %s: %s: want %s", f.Campaign, f.Field, f.Wrong, f.Want)
}

// Compile checks all campaigns and returns them ready to be asked, or every Fault of every campaign, joined (the first
// MaxFaults of them).
func Compile(campaigns []Campaign) (*Set, error) {
	if n := len(campaigns); n > MaxCampaigns {
		return nil, fmt.Errorf("%d campaigns: want at most %d", n, MaxCampaigns)
	}
	s, faults, seen, rules := &Set{}, faults{}, map[string]bool{}, map[string]rule{}
	for i, c := range campaigns {
		name := c.ID
		if !idShape.MatchString(c.ID) || len(c.ID) > maxID {
			name = fmt.Sprintf("no. %d", i+1)
		}
		ck := checker{name: name, faults: &faults}
		ck.campaign(&c)
		ck.that(!seen[c.ID], "id", "another campaign has it too", "each id once")
		seen[c.ID] = true
		r, known := rules[c.Audience]
		if !known {
			var err error
			if r, err = compileRule(c.Audience); err != nil {
				ck.that(false, "audience", err.Error(), `a rule like member.tier == "gold" (or true, for everybody)`)
				continue
			}
			rules[c.Audience] = r
		}
		s.campaigns = append(s.campaigns, compiled{c, r})
	}
	if err := faults.join(); err != nil {
		return nil, err
	}
	slices.SortFunc(s.campaigns, byPriority)
	return s, nil
}

// faults keeps the first of them and counts the rest.
type faults struct {
	first []error
	more  int
}

func (f *faults) join() error {
	if f.more > 0 {
		f.first = append(f.first, fmt.Errorf("and %d more", f.more))
	}
	return errors.Join(f.first...)
}

type checker struct {
	name   string
	faults *faults
}

func (c checker) that(ok bool, field, wrong, want string) {
	switch {
	case ok:
	case len(c.faults.first) == MaxFaults:
		c.faults.more++
	default:
		c.faults.first = append(c.faults.first, &Fault{c.name, field, wrong, want})
	}
}

func (c checker) campaign(x *Campaign) {
	c.that(idShape.MatchString(x.ID) && len(x.ID) <= maxID, "id", quoted(x.ID), "lower-case letters, digits and single dashes, at most 64")
	c.text("name", x.Name, true, maxName, false)
	c.that(sane(x.Starts), "starts", moment(x.Starts), "a time between 2000 and 2200")
	c.that(sane(x.Ends), "ends", moment(x.Ends), "a time between 2000 and 2200: every campaign ends")
	c.that(x.Ends.After(x.Starts) || x.Ends.IsZero(), "ends", moment(x.Ends), "a time after "+moment(x.Starts))
	c.that(len(x.Stores) <= maxStores, "stores", fmt.Sprintf("%d of them", len(x.Stores)), fmt.Sprintf("at most %d", maxStores))
	for _, s := range x.Stores[:min(len(x.Stores), maxStores)] {
		c.that(storeShape.MatchString(s), "stores", quoted(s), "lower-case letters, digits or dashes, at most 32")
	}
	c.that(x.Priority >= -maxPriority && x.Priority <= maxPriority, "priority", fmt.Sprint(x.Priority), fmt.Sprintf("%d to %d", -maxPriority, maxPriority))
	c.that(x.PerDay >= 0 && x.PerDay <= maxPerDay, "per_day", fmt.Sprint(x.PerDay), fmt.Sprintf("0 to %d", maxPerDay))
	c.that(slices.Contains(Arts, x.Art), "art", quoted(x.Art), fmt.Sprintf("one of %q", Arts))
	c.content(x.Content)
}

func (c checker) content(x map[string]Content) {
	if len(x) > maxLanguages {
		c.that(false, "content", fmt.Sprintf("%d languages", len(x)), fmt.Sprintf("at most %d", maxLanguages))
		return
	}
	for _, lang := range mandatory {
		_, ok := x[lang]
		c.that(ok, "content."+lang, "missing", "the campaign's texts in zh-CN and en")
	}
	var hello, talk int
	for _, lang := range slices.Sorted(maps.Keys(x)) {
		t, at := x[lang], fmt.Sprintf("content.%.20s.", lang)
		c.that(langShape.MatchString(lang) && len(lang) <= 20, "content", quoted(lang), "a language tag like zh-CN")
		c.text(at+"title", t.Title, true, maxTitle, true)
		c.text(at+"text", t.Text, true, maxText, true)
		c.text(at+"hello", t.Hello, false, maxHello, true)
		c.text(at+"talk", t.Talk, false, maxTalk, true)
		hello += one(t.Hello != "")
		talk += one(t.Talk != "")
	}
	c.that(hello == 0 || hello == len(x), "content.*.hello", "there in some languages only", "it in all languages or in none")
	c.that(talk == 0 || talk == len(x), "content.*.talk", "there in some languages only", "it in all languages or in none")
}

func (c checker) text(field, s string, must bool, most int, marks bool) {
	c.that(s != "" || !must, field, "empty", fmt.Sprintf("1 to %d characters", most))
	n := utf8.RuneCountInString(s)
	c.that(n <= most, field, fmt.Sprintf("%d characters", n), fmt.Sprintf("at most %d", most))
	c.that(utf8.ValidString(s), field, "not UTF-8", "text")
	bad := slices.IndexFunc([]rune(s), func(r rune) bool {
		return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
	})
	c.that(bad < 0, field, fmt.Sprintf("a control character at place %d", bad+1), "one line of plain text")
	if !marks {
		return
	}
	for _, m := range markShape.FindAllString(s, 10) {
		c.that(m == "{name}", field, "the mark "+quoted(m), "no mark but {name}: nothing else of a person may be said")
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func sane(t time.Time) bool { return t.Year() >= 2000 && t.Year() <= 2200 }

func moment(t time.Time) string {
	if t.IsZero() {
		return "not given"
	}
	return t.Format(time.RFC3339)
}

func quoted(s string) string { return fmt.Sprintf("%.70q", s) }
