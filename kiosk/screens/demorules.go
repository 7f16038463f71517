package screens

import (
	"foyer/kiosk/demo"
	"foyer/kiosk/demo/cart"
	"foyer/kiosk/demo/clip"
	"foyer/kiosk/look"
)

// PackRules are what a pack is checked with so that these screens can show it.
func PackRules() demo.Rules {
	return demo.Rules{
		Colour: look.Named, Covers: look.Covers, Clip: clip.Probe, Cart: cart.Check,
		Picture: func(name string, data []byte) error { _, err := Draw(name, data, 64, 64); return err },
	}
}
