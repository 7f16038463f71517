package demo

import (
	"fmt"
	"image"
	"sync"

	"foyer/internal/screen"
)

// glass is one screen of the store as a person sees it: the whole of a display of its own, or a window on a desktop.
type glass struct {
	display string
	title   string // empty: the whole display

	mu   sync.Mutex
	open *screen.Screen
}

// see returns the connection to the display, opened when first needed and again after the display was gone.
func (g *glass) see() (*screen.Screen, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == nil {
		s, err := screen.Open(g.display)
		if err != nil {
			return nil, err
		}
		g.open = s
	}
	return g.open, nil
}

func (g *glass) picture() (*image.RGBA, error) {
	s, err := g.see()
	if err != nil {
		return nil, err
	}
	if g.title != "" {
		return s.CaptureWindow(g.title)
	}
	return s.Capture()
}

// tap touches the glass at a share of its width and height.
func (g *glass) tap(x, y float64) error {
	img, err := g.picture()
	if err != nil {
		return err
	}
	p := image.Pt(int(x*float64(img.Rect.Dx())), int(y*float64(img.Rect.Dy())))
	s, err := g.see()
	if err != nil {
		return err
	}
	if g.title != "" {
		return s.TapWindow(g.title, p)
	}
	return s.Tap(p)
}

func (g *glass) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open != nil {
		g.open.Close()
	}
}

func (g *glass) String() string { return fmt.Sprintf("%s %s", g.display, g.title) }
