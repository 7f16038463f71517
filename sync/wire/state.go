package wire

import (
	"fmt"
	"math"
	"time"
)

// maxLanes bounds what a State tells.
const maxLanes = 8

// State is the retained word on a store's line. What follows Version is how its memory stands: none in the word that a broker
// says for a store that has vanished.
type State struct {
	V       int       `json:"v"`
	Online  bool      `json:"online"`
	At      time.Time `json:"at"`
	Version string    `json:"version,omitempty"` // of foyerd

	Epoch  string      `json:"epoch,omitempty"`
	Lanes  []LaneState `json:"lanes,omitempty"`
	SkewMS *int64      `json:"skew_ms,omitempty"`  // the store's clock minus headquarters'; none: not measured yet
	Budget int64       `json:"budget,omitempty"`   // bytes a day on the line; 0: not bounded
	Spent  int64       `json:"spent,omitempty"`    // bytes of them today
	Given  *GivenUp    `json:"given_up,omitempty"` // for room, by class; none: nothing was
	Why    string      `json:"why,omitempty"`      // what is wrong with the way up, for a technician

	Guests *GuestState `json:"guests,omitempty"` // none: it knows nothing of members who are not at hand
}

// GuestState counts a store's questions for members since it started.
type GuestState struct {
	Held    uint64 `json:"held"` // members whom answers told of
	Asked   uint64 `json:"asked"`
	Named   uint64 `json:"named"`             // answered with a member
	Late    uint64 `json:"late"`              // not answered in half a second
	Refused uint64 `json:"refused,omitempty"` // answers that were forged, or to no question
}

// LaneState is how one lane stands at the store.
type LaneState struct {
	Lane    string    `json:"lane"`
	Last    uint64    `json:"last"`              // newest record
	Acked   uint64    `json:"acked"`             // headquarters has said that it holds everything up to here
	Oldest  time.Time `json:"oldest,omitzero"`   // when the oldest record that waits was made
	LastAck time.Time `json:"last_ack,omitzero"` // when headquarters was last heard about this lane
	Lost    uint64    `json:"lost,omitempty"`    // records that were gone before headquarters had them, or had them again
	Waits   bool      `json:"waits,omitempty"`   // for tomorrow's budget
}

func (s State) check() error {
	if s.V != Version {
		return fmt.Errorf("protocol version %d: want %d", s.V, Version)
	}
	if len(s.Version) > 64 {
		return fmt.Errorf("program version of %d bytes: want at most 64", len(s.Version))
	}
	if s.Epoch != "" && !validEpoch(s.Epoch) {
		return fmt.Errorf("epoch %.80q: want 1 to %d letters, digits or dashes", s.Epoch, maxEpoch)
	}
	if len(s.Lanes) > maxLanes || len(s.Why) > 300 || s.Budget < 0 || s.Spent < 0 {
		return fmt.Errorf("%d lanes, %d bytes of why, %d of %d bytes spent: out of bounds", len(s.Lanes), len(s.Why), s.Spent, s.Budget)
	}
	for _, l := range s.Lanes {
		if !validName(l.Lane) || l.Last > math.MaxInt64 || l.Acked > l.Last {
			return fmt.Errorf("lane %.40q: %d of %d acknowledged", l.Lane, l.Acked, l.Last)
		}
		for _, t := range []time.Time{l.Oldest, l.LastAck} {
			if y := t.UTC().Year(); y < 1 || y > 9998 {
				return fmt.Errorf("lane %s: want times", l.Lane)
			}
		}
	}
	return checkTime("at", s.At)
}

// EncodeState encodes the retained word on a store's line.
func EncodeState(s State) ([]byte, error) {
	s.V = Version
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("encode state: %w", err)
	}
	return encode(s)
}

// DecodeState decodes the retained word on a store's line.
func DecodeState(data []byte) (State, error) {
	var s State
	if err := decode(data, maxShort, &s); err != nil {
		return State{}, fmt.Errorf("decode state: %w: %w", ErrFormat, err)
	}
	if err := s.check(); err != nil {
		return State{}, fmt.Errorf("decode state: %w: %w", ErrFormat, err)
	}
	return s, nil
}
