package presence

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"time"

	"foyer/reader/tag"
)

// Event is Arrived, Left, Moved or Passed.
type Event interface{ event() }

// Arrived says that a tag is certainly in a zone.
type Arrived struct {
	ID   tag.ID
	Also tag.ID // a shorter form that may be matched, or zero
	Zone string
	At   time.Time
	Nth  uint64 // of the zone's arrivals since it was first set up, moves included
}

// Left says that a tag is no longer in a zone.
type Left struct {
	ID   tag.ID
	Zone string
	Seen time.Time // its last strong read
	At   time.Time // when we were sure
	Nth  uint64    // of the arrival that this ends
}

// Moved says that a tag went from one zone to another of its group: no departure and no arrival is told besides.
type Moved struct {
	ID       tag.ID
	Also     tag.ID
	From, To string
	Seen     time.Time // its last strong read in From
	At       time.Time
	Nth      uint64 // of the arrivals in To
}

// Passed says that some tag was heard and never became present. It does not tell which.
type Passed struct {
	Zone string
	At   time.Time
}

func (Arrived) event() {}
func (Left) event()    {}
func (Moved) event()   {}
func (Passed) event()  {}

// EventID is the same whenever the same arrival is worked out anew, so that who gets it twice can tell.
func (e Arrived) EventID() string { return eventID("arrived", e.Zone, e.ID, e.Nth) }

// EventID is as Arrived's.
func (e Left) EventID() string { return eventID("left", e.Zone, e.ID, e.Nth) }

// EventID is as Arrived's.
func (e Moved) EventID() string { return eventID("moved", e.To, e.ID, e.Nth) }

// eventID hides the tag's hash, because event ids travel further than it does.
func eventID(what, zone string, id tag.ID, nth uint64) string {
	b := append([]byte(what+"\x00"+zone+"\x00"), id[:]...)
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(b, nth))
	return hex.EncodeToString(sum[:12])
}
