package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"foyer/sync/wire"
)

// Uploads bring results to headquarters, each in its turn until one has brought it.
type Uploads []Upload

// Upload is one way. It returns nil once headquarters has the file on its disk.
type Upload interface {
	Put(ctx context.Context, id string, r wire.Result, data []byte) error
}

// Put tries the ways in order.
func (all Uploads) Put(ctx context.Context, id string, r wire.Result, data []byte) error {
	var faults []error
	for _, up := range all {
		err := up.Put(ctx, id, r, data)
		if err == nil {
			return nil
		}
		faults = append(faults, err)
	}
	return fmt.Errorf("bring %s to headquarters: %w", r.Name, errors.Join(faults...))
}

const (
	partPatience = 30 * time.Second // for one part: 64 KiB in the slowest line's good minute
	partTries    = 5
)

// Asking is the line as Broker needs it.
type Asking interface {
	Pipe
	Publish(topic string, retained bool, payload []byte) error
}

// Broker is the way for stores that reach nothing else: one part and one answer at a time.
type Broker struct {
	place wire.Place
	pipe  Asking
	taken chan wire.ResultTaken
}

// NewBroker subscribes to the answers: call it before the line runs.
func NewBroker(place wire.Place, pipe Asking) *Broker {
	b := &Broker{place, pipe, make(chan wire.ResultTaken, 1)}
	pipe.Subscribe(place.Down(wire.ResultTopic), func(_ string, payload []byte) {
		t, err := wire.DecodeResultTaken(payload)
		if err != nil {
			return // the part is sent again
		}
		select {
		case b.taken <- t:
		default: // nobody asked
		}
	})
	return b
}

// Put sends part after part, from where headquarters says that it is.
func (b *Broker) Put(ctx context.Context, id string, r wire.Result, data []byte) error {
	at, tries := int64(0), 0
	for at < r.Size {
		have, err := b.part(ctx, wire.ResultPart{ID: id, Result: r, Offset: at, Data: data[at:min(at+wire.MaxResultPart, r.Size)]})
		if tries++; err == nil && have > at {
			tries = 0
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, errUnwanted), err != nil && tries >= partTries:
			return err
		case err == nil && (have > r.Size || tries >= partTries):
			return fmt.Errorf("headquarters says that it has %d bytes of %d and takes no more", have, r.Size)
		case err == nil:
			at = have
		}
	}
	return nil
}

var errUnwanted = errors.New("headquarters wants none of it")

// part sends one and waits for its answer.
func (b *Broker) part(ctx context.Context, p wire.ResultPart) (have int64, err error) {
	payload, err := wire.EncodeResultPart(p)
	if err != nil {
		return 0, err
	}
	late := time.NewTimer(partPatience)
	defer late.Stop()
	if err := b.pipe.Publish(b.place.Ask(wire.ResultTopic), false, payload); err != nil {
		select { // the line comes back or it does not
		case <-time.After(partPatience / partTries):
		case <-ctx.Done():
		}
		return 0, err
	}
	for {
		select {
		case t := <-b.taken:
			if t.ID != p.ID || t.Name != p.Name {
				continue // the answer to something that was given up
			}
			if t.No != "" {
				return 0, fmt.Errorf("%w: %s", errUnwanted, t.No)
			}
			return t.Have, nil
		case <-late.C:
			return 0, errors.New("headquarters does not answer through the broker")
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}
