package screens

import (
	"fyne.io/fyne/v2"

	"foyer/kiosk/look"
)

// message is a picture with a word below it, in the middle of a body.
type message struct {
	*fyne.Container
	art         *motif
	title, text *block
	box         look.Box
	u           float32
}

// newMessage fills a body; room is kept free below it.
func newMessage(c Config, body look.Box, room float32) *message {
	u := c.Frame.G
	m := &message{Container: &fyne.Container{}, box: body, u: u}
	h := min(body.H-room, 84*u)
	box := look.Box{X: body.X, Y: body.Y + (body.H-room-h)/2, W: body.W, H: h}
	side := min(h*0.46, 38*u)
	m.art = newMotif(box, look.Box{X: box.X + (box.W-side)/2, Y: box.Y + h*0.06, W: side, H: side}, 4*u)
	m.title = newBlock(c.Frame, look.Box{X: box.X + 5*u, Y: box.Y + h*0.58, W: box.W - 10*u, H: h * 0.2},
		style{sizes: []look.Size{{G: 6, MM: 11}, look.Heading, look.Lead}, heavy: true, colour: look.Ink, align: fyne.TextAlignCenter, lines: 2, rise: 0.5, pitch: 1.2})
	m.text = newBlock(c.Frame, look.Box{X: box.X + 6*u, Y: box.Y + h*0.78, W: box.W - 12*u, H: h * 0.19},
		style{sizes: []look.Size{look.Lead, look.Body, look.Small}, colour: look.Ink, align: fyne.TextAlignCenter, lines: 3, pitch: 1.36})
	m.Objects = []fyne.CanvasObject{m.art.at, m.title.at, m.text.at}
	return m
}

func (m *message) say(art, title, text string) {
	m.art.show(art)
	m.title.set(title)
	m.text.set(text)
}
