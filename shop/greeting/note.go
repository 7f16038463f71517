package greeting

import (
	"fmt"
	"slices"

	"foyer/shop/member"
)

// note is for staff: what may be known of the person, why it matters now, and what to say.
func (d *decider) note() {
	n := &d.out.Note
	*n = Note{Language: d.language(), Nth: d.Visit.Nth, LastVisit: d.Visit.Last, Quiet: d.quiet(), Name: d.called}
	if n.Name == nil {
		n.Name = d.text("member")
	}
	if d.Member != nil && d.Member.Tier != "" {
		n.Tier, n.TierName = d.Member.Tier, d.text("tier."+d.Member.Tier)
		n.Priority = n.Tier == "gold" || n.Tier == "diamond"
	}
	d.why(n)
	d.talk(n)
	if c := d.out.Offer; c != nil {
		n.Offer = new(d.offer(c, d.called))
	}
}

func (d *decider) why(n *Note) {
	add := func(code Code, key string, pairs ...string) {
		n.Why = append(n.Why, Line{code, d.text("why."+key, pairs...)})
		d.because(true, code, "")
	}
	if n.Quiet {
		add(KeepQuiet, "quiet")
	}
	if d.birthday() {
		add(Birthday, "birthday")
	}
	if key, days := d.contract(); key != "" {
		add(ContractEnds, key, "days", days)
	}
	since := d.facts.Member.DaysSinceLastVisit
	switch {
	case d.Visit.Nth <= 1:
		add(FirstVisit, "first")
	case since >= backAfterLongDays:
		add(BackAfter, "back", "days", fmt.Sprint(since))
	case len(n.Why) == 0:
		add(NthVisit, "nth", "n", fmt.Sprint(d.Visit.Nth))
	}
	if n.Priority {
		add(KeyCustomer, "key")
	}
	if d.Member != nil && !d.allows(member.GreetByName) {
		add(Nameless, "nameless")
	}
}

// contract names the text for a contract that ends soon. A contract is a reason to sell, so it needs that consent.
func (d *decider) contract() (key, days string) {
	n := d.facts.Member.DaysToContractEnd
	if n < 0 || n > contractSoonDays {
		return "", ""
	}
	if !d.allows(member.Marketing) {
		d.because(false, MissingMarketing, "")
		return "", ""
	}
	switch n {
	case 0:
		return "contract_today", "0"
	case 1:
		return "contract_tomorrow", "1"
	}
	return "contract_days", fmt.Sprint(n)
}

// talk is at most MaxTalk lines, in the order in which they are said.
func (d *decider) talk(n *Note) {
	if n.Quiet {
		n.Talk = []Text{d.text("talk.quiet")}
		return
	}
	opening := "plain"
	switch {
	case n.because(Birthday):
		opening = "birthday"
	case n.because(FirstVisit):
		opening = "first"
	case n.because(BackAfter):
		opening = "back"
	}
	n.Talk = append(n.Talk, d.text("talk."+opening))
	if n.because(ContractEnds) {
		n.Talk = append(n.Talk, d.text("talk.contract"))
	}
	if c := d.out.Offer; c != nil && c.Content["en"].Talk != "" {
		n.Talk = append(n.Talk, d.fill(func(lang string) string { return content(c, lang).Talk }, d.called))
	}
}

func (n *Note) because(code Code) bool {
	return slices.ContainsFunc(n.Why, func(l Line) bool { return l.Code == code })
}
