package post

import (
	"context"

	"foyer/kiosk/printer/virtual"
	"foyer/reader/link"
)

// deafening makes the printer deaf once it has said how it is.
func deafening(s *shop, open func(context.Context) (link.Link, error)) func(context.Context) (link.Link, error) {
	return func(ctx context.Context) (link.Link, error) {
		l, err := open(ctx)
		return &deafened{l, s, 0}, err
	}
}

type deafened struct {
	link.Link
	s     *shop
	sends int
}

func (d *deafened) Send(p []byte) error {
	if d.sends++; d.sends == 2 {
		d.s.SetLine(virtual.Line{Deaf: true})
	}
	return d.Link.Send(p)
}
