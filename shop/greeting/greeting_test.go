package greeting

import (
	"fmt"
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
)

var nine = time.Date(2026, 6, 14, 9, 0, 0, 0, time.UTC)

func promo(id string, priority int, audience, en, zh string) campaign.Campaign {
	return campaign.Campaign{ID: id, Name: id, Audience: audience, Starts: nine.AddDate(0, -1, 0), Ends: nine.AddDate(0, 1, 0), Priority: priority, Art: "gift",
		Content: map[string]campaign.Content{
			"en":    {Title: en, Text: "{name}, " + en, Hello: "Hello " + id + ", {name}", Talk: "Mention " + id},
			"zh-CN": {Title: zh, Text: "{name}，" + zh, Hello: zh + "，{name}", Talk: "介绍" + zh},
		}}
}

func compiled(t testing.TB, cs ...campaign.Campaign) *campaign.Set {
	t.Helper()
	s, err := campaign.Compile(cs)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func anna(change ...func(*member.Member)) *member.Member {
	m := &member.Member{ID: "anna", Family: "王", Given: "安娜", Title: member.Ms, Language: "zh-CN", Tier: "gold",
		Consents: []member.Purpose{member.Recognise, member.GreetByName, member.PublicScreen, member.Marketing}}
	for _, f := range change {
		f(m)
	}
	return m
}

func without(p member.Purpose) func(*member.Member) {
	return func(m *member.Member) {
		m.Consents = slices.DeleteFunc(m.Consents, func(q member.Purpose) bool { return p == q })
	}
}

func arrival(m *member.Member, change ...func(*Input)) Input {
	in := Input{Now: nine, Role: presence.Entrance, Member: m, Words: words.Load(), Store: "s1", StoreName: Text{"en": "Lakeside", "zh-CN": "湖畔店"},
		Visit: visit.Visit{ID: "v1", Nth: 3, Start: nine, Last: nine.AddDate(0, 0, -10)}}
	for _, f := range change {
		f(&in)
	}
	return in
}

func atKiosk(in *Input) { in.Role = presence.Kiosk }

func has(d Decision, yes bool, code Code) bool {
	return slices.ContainsFunc(d.Reasons, func(r Reason) bool { return r.Yes == yes && r.Code == code })
}

func TestHeadlines(t *testing.T) {
	birthday := func(m *member.Member) { m.Birthday = member.MonthDay{Month: time.June, Day: 14} }
	hour := func(h int) func(*Input) { return func(in *Input) { in.Now = nine.Add(time.Duration(h-9) * time.Hour) } }
	for _, tc := range []struct {
		name        string
		in          Input
		wall, kiosk string // "en | zh"; empty is silence
		yes, no     Code
	}{
		{"all consents", arrival(anna()), "Good morning, Ms Wang | 早上好，王女士", "", WallNamed, KioskElsewhere},
		{"a tap at the kiosk", arrival(anna(), atKiosk), "Good morning, Ms Wang | 早上好，王女士", "Good morning, Ms Wang | 早上好，王女士", KioskNamed, NoOffer},
		{"a second tap", arrival(anna(), atKiosk, func(in *Input) { in.Greeted = Greeted{true, true} }), "", "Good morning, Ms Wang | 早上好，王女士", KioskNamed, WallAlready},
		{"no public consent", arrival(anna(without(member.PublicScreen)), atKiosk), "Good morning, and welcome | 早上好，欢迎光临", "Good morning, Ms Wang | 早上好，王女士", WallNeutral, MissingPublic},
		{"no name at all", arrival(anna(without(member.GreetByName)), atKiosk), "Good morning, and welcome | 早上好，欢迎光临", "Good morning, and welcome | 早上好，欢迎光临", KioskNeutral, MissingByName},
		{"no title: the full name in front of the person only", arrival(anna(func(m *member.Member) { m.Title = "" }), atKiosk), "Good morning, and welcome | 早上好，欢迎光临", "Good morning, 王安娜 | 早上好，王安娜", KioskNamed, NoHonorific},
		{"do not greet me", arrival(anna(func(m *member.Member) { m.NoGreeting = true }), atKiosk), "", "Good morning, and welcome | 早上好，欢迎光临", KeepQuiet, NoGreeting},
		{"birthday", arrival(anna(birthday), atKiosk), "Good morning, Ms Wang | 早上好，王女士", "Happy birthday, Ms Wang | 生日快乐，王女士", Birthday, BirthdayOffWall},
		{"noon", arrival(anna(), hour(12)), "Hello, Ms Wang | 中午好，王女士", "", WallNamed, NoOffer},
		{"afternoon", arrival(anna(), hour(15)), "Good afternoon, Ms Wang | 下午好，王女士", "", WallNamed, NoOffer},
		{"evening", arrival(anna(), hour(20)), "Good evening, Ms Wang | 晚上好，王女士", "", WallNamed, NoOffer},
		{"at the exit", arrival(anna(), func(in *Input) { in.Role = presence.Exit }), "", "", NthVisit, AtExit},
		{"nobody", arrival(nil), "Good morning, and welcome | 早上好，欢迎光临", "", WallNeutral, NoMember},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := Decide(tc.in)
			if got := headline(d.Wall); got != tc.wall {
				t.Errorf("wall %q, want %q", got, tc.wall)
			}
			if got := headline(d.Kiosk); got != tc.kiosk {
				t.Errorf("kiosk %q, want %q", got, tc.kiosk)
			}
			if !has(d, true, tc.yes) || !has(d, false, tc.no) {
				t.Errorf("reasons %v, want yes %s and no %s", d.Reasons, tc.yes, tc.no)
			}
		})
	}
}

func headline(s *Said) string {
	if s == nil {
		return ""
	}
	return s.Headline["en"] + " | " + s.Headline["zh-CN"]
}

func TestOffer(t *testing.T) {
	set := compiled(t,
		promo("tea", 1, "true", "Tea", "茶"),
		promo("gold", 9, `member.tier == "gold"`, "Gold gift", "金卡礼"),
		promo("young", 5, `member.days_since_joined < 0`, "Newcomer", "新人礼"),
		promo("silver", 7, `member.tier == "silver"`, "Silver gift", "银卡礼"))
	with := func(in *Input) { in.Campaigns = set; in.Role = presence.Kiosk }
	for _, tc := range []struct {
		name   string
		in     Input
		chosen string
		counts bool
		kiosk  string // campaigns on the kiosk
		no     []Reason
		why    []string
	}{
		{"by what we know", arrival(anna(), with), "gold", true, "gold young tea",
			[]Reason{{false, Code(campaign.NotInAudience), "silver"}, {false, LowerPriority, "young"}, {false, LowerPriority, "tea"}},
			[]string{"Chosen: fits", "“Silver gift”: not in its audience", "“Newcomer” fits too", "“Tea” fits too"}},
		{"without the marketing consent", arrival(anna(without(member.Marketing)), with), "tea", false, "tea",
			[]Reason{{false, MissingMarketing, "gold"}, {false, MissingMarketing, "silver"}, {false, MissingMarketing, "young"}},
			[]string{"Chosen: open to everybody", "“Gold gift”: needs consent", "“Silver gift”: needs consent", "“Newcomer”: needs consent"}},
		{"capped today", arrival(anna(), with, func(in *Input) {
			in.History.Offered = map[string]visit.Offer{"gold": {Day: visit.Day(nine), Count: 1, Visit: "v0"}}
		}), "young", true, "young tea",
			[]Reason{{false, Code(campaign.Capped), "gold"}, {false, Code(campaign.NotInAudience), "silver"}},
			[]string{"Chosen: fits", "“Gold gift”: already offered", "“Silver gift”: not", "“Tea” fits too"}},
		{"offered in this very visit", arrival(anna(), with, func(in *Input) {
			in.History.Offered = map[string]visit.Offer{"gold": {Day: visit.Day(nine), Count: 1, Visit: "v1"}}
		}), "gold", true, "gold young tea", nil, []string{"Chosen: fits"}},
		{"do not greet me", arrival(anna(func(m *member.Member) { m.NoGreeting = true }), with), "", false, "tea",
			[]Reason{{false, NoOffer, ""}, {false, NoGreeting, "gold"}}, []string{"No offer: asked not"}},
		{"no campaigns", arrival(anna(), atKiosk), "", false, "", []Reason{{false, NoOffer, ""}}, []string{"No offer fits"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := Decide(tc.in)
			chosen := ""
			if d.Offer != nil {
				chosen = d.Offer.ID
			}
			if chosen != tc.chosen || d.Counts != tc.counts || (d.Note.Offer != nil) != (chosen != "") {
				t.Errorf("chose %q (counts %v), want %q (%v)", chosen, d.Counts, tc.chosen, tc.counts)
			}
			var ids []string
			for _, o := range d.Kiosk.Offers {
				ids = append(ids, o.Campaign)
			}
			if got := strings.Join(ids, " "); got != tc.kiosk {
				t.Errorf("kiosk offers %q, want %q", got, tc.kiosk)
			}
			for _, r := range tc.no {
				if !slices.Contains(d.Reasons, r) {
					t.Errorf("reasons %v lack %v", d.Reasons, r)
				}
			}
			for i, w := range tc.why {
				if i >= len(d.Note.OfferWhy) || !strings.HasPrefix(d.Note.OfferWhy[i]["en"], w) {
					t.Errorf("offer why %v, want line %d to begin with %q", d.Note.OfferWhy, i+1, w)
				}
			}
			if d.Wall != nil && (len(d.Wall.Offers) > 0 && d.Wall.Offers[0].Campaign != "tea" || len(d.Wall.Offers) > 1) {
				t.Errorf("the wall offers %v", d.Wall.Offers)
			}
		})
	}
}

func TestOfferTexts(t *testing.T) {
	set := compiled(t, promo("tea", 1, "true", "Tea", "茶"))
	d := Decide(arrival(anna(), atKiosk, func(in *Input) { in.Campaigns = set }))
	if got := d.Kiosk.Offers[0].Text; got["en"] != "Ms Wang, Tea" || got["zh-CN"] != "王女士，茶" {
		t.Errorf("kiosk: %v", got)
	}
	if got := d.Wall.Offers[0].Text; got["en"] != "Our guest, Tea" || got["zh-CN"] != "贵宾，茶" {
		t.Errorf("wall: %v", got)
	}
	if got := d.Kiosk.Line; got["en"] != "Hello tea, Ms Wang" || got["zh-CN"] != "茶，王女士" {
		t.Errorf("the campaign's hello: %v", got)
	}
}

func TestNote(t *testing.T) {
	set := compiled(t, promo("tea", 1, "true", "Tea", "茶"))
	with := func(in *Input) { in.Campaigns = set }
	contract := func(days int) func(*member.Member) {
		return func(m *member.Member) { m.ContractEnds = nine.AddDate(0, 0, days) }
	}
	for _, tc := range []struct {
		name string
		in   Input
		who  string
		why  string
		talk string
	}{
		{"key customer", arrival(anna(), with), "王女士", "第 3 次到店; 重点客户", "问声好，听听今天想办什么。; 介绍茶"},
		{"first visit", arrival(anna(func(m *member.Member) { m.Tier = "" }), func(in *Input) { in.Visit.Nth, in.Visit.Last = 1, time.Time{} }), "王女士", "首次到店", "先介绍自己，再问问今天想办什么。"},
		{"back after long, contract ends", arrival(anna(contract(12)), with, func(in *Input) { in.Visit.Last = nine.AddDate(0, 0, -45) }), "王女士", "合约还有 12 天到期; 时隔 45 天再次到店; 重点客户",
			"说一句“又见到您了”，问问近来有什么变化。; 合约快到期了，问问现在的套餐用得顺不顺手。; 介绍茶"},
		{"contract ends tomorrow, no marketing", arrival(anna(contract(1), without(member.Marketing))), "王女士", "第 3 次到店; 重点客户", "问声好，听听今天想办什么。"},
		{"contract ends today, birthday", arrival(anna(contract(0), func(m *member.Member) { m.Birthday = member.MonthDay{Month: 6, Day: 14} })), "王女士",
			"今天生日; 合约今天到期; 重点客户", "先道一声生日快乐，再谈别的。; 合约快到期了，问问现在的套餐用得顺不顺手。"},
		{"contract over", arrival(anna(contract(-1))), "王女士", "第 3 次到店; 重点客户", "问声好，听听今天想办什么。"},
		{"nameless, and no birthday either", arrival(anna(without(member.GreetByName), func(m *member.Member) { m.Birthday = member.MonthDay{Month: 6, Day: 14} })), "会员", "第 3 次到店; 重点客户; 不希望被称呼姓名", "问声好，听听今天想办什么。"},
		{"quiet", arrival(anna(func(m *member.Member) { m.NoGreeting = true }), with), "王女士", "已要求不打扰; 重点客户", "请勿主动招呼；客人开口时，立即上前。"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := Decide(tc.in).Note
			var why, talk []string
			for _, l := range n.Why {
				why = append(why, l.Text["zh-CN"])
			}
			for _, l := range n.Talk {
				talk = append(talk, l["zh-CN"])
			}
			want := []string{tc.who, tc.why, tc.talk}
			if diff := cmp.Diff(want, []string{n.Name["zh-CN"], strings.Join(why, "; "), strings.Join(talk, "; ")}); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
			if n.Priority != (n.Tier == "gold") || n.Quiet != tc.in.Member.NoGreeting {
				t.Errorf("priority %v, quiet %v", n.Priority, n.Quiet)
			}
		})
	}
}

func TestReasonsAreBounded(t *testing.T) {
	d := Decide(arrival(anna(), func(in *Input) { in.Campaigns = thousand(t) }))
	last := d.Reasons[len(d.Reasons)-1]
	if len(d.Reasons) > MaxCampaignReasons+20 || last != (Reason{false, MoreCampaigns, "959"}) {
		t.Errorf("%d reasons, the last is %v", len(d.Reasons), last)
	}
}

// Every text that the code asks for by a computed key is there.
func TestEveryVariantExists(t *testing.T) {
	w := words.Load()
	for _, lang := range w.Languages() {
		for h := range 24 {
			part := daypart(time.Date(2026, 1, 1, h, 0, 0, 0, time.UTC))
			for _, key := range []string{"hello_named." + part, "hello_neutral." + part, "wall_line." + part + "1"} {
				if !w.Has(lang, "greeting."+key) {
					t.Errorf("%s lacks greeting.%s", lang, key)
				}
			}
		}
		for _, key := range []string{"wall_line.any1", "wall_line.any2", "wall_line.any3", "tier.silver", "tier.gold", "tier.diamond"} {
			if !w.Has(lang, "greeting."+key) {
				t.Errorf("%s lacks greeting.%s", lang, key)
			}
		}
	}
}

func thousand(t testing.TB) *campaign.Set {
	var cs []campaign.Campaign
	for i := range campaign.MaxCampaigns {
		cs = append(cs, promo(fmt.Sprintf("c%d", i), i%10, `member.tier in ["silver", "gold"] && member.days_since_last_visit > `+fmt.Sprint(i%20), "Offer", "礼"))
	}
	return compiled(t, cs...)
}

func BenchmarkDecide(b *testing.B) {
	for _, n := range []int{3, 1000} {
		b.Run(fmt.Sprintf("campaigns=%d", n), func(b *testing.B) {
			set := thousand(b)
			if n == 3 {
				set = compiled(b, promo("tea", 1, "true", "Tea", "茶"), promo("gold", 2, `member.tier == "gold"`, "Gold", "金"), promo("old", 3, `member.days_since_joined > 1000`, "Old", "老友"))
			}
			in := arrival(anna(), atKiosk, func(in *Input) { in.Campaigns = set })
			b.ReportAllocs()
			for b.Loop() {
				Decide(in)
			}
		})
	}
}
