package downlink

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"foyer/shop/member"
	"foyer/sync/journal"
	"foyer/sync/wire"
)

// asked is a store whose questions the test answers.
func asked(t *testing.T, j *journal.Journal) (*store, chan wire.MembersAsk) {
	questions := make(chan wire.MembersAsk, 10)
	s := &store{t: t, journal: j, pipe: pipe{}, reports: make(chan string, 100)}
	s.down = New(Config{
		Place: here, Journal: j, Pipe: s.pipe, Keys: trusted(1),
		Apply: map[string]func(wire.Snapshot) error{wire.Members: s.applyFamilies},
		Report: func(kind wire.Kind, a wire.Applied) {
			s.reports <- strings.TrimSpace(fmt.Sprintf("%s %s %d %s", kind, a.Snapshot, a.Version, a.Code))
		},
		Ask: func(what string, payload []byte) error {
			a, err := wire.DecodeMembersAsk(payload)
			if err != nil || what != wire.Members {
				t.Errorf("asked for %s: %v", what, err)
			}
			questions <- a
			return nil
		},
	})
	return s, questions
}

func (s *store) applyFamilies(snapshot wire.Snapshot) error {
	body, err := snapshot.Members()
	if err != nil {
		return err
	}
	var names strings.Builder
	for _, m := range body.Members {
		names.WriteString(m.Family)
	}
	s.note(fmt.Sprint("members ", snapshot.Version, " ", names.String()))
	return nil
}

// history is what headquarters has: version v has the first v of these families, and the first changes at each.
type history struct{ t *testing.T }

func (h history) body(version uint64) wire.MembersBody {
	var body wire.MembersBody
	for i, family := range []rune("陈李王赵孙")[:version] {
		m := member.Member{ID: member.ID(fmt.Sprint("m-", i)), Family: string(family)}
		if i == 0 {
			m.Family = fmt.Sprint(version)
		}
		body.Members = append(body.Members, m)
	}
	return body
}

func (h history) whole(version uint64) []byte {
	return seal(h.t, 1, wire.Members, version, h.body(version), nil)
}

func (h history) roster(version uint64) wire.Roster {
	s, err := wire.Open(h.whole(version), trusted(1))
	if err != nil {
		h.t.Fatal(err)
	}
	r, err := wire.ParseRoster(s.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func (h history) head(version uint64) []byte {
	return seal(h.t, 1, wire.MembersHead, version, wire.HeadBody{Digest: h.roster(version).Digest()}, nil)
}

func (h history) delta(from, to uint64) []byte {
	return seal(h.t, 1, wire.MembersDelta, to, h.roster(from).Diff(from, h.roster(to)), nil)
}

func wantAsk(t *testing.T, questions chan wire.MembersAsk, have uint64, r wire.Roster) {
	t.Helper()
	select {
	case a := <-questions:
		digest := wire.Digest{}
		if have > 0 {
			digest = r.Digest()
		}
		if a.Have != have || a.Digest != digest {
			t.Errorf("it asks with version %d (%s), want %d (%s)", a.Have, a.Digest, have, digest)
		}
	case <-time.After(generous):
		t.Fatal("it does not ask")
	}
}

// The head leads to a question, the question to the whole or a change, and what changes made lasts over restarts.
func TestMembersComeAsChanges(t *testing.T) {
	h := history{t}
	path := filepath.Join(t.TempDir(), "j")
	j, stopJournal := openJournal(t, path, journal.Options{})
	s, questions := asked(t, j)
	stop := background(t, "downlink", s.down.Run)
	s.pipe.send(wire.MembersHead, h.head(1))
	wantAsk(t, questions, 0, nil)
	s.pipe.send(wire.MembersWhole, h.whole(1))
	s.wantReport("snapshot.applied members 1")
	s.pipe.send(wire.MembersHead, h.head(1)) // as at each connection: nothing to do
	s.pipe.send(wire.MembersHead, h.head(2))
	wantAsk(t, questions, 1, h.roster(1))
	s.pipe.send(wire.MembersDelta, h.delta(1, 2))
	s.pipe.send(wire.MembersDelta, h.delta(1, 2)) // twice
	s.wantReport("snapshot.applied members 2")
	s.pipe.send(wire.MembersHead, h.head(4))
	wantAsk(t, questions, 2, h.roster(2))
	s.pipe.send(wire.MembersDelta, h.delta(2, 4))
	s.wantReport("snapshot.applied members 4")
	s.wantApplied("members 1 1", "members 2 2李", "members 4 4李王赵")
	stop()
	stopJournal()

	j, stopJournal = openJournal(t, path, journal.Options{})
	s, questions = asked(t, j)
	stop = background(t, "downlink", s.down.Run)
	s.pipe.send(wire.MembersHead, h.head(4))
	s.pipe.send(wire.MembersHead, h.head(3))
	s.wantReport("snapshot.refused members 3 older")
	s.pipe.send(wire.MembersHead, seal(t, 1, wire.MembersHead, 4, wire.HeadBody{}, nil))
	s.wantReport("snapshot.refused members 4 altered")
	s.pipe.send(wire.MembersHead, seal(t, 2, wire.MembersHead, 5, wire.HeadBody{}, nil))
	s.wantReport("snapshot.refused members 0 key")
	s.pipe.send(wire.MembersHead, h.head(5))
	wantAsk(t, questions, 4, h.roster(4))
	s.pipe.send(wire.MembersDelta, h.delta(4, 5))
	s.wantReport("snapshot.applied members 5")
	s.wantApplied("members 4 4李王赵", "members 5 5李王赵孙")
	stop()
	stopJournal()

	// A byte of what was kept turns: what was before it is in force, and the whole is asked for, of the very same version.
	j, stopJournal = openJournal(t, path, journal.Options{})
	defer stopJournal()
	_, kept, _ := j.Snapshot(wire.Members)
	kept[len(kept)-20] ^= 1
	if err := j.PutSnapshot(t.Context(), wire.Members, 5, kept); err != nil {
		t.Fatal(err)
	}
	s, questions = asked(t, j)
	background(t, "downlink", s.down.Run)
	s.wantReport("snapshot.refused members 5 not_kept")
	s.pipe.send(wire.MembersHead, h.head(5))
	wantAsk(t, questions, 0, nil)
	s.pipe.send(wire.MembersWhole, h.whole(5))
	s.wantReport("snapshot.applied members 5")
	s.wantApplied("members 4 4李王赵", "members 5 5李王赵孙")
}

// A change that does not fit changes nothing and leads to the whole.
func TestDoubtLeadsToTheWhole(t *testing.T) {
	h := history{t}
	for name, bad := range map[string][]byte{
		"another start": h.delta(2, 3),
		"another end": seal(t, 1, wire.MembersDelta, 3, func() wire.DeltaBody {
			d := h.roster(1).Diff(1, h.roster(3))
			d.Digest[0] ^= 1
			return d
		}(), nil),
	} {
		t.Run(name, func(t *testing.T) {
			j, _ := openJournal(t, filepath.Join(t.TempDir(), "j"), journal.Options{})
			s, questions := asked(t, j)
			background(t, "downlink", s.down.Run)
			s.pipe.send(wire.MembersWhole, h.whole(1))
			s.wantReport("snapshot.applied members 1")
			s.pipe.send(wire.MembersHead, h.head(3))
			wantAsk(t, questions, 1, h.roster(1))
			s.pipe.send(wire.MembersDelta, bad)
			wantAsk(t, questions, 0, nil)
			s.pipe.send(wire.MembersWhole, h.whole(3))
			s.wantReport("snapshot.applied members 3")
			s.wantApplied("members 1 1", "members 3 3李王")
		})
	}
}

// In virtual time: a lost answer is asked for again, ever more rarely, until it comes.
func TestALostAnswerIsAskedForAgain(t *testing.T) {
	h := history{t}
	path := filepath.Join(t.TempDir(), "j")
	synctest.Test(t, func(t *testing.T) {
		j, _ := openJournal(t, path, journal.Options{})
		s, questions := asked(t, j)
		background(t, "downlink", s.down.Run)
		began := time.Now()
		s.pipe.send(wire.MembersHead, h.head(2))
		for _, want := range []time.Duration{0, 30 * time.Second, 90 * time.Second, 210 * time.Second} {
			wantAskAt(t, questions, began, want)
		}
		s.pipe.send(wire.MembersWhole, h.whole(2))
		s.wantReport("snapshot.applied members 2")
		time.Sleep(time.Hour)
		if len(questions) > 0 {
			t.Error("it asks although it has all")
		}
	})
}

// What is retained comes a moment before the line takes anything: then the question is asked as soon as it does.
func TestAQuestionThatTheLineDidNotTakeIsAskedSoon(t *testing.T) {
	h := history{t}
	path := filepath.Join(t.TempDir(), "j")
	synctest.Test(t, func(t *testing.T) {
		j, _ := openJournal(t, path, journal.Options{})
		s, questions := asked(t, j)
		refusals, ask := 2, s.down.c.Ask
		s.down.c.Ask = func(what string, payload []byte) error {
			if refusals > 0 {
				refusals--
				return errors.New("the line is down")
			}
			return ask(what, payload)
		}
		background(t, "downlink", s.down.Run)
		began := time.Now()
		s.pipe.send(wire.MembersHead, h.head(2))
		for _, want := range []time.Duration{2 * time.Second, 32 * time.Second} {
			wantAskAt(t, questions, began, want)
		}
	})
}

func wantAskAt(t *testing.T, questions chan wire.MembersAsk, began time.Time, want time.Duration) {
	t.Helper()
	<-questions
	if got := time.Since(began); got != want {
		t.Errorf("it asks after %v, want %v", got, want)
	}
}

// FuzzRebuilt: any bytes in the journal give members proven by a signature, or an error.
func FuzzRebuilt(f *testing.F) {
	f.Add([]byte(rebuiltMagic))
	kept, err := rebuild([]byte("proof"), []byte(`{"members":[]}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(kept)
	d := &Downlink{c: Config{Place: here, Keys: trusted(1)}}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := d.reopen(wire.Members, data); err == nil {
			t.Fatal("nobody signed this")
		}
		proof, body, err := parts(data)
		if err == nil && (len(proof) > len(data) || len(body) > wire.MaxOpened) {
			t.Fatal("too much")
		}
	})
}
