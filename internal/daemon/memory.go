package daemon

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"foyer/sync/journal"
	"foyer/sync/wire"
)

// openMemory opens the journal. A damaged one goes aside, and a new one takes its place: a store that greets and records with
// an empty memory is better than one that does nothing until a technician comes.
func openMemory(path string, log *slog.Logger) (*journal.Journal, error) {
	options := journal.Options{Log: log, Marker: marker}
	j, err := journal.Open(path, options)
	if !errors.Is(err, journal.ErrCorrupt) {
		return j, err
	}
	aside, again := journal.Quarantine(path, now())
	if again != nil {
		return nil, errors.Join(err, again)
	}
	log.Error("the journal is damaged and was put aside; a new one is started. What is whole in the old one comes back with: "+
		"foyer journal salvage OLD INTO", "old", aside, "into", path, "err", err)
	return journal.Open(path, options)
}

// What the store's memory says of itself to headquarters.
const (
	recordLost    wire.Kind = "record.lost"    // lost, in place of a record that is not there any more
	recordsGiven  wire.Kind = "memory.thinned" // givenUp, each time the counts have changed
	whyDamaged              = "damaged"        // the disk gave back other bytes than it was given
	whyGivenUp              = "given_up"       // for room, since the disk or the quota was full
	markerTooLong           = "a marker always encodes"
)

// lost stands in a lane for a record that is not there any more: headquarters sees every number in its order.
type lost struct {
	Why string `json:"why"`
}

// givenUp counts what was given up for room since the journal's file was made.
type givenUp struct {
	Visits     uint64 `json:"visits"`
	Statistics uint64 `json:"statistics"`
}

// passing are the kinds that say something about a moment: the first to go when there is no room. The others are visits,
// or must be kept: what nobody put into a class is.
var (
	passing = []wire.Kind{wire.GreetingDecided, wire.StrangersPassed, wire.ReaderChanged}
	visits  = []wire.Kind{wire.VisitStarted, wire.VisitEnded, wire.CardClaimed, wire.CardReleased, wire.CardServed, wire.KioskUsed}
)

func classOf(kind wire.Kind) journal.Class {
	switch {
	case slices.Contains(passing, kind):
		return journal.Statistic
	case slices.Contains(visits, kind):
		return journal.Visit
	}
	return journal.Keep
}

// marker is journal.Options.Marker.
func marker(_ string, _ uint64, why journal.Why) []byte {
	l := lost{whyGivenUp}
	if why == journal.Damaged {
		l.Why = whyDamaged
	}
	payload, err := wire.EncodeRecord(wire.NewRecord(recordLost, now(), l))
	if err != nil {
		panic(markerTooLong) // a programmer's error
	}
	return payload
}

// tellGivenUp writes the counts into the journal once there is room again.
func (s *state) tellGivenUp(h journal.Health) {
	if h.Thinned == s.given || h.Err != nil || h.Thinning || h.DiskFull {
		return
	}
	payload, err := wire.EncodeRecord(wire.NewRecord(recordsGiven, now(), givenUp{h.Thinned[journal.Visit], h.Thinned[journal.Statistic]}))
	if err == nil {
		err = s.journal.Submit(context.Background(), journal.Entry{Lane: wire.MainLane, Payload: payload})
	}
	if err == nil {
		s.given = h.Thinned
	}
}
