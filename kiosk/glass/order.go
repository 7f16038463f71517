package glass

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"

	"foyer/api"
)

// ErrRestart is what Run returns when foyerd asked for a restart: the supervisor is to start it again.
var ErrRestart = errors.New("the store asked for a restart")

// order obeys foyerd. It is called by the follower, and does not hold it up.
func (p *presenter) order(ctx context.Context, e api.Event) {
	var o api.Order
	if err := json.Unmarshal(e.Data, &o); err != nil {
		p.cfg.Log.Warn("an order cannot be read; foyerd and this screen may differ in version", "err", err)
		return
	}
	switch o.Do {
	case api.SendPicture:
		p.group.Go(func() {
			if err := p.sendPicture(ctx, o.ID); err != nil && ctx.Err() == nil {
				p.cfg.Log.Warn("a picture was not sent", "err", err)
			}
		})
	case api.StartAgain:
		p.cfg.Log.Info("foyerd asks for a restart")
		p.again()
	}
}

// sendPicture draws the scene of now once more, with nobody in it, and sends that. What is on the glass is not touched.
func (p *presenter) sendPicture(ctx context.Context, id string) error {
	latest := *p.latest.Load()
	drawn := make(chan image.Image, 1)
	fyne.Do(func() { drawn <- p.portrait(picture{latest.kiosk.Masked(), latest.wall.Masked()}) })
	var img image.Image
	select {
	case img = <-drawn:
	case <-ctx.Done():
		return ctx.Err()
	}
	if img == nil {
		return errors.New("the window has no size yet, or its scene cannot be drawn without its guest")
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return fmt.Errorf("encode a picture: %w", err)
	}
	return p.cfg.Foyerd.SendPicture(ctx, p.cfg.Face, id, b.Bytes())
}

// portrait paints a state in memory as the window would show it.
func (s *stage) portrait(p picture) (img image.Image) {
	defer func() {
		if r := recover(); r != nil {
			s.cfg.Log.Error("a scene cannot be drawn without its guest", "err", fmt.Sprint(r))
			img = nil
		}
	}()
	if s.screen == nil {
		return nil
	}
	root, show := s.make(s.size, nil, true)
	show(p, time.Now())
	c := software.NewCanvas()
	c.SetPadded(false)
	c.SetContent(root)
	c.Resize(s.size)
	return c.Capture()
}
