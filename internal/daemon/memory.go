package daemon

import (
	"context"
	"errors"
	"log/slog"

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

// classes of the journal by what a record is worth.
var classes = map[wire.Worth]journal.Class{wire.WorthKeeping: journal.Keep, wire.AVisit: journal.Visit, wire.AStatistic: journal.Statistic}

func classOf(kind wire.Kind) journal.Class { return classes[wire.WorthOf(kind)] }

// marker is journal.Options.Marker.
func marker(_ string, _ uint64, why journal.Why) []byte {
	if why == journal.Damaged {
		return lost(wire.LostDamaged)
	}
	return lost(wire.LostGivenUp)
}

// tellGivenUp writes the counts into the journal once there is room again.
func (s *state) tellGivenUp(h journal.Health) {
	if h.Thinned == s.given || h.Err != nil || h.Thinning || h.DiskFull {
		return
	}
	counts := wire.GivenUp{Visits: h.Thinned[journal.Visit], Statistics: h.Thinned[journal.Statistic]}
	payload, err := wire.EncodeRecord(wire.NewRecord(wire.MemoryThinned, now(), counts))
	if err == nil {
		err = s.journal.Submit(context.Background(), journal.Entry{Lane: wire.LaneOf(wire.MemoryThinned), Payload: payload})
	}
	if err == nil {
		s.given = h.Thinned
	}
}
