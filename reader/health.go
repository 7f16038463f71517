package reader

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"foyer/reader/link"
	"foyer/reader/llrp"
)

// Health is how a reader does. A reader that is silent because nobody is there is healthy.
type Health struct {
	Reader string
	Online bool      // the line is open, the reader was started, and what comes makes sense
	Why    string    // why it is not online: one of the Why constants; empty when it is. In words: "reader.why."+Why
	Detail string    // the cause and what to do, in English, for a technician; may be empty
	At     time.Time // of the last change
	Counts Counts
}

// The reasons. They are stable: metrics and translations use them.
const (
	WhyStarting  = "starting"
	WhyStopped   = "stopped"
	WhyUnplugged = "unplugged"
	WhyNoDevice  = "no_device"
	WhyDenied    = "no_permission"
	WhyHeld      = "held"
	WhyNotSerial = "not_serial"
	WhyManyFit   = "many_fit"
	WhyBadPort   = "bad_port"
	WhyBadLine   = "bad_line"
	WhyNoAnswer  = "no_answer" // TCP: nobody there; serial: the start commands were not answered
	WhyStuck     = "stuck"
	WhyNoise     = "noise" // bytes and no frame: wrong baud, wrong profile, bad wire
	WhyTrouble   = "trouble"
)

// Counts counts since New.
type Counts struct {
	Opened   uint64 // times the line was opened
	Frames   uint64 // whole and understood, tags or not; wiegand: good cards
	Bad      Refusals
	Noise    uint64 // bytes that belong to no frame
	Resyncs  uint64 // good frames right after noise or a refusal
	Reads    uint64 // tags told
	Dropped  uint64 // of these, lost because nobody took them
	Errors   uint64 // complaints of the reader itself
	LastRead time.Time
}

// Reopened is how often the line had to be opened again.
func (c Counts) Reopened() uint64 { return max(c.Opened, 1) - 1 }

// Health returns the state now, with fresh counts. Safe for any goroutine.
func (r *Reader) Health() Health {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.health
}

// errNoReply is a start command without its answer.
var errNoReply = errors.New("does not answer its start command")

var reasons = []struct {
	err error
	why string
}{
	{llrp.ErrSilent, WhyNoAnswer}, // it is unplugged too, as far as the line is concerned
	{llrp.ErrHeader, WhyNoise},
	{llrp.ErrLength, WhyNoise},
	{link.ErrUnplugged, WhyUnplugged},
	{link.ErrNoDevice, WhyNoDevice},
	{link.ErrDenied, WhyDenied},
	{link.ErrHeld, WhyHeld},
	{link.ErrNotSerial, WhyNotSerial},
	{link.ErrManyFit, WhyManyFit},
	{link.ErrBadPort, WhyBadPort},
	{link.ErrBadLine, WhyBadLine},
	{link.ErrNoAnswer, WhyNoAnswer},
	{errNoReply, WhyNoAnswer},
	{link.ErrStuck, WhyStuck},
}

func reason(err error) string {
	for _, r := range reasons {
		if errors.Is(err, r.err) {
			return r.why
		}
	}
	return WhyTrouble
}

// lost is told by the dialer why there is no line.
func (r *Reader) lost(err error) {
	why := reason(err)
	if why == WhyNoDevice && r.health.Why == WhyUnplugged {
		return // the same trouble, seen from the other side
	}
	r.change(false, why, err.Error())
}

// change notes a state, and tells of it once.
func (r *Reader) change(online bool, why, detail string) {
	r.mu.Lock()
	if r.health.Online == online && r.health.Why == why {
		r.mu.Unlock()
		return
	}
	r.health.Online, r.health.Why, r.health.Detail, r.health.At = online, why, detail, time.Now()
	health := r.health
	r.mu.Unlock()
	level, text := slog.LevelInfo, "reader is online"
	if !online {
		level, text = slog.LevelWarn, "reader is offline"
	}
	if why == WhyStopped {
		level, text = slog.LevelInfo, "reader stopped"
	}
	r.config.Log.Log(context.Background(), level, text, "why", why, "detail", detail)
	if r.tell != nil {
		r.tell(health)
	}
}
