// Package screen looks at an X screen and touches it, as a person in front of it would.
//
// In: a display name (":99"). Out: pictures, 8 bits a channel, and taps, in pixels from the top left.
// It never draws and never reads a widget's state: what it sees is what is on the glass.
// Called by the demo (live pictures, taps on them), the end-to-end tests and the benchmarks.
package screen

import (
	"fmt"
	"image"
	"strings"
	"sync"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
	"github.com/jezek/xgb/xtest"
)

// Screen is a connection to one X screen. It is safe for concurrent use.
type Screen struct {
	mu   sync.Mutex
	conn *xgb.Conn
	root xproto.ScreenInfo
}

// Open connects to a display. The server must have the XTEST extension, as Xvfb and Xorg have.
func Open(display string) (*Screen, error) {
	conn, err := xgb.NewConnDisplay(display)
	if err != nil {
		return nil, fmt.Errorf("open display %s: %w", display, err)
	}
	if err := xtest.Init(conn); err != nil {
		conn.Close()
		return nil, fmt.Errorf("open display %s: no XTEST: %w", display, err)
	}
	return &Screen{conn: conn, root: *xproto.Setup(conn).DefaultScreen(conn)}, nil
}

// Close ends the connection.
func (s *Screen) Close() { s.conn.Close() }

// Size is the screen's size in pixels.
func (s *Screen) Size() image.Point {
	return image.Pt(int(s.root.WidthInPixels), int(s.root.HeightInPixels))
}

// Capture takes a picture of the whole screen.
func (s *Screen) Capture() (*image.RGBA, error) {
	return s.CaptureRect(image.Rectangle{Max: s.Size()})
}

// CaptureRect takes a picture of a part of the screen.
func (s *Screen) CaptureRect(r image.Rectangle) (*image.RGBA, error) {
	return s.capture(xproto.Drawable(s.root.Root), r)
}

// CaptureWindow takes a picture of the top window whose title holds the words. What covers the window covers the picture.
func (s *Screen) CaptureWindow(title string) (*image.RGBA, error) {
	w, r, err := s.find(title)
	if err != nil {
		return nil, err
	}
	return s.capture(xproto.Drawable(w), image.Rectangle{Max: r.Size()})
}

func (s *Screen) capture(d xproto.Drawable, r image.Rectangle) (*image.RGBA, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reply, err := xproto.GetImage(s.conn, xproto.ImageFormatZPixmap, d,
		int16(r.Min.X), int16(r.Min.Y), uint16(r.Dx()), uint16(r.Dy()), ^uint32(0)).Reply()
	if err != nil {
		return nil, fmt.Errorf("capture %v: %w", r, err)
	}
	if len(reply.Data) < 4*r.Dx()*r.Dy() {
		return nil, fmt.Errorf("capture %v: %d bytes at depth %d: want 32 bits a pixel", r, len(reply.Data), reply.Depth)
	}
	img := image.NewRGBA(image.Rectangle{Max: r.Size()})
	for i := 0; i < len(img.Pix); i += 4 { // the server sends blue, green, red, unused
		img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = reply.Data[i+2], reply.Data[i+1], reply.Data[i], 0xff
	}
	return img, nil
}

// Bytes returns the raw pixels of a part of the screen: the quickest way to see that something changed.
func (s *Screen) Bytes(r image.Rectangle) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reply, err := xproto.GetImage(s.conn, xproto.ImageFormatZPixmap, xproto.Drawable(s.root.Root),
		int16(r.Min.X), int16(r.Min.Y), uint16(r.Dx()), uint16(r.Dy()), ^uint32(0)).Reply()
	if err != nil {
		return nil, fmt.Errorf("capture %v: %w", r, err)
	}
	return reply.Data, nil
}

// Tap presses and releases at a point of the screen, motion and press together, as touch panels send them.
func (s *Screen) Tap(p image.Point) error {
	const motion, press, release, left = 6, 4, 5, 1 // core event codes; X11 protocol, section 10
	s.mu.Lock()
	defer s.mu.Unlock()
	root := s.root.Root
	xtest.FakeInput(s.conn, motion, 0, 0, root, int16(p.X), int16(p.Y), 0)
	xtest.FakeInput(s.conn, press, left, 0, root, 0, 0, 0)
	xtest.FakeInput(s.conn, release, left, uint32(30*time.Millisecond/time.Millisecond), root, 0, 0, 0)
	if _, err := xproto.GetInputFocus(s.conn).Reply(); err != nil { // a round trip: all three have arrived
		return fmt.Errorf("tap %v: %w", p, err)
	}
	return nil
}

// TapWindow taps at a point of the window whose title holds the words.
func (s *Screen) TapWindow(title string, p image.Point) error {
	_, r, err := s.find(title)
	if err != nil {
		return err
	}
	return s.Tap(r.Min.Add(p))
}

// find returns the first window below the root, depth first, whose name holds title, and where it is on the screen.
func (s *Screen) find(title string) (xproto.Window, image.Rectangle, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w, ok := s.walk(s.root.Root, title)
	if !ok {
		return 0, image.Rectangle{}, fmt.Errorf("no window named %q", title)
	}
	g, err := xproto.GetGeometry(s.conn, xproto.Drawable(w)).Reply()
	if err != nil {
		return 0, image.Rectangle{}, fmt.Errorf("window %q: %w", title, err)
	}
	at, err := xproto.TranslateCoordinates(s.conn, w, s.root.Root, 0, 0).Reply()
	if err != nil {
		return 0, image.Rectangle{}, fmt.Errorf("window %q: %w", title, err)
	}
	min := image.Pt(int(at.DstX), int(at.DstY))
	return w, image.Rectangle{Min: min, Max: min.Add(image.Pt(int(g.Width), int(g.Height)))}, nil
}

func (s *Screen) walk(w xproto.Window, title string) (xproto.Window, bool) {
	name, err := xproto.GetProperty(s.conn, false, w, xproto.AtomWmName, xproto.GetPropertyTypeAny, 0, 256).Reply()
	if err == nil && strings.Contains(string(name.Value), title) {
		return w, true
	}
	tree, err := xproto.QueryTree(s.conn, w).Reply()
	if err != nil {
		return 0, false
	}
	for _, child := range tree.Children {
		if found, ok := s.walk(child, title); ok {
			return found, true
		}
	}
	return 0, false
}
