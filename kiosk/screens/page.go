package screens

import (
	"time"

	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// page is what the scenes have in common in which somebody does something: the house's picture with a title on it, a body,
// and the way back, the language and the way on below.
type page struct {
	at                layer
	cfg               Config
	header            *header
	kicker, title     *block
	back, speak, main *button
	body              look.Box
	lang              string
	act               scene.Act // of the way on
}

// newPage makes one whose way on does act, with an icon.
func newPage(c Config, act scene.Act, icon string) *page {
	p := &page{at: newLayer(c.Frame), cfg: c, act: act}
	plan := planHome(p.at)
	p.at.put(hall(plan.hall, plan.hero))
	p.header = newHeader(c, p.at, plan.head, plan.hero.W, true, c.Frame.Portrait())
	p.kicker = newBlock(c.Frame, plan.kicker, style{sizes: []look.Size{look.Lead, look.Body, look.Small}, colour: look.Fog, lines: 2, rise: 1, pitch: 1.2})
	p.title = newBlock(c.Frame, plan.title, style{sizes: []look.Size{{G: 8.4, MM: 13}, look.Title, {G: 6, MM: 11}, look.Heading}, heavy: true, colour: look.Card, lines: 3, pitch: 1.16})
	p.at.put(p.kicker.at, p.title.at)
	p.body = plan.body
	bar := plan.bar.Columns(3, c.Frame.Gap(3.5))
	p.back = newButton(c.Frame, "back", bar[0], also, "back", false, c.touch(scene.Back, ""))
	p.speak = newButton(c.Frame, "language", bar[1], also, "globe", false, func() { c.touch(scene.Speak, c.other(p.lang))() })
	p.main = newButton(c.Frame, "main", bar[2], mainly, icon, icon == "next" || icon == "arrow", func() { c.touch(p.act, "")() })
	p.at.put(p.back.pad, p.speak.pad, p.main.pad)
	return p
}

func (p *page) layer() layer { return p.at }

// show draws what is around the body. Without a word for it there is no way on.
func (p *page) show(k scene.Kiosk, now time.Time, kicker, title, main string) {
	lang, c := k.Language, p.cfg
	p.lang = lang
	p.header.show(lang, k.Shop.Name, now)
	p.kicker.set(kicker)
	p.title.set(title)
	p.back.set(c.say(lang, "detail.back"))
	p.speak.set(c.say(c.other(lang), "language"))
	swap(p.main.pad, main != "")
	p.main.set(main)
}
