// Package reader is a session with one reader: it opens the line, starts the reader up, keeps it going, hears tags, and says
// in plain words when and why it cannot.
//
// In: a profile, a port and the chain's tag key. Out: tag.Read on a channel, RSSI in dBm, At the local time when the last
// byte of the frame came; and a Health at every change.
// It knows no people, keeps nothing on disk, and lets no raw tag number out: numbers are hashed here, and neither a log line
// nor an error holds one.
// Called by internal/daemon, one Reader a configured reader, and by cmd/foyer.
//
// One goroutine does it all: it waits on the line for at most 200 ms at a time, and between waits looks whether a poll, a
// re-arming or the end is due. Nothing it calls blocks longer than a link's send time-out.
package reader

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"foyer/firmware-profiles"
	"foyer/reader/link"
	"foyer/reader/tag"
)

// Config is one reader of a store.
type Config struct {
	Name    string            // as people call it: "entrance left"; stands in every Read
	Profile *profiles.Profile // what it speaks
	Port    string            // see package link; "gpio:LINE0,LINE1" for Wiegand, lines or the pins of a board; "/dev/input/by-id/..." for a wedge
	Baud    int               // 0 = the profile's
	Secret  []byte            // the chain's tag key, 32 bytes
	Keys    func(Key)         // called for each key of a keypad, on Run's goroutine: must not block; nil = keys are dropped
	Log     *slog.Logger

	// What opens Port in place of package link; nil = package link. With these a day in the shop is played in virtual time.
	Line  func(context.Context) (link.Link, error)  // of a byte line
	Edges func(context.Context) (link.Edges, error) // of Wiegand lines

	Tap func(link.Chunk) // is told all that passes over a byte line, At since Run began, on Run's goroutine; nil is fine
}

// Key is a key pressed on a keypad that shares a reader's two lines. It may be a digit of a secret: nobody logs it.
type Key struct {
	Reader string
	Key    byte // '0' to '9', '*' or '#'
	At     time.Time
}

// Reader is one session. Run it once.
type Reader struct {
	config  Config
	key     *tag.Key
	serial  *link.Dialer[link.Link]
	wiegand *link.Dialer[link.Edges]
	queue   queue
	tell    func(Health)

	mu     sync.Mutex // guards health, which Health gives to others
	health Health
}

// New checks a configuration. It opens nothing.
func New(c Config) (*Reader, error) {
	if c.Name == "" || c.Profile == nil || c.Log == nil {
		return nil, errors.New("reader: name, profile and log are needed")
	}
	key, err := tag.NewKey(c.Secret)
	if err != nil {
		return nil, fmt.Errorf("reader %q: %w", c.Name, err)
	}
	lines := link.IsLines(c.Port)
	if lines != (c.Profile.Kind == profiles.WiegandGPIO) {
		return nil, fmt.Errorf("reader %q: port %q does not go with the profile %s: a wiegand profile needs \"gpio:LINE0,LINE1\", and only it",
			c.Name, c.Port, c.Profile.ID)
	}
	c.Log = c.Log.With("reader", c.Name)
	r := &Reader{config: c, key: key, health: Health{Reader: c.Name, Why: WhyStarting}}
	switch {
	case c.Edges != nil && lines:
		r.wiegand = &link.Dialer[link.Edges]{Open: c.Edges, Trace: untraced}
		return r, nil
	case c.Line != nil && !lines:
		r.serial = &link.Dialer[link.Link]{Open: c.Line, Trace: untraced}
		return r, nil
	}
	switch c.Profile.Kind {
	case profiles.WiegandGPIO:
		r.wiegand = link.DialLines(profiles.ThisBoard().Lines(c.Port))
	case profiles.Serial:
		r.serial = link.Dial(c.Port, settings(c))
	default:
		return r, r.dialNetwork()
	}
	return r, nil
}

// untraced is of a device that nobody can look at.
func untraced() string { return "" }

func settings(c Config) link.Settings {
	line := c.Profile.Link.Serial
	s := link.Settings{Baud: cmp.Or(c.Baud, line.Baud), DataBits: line.Data, StopBits: line.Stop}
	switch line.Parity {
	case profiles.Even:
		s.Parity = link.EvenParity
	case profiles.Odd:
		s.Parity = link.OddParity
	}
	return s
}

// Run reads until ctx ends. Reads go to out in order. While out is full they wait in a queue of 64, from which the oldest
// are dropped first: a tag is read again in 50 ms, but its time would be wrong. out may be shared by many readers.
// health is called at every change of Online or Why, on Run's goroutine: it must not block. nil is fine.
//
// Run returns nil when ctx ends or a replay is over, and an error only for a port that can never open.
func (r *Reader) Run(ctx context.Context, out chan<- tag.Read, health func(Health)) error {
	r.queue.out = out
	r.tell = health
	var err error
	if r.wiegand != nil {
		err = r.wiegand.Run(ctx, r.cards, r.lost)
	} else {
		err = r.tapped(r.serial).Run(ctx, r.session(), r.lost)
	}
	if err != nil {
		r.lost(err)
		return fmt.Errorf("reader %q: %w", r.config.Name, err)
	}
	r.change(false, WhyStopped, "")
	return nil
}

// emit hashes what was seen and queues the read.
func (r *Reader) emit(number, also tag.Number, read tag.Read) {
	read.ID, read.Also = r.key.ID(number), r.key.ID(also)
	read.Reader = r.config.Name
	r.queue.add(read)
	r.queue.flush()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.health.Counts.Reads++
	r.health.Counts.Dropped = r.queue.dropped
	r.health.Counts.LastRead = read.At
}

// The waits of a session: how soon it notices that ctx has ended, and that out has room again.
const (
	idleWait  = 200 * time.Millisecond
	queueWait = 20 * time.Millisecond
)

// longestWait is how long a session may wait for bytes or edges now.
func (r *Reader) longestWait() time.Duration {
	if r.queue.flush() {
		return idleWait
	}
	return queueWait
}
