package screens

import (
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"foyer/api"
	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// onPage is how many offers a page of the home scene holds.
const onPage = 4

// home lists what there is for this person. The cards are laid out for how many there are.
type home struct {
	at            layer
	cfg           Config
	header        *header
	kicker, title *block
	decks         [onPage + 1]*deck // by the number of cards; 0 is the friendly empty page
	speak, more   *button
	menu, finish  *button
	try           *invite
	lang          string
}

type homePlan struct {
	hero, head, kicker, title, list, body, try, bar look.Box
	hall                                            look.Hall
}

func planHome(l layer) homePlan {
	h, w := l.frame.H/l.frame.G, l.frame.W/l.frame.G
	if l.frame.Portrait() {
		return homePlan{
			hero: l.g(0, 0, 100, 47), head: l.g(6, 5, 88, 8), kicker: l.g(6, 19.5, 60, 7), title: l.g(6, 29, 60, 14),
			list: l.g(6, 66, 88, h-87), body: l.g(6, 52, 88, h-73), try: l.g(6, 49.5, 88, 13), bar: l.g(6, h-16.5, 88, 11),
			hall: look.Hall{Centre: 0.82, Base: 1.0, Span: 0.46},
		}
	}
	x := w * 0.31
	return homePlan{
		hero: l.g(0, 0, x, h), head: l.g(6, 5, w-12, 8), kicker: l.g(6, 18, x-9, 9), title: l.g(6, 29.5, x-9, 17),
		list: l.g(x+5, 17, w-x-11, 62), body: l.g(x+5, 17, w-x-11, 62), try: l.g(6, 84.5, x-11, 11), bar: l.g(x+5, 84.5, w-x-11, 11),
		hall: look.Hall{Centre: 0.5, Base: 0.92, Span: 0.7, Plants: true},
	}
}

func newHome(c Config) *home {
	v := &home{at: newLayer(c.Frame), cfg: c}
	p := planHome(v.at)
	v.at.put(hall(p.hall, p.hero))
	v.header = newHeader(c, v.at, p.head, p.hero.W, true, c.Frame.Portrait())
	v.kicker = newBlock(c.Frame, p.kicker, style{sizes: []look.Size{look.Lead, look.Body, look.Small}, colour: look.Fog, lines: 2, rise: 1, pitch: 1.2})
	v.title = newBlock(c.Frame, p.title, style{sizes: []look.Size{{G: 9.4, MM: 14}, look.Title, {G: 6, MM: 11}, look.Heading}, heavy: true, colour: look.Card, lines: 2, pitch: 1.16})
	v.at.put(v.kicker.at, v.title.at)
	for n := range v.decks {
		v.decks[n] = newDeck(c, n, p.list)
		v.at.put(v.decks[n].Container)
	}
	bar := p.bar.Columns(4, c.Frame.Gap(2.2))
	v.speak = newButton(c.Frame, "language", bar[0], also, "", false, func() { c.touch(scene.Speak, c.other(v.lang))() })
	v.more = newButton(c.Frame, "more", bar[1], also, "", false, c.touch(scene.Turn, ""))
	v.menu = newButton(c.Frame, "services", bar[2], warmly, "", false, c.touch(scene.Services, ""))
	v.finish = newButton(c.Frame, "finish", bar[3], mainly, "", false, c.touch(scene.Finish, ""))
	v.try = newInvite(c, p.try)
	v.at.put(v.speak.pad, v.more.pad, v.menu.pad, v.finish.pad, v.try.pad)
	return v
}

func (v *home) layer() layer { return v.at }

func (v *home) draw(k scene.Kiosk, now time.Time) {
	lang, c := k.Language, v.cfg
	v.lang = lang
	v.header.show(lang, k.Shop.Name, now)
	v.kicker.set(c.say(lang, "home.lead"))
	v.title.set(c.say(lang, "home.title"))
	if k.Guest.Visit != "" {
		v.kicker.set(k.Guest.Headline.In(lang))
		v.title.set(c.say(lang, "home.title_guest"))
	}
	v.speak.set(c.say(c.other(lang), "language"))
	v.menu.set(c.say(lang, "home.services"))
	v.finish.set(c.say(lang, "home.finish"))
	v.try.show(lang, k)
	v.page(k)
}

// page shows one page of offers.
func (v *home) page(k scene.Kiosk) {
	offers := k.Offers()
	pages := max(1, (len(offers)+onPage-1)/onPage)
	first := k.Use.Page % pages * onPage
	shown := offers[first:min(len(offers), first+onPage)]
	for n, d := range v.decks {
		swap(d.Container, n == len(shown))
		if n != len(shown) {
			d.forget()
		}
	}
	v.decks[len(shown)].show(k.Language, shown, len(k.Guest.Offers)-first)
	swap(v.more.pad, pages > 1)
	if pages > 1 {
		v.more.set(v.cfg.say(k.Language, "home.more", "page", strconv.Itoa(k.Use.Page%pages+1), "pages", strconv.Itoa(pages)))
	}
}

// deck is the cards of a page that has so many.
type deck struct {
	*fyne.Container
	cards []*card
	cfg   Config
	title *block // of the empty page
	text  *block
}

func newDeck(c Config, n int, list look.Box) *deck {
	d := &deck{Container: &fyne.Container{}, cfg: c}
	u := c.Frame.G
	if n == 0 {
		d.empty(list)
		return d
	}
	gap := c.Frame.Gap(3.4)
	boxes := list.Rows(n, gap)
	poster := n == 1
	if !c.Frame.Portrait() {
		switch n {
		case 2:
			boxes, poster = list.Columns(2, gap), true
		case 4:
			boxes = nil
			for _, row := range list.Rows(2, gap) {
				boxes = append(boxes, row.Columns(2, gap)...)
			}
		}
	}
	for _, box := range boxes {
		card := newCard(c, box, poster, u)
		d.cards = append(d.cards, card)
		d.Objects = append(d.Objects, card.pad)
	}
	d.Hide()
	return d
}

func (d *deck) empty(list look.Box) {
	u := d.cfg.Frame.G
	box := list
	box.H = min(box.H, 74*u)
	box.Y += (list.H - box.H) / 2
	side := min(box.H*0.5, 40*u)
	m := newMotif(box, look.Box{X: box.X + (box.W-side)/2, Y: box.Y + box.H*0.07, W: side, H: side}, 4*u)
	m.show("cup")
	d.title = newBlock(d.cfg.Frame, look.Box{X: box.X + 4*u, Y: box.Y + box.H*0.66, W: box.W - 8*u, H: 7 * u},
		style{sizes: []look.Size{look.Heading, look.Lead}, heavy: true, colour: look.Ink, align: fyne.TextAlignCenter})
	d.text = newBlock(d.cfg.Frame, look.Box{X: box.X + 4*u, Y: box.Y + box.H*0.66 + 9*u, W: box.W - 8*u, H: 9 * u},
		style{sizes: []look.Size{look.Body, look.Small}, colour: look.Slate, align: fyne.TextAlignCenter, lines: 2})
	d.Objects = []fyne.CanvasObject{m.at, d.title.at, d.text.at}
}

// show fills the cards; the first mine of them were chosen for the person.
func (d *deck) show(lang string, offers []api.Offer, mine int) {
	if d.title != nil {
		d.title.set(d.cfg.say(lang, "home.empty_title"))
		d.text.set(d.cfg.say(lang, "home.empty_text"))
		return
	}
	for i, c := range d.cards {
		c.show(lang, offers[i], i < mine)
	}
}

// forget empties the cards: what was chosen for a person must not outlive the session, not even unseen.
func (d *deck) forget() {
	for _, c := range d.cards {
		if c.about.Campaign != "" {
			c.about = api.Offer{}
			c.title.set("")
			c.text.set("")
		}
	}
}

// card is one offer: its picture, title and text, and a sign that it opens.
type card struct {
	*pad
	cfg         Config
	art         *motif
	title, text *block
	badge       *fyne.Container
	badgeText   *block
	about       api.Offer
}

// newCard makes a row (picture left) or a poster (picture on top).
func newCard(c Config, box look.Box, poster bool, u float32) *card {
	k := &card{cfg: c}
	in := 1.8 * u
	narrow := box.W < 62*u
	art := look.Box{X: in, Y: in, W: min(box.H-2*in, box.W*0.42), H: box.H - 2*in}
	text := look.Box{X: art.Right() + 3.4*u, Y: 0, W: box.W - art.Right() - 12.5*u, H: box.H}
	if narrow {
		art.W = box.W * 0.36
		text = look.Box{X: art.Right() + 2.8*u, Y: 0, W: box.W - art.Right() - 5*u, H: box.H}
	}
	if poster {
		art = look.Box{X: in, Y: in, W: box.W - 2*in, H: box.H * 0.58}
		text = look.Box{X: 4.5 * u, Y: art.Bottom(), W: box.W - 18*u, H: box.H - art.Bottom()}
	}
	side := min(art.W, art.H) * 0.9
	k.art = newMotif(art, look.Box{X: art.X + (art.W-side)/2, Y: art.Y + (art.H-side)/2, W: side, H: side}, 2.6*u)
	k.title = newBlock(c.Frame, text, style{sizes: titleSizes(box, u), heavy: true, colour: look.Ink, lines: 2, pitch: 1.2})
	k.text = newBlock(c.Frame, text, style{sizes: []look.Size{look.Body, {G: 3, MM: 7}, look.Small}, colour: look.Slate, lines: 3, pitch: 1.36})
	k.badge, k.badgeText = k.label(u)
	next := look.Box{X: box.W - 8.2*u, Y: (box.H - 6.4*u) / 2, W: 6.4 * u, H: 6.4 * u}
	if poster {
		next = look.Box{X: box.W - 11.4*u, Y: box.H - 11.4*u, W: 8 * u, H: 8 * u}
	}
	objects := []fyne.CanvasObject{raised(c.Frame, look.Box{W: box.W, H: box.H}, look.Card, 3.6*u), k.art.at, k.title.at, k.text.at, k.badge}
	if poster || !narrow {
		objects = append(objects, plate(next, look.Mist, next.W), drawing("icon-next-teal", next.Inset(next.W*0.14, next.W*0.14)))
	}
	k.pad = newPad("offer", box, 3.6*u, func() { c.touch(scene.Open, k.about.Campaign)() }, objects...)
	return k
}

func titleSizes(box look.Box, u float32) []look.Size {
	if box.H > 40*u {
		return []look.Size{{G: 5.6, MM: 10}, look.Heading, look.Lead, look.Body}
	}
	return []look.Size{{G: 4.4, MM: 9}, look.Lead, {G: 3.6, MM: 8}, look.Body}
}

// label is the small sign that an offer was chosen for the person.
func (k *card) label(u float32) (*fyne.Container, *block) {
	box := look.Box{W: 16 * u, H: 4.6 * u}
	text := newBlock(k.cfg.Frame, box, style{sizes: []look.Size{{G: 2.5, MM: 6}}, heavy: true, colour: look.Card, align: fyne.TextAlignCenter, rise: 0.5})
	ground := plate(box, look.Plum, box.H)
	return &fyne.Container{Objects: []fyne.CanvasObject{ground, text.at}}, text
}

// show fills the card: title and text stand together in the middle of their place.
func (k *card) show(lang string, o api.Offer, mine bool) {
	k.about = o
	k.art.show(o.Art)
	u, at := k.cfg.Frame.G, k.title.box.X
	box := look.Box{X: at, W: k.title.box.W}
	top, room := k.column()
	swap(k.badge, mine)
	if mine {
		k.badgeText.set(k.cfg.say(lang, "home.mine"))
		k.fitLabel(u)
	}
	k.title.place(look.Box{X: box.X, W: box.W, H: room * 0.6})
	k.title.set(o.Title.In(lang))
	title := k.title.foot
	k.text.place(look.Box{X: box.X, W: box.W, H: max(0, room-title-2.2*u)})
	k.text.set(o.Text.In(lang))
	start := top + max(0, (room-title-2.2*u-k.text.foot)/2)
	k.title.place(look.Box{X: box.X, Y: start, W: box.W, H: k.title.box.H})
	k.pin(u)
	k.text.place(look.Box{X: box.X, Y: start + title + 2.2*u, W: box.W, H: k.text.box.H})
}

// pin puts the sign on the picture, or behind the title where the picture is small.
func (k *card) pin(u float32) {
	ground := k.art.ground
	if ground.Size().Height > 17*u || k.title.width() > k.title.box.W-18*u {
		k.badge.Move(ground.Position().AddXY(1.4*u, 1.4*u))
		return
	}
	k.badge.Move(fyne.NewPos(k.title.box.X+k.title.width()+2.4*u, k.title.box.Y+k.title.foot/2-2.3*u))
}

// column is where the words of the card may stand: from top, room high.
func (k *card) column() (top, room float32) {
	u, size := k.cfg.Frame.G, k.pad.Size()
	if below := k.art.ground.Position().Y + k.art.ground.Size().Height; k.art.ground.Size().Width > size.Width*0.8 {
		return below + 1.5*u, size.Height - below - 3.5*u
	}
	return 2.2 * u, size.Height - 4.4*u
}

func (k *card) fitLabel(u float32) {
	w := k.badgeText.width() + 4*u
	ground := k.badge.Objects[0].(*canvas.Rectangle)
	ground.Resize(fyne.NewSize(w, 4.6*u))
	k.badgeText.place(look.Box{W: w, H: 4.6 * u})
}
