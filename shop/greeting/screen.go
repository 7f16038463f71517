package greeting

import (
	"foyer/shop/member"
	"foyer/shop/presence"
)

// name finds what the person may be called, and says why not.
func (d *decider) name() {
	switch {
	case d.Member == nil:
		d.because(false, NoMember, "")
		return
	case !d.allows(member.GreetByName):
		d.because(false, MissingByName, "")
		return
	}
	called, ok := d.Member.Called(d.Words)
	if !ok {
		d.because(false, NoName, "")
		return
	}
	d.called = called
	if !d.allows(member.PublicScreen) {
		d.because(false, MissingPublic, "")
		return
	}
	if d.public, ok = d.Member.Public(d.Words); !ok {
		d.because(false, NoHonorific, "")
	}
}

// wall speaks once a visit, wherever it began. Nothing here may depend on the member but the public name, the language
// and the wish not to be greeted: the tests compare the walls of all kinds of members.
func (d *decider) wall() {
	switch {
	case d.quiet():
		d.because(false, NoGreeting, "")
		return
	case d.Role == presence.Exit:
		d.because(false, AtExit, "")
		return
	case d.Greeted.Wall:
		d.because(false, WallAlready, "")
		return
	}
	s := &Said{Language: d.language(), Line: d.wallLine(), Neutral: d.public == nil, Offers: d.publicOffers()}
	if s.Neutral {
		s.Headline = d.text("hello_neutral." + daypart(d.Now))
		d.because(true, WallNeutral, "")
	} else {
		s.Headline = d.named("hello_named."+daypart(d.Now), d.public)
		d.because(true, WallNamed, "")
	}
	d.out.Wall = s
	if d.facts.Member.BirthdayToday {
		d.because(false, BirthdayOffWall, "")
	}
}

func (d *decider) wallLine() Text {
	lines := []string{"any1", "any2", "any3", daypart(d.Now) + "1"}
	return d.text("wall_line." + lines[d.pick(len(lines))])
}

// kiosk speaks to who stands in front of it.
func (d *decider) kiosk() {
	if d.Role != presence.Kiosk {
		d.because(false, KioskElsewhere, "")
		return
	}
	s := &Said{Language: d.language(), Neutral: d.called == nil || d.quiet()}
	d.out.Kiosk = s
	if s.Neutral {
		s.Headline = d.text("hello_neutral." + daypart(d.Now))
		s.Line = d.text("kiosk_line.neutral")
		d.because(true, KioskNeutral, "")
	} else {
		s.Headline = d.named("hello_named."+daypart(d.Now), d.called)
		s.Line = d.text("kiosk_line." + d.kioskLine())
		if s.Festive = d.birthday(); s.Festive {
			s.Headline = d.named("birthday_headline", d.called)
			d.because(true, Birthday, "")
		}
		d.because(true, KioskNamed, "")
	}
	s.Offers = d.personalOffers()
	if c := d.out.Offer; c != nil && c.Content["en"].Hello != "" {
		s.Line = d.fill(func(lang string) string { return content(c, lang).Hello }, d.called)
	}
}

func (d *decider) kioskLine() string {
	switch {
	case d.birthday():
		return "birthday"
	case d.Greeted.Kiosk:
		return "again"
	case d.Visit.Nth <= 1:
		return "first"
	}
	return [...]string{"back1", "back2"}[d.pick(2)]
}
