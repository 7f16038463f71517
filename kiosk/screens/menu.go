package screens

import (
	"time"

	"fyne.io/fyne/v2"

	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// service is one thing that can be done here.
type service struct {
	key   string // of its words
	act   scene.Act
	icon  string
	tint  string // of an offer's art: it gives the ground
	guest bool   // also for who is a member
}

// services are all of them, in their order.
var services = []service{
	{"join", scene.Join, "join", "gift", false},
	{"help", scene.Help, "bell", "home", true},
	{"privacy", scene.Privacy, "shield", "data", true},
}

// menu lists what can be done here, as tiles that are laid out for how many there are.
type menu struct {
	*page
	all, members *stalls
}

func newMenu(c Config) *menu {
	v := &menu{page: newPage(c, scene.Finish, "check")}
	var forMembers []service
	for _, s := range services {
		if s.guest {
			forMembers = append(forMembers, s)
		}
	}
	v.all, v.members = newStalls(c, v.body, services), newStalls(c, v.body, forMembers)
	v.at.put(v.all.Container, v.members.Container)
	return v
}

func (v *menu) draw(k scene.Kiosk, now time.Time) {
	lang, c := k.Language, v.cfg
	kicker := c.say(lang, "menu.lead")
	if k.Guest.Visit != "" {
		kicker = k.Guest.Headline.In(lang)
	}
	v.show(k, now, kicker, c.say(lang, "menu.title"), c.say(lang, "home.finish"))
	swap(v.all.Container, k.Guest.Visit == "")
	swap(v.members.Container, k.Guest.Visit != "")
	v.all.say(lang)
	v.members.say(lang)
}

// stalls are services side by side.
type stalls struct {
	*fyne.Container
	cfg  Config
	list []*stall
}

func newStalls(c Config, body look.Box, list []service) *stalls {
	t := &stalls{Container: &fyne.Container{}, cfg: c}
	for i, box := range grid(c.Frame, body, len(list)) {
		one := newStall(c, box, list[i])
		t.list = append(t.list, one)
		t.Objects = append(t.Objects, one.pad)
	}
	return t
}

// grid cuts a body into n places: rows while there are few, then two or three columns.
func grid(f look.Frame, body look.Box, n int) (places []look.Box) {
	gap := f.Gap(3.4)
	columns := 1
	switch {
	case n > 4 && !f.Portrait():
		columns = 3
	case n > 3:
		columns = 2
	}
	rows := (n + columns - 1) / columns
	for _, row := range body.Rows(rows, gap) {
		places = append(places, row.Columns(columns, gap)...)
	}
	return places[:n]
}

func (t *stalls) say(lang string) {
	for _, one := range t.list {
		one.say(t.cfg, lang)
	}
}

// stall is a large button: an icon on its ground, what it is, and one line about it.
type stall struct {
	*pad
	about       service
	title, text *block
}

func newStall(c Config, box look.Box, s service) *stall {
	u := c.Frame.G
	t := &stall{about: s}
	tint := look.TintOf(s.tint)
	side := t.side(u, box)
	mark := look.Box{X: 4 * u, Y: (box.H - side) / 2, W: side, H: side}
	text := look.Box{X: mark.Right() + 4*u, W: box.W - mark.Right() - 8*u, H: box.H}
	if box.W < 60*u && box.H > 26*u {
		mark.Y = 3.4 * u
		text = look.Box{X: 4 * u, Y: mark.Bottom(), W: box.W - 8*u, H: box.H - mark.Bottom()}
	}
	t.title = newBlock(c.Frame, text, style{sizes: []look.Size{{G: min(6.2, box.H/u*0.2), MM: 9}, {G: 4.6, MM: 9}, look.Lead, {G: 3.6, MM: 8}, look.Body}, heavy: true, colour: look.Ink, lines: 2, pitch: 1.18})
	t.text = newBlock(c.Frame, text, style{sizes: []look.Size{{G: min(4, box.H/u*0.13), MM: 7.5}, look.Body, {G: 3, MM: 7}, look.Small}, colour: look.Slate, lines: 3, pitch: 1.32})
	t.pad = newPad(s.key, box, 3.6*u, c.touch(s.act, ""), raised(c.Frame, look.Box{W: box.W, H: box.H}, look.Card, 3.6*u),
		plate(mark, tint.Ground, side*0.32), drawing("icon-"+s.icon+"-ink", mark.Inset(side*0.2, side*0.2)), t.title.at, t.text.at)
	return t
}

// side is how large the icon's ground is.
func (t *stall) side(u float32, box look.Box) float32 { return min(box.H*0.6, box.W*0.28, 22*u) }

// say writes the words: both together stand in the middle of their place.
func (t *stall) say(c Config, lang string) {
	u := c.Frame.G
	at := t.title.box
	room := look.Box{X: at.X, Y: t.Size().Height * 0.08, W: at.W, H: t.Size().Height * 0.84}
	if at.X < 5*u { // below the icon
		room.Y = 3.4*u + t.side(u, look.Box{W: t.Size().Width, H: t.Size().Height})
		room.H = t.Size().Height - room.Y - 2*u
	}
	t.title.place(look.Box{X: at.X, Y: t.title.box.Y, W: at.W, H: room.H * 0.55})
	t.title.set(c.say(lang, t.about.key+".tile"))
	gap := 1.4 * u
	t.text.place(look.Box{X: at.X, Y: t.text.box.Y, W: at.W, H: max(0, room.H-t.title.foot-gap)})
	t.text.set(c.say(lang, t.about.key+".tile_text"))
	top := room.Y + max(0, (room.H-t.title.foot-gap-t.text.foot)/2)
	t.title.place(look.Box{X: at.X, Y: top, W: at.W, H: t.title.box.H})
	t.text.place(look.Box{X: at.X, Y: top + t.title.foot + gap, W: at.W, H: t.text.box.H})
}
