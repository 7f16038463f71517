package screens

import (
	"image"
	"strconv"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"foyer/kiosk/demo"
	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// invite is the way from the home scene to the shelf: what it says, and the covers of what is there.
type invite struct {
	*pad
	cfg    Config
	label  *block
	covers []*canvas.Image
}

func newInvite(c Config, box look.Box) *invite {
	v := &invite{cfg: c}
	u := c.Frame.G
	face := raised(c.Frame, look.Box{W: box.W, H: box.H}, look.Honey, box.H/2)
	arrow := box.H * 0.5
	right := box.W - box.H*0.32 - arrow
	v.label = newBlock(c.Frame, look.Box{X: box.H * 0.5, W: right - box.H*0.7, H: box.H},
		style{sizes: []look.Size{{G: 4.6, MM: 9}, look.Lead, look.Body}, heavy: true, colour: look.Ink, lines: 2, rise: 0.5, pitch: 1.14})
	objects := []fyne.CanvasObject{face, v.label.at, drawing("icon-next-ink", look.Box{X: right, Y: (box.H - arrow) / 2, W: arrow, H: arrow})}
	if box.W > 70*u {
		v.label.place(look.Box{X: box.H * 0.5, W: box.W * 0.44, H: box.H})
		side := box.H * 0.74
		for i := range 3 {
			x := right - box.H*0.3 - float32(3-i)*(side+1.2*u)
			img := picture(nothing, look.Box{X: x, Y: (box.H - side) / 2, W: side, H: side})
			img.ScaleMode, img.CornerRadius = canvas.ImageScaleSmooth, 2*u
			v.covers = append(v.covers, img)
			objects = append(objects, img)
		}
	}
	v.pad = newPad("try", box, box.H/2, c.touch(scene.Try, ""), objects...)
	return v
}

func (v *invite) show(lang string, k scene.Kiosk) {
	packs := k.Shop.Packs
	swap(v.pad, len(packs) > 0)
	v.label.set(v.cfg.say(lang, "demo.try"))
	for i, img := range v.covers {
		if i < len(packs) {
			setCover(img, packs[i])
		}
		swap(img, i < len(packs))
	}
}

// cover is a pack's picture for the shelf.
type cover struct {
	*image.RGBA
	pack *demo.Pack
}

// setCover shows a pack's cover, drawn once.
func setCover(img *canvas.Image, p *demo.Pack) {
	side := int(img.Size().Width + 0.5)
	if old, ok := img.Image.(*cover); ok && old.pack == p && old.Rect.Dx() == side {
		return
	}
	drawn, err := Draw(p.Cover, p.File(p.Cover), side, side)
	if err != nil {
		drawn = image.NewRGBA(image.Rect(0, 0, side, side)) // the pack was checked: it cannot come to this
	}
	img.Image = &cover{drawn, p}
	canvas.Refresh(img)
}

// shelf lists the demos that may be tried.
type shelf struct {
	at                layer
	cfg               Config
	header            *header
	title, text       *block
	tiles             []*tile
	back, speak, more *button
	done              *button
	lang              string
}

type shelfPlan struct {
	head, title, text, list, back, speak, more, done look.Box
	columns, rows                                    int
}

func planShelf(l layer) shelfPlan {
	h, w := l.frame.H/l.frame.G, l.frame.W/l.frame.G
	if l.frame.Portrait() {
		return shelfPlan{head: l.g(6, 5, 88, 8), title: l.g(6, 19, 88, 11), text: l.g(6, 32, 88, 7), list: l.g(6, 46, 88, h-67), columns: 2, rows: 3,
			back: l.g(6, h-17.5, 20, 13), speak: l.g(28.7, h-17.5, 20, 13), more: l.g(51.3, h-17.5, 20, 13), done: l.g(74, h-17.5, 20, 13)}
	}
	return shelfPlan{head: l.g(6, 5, w-12, 8), title: l.g(6, 16, w*0.5, 9), text: l.g(w*0.5+8, 16, w*0.5-14, 9), list: l.g(6, 28, w-12, 52.5), columns: 3, rows: 2,
		back: l.g(6, 84.5, 33, 11), speak: l.g(44, 84.5, 33, 11), more: l.g(w-77, 84.5, 33, 11), done: l.g(w-39, 84.5, 33, 11)}
}

func newShelf(c Config) *shelf {
	v := &shelf{at: newLayer(c.Frame), cfg: c}
	p := planShelf(v.at)
	v.header = newHeader(c, v.at, p.head, c.Frame.W, false, false)
	v.title = newBlock(c.Frame, p.title, style{sizes: []look.Size{{G: 8.6, MM: 13}, look.Title, {G: 6, MM: 11}, look.Heading}, heavy: true, colour: look.Ink})
	v.text = newBlock(c.Frame, p.text, style{sizes: []look.Size{look.Lead, look.Body, look.Small}, colour: look.Slate, lines: 2, rise: 0.5})
	v.at.put(v.title.at, v.text.at)
	gap := c.Frame.Gap(3.2)
	for _, row := range p.list.Rows(p.rows, gap) {
		for _, box := range row.Columns(p.columns, gap) {
			t := newTile(c, box)
			v.tiles = append(v.tiles, t)
			v.at.put(t.pad)
		}
	}
	v.back = newButton(c.Frame, "back", p.back, also, "back", false, c.touch(scene.Back, ""))
	v.speak = newButton(c.Frame, "language", p.speak, also, "globe", false, func() { c.touch(scene.Speak, c.other(v.lang))() })
	v.more = newButton(c.Frame, "more", p.more, also, "next", true, c.touch(scene.Turn, ""))
	v.done = newButton(c.Frame, "finish", p.done, mainly, "check", false, c.touch(scene.Finish, ""))
	for _, b := range []*button{v.back, v.speak, v.more, v.done} {
		b.stacked = c.Frame.Portrait() // four in a row are narrow
		v.at.put(b.pad)
	}
	return v
}

func (v *shelf) layer() layer { return v.at }

func (v *shelf) draw(k scene.Kiosk, now time.Time) {
	lang, c := k.Language, v.cfg
	v.lang = lang
	v.header.show(lang, k.Shop.Name, now)
	v.title.set(c.say(lang, "demo.title"))
	v.text.set(c.say(lang, "demo.text"))
	v.back.set(c.say(lang, "detail.back"))
	v.speak.set(c.say(c.other(lang), "language"))
	v.done.set(c.say(lang, "home.finish"))
	packs, page, pages := k.ShelfPage()
	swap(v.more.pad, pages > 1)
	v.more.set(c.say(lang, "home.more", "page", strconv.Itoa(page+1), "pages", strconv.Itoa(pages)))
	for i, t := range v.tiles {
		swap(t.pad, i < len(packs))
		if i < len(packs) {
			t.show(lang, packs[i])
		}
	}
}

// tile is one pack on the shelf.
type tile struct {
	*pad
	cfg         Config
	ground      *canvas.Rectangle
	cover       *canvas.Image
	title, text *block
	badge       *canvas.Rectangle
	badgeText   *block
	pack        string
}

func newTile(c Config, box look.Box) *tile {
	t := &tile{cfg: c}
	u := c.Frame.G
	in := 1.6 * u
	tall := box.H > box.W*0.7
	art := look.Box{X: in, Y: in, W: box.W - 2*in, H: box.H * 0.56}
	words := look.Box{X: 3.4 * u, Y: art.Bottom() + 2.2*u, W: box.W - 6.8*u, H: box.H - art.Bottom() - 4*u}
	if !tall {
		art = look.Box{X: in, Y: in, W: box.H - 2*in, H: box.H - 2*in}
		words = look.Box{X: art.Right() + 2.4*u, Y: box.H * 0.14, W: box.W - art.Right() - 4.4*u, H: box.H * 0.72}
	}
	t.ground = plate(art, look.Mist, 2.6*u)
	side := min(art.W, art.H) * 0.94
	t.cover = picture(nothing, whole(look.Box{X: art.X + (art.W-side)/2, Y: art.Y + (art.H-side)/2, W: side, H: side}))
	t.cover.ScaleMode = canvas.ImageScaleSmooth
	t.title = newBlock(c.Frame, look.Box{X: words.X, Y: words.Y, W: words.W, H: words.H * 0.46},
		style{sizes: []look.Size{{G: 4.2, MM: 9}, look.Lead, {G: 3.4, MM: 8}, look.Body, look.Small}, heavy: true, colour: look.Ink, lines: 2, pitch: 1.16})
	t.text = newBlock(c.Frame, look.Box{X: words.X, Y: words.Y + words.H*0.5, W: words.W, H: words.H * 0.5},
		style{sizes: []look.Size{{G: 3, MM: 7}, look.Small}, colour: look.Slate, lines: 2, pitch: 1.28})
	tag := look.Box{X: art.X + 1.2*u, Y: art.Y + 1.2*u, W: 13 * u, H: 5 * u}
	t.badge = plate(tag, look.Plum, tag.H)
	t.badgeText = newBlock(c.Frame, tag, style{sizes: []look.Size{{G: 2.5, MM: 6}}, heavy: true, colour: look.Card, align: fyne.TextAlignCenter, rise: 0.5})
	t.pad = newPad("pack", box, 3.6*u, func() { c.touch(scene.Start, t.pack)() },
		raised(c.Frame, look.Box{W: box.W, H: box.H}, look.Card, 3.6*u), t.ground, t.cover, t.title.at, t.text.at, t.badge, t.badgeText.at)
	return t
}

func (t *tile) show(lang string, p *demo.Pack) {
	t.pack = p.ID
	u := t.cfg.Frame.G
	tint, ok := look.Named(p.Tint)
	if !ok {
		tint = look.Mist
	}
	if t.ground.FillColor != tint {
		t.ground.FillColor = tint
		t.ground.Refresh()
	}
	setCover(t.cover, p)
	t.title.set(p.Title.In(lang))
	t.text.place(look.Box{X: t.text.box.X, Y: t.title.below(1.2 * u), W: t.text.box.W, H: t.text.box.H})
	t.text.set(p.About.In(lang))
	game := p.Kind == "game"
	swap(t.badge, game)
	swap(t.badgeText.at, game)
	t.badgeText.set(t.cfg.say(lang, "demo.game"))
}
