package reader

import (
	"context"
	"fmt"
	"strings"
	"time"

	"foyer/firmware-profiles"
	"foyer/reader/frame"
	"foyer/reader/link"
	"foyer/reader/llrp"
	"foyer/reader/tag"
	"foyer/reader/wedge"
)

// dialNetwork makes the dialer of an LLRP reader or a keyboard wedge, if its port is one.
func (r *Reader) dialNetwork() error {
	port := r.config.Port
	scheme, _, _ := strings.Cut(port, ":")
	want := ""
	switch r.config.Profile.Kind {
	case profiles.LLRPNetwork:
		if scheme != "tcp" && scheme != "tls" && scheme != "replay" {
			want = `"tcp://HOST:5084" or "tls://HOST:5085"`
		}
	case profiles.Wedge:
		if scheme != "replay" && !strings.HasPrefix(port, "/") {
			want = `a path like "/dev/input/by-id/...-event-kbd"`
		}
	}
	if want != "" {
		return fmt.Errorf("reader %q: port %q does not go with the profile %s: want %s", r.config.Name, port, r.config.Profile.ID, want)
	}
	r.serial = link.Dial(port, link.Settings{})
	if r.config.Profile.Kind == profiles.Wedge && scheme != "replay" {
		r.serial.Open = func(context.Context) (link.Link, error) { return wedge.Open(port) }
	}
	return nil
}

// session is what is done with an open byte line.
func (r *Reader) session() func(context.Context, link.Link) error {
	switch r.config.Profile.Kind {
	case profiles.LLRPNetwork:
		return r.fixed
	case profiles.Wedge:
		return r.desk
	}
	return r.frames
}

// opened counts an opening and returns the counts before it.
func (r *Reader) opened() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.health.Counts.Opened++
	return r.health.Counts
}

// network is the time from one connection to an LLRP reader to its loss.
type network struct {
	*Reader
	base    Counts // of the Reader before
	unread  uint64 // tags whose EPC is no identity
	scolded map[string]bool
}

// fixed runs one session with an LLRP reader.
func (r *Reader) fixed(ctx context.Context, l link.Link) error {
	n := &network{Reader: r, base: r.opened(), scolded: map[string]bool{}}
	client := &llrp.Client{Plan: plan(r.config.Profile.LLRP), Ears: n, Idle: r.longestWait, Count: n.tally}
	return client.Run(ctx, l)
}

func plan(p *profiles.LLRPPlan) llrp.Plan {
	out := llrp.Plan{
		KeepAlive: p.KeepAlive, Session: uint8(p.Session), Population: uint16(p.Population), ReportAfter: uint16(p.ReportAfter),
	}
	for _, antenna := range p.Antennas {
		out.Antennas = append(out.Antennas, uint16(antenna))
	}
	return out
}

// Started implements llrp.Ears.
func (n *network) Started() { n.change(true, "", "") }

// Heard implements llrp.Ears.
func (n *network) Heard(at time.Time, t *llrp.Tag) {
	number, err := t.Number()
	if err != nil {
		n.unread++
		return
	}
	n.emit(number, tag.Number{}, tag.Read{
		At: at, Antenna: uint8(min(t.Antenna, 255)), RSSI: tag.RSSI(t.RSSI), HasRSSI: t.Has&llrp.HasRSSI != 0,
	})
}

// maxScolded bounds what a reader can make us remember.
const maxScolded = 64

// Complained implements llrp.Ears. Each complaint is logged once a connection.
func (n *network) Complained(what string, code uint16) {
	n.count(func(c *Counts) { c.Errors++ })
	if key := fmt.Sprint(code, what); !n.scolded[key] && len(n.scolded) < maxScolded {
		n.scolded[key] = true
		n.config.Log.Warn("reader reports an error", "code", code, "means", what)
	}
}

func (n *network) tally(c llrp.Counts) {
	n.count(func(all *Counts) {
		all.Frames = n.base.Frames + c.Messages
		all.Bad[BadContent] = n.base.Bad[BadContent] + c.Refused + n.unread
	})
}

// desk runs one session with a keyboard wedge.
func (r *Reader) desk(ctx context.Context, l link.Link) error {
	r.opened()
	r.change(true, "", "")
	var now time.Time
	var split wedge.Splitter
	typist := frame.NewTypist(r.config.Profile)
	each := func(e wedge.Event) { r.typed(typist, e, now) }
	buffer := make([]byte, 64*wedge.Size)
	for ctx.Err() == nil {
		n, err := l.Receive(buffer, r.longestWait())
		if n == 0 && err != nil {
			return err
		}
		now = time.Now()
		split.Feed(buffer[:n], each)
	}
	return nil
}

// typed takes one key.
func (r *Reader) typed(typist *frame.Typist, e wedge.Event, now time.Time) {
	var s frame.Sighting
	switch bad, done := typist.Feed(e, &s); {
	case !done:
	case bad == frame.Good:
		r.count(func(c *Counts) { c.Frames++ })
		r.emit(s.Number, s.Also, tag.Read{At: now})
	default:
		r.count(func(c *Counts) { c.Bad[faultTyped(bad)]++ })
		r.config.Log.Debug("what was typed is refused", "why", bad.String())
	}
}

// tapped makes every line that d opens tell Tap what passes over it.
func (r *Reader) tapped(d *link.Dialer[link.Link]) *link.Dialer[link.Link] {
	if r.config.Tap == nil {
		return d
	}
	begun := time.Now()
	open := func(ctx context.Context) (link.Link, error) {
		l, err := d.Open(ctx)
		if err != nil {
			return nil, err
		}
		return &tap{Link: l, begun: begun, tell: r.config.Tap}, nil
	}
	return &link.Dialer[link.Link]{Open: open, Trace: d.Trace}
}

// tap is a line that is overheard.
type tap struct {
	link.Link
	begun time.Time
	tell  func(link.Chunk)
}

// Receive implements link.Link.
func (t *tap) Receive(p []byte, wait time.Duration) (int, error) {
	n, err := t.Link.Receive(p, wait)
	if n > 0 {
		t.tell(link.Chunk{At: time.Since(t.begun), Data: p[:n]})
	}
	return n, err
}

// Send implements link.Link.
func (t *tap) Send(p []byte) error {
	t.tell(link.Chunk{At: time.Since(t.begun), Sent: true, Data: p})
	return t.Link.Send(p)
}
