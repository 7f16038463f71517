package screens

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"foyer/kiosk/look"
)

// motif is an offer's picture on its tinted ground, with the house's arch behind it.
type motif struct {
	at           *fyne.Container
	ground, arch *canvas.Rectangle
	image        *canvas.Image
	box          look.Box
	art          string
}

// newMotif makes one: the ground fills box, the picture fills its own box.
func newMotif(ground, image look.Box, radius float32) *motif {
	m := &motif{at: &fyne.Container{}, box: whole(image)}
	m.ground = plate(ground, look.Sand, radius)
	side := image.W * 0.94
	arch := look.Box{X: image.X + (image.W-side)/2, Y: image.Y + image.H*0.06, W: side, H: ground.Bottom() - image.Y - image.H*0.06}
	arch.H = min(arch.H, image.H*0.84)
	m.arch = door(arch, veil, side/2)
	m.image = picture(nil, m.box)
	m.at.Objects = []fyne.CanvasObject{m.ground, m.arch, m.image}
	return m
}

// show draws an offer's art.
func (m *motif) show(art string) {
	if m.art == art && m.image.Image != nil {
		return
	}
	m.art = art
	m.ground.FillColor = look.TintOf(art).Ground
	m.ground.Refresh()
	m.image.Image = look.Raster(look.Motif(art), int(m.box.W), int(m.box.H))
	m.image.Refresh()
}
