package greeting

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"foyer/internal/words"
	"foyer/shop/campaign"
	"foyer/shop/member"
	"foyer/shop/presence"
	"foyer/shop/visit"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawn is some member, on some visit, with secrets that are easy to find.
func drawn(t *rapid.T, set *campaign.Set) Input {
	m := &member.Member{
		ID: "m-secret", Family: rapid.SampledFrom([]string{"", "王", "欧阳", "Smith"}).Draw(t, "family"), Given: "GIVENNAME小红",
		Title:    rapid.SampledFrom([]member.Title{"", member.Ms, member.Mr, member.Teacher, member.Doctor}).Draw(t, "title"),
		Language: rapid.SampledFrom([]string{"", "en", "zh-CN"}).Draw(t, "language"),
		Tier:     rapid.SampledFrom([]string{"", "silver", "gold", "diamond"}).Draw(t, "tier"),
		Birthday: rapid.SampledFrom([]member.MonthDay{{}, {Month: 6, Day: 14}, {Month: 6, Day: 15}}).Draw(t, "birthday"),
		Since:    nine.AddDate(-rapid.IntRange(0, 9).Draw(t, "years"), 0, 0), NoGreeting: rapid.Bool().Draw(t, "no greeting"),
		Consents: rapid.SliceOfDistinct(rapid.SampledFrom(member.Purposes), rapid.ID).Draw(t, "consents"),
	}
	if rapid.Bool().Draw(t, "contract") {
		m.ContractEnds = nine.AddDate(0, 0, rapid.IntRange(-3, 40).Draw(t, "contract days"))
	}
	in := arrival(m)
	in.Now = nine.Add(time.Duration(rapid.IntRange(0, 14).Draw(t, "hour")) * time.Hour)
	in.Role = rapid.SampledFrom(presence.Roles).Draw(t, "role")
	in.Greeted = Greeted{rapid.Bool().Draw(t, "wall done"), rapid.Bool().Draw(t, "kiosk done")}
	in.Campaigns = set
	in.Visit = visit.Visit{ID: rapid.StringMatching("[a-z]{8}").Draw(t, "visit"), Nth: rapid.IntRange(1, 99).Draw(t, "nth")}
	if in.Visit.Nth > 1 {
		in.Visit.Last = in.Now.AddDate(0, 0, -rapid.IntRange(0, 400).Draw(t, "days ago"))
	}
	return in
}

func secretSet(t testing.TB) *campaign.Set {
	return compiled(t,
		promo("tea", 1, "true", "Tea for all", "人人有茶"),
		promo("tier", 9, `member.tier != ""`, "SECRET tier", "秘密等级"),
		promo("contract", 8, `member.days_to_contract_end < 31`, "SECRET contract", "秘密合约"),
		promo("back", 7, `member.days_since_last_visit > 60`, "SECRET back", "秘密归来"))
}

// everyText is every text of a screen in every language, as one string.
func everyText(s *Said) string {
	if s == nil {
		return ""
	}
	texts := []Text{s.Headline, s.Line}
	for _, o := range s.Offers {
		texts = append(texts, o.Title, o.Text, Text{"": o.Campaign})
	}
	var out []string
	for _, t := range texts {
		out = slices.AppendSeq(out, maps.Values(t))
	}
	slices.Sort(out)
	return strings.Join(out, "\n")
}

// What a public screen must never hold, whoever comes.
var neverOnWall = []string{"GIVENNAME", "小红", "m-secret", "SECRET", "秘密", "Silver", "Gold", "Diamond", "silver", "gold", "diamond", "银卡", "金卡", "钻石", "irthday", "生日",
	"ontract", "合约", "visit", "次到店", "missed", "好久不见", "想念", "back", "回来", "{"}

func TestNothingPrivateReachesTheWall(t *testing.T) {
	set := secretSet(t)
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t, set)
		d := Decide(in)
		wall := everyText(d.Wall)
		for _, secret := range neverOnWall {
			if strings.Contains(wall, secret) {
				t.Fatalf("the wall says %q:\n%s", secret, wall)
			}
		}
		// Somebody else of the same surname, honorific, language and consents, of whom nothing else is known, on a first
		// visit: the wall must be the same to the letter.
		other := in
		other.Member = &member.Member{ID: "other", Family: in.Member.Family, Title: in.Member.Title, Language: in.Member.Language, Consents: in.Member.Consents, NoGreeting: in.Member.NoGreeting}
		other.Visit.Nth, other.Visit.Last, other.History = 1, time.Time{}, visit.History{}
		if diff := cmp.Diff(Decide(other).Wall, d.Wall); diff != "" {
			t.Fatalf("the wall tells them apart:\n%s", diff)
		}
		named := in.Member.Allows(member.GreetByName) && in.Member.Allows(member.PublicScreen)
		if d.Wall != nil && in.Member.Family != "" && strings.Contains(wall, in.Member.Family) && !named {
			t.Fatalf("the wall says the name without the consents:\n%s", wall)
		}
		if in.Member.NoGreeting && d.Wall != nil {
			t.Fatal("the wall greets who asked not to be greeted")
		}
		if d.Wall != nil && d.Wall.Festive {
			t.Fatal("the wall celebrates a birthday")
		}
	})
}

func TestTheKioskKeepsToItsConsents(t *testing.T) {
	set := secretSet(t)
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t, set)
		d := Decide(in)
		if (d.Kiosk != nil) != (in.Role == presence.Kiosk) {
			t.Fatalf("in zone %s the kiosk says %v", in.Role, d.Kiosk)
		}
		kiosk := everyText(d.Kiosk)
		if !in.Member.Allows(member.GreetByName) && (strings.Contains(kiosk, "GIVENNAME") || strings.Contains(kiosk, "生日") || d.Note.Name["en"] != "A member") {
			t.Fatalf("named without consent:\n%s\n%v", kiosk, d.Note.Name)
		}
		if !in.Member.Allows(member.Marketing) && strings.Contains(kiosk+fmt.Sprint(d.Note.Offer, d.Note.Talk), "SECRET") {
			t.Fatalf("a personal offer without consent:\n%s", kiosk)
		}
		if strings.Contains(kiosk, "old") || strings.Contains(kiosk, "金卡") {
			t.Fatalf("the kiosk tells the tier:\n%s", kiosk)
		}
	})
}

// Every decision is whole: each text in each language with no mark left, a reason for each surface, bounds kept.
func TestDecisionsAreWhole(t *testing.T) {
	set, langs := secretSet(t), words.Load().Languages()
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t, set)
		d := Decide(in)
		texts := append([]Text{d.Note.Name}, slices.Concat(d.Note.Talk, d.Note.OfferWhy)...)
		for _, l := range d.Note.Why {
			texts = append(texts, l.Text)
		}
		for _, s := range []*Said{d.Wall, d.Kiosk} {
			if s != nil {
				texts = append(texts, s.Headline, s.Line)
				for _, o := range s.Offers {
					texts = append(texts, o.Title, o.Text)
				}
			}
		}
		for _, x := range texts {
			for _, lang := range langs {
				if s := x[lang]; s == "" || strings.ContainsAny(s, "{}") || strings.HasPrefix(s, "greeting.") {
					t.Fatalf("text %v is not whole in %s", x, lang)
				}
			}
		}
		if len(d.Note.Talk) == 0 || len(d.Note.Talk) > MaxTalk || len(d.Note.Why) == 0 || len(d.Note.OfferWhy) > 1+maxRefusalsTold {
			t.Fatalf("the note is %+v", d.Note)
		}
		if diff := cmp.Diff(d, Decide(in)); diff != "" {
			t.Fatalf("the same input decides differently:\n%s", diff)
		}
		seen := map[Reason]bool{}
		for _, r := range d.Reasons {
			if seen[r] {
				t.Fatalf("reason %v is there twice", r)
			}
			seen[r] = true
		}
	})
}
