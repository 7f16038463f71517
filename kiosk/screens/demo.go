package screens

import (
	"image"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"foyer/kiosk/demo"
	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// Stick is what a finger does to a cartridge: a button of its gamepad, or a point of its picture.
type Stick struct {
	Button string // "": the point
	Down   bool
	X, Y   int // 0 to 159
}

// player shows a demo pack. What is on its stage is drawn with props that are used again from scene to scene.
type player struct {
	at                layer
	cfg               Config
	ground            *canvas.Rectangle
	surface           *surface
	props             []*prop
	used              int
	view              demo.View
	pictures          gallery
	frames            map[string]*image.RGBA // of clips and cartridges, by file
	back, speak, done *button
	lang              string
	state             demo.State
	corner            fyne.Position
	unit              float32 // pixels
}

type playerPlan struct {
	room, back, speak, done look.Box
}

func planPlayer(l layer) playerPlan {
	h, w := l.frame.H/l.frame.G, l.frame.W/l.frame.G
	if l.frame.Portrait() {
		return playerPlan{room: l.g(0, 0, 100, h-20), back: l.g(6, h-16.5, 27, 11), speak: l.g(36.5, h-16.5, 27, 11), done: l.g(67, h-16.5, 27, 11)}
	}
	x := w - 21.6
	return playerPlan{room: l.g(0, 0, x-1.2, h), back: l.g(x, 37, 19.4, 15), speak: l.g(x, 57, 19.4, 15), done: l.g(x, 77, 19.4, 15)}
}

func newPlayer(c Config) *player {
	v := &player{at: newLayer(c.Frame), cfg: c, frames: map[string]*image.RGBA{}}
	p := planPlayer(v.at)
	w, h := demo.Stage(c.Frame.Portrait())
	v.unit = min(p.room.W/w, p.room.H/h)
	v.corner = fyne.NewPos(float32(int((p.room.W-w*v.unit)/2)), float32(int((p.room.H-h*v.unit)/2)))
	v.ground = plate(p.room, look.Paper, 0)
	v.ground.Hide()
	v.surface = newSurface(v, p.room)
	v.at.put(v.ground, v.surface)
	v.back = newTall(c.Frame, "back", p.back, also, "back", c.touch(scene.Back, ""))
	v.speak = newTall(c.Frame, "language", p.speak, also, "globe", func() { c.touch(scene.Speak, c.other(v.lang))() })
	v.done = newTall(c.Frame, "finish", p.done, mainly, "check", c.touch(scene.Finish, ""))
	v.at.put(v.back.pad, v.speak.pad, v.done.pad)
	return v
}

// newTall is a button whose icon stands before its label, or above it where the screen lies.
func newTall(f look.Frame, name string, box look.Box, m manner, icon string, tap func()) *button {
	b := newButton(f, name, box, m, icon, false, tap)
	b.stacked = !f.Portrait()
	return b
}

func (v *player) layer() layer { return v.at }

func (v *player) draw(k scene.Kiosk, _ time.Time) {
	lang, c := k.Language, v.cfg
	v.lang = lang
	v.back.set(c.say(lang, "demo.back"))
	v.speak.set(c.say(c.other(lang), "language"))
	v.done.set(c.say(lang, "home.finish"))
	if v.state.Pack != k.Play.Pack {
		v.pictures = gallery{}
		clear(v.frames)
	}
	v.state = k.Play.State
	v.state.Draw(&v.view, c.Frame.Portrait(), lang)
	if swap(v.ground, v.state.Active() && v.view.Ground != look.Paper); v.ground.FillColor != v.view.Ground && v.state.Active() {
		v.ground.FillColor = v.view.Ground
		v.ground.Refresh()
	}
	for i, item := range v.view.Items {
		v.prop(i).draw(v, item)
	}
	for i := len(v.view.Items); i < v.used; i++ {
		v.props[i].clear()
	}
	v.used = len(v.view.Items)
}

func (v *player) prop(i int) *prop {
	for len(v.props) <= i {
		p := &prop{group: &fyne.Container{}}
		v.props = append(v.props, p)
		v.surface.content.Objects = append(v.surface.content.Objects[:len(v.surface.content.Objects)-1], p.group, v.surface.press)
	}
	return v.props[i]
}

// box turns a place on the stage into pixels of the surface.
func (v *player) box(x, y, w, h float32) look.Box {
	u := v.unit
	return look.Box{X: v.corner.X + x*u, Y: v.corner.Y + y*u, W: w * u, H: h * u}
}

// point turns a place on the surface into units of the stage.
func (v *player) point(p fyne.Position) (x, y float32) {
	return (p.X - v.corner.X) / v.unit, (p.Y - v.corner.Y) / v.unit
}

// frame puts a picture of a clip or of a cartridge on the stage. It stays until the next one comes.
func (v *player) frame(file string, img *image.RGBA) {
	v.frames[file] = img
	for i := range v.used {
		if p := v.props[i]; p.item.File == file && (p.item.Shape == demo.Clip || p.item.Shape == demo.Cart) {
			p.show(img)
		}
	}
}

// Live lists the clips and cartridges that are on the stage.
func (k *Kiosk) Live() []demo.Item {
	if k.shown != scene.Demo {
		return nil
	}
	var list []demo.Item
	for _, i := range k.player.view.Items {
		if i.Shape == demo.Clip || i.Shape == demo.Cart {
			list = append(list, i)
		}
	}
	return list
}

// Frame shows a picture of a clip or of a cartridge, by its file. The picture must not change any more.
func (k *Kiosk) Frame(file string, img *image.RGBA) { k.player.frame(file, img) }
