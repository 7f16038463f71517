// Package look is Foyer's design system: colours, type, spacing, shapes, icons and artwork.
//
// In: the size of the screen in pixels and its width in millimetres. Out: a Frame that turns design units into pixels, a
// Fyne theme, fonts, and pictures rasterised from our own drawings. One design unit (g) is a hundredth of the short
// side; text and touch targets also have a floor in millimetres, so that a small screen stays legible and usable.
// It never opens a window, never knows a scene, never reads a clock or a disk.
// Called by kiosk/screens and kiosk/glass.
package look

import "image/color"

// The palette. Paper and Night are the grounds of the kiosk and of the wall: they are what the window is cleared to.
var (
	Paper   = rgb(0xF7F5F1)
	Card    = rgb(0xFFFFFF)
	Sand    = rgb(0xEBE5DA)
	Ink     = rgb(0x16202A)
	Slate   = rgb(0x4A5560) // second text on Paper: 7:1
	Teal    = rgb(0x0F766E)
	TealLow = rgb(0x0B5C56) // Teal under a finger
	Deep    = rgb(0x0B4144)
	Night   = rgb(0x0A2C33)
	Mist    = rgb(0xD9EAE5)
	Fog     = rgb(0xB9D4CF) // second text on Night and Deep
	Coral   = rgb(0xF9735B)
	Rust    = rgb(0x9C3B25) // what is wrong, as text on Paper: 6.5:1
	Blush   = rgb(0xFDDFD4)
	Honey   = rgb(0xF4B740)
	Cream   = rgb(0xFFF3D6)
	Butter  = rgb(0xFBE5B0)
	Lilac   = rgb(0xE4DDEE)
	Plum    = rgb(0x6A4C7D)
	Sky     = rgb(0xD5E5F0)
	Clear   = color.NRGBA{}
)

// Shade is a soft shadow; Press is laid over a thing under a finger.
var (
	Shade = color.NRGBA{R: 0x16, G: 0x20, B: 0x2A, A: 0x26}
	Press = color.NRGBA{R: 0x16, G: 0x20, B: 0x2A, A: 0x1F}
)

func rgb(hex uint32) color.NRGBA {
	return color.NRGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: 0xFF}
}

// Tint is the pair of colours that goes with an offer's motif: the ground of its picture and a strong accent.
type Tint struct{ Ground, Accent color.NRGBA }

// TintOf returns the colours of a motif.
func TintOf(art string) Tint {
	switch art {
	case "phone", "home":
		return Tint{Mist, Teal}
	case "data", "video":
		return Tint{Sky, Deep}
	case "gift", "cup":
		return Tint{Blush, Coral}
	case "music":
		return Tint{Lilac, Plum}
	}
	return Tint{Butter, Honey}
}

// Named returns a colour of the palette by its name in lower-case letters, for those who design without Go.
func Named(name string) (color.NRGBA, bool) {
	c, ok := map[string]color.NRGBA{
		"paper": Paper, "card": Card, "sand": Sand, "ink": Ink, "slate": Slate, "teal": Teal, "teallow": TealLow, "deep": Deep, "night": Night,
		"mist": Mist, "fog": Fog, "coral": Coral, "blush": Blush, "honey": Honey, "cream": Cream, "butter": Butter, "lilac": Lilac, "plum": Plum, "sky": Sky,
	}[name]
	return c, ok
}
