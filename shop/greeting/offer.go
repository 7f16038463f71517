package greeting

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"foyer/internal/words"
	"foyer/shop/campaign"
	"foyer/shop/member"
)

// chooseOffer asks the campaigns. Without the marketing consent nothing of the person is asked: only public campaigns
// apply. Who does not want to be greeted is offered nothing.
func (d *decider) chooseOffer() {
	personal := d.allows(member.Marketing)
	if personal {
		d.verdicts = d.Campaigns.Match(d.facts, d.Now, d.Store)
	} else {
		d.verdicts = d.Campaigns.Running(d.Now, d.Store)
	}
	if d.quiet() {
		return
	}
	for _, v := range d.verdicts {
		if v.Yes {
			d.out.Offer, d.out.Counts = v.Campaign, personal
			return
		}
	}
}

// Public gives the campaigns for everybody as a screen shows them, with nobody's name in them.
func Public(cs []*campaign.Campaign, w *words.Catalogue) []Offer {
	d := decider{Input: Input{Words: w}, langs: w.Languages()}
	out := make([]Offer, 0, len(cs))
	for _, c := range cs {
		out = append(out, d.offer(c, nil))
	}
	return out
}

func (d *decider) publicOffers() []Offer {
	cs := d.Campaigns.Public(d.Now, d.Store)
	return Public(cs[:min(len(cs), MaxOffers)], d.Words)
}

// personalOffers are those that fit, the chosen one first.
func (d *decider) personalOffers() []Offer {
	if d.quiet() {
		return d.publicOffers()
	}
	var out []Offer
	for _, v := range d.verdicts {
		if v.Yes && len(out) < MaxOffers {
			out = append(out, d.offer(v.Campaign, d.called))
		}
	}
	return out
}

func (d *decider) offer(c *campaign.Campaign, name Text) Offer {
	return Offer{
		Campaign: c.ID, Art: c.Art,
		Title: d.fill(func(lang string) string { return content(c, lang).Title }, name),
		Text:  d.fill(func(lang string) string { return content(c, lang).Text }, name),
	}
}

// fill puts the name, or a word for a guest, into a campaign's text in every language.
func (d *decider) fill(of func(lang string) string, name Text) Text {
	out := Text{}
	for _, lang := range d.langs {
		text, who := of(lang), in(name, lang)
		if name == nil {
			who = d.Words.Text(lang, "greeting.guest")
			if strings.HasPrefix(text, "{name}") {
				who = capital(who)
			}
		}
		out[lang] = strings.ReplaceAll(text, "{name}", who)
	}
	return out
}

func content(c *campaign.Campaign, lang string) campaign.Content {
	if t, ok := c.Content[lang]; ok {
		return t
	}
	return c.Content[words.Fallback]
}

func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[n:]
}

// refusal is a campaign that was not chosen.
type refusal struct {
	c    *campaign.Campaign
	code Code
}

// refused lists what was not chosen: first the campaigns that run, then the others, each by priority.
func (d *decider) refused() []refusal {
	var running, others []refusal
	for _, v := range d.verdicts {
		r := refusal{v.Campaign, Code(v.Code)}
		switch {
		case v.Campaign == d.out.Offer:
			continue
		case d.quiet():
			r.code = NoGreeting
		case v.Yes:
			r.code = LowerPriority
		case v.Code == campaign.NotInAudience && !d.allows(member.Marketing):
			r.code = MissingMarketing
		}
		switch v.Code {
		case campaign.NotStarted, campaign.Over, campaign.OtherStore:
			others = append(others, refusal{v.Campaign, Code(v.Code)})
		default:
			running = append(running, r)
		}
	}
	return append(running, others...)
}

// explainOffers says of each campaign why it was chosen or not, to the record and, of the first few, to reception.
func (d *decider) explainOffers() {
	if c := d.out.Offer; c != nil {
		d.because(true, OfferChosen, c.ID)
	} else {
		d.because(false, NoOffer, "")
	}
	refused := d.refused()
	for i, r := range refused {
		if i == MaxCampaignReasons {
			d.because(false, MoreCampaigns, fmt.Sprint(len(refused)-i))
			break
		}
		d.because(false, r.code, r.c.ID)
	}
	d.out.Note.OfferWhy = d.offerWhy(refused)
}

const maxRefusalsTold = 3

var refusalTexts = map[Code]string{
	LowerPriority:                "lower",
	MissingMarketing:             "consent",
	Code(campaign.NotInAudience): "audience",
	Code(campaign.Capped):        "capped",
	Code(campaign.RuleError):     "rule",
	Code(campaign.RuleCost):      "rule",
}

func (d *decider) offerWhy(refused []refusal) []Text {
	var out []Text
	switch {
	case d.quiet():
		return []Text{d.text("offer_why.quiet")}
	case d.out.Offer == nil:
		out = append(out, d.text("offer_why.none"))
	case d.out.Counts:
		out = append(out, d.text("offer_why.chosen"))
	default:
		out = append(out, d.text("offer_why.everybody"))
	}
	for _, r := range refused {
		key, told := refusalTexts[r.code]
		if !told || len(out) > maxRefusalsTold {
			break
		}
		line, o := Text{}, d.offer(r.c, nil)
		for _, lang := range d.langs {
			line[lang] = d.Words.Text(lang, "greeting.offer_why."+key, "title", o.Title[lang])
		}
		out = append(out, line)
	}
	return out
}
