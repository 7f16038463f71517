// Package greeting decides what is said to one arrival: on the wall, at the kiosk, and to reception.
//
// In: the visit, the member, the campaigns, the history and the time. Out: a Decision with the texts in every language of
// the catalogue and a Reason for every yes and every no.
// It has no side effects, no clock, no disk and no state: the same Input gives the same Decision.
// Called by shop.
//
// Who sees what. The wall is public: it shows a surname with its honorific when the member agreed both to be greeted by
// name and to the public screen, and nothing else of anybody; its lines and offers are the same for everybody. The kiosk
// is in front of the person: it may say the name, the birthday, and offers chosen for the person, each by its consent. The
// note is for staff. Who asked not to be greeted is not greeted, and staff are told.
package greeting

import (
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"foyer/internal/words"
	"foyer/shop/campaign"
	"foyer/shop/member"
	"foyer/shop/presence"
	"foyer/shop/visit"
)

// Text is one text in every language of the catalogue.
type Text = map[string]string

// Limits of one decision.
const (
	MaxOffers          = 3  // on one screen
	MaxTalk            = 3  // lines for reception
	MaxCampaignReasons = 40 // the rest is counted in one Reason
)

// Input is all that a decision depends on.
type Input struct {
	Now       time.Time // in the store's time zone
	Role      presence.Role
	Greeted   Greeted
	Visit     visit.Visit
	Member    *member.Member // nil is somebody of whom nothing may be said
	History   visit.History
	Campaigns *campaign.Set
	Store     string // the store's id
	StoreName Text
	Words     *words.Catalogue
}

// Greeted says what this visit heard before. The wall speaks once a visit, the kiosk at every tap but not the same words.
type Greeted struct {
	Wall  bool
	Kiosk bool
}

// Decision is what to say where, and why.
type Decision struct {
	Wall    *Said // nil: the wall says nothing
	Kiosk   *Said // nil: the kiosk says nothing
	Note    Note
	Offer   *campaign.Campaign // chosen for the person, or nil
	Counts  bool               // Offer was chosen by what we know, and counts towards its cap
	Reasons []Reason
}

// Said is what one screen says. It holds only what that screen may show.
type Said struct {
	Language string // the member's own; it leads
	Headline Text
	Line     Text
	Neutral  bool // no name in it
	Festive  bool // kiosk only: the birthday
	Offers   []Offer
}

// Offer is a campaign as a screen shows it.
type Offer struct {
	Campaign string
	Title    Text
	Text     Text
	Art      string
}

// Note is what reception is told.
type Note struct {
	Name      Text // with honorific; a plain "member" for who does not want to be called by name
	Tier      string
	TierName  Text // nil without a tier
	Language  string
	Nth       int
	LastVisit time.Time
	Priority  bool // a key customer
	Quiet     bool // asked not to be greeted
	Why       []Line
	Talk      []Text
	Offer     *Offer
	OfferWhy  []Text
}

// Line is a text with the code that it stands for.
type Line struct {
	Code Code
	Text Text
}

// Code names a yes or a no. Codes are stable: they are stored and sent. A Reason's code is one of these or a campaign.Code.
type Code string

// The codes.
const (
	WallNamed        Code = "wall.named"
	WallNeutral      Code = "wall.neutral"
	WallAlready      Code = "wall.already_greeted"
	KioskNamed       Code = "kiosk.named"
	KioskNeutral     Code = "kiosk.neutral"
	KioskElsewhere   Code = "kiosk.elsewhere" // the person is not in front of it
	AtExit           Code = "zone.exit"
	NoMember         Code = "member.unknown"
	NoGreeting       Code = "member.no_greeting"
	NoHonorific      Code = "member.no_honorific" // no title or family name: nothing fit for a public screen
	NoName           Code = "member.no_name"
	MissingByName    Code = "consent.greet_by_name.missing"
	MissingPublic    Code = "consent.public_screen.missing"
	MissingMarketing Code = "consent.marketing.missing"
	Birthday         Code = "birthday.today"
	BirthdayOffWall  Code = "birthday.never_on_wall"
	ContractEnds     Code = "contract.ends_soon"
	FirstVisit       Code = "visit.first"
	NthVisit         Code = "visit.nth"
	BackAfter        Code = "visit.back_after_long"
	KeyCustomer      Code = "member.key_customer"
	KeepQuiet        Code = "note.keep_quiet" // staff are told not to greet
	Nameless         Code = "note.nameless"   // staff are told not to say the name
	OfferChosen      Code = "offer.chosen"
	LowerPriority    Code = "campaign.lower_priority"
	NoOffer          Code = "offer.none"
	MoreCampaigns    Code = "campaign.more" // About says how many reasons were left out
)

const (
	contractSoonDays  = 30
	backAfterLongDays = 30
)

// Reason is one typed yes or no. About names a campaign where the reason is about one.
type Reason struct {
	Yes   bool
	Code  Code
	About string
}

// Decide decides.
func Decide(in Input) Decision {
	d := &decider{Input: in, langs: in.Words.Languages(), facts: FactsOf(in.Member, in.Visit, in.History, in.Now, in.Role)}
	d.name()
	d.chooseOffer()
	d.wall()
	d.kiosk()
	d.note()
	d.explainOffers()
	return d.out
}

// decider is one decision in the making.
type decider struct {
	Input
	langs    []string
	facts    campaign.Facts
	called   Text // nil: may not be called by name
	public   Text // nil: not on the wall
	verdicts []campaign.Verdict
	out      Decision
}

func (d *decider) allows(p member.Purpose) bool { return d.Member != nil && d.Member.Allows(p) }

// quiet tells that the person is not to be greeted.
func (d *decider) quiet() bool { return d.Member != nil && d.Member.NoGreeting }

// because notes a reason, once.
func (d *decider) because(yes bool, code Code, about string) {
	if r := (Reason{yes, code, about}); about != "" || !slices.Contains(d.out.Reasons, r) {
		d.out.Reasons = append(d.out.Reasons, r)
	}
}

// birthday tells whether it may be spoken of, in front of the person and to staff.
func (d *decider) birthday() bool { return d.called != nil && d.facts.Member.BirthdayToday }

// text is one catalogue text in every language.
func (d *decider) text(key string, pairs ...string) Text {
	key = "greeting." + key
	out := Text{}
	for _, lang := range d.langs {
		out[lang] = d.Words.Text(lang, key)
		if strings.Contains(out[lang], "{") {
			out[lang] = d.Words.Text(lang, key, append(pairs, "store", in(d.StoreName, lang))...)
		}
	}
	return out
}

// named is a catalogue text with {name} filled by a name that differs by language.
func (d *decider) named(key string, name Text) Text {
	out := Text{}
	for _, lang := range d.langs {
		out[lang] = d.Words.Text(lang, "greeting."+key, "name", in(name, lang), "store", in(d.StoreName, lang))
	}
	return out
}

// in picks a language, English where it is missing.
func in(t Text, lang string) string {
	if s, ok := t[lang]; ok {
		return s
	}
	return t[words.Fallback]
}

// pick chooses among n by the visit, so that a redraw or a restart says the same again.
func (d *decider) pick(n int) int {
	h := fnv.New32a()
	h.Write([]byte(d.Visit.ID))
	return int(h.Sum32() % uint32(n))
}

// daypart is how the hour is greeted.
func daypart(t time.Time) string {
	switch h := t.Hour(); {
	case h >= 5 && h < 11:
		return "morning"
	case h >= 11 && h < 13:
		return "noon"
	case h >= 13 && h < 18:
		return "afternoon"
	}
	return "evening"
}

func (d *decider) language() string {
	if d.Member != nil && d.Member.Language != "" {
		return d.Member.Language
	}
	return "zh-CN"
}
