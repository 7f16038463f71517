package shop

import (
	"context"
	"errors"
	"fmt"
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"
)

// ErrNoNote is returned for a note that is not there any more.
var ErrNoNote = errors.New("there is no such note: it may have been dealt with")

// maxNotes bounds the notes: the oldest goes.
const maxNotes = 50

// BlockedSeen is a note for staff: a lost or stolen tag turned up. It stays until somebody says that it was dealt with.
type BlockedSeen struct {
	ID     string
	At     time.Time // when it was seen last
	Zone   Text
	Member member.ID // whose it was; empty if that is not to be known any more
	Name   Text      // how staff may call them; nil without Member
	Times  int       // how often it was seen
	By     string    // who dealt with it; empty while nobody has
}

func (BlockedSeen) event() {}

// BlockedTagHandled says that staff dealt with a lost tag that turned up.
type BlockedTagHandled struct {
	Member member.ID
	By     string
	Waited time.Duration // since it was seen last
}

func (BlockedTagHandled) fact() {}

// notes are those that nobody has dealt with, by the tag that they are about.
type notes map[tag.ID]*BlockedSeen

// turnedUp tells staff and the records of a blocked tag. One that is seen again before somebody came is the same note.
func (s *Shop) turnedUp(id tag.ID, m *member.Member, zone string) {
	n := s.notes[id]
	if n == nil {
		if len(s.notes) >= maxNotes {
			s.notes.dropOldest()
		}
		n = &BlockedSeen{ID: s.cfg.NewID()}
		s.notes[id] = n
	}
	n.At, n.Zone = s.now, s.zoneName(zone)
	n.Times++
	if m != nil {
		n.Member, n.Name = m.ID, s.called(m)
	}
	s.cfg.Screens.Show(*n)
	s.cfg.Ledger.Record(Fact{At: s.now, Body: BlockedTagSeen{Zone: zone, Member: n.Member}, Of: n.Member}, nil)
}

func (n notes) dropOldest() {
	var oldest tag.ID
	for id, x := range n {
		if n[oldest] == nil || x.At.Before(n[oldest].At) {
			oldest = id
		}
	}
	delete(n, oldest)
}

// Dismiss says that somebody dealt with a note, or went to who had called. It returns when that is durable. Its errors are ErrNoNote, ErrBy,
// ErrStopped, the journal's, or the context's.
func (s *Shop) Dismiss(ctx context.Context, note, by string) error {
	if !shortText(by, 40) {
		return ErrBy
	}
	reply := make(chan error, 1)
	return s.ask(ctx, request{reply: reply, do: func(s *Shop) {
		if s.calling != nil && s.calling.ID == note {
			s.came(s.calling, by, reply)
			return
		}
		for id, n := range s.notes {
			if n.ID == note {
				s.dismiss(id, n, by, reply)
				return
			}
		}
		reply <- ErrNoNote
	}})
}

func (s *Shop) dismiss(id tag.ID, n *BlockedSeen, by string, reply chan error) {
	body := BlockedTagHandled{n.Member, by, s.now.Sub(n.At)}
	s.cfg.Ledger.Record(Fact{At: s.now, Body: body, Of: n.Member}, func(err error) {
		s.outcomes.add(func() {
			if err != nil {
				reply <- fmt.Errorf("record that the note was dealt with: %w", err)
				return
			}
			n.By = by
			s.cfg.Screens.Show(*n)
			if s.notes[id] == n { // somebody else may have been as quick
				delete(s.notes, id)
			}
			reply <- nil
		})
		s.nudge(s.settled)
	})
}
