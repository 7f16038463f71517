// Package trace makes up, records, plays and scores what readers hear of people who come, stay, pass by and leave.
//
// In: a seed and a scene (where the antennas are, who walks where), or a recording with marks of what really happened. Out:
// a Trace of reads and marks, and a Score of what presence decided from it. Times are since the trace began, signal
// strengths in dBm, distances in metres.
// It never opens a file or a reader, and tags in it are made-up words, never numbers.
// Called by tests, and by the command foyer presence.
//
// A trace is text, one thing a line, in order of time; # begins a remark:
//
//	foyer trace 1
//	0.250 read door 1 anna -58     seconds, reader, antenna (0: it has one), tag, dBm (- if it tells none)
//	0.100 arrived shop anna        a mark: the tag really came into the zone
//	9.700 left shop anna           a mark: it really left it
//	3.000 offline door             the reader is gone, and
//	5.000 online door              back
//
// A tag is a word of letters, digits, dots and dashes. Who has no marks really passed by.
package trace

import (
	"crypto/sha256"
	"time"

	"foyer/reader/tag"
	"foyer/shop/presence"
)

// Kind is what an entry is.
type Kind string

// The kinds.
const (
	Read    Kind = "read"
	Arrived Kind = "arrived"
	Left    Kind = "left"
	Offline Kind = "offline"
	Online  Kind = "online"
)

// Entry is one line of a trace.
type Entry struct {
	At      time.Duration
	Kind    Kind
	Reader  string // of Read, Offline, Online
	Antenna uint8  // of Read
	RSSI    tag.RSSI
	HasRSSI bool
	Zone    string // of Arrived, Left
	Tag     string // of Read, Arrived, Left
}

// Trace is entries in order of time.
type Trace []Entry

// IDOf is the identity that a trace's word for a tag stands for.
func IDOf(word string) tag.ID {
	sum := sha256.Sum256([]byte(word))
	return tag.ID(sum[:16])
}

// Decision is one event of presence, in a trace's words.
type Decision struct {
	At   time.Duration
	Kind Kind // Arrived, or Left; a move is Left and Arrived at once
	Zone string
	Tag  string
	Move bool
}

// epoch is when every trace begins: any time will do, presence looks at differences.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const tickEvery = 500 * time.Millisecond

// Play gives a trace to a tracker with these zones and writes down what it decides, ticking as shop does, until what
// was heard last has had the time to leave.
func Play(t Trace, zones []presence.Zone) ([]Decision, error) {
	tracker, err := presence.New(presence.Config{Zones: zones})
	if err != nil {
		return nil, err
	}
	p := player{tracker: tracker, words: map[tag.ID]string{}, ids: map[string]tag.ID{}}
	grace := time.Duration(0)
	for _, z := range zones {
		grace = max(grace, z.WithDefaults().Grace)
	}
	end := time.Duration(0)
	for _, e := range t {
		p.until(e.At)
		p.take(e)
		end = e.At
	}
	p.until(end + grace + tickEvery)
	return p.out, nil
}

type player struct {
	tracker *presence.Tracker
	words   map[tag.ID]string
	ids     map[string]tag.ID
	ticked  time.Duration
	out     []Decision
}

// until ticks up to a time. In a long silence presence has nothing to say sooner than once in a while.
func (p *player) until(at time.Duration) {
	for p.ticked+tickEvery <= at {
		p.ticked += tickEvery
		p.tracker.Tick(epoch.Add(p.ticked), p.emit)
	}
}

func (p *player) take(e Entry) {
	switch e.Kind {
	case Read:
		id, known := p.ids[e.Tag]
		if !known {
			id = IDOf(e.Tag)
			p.ids[e.Tag], p.words[id] = id, e.Tag
		}
		p.tracker.Read(tag.Read{ID: id, At: epoch.Add(e.At), Reader: e.Reader, Antenna: e.Antenna, RSSI: e.RSSI, HasRSSI: e.HasRSSI}, p.emit)
	case Offline, Online:
		p.tracker.ReaderOnline(e.Reader, e.Kind == Online, epoch.Add(e.At))
	}
}

func (p *player) emit(e presence.Event) {
	switch e := e.(type) {
	case presence.Arrived:
		p.note(Decision{e.At.Sub(epoch), Arrived, e.Zone, p.words[e.ID], false})
	case presence.Left:
		p.note(Decision{e.At.Sub(epoch), Left, e.Zone, p.words[e.ID], false})
	case presence.Moved:
		p.note(Decision{e.At.Sub(epoch), Left, e.From, p.words[e.ID], true})
		p.note(Decision{e.At.Sub(epoch), Arrived, e.To, p.words[e.ID], true})
	}
}

func (p *player) note(d Decision) { p.out = append(p.out, d) }
