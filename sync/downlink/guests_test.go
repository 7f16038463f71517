package downlink

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"
	"foyer/sync/journal"
	"foyer/sync/known"
	"foyer/sync/wire"
)

// host is a store that asks for members, and the headquarters that a test plays.
type host struct {
	*store
	questions chan wire.MemberAsk
	parts     chan wire.ChunkAsk

	mu       sync.Mutex
	guests   []string
	answered int
	offline  bool
}

func newHost(t *testing.T, j *journal.Journal) *host {
	h := &host{store: &store{t: t, journal: j, pipe: pipe{}, reports: make(chan string, 1000)}, questions: make(chan wire.MemberAsk, 100), parts: make(chan wire.ChunkAsk, 100)}
	h.down = New(Config{
		Place: here, Journal: j, Pipe: h.pipe, Keys: trusted(1),
		Apply: map[string]func(wire.Snapshot) error{wire.Members: h.applyFamilies},
		Report: func(kind wire.Kind, a wire.Applied) {
			h.reports <- fmt.Sprint(kind, " ", a.Snapshot, " ", a.Version, " ", a.Code)
		},
		Guests: func(all []member.Member) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.guests = nil
			for _, m := range all {
				h.guests = append(h.guests, m.Family)
			}
		},
		Ask: h.ask,
	})
	return h
}

func (h *host) ask(what string, payload []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.offline {
		return fmt.Errorf("the line is down")
	}
	switch what {
	case wire.MemberTopic:
		a, err := wire.DecodeMemberAsk(payload)
		if err != nil {
			h.t.Error(err)
		}
		h.questions <- a
	case wire.KnownParts:
		a, err := wire.DecodeChunkAsk(payload)
		if err != nil {
			h.t.Error(err)
		}
		h.parts <- a
	}
	return nil
}

// filter is a filter of known tags and its signed head.
func filterHead(t *testing.T, version uint64, base, list []byte, n int) []byte {
	return seal(t, 1, wire.Known, version, wire.KnownBody{Tags: n, Filter: sha256.Sum256(base), FilterLen: int64(len(base)), List: sha256.Sum256(list), ListLen: int64(len(list))}, nil)
}

func built(t *testing.T, tags ...tag.ID) []byte {
	f, err := known.Build(tags)
	if err != nil {
		t.Fatal(err)
	}
	return f.Bytes()
}

// serve answers one question for a part.
func (h *host) serve(file []byte, total int64) wire.ChunkAsk {
	h.t.Helper()
	select {
	case a := <-h.parts:
		c := wire.Chunk{Digest: a.Digest, Offset: a.Offset, Total: total}
		if total >= 0 {
			c.Data = file[a.Offset:min(int64(len(file)), a.Offset+int64(a.Length))]
		}
		data, err := wire.EncodeChunk(c)
		if err != nil {
			h.t.Fatal(err)
		}
		h.pipe.send(wire.KnownParts, data)
		return a
	case <-time.After(generous):
		h.t.Fatal("no part is asked for")
		return wire.ChunkAsk{}
	}
}

// open brings a store up with nobody at hand and a filter that has the tags 1 to 9.
func (h *host) open(stop func()) {
	h.t.Helper()
	h.pipe.send(wire.MembersWhole, seal(h.t, 1, wire.Members, 1, wire.MembersBody{Members: []member.Member{}}, nil))
	h.wantReport("snapshot.applied members 1 ")
	var all []tag.ID
	for n := range byte(9) {
		all = append(all, tag.ID{n + 1})
	}
	base := built(h.t, all...)
	h.pipe.send(wire.Known, filterHead(h.t, 1, base, nil, 9))
	h.serve(base, int64(len(base)))
	h.wantReport("snapshot.applied known 1 ")
}

func (h *host) said(a wire.MemberAsk, change func(*wire.MemberBody)) wire.MemberBody {
	raw, _ := json.Marshal(member.Member{ID: "m-1", Family: "Guest", Tags: []tag.ID{a.Tags[0]}, Consents: []member.Purpose{member.Recognise}})
	b := wire.MemberBody{Nonce: a.Nonce, Tags: a.Tags, Member: raw}
	if change != nil {
		change(&b)
	}
	return b
}

func forStore(name string, at time.Time) func(*wire.Snapshot) {
	return func(s *wire.Snapshot) { s.Store, s.MadeAt = name, at }
}

func (h *host) asks(id tag.ID) bool {
	return h.down.Ask(id, tag.ID{}, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.answered++
	})
}

func (h *host) now() (guests string, answered int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.guests, " "), h.answered
}

// playing runs a test in a bubble of its own time, with a host that is open.
func playing(t *testing.T, play func(t *testing.T, h *host)) {
	synctest.Test(t, func(t *testing.T) {
		j, stopJournal := openJournal(t, filepath.Join(t.TempDir(), "j"), journal.Options{})
		h := newHost(t, j)
		stop := background(t, "downlink", h.down.Run)
		h.open(stop)
		play(t, h)
		stop()
		stopJournal()
	})
}

func TestOnlyTheAnswerToAQuestionIsTaken(t *testing.T) {
	playing(t, func(t *testing.T, h *host) {
		if h.down.Maybe(tag.ID{77}, tag.ID{}) || h.asks(tag.ID{77}) {
			t.Error("a stranger is asked for")
		}
		first := h.asks(tag.ID{1})
		if again := h.asks(tag.ID{1}); !first || !again {
			t.Fatal("it does not ask")
		}
		q := <-h.questions
		other := q
		other.Nonce[0]++
		for name, bad := range map[string][]byte{
			"forged":              seal(t, 2, wire.MemberTopic, 1, h.said(q, nil), forStore(here.Store, noon)),
			"for another store":   seal(t, 1, wire.MemberTopic, 1, h.said(q, nil), forStore("elsewhere", noon)),
			"for all stores":      seal(t, 1, wire.MemberTopic, 1, h.said(q, nil), nil),
			"to another question": seal(t, 1, wire.MemberTopic, 1, h.said(other, nil), forStore(here.Store, noon)),
			"of another tag":      seal(t, 1, wire.MemberTopic, 1, h.said(q, func(b *wire.MemberBody) { b.Tags = []tag.ID{{2}} }), forStore(here.Store, noon)),
			"of somebody else": seal(t, 1, wire.MemberTopic, 1, h.said(q, func(b *wire.MemberBody) {
				b.Member = json.RawMessage(`{"id":"m-2","tags":["02000000000000000000000000000000"],"consents":["recognise"]}`)
			}), forStore(here.Store, noon)),
			"of who is not to be recognised": seal(t, 1, wire.MemberTopic, 1, h.said(q, func(b *wire.MemberBody) {
				b.Member = json.RawMessage(`{"id":"m-2","tags":["01000000000000000000000000000000"],"consents":[]}`)
			}), forStore(here.Store, noon)),
			"that breaks a rule": seal(t, 1, wire.MemberTopic, 1, h.said(q, func(b *wire.MemberBody) { b.Member = json.RawMessage(`{"id":""}`) }), forStore(here.Store, noon)),
			"that is nothing":    []byte("nothing"),
		} {
			before := h.down.Guesting().Refused
			h.pipe.send(wire.MemberTopic, bad)
			synctest.Wait()
			if guests, answered := h.now(); guests != "" || answered != 0 || h.down.Guesting().Refused != before+1 {
				t.Fatalf("an answer %s is taken: %q, %d", name, guests, answered)
			}
		}
		good := seal(t, 1, wire.MemberTopic, 1, h.said(q, nil), forStore(here.Store, noon.Add(time.Hour)))
		h.pipe.send(wire.MemberTopic, good)
		synctest.Wait()
		if guests, answered := h.now(); guests != "Guest" || answered != 2 {
			t.Errorf("%q, %d: want the guest, and both who asked told", guests, answered)
		}
		h.pipe.send(wire.MemberTopic, good) // replayed
		synctest.Wait()
		if g := h.down.Guesting(); g.Refused != 10 || g.Asked != 1 || g.Named != 1 || g.Held != 1 || len(h.questions) != 0 {
			t.Errorf("%+v", g)
		}
		// Newer members come into force, and the guest is not among them: not to be known any more.
		h.pipe.send(wire.MembersWhole, seal(t, 1, wire.Members, 2, wire.MembersBody{Members: []member.Member{}}, func(s *wire.Snapshot) { s.MadeAt = noon.Add(2 * time.Hour) }))
		h.wantReport("snapshot.applied members 2 ")
		synctest.Wait()
		if guests, _ := h.now(); guests != "" {
			t.Errorf("%q is still a guest", guests)
		}
	})
}

func TestQuestionsEnd(t *testing.T) {
	playing(t, func(t *testing.T, h *host) {
		h.asks(tag.ID{1})
		time.Sleep(answerLate)
		synctest.Wait()
		if g := h.down.Guesting(); g.Late != 0 {
			t.Errorf("after half a second: %+v", g)
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if _, answered := h.now(); h.down.Guesting().Late != 1 || answered != 0 {
			t.Errorf("a moment later: %+v", h.down.Guesting())
		}
		// What comes late still counts.
		h.pipe.send(wire.MemberTopic, seal(t, 1, wire.MemberTopic, 1, h.said(<-h.questions, nil), forStore(here.Store, noon.Add(time.Hour))))
		synctest.Wait()
		if guests, answered := h.now(); guests != "Guest" || answered != 1 {
			t.Errorf("%q, %d", guests, answered)
		}
		h.asks(tag.ID{2})
		time.Sleep(answerLost + time.Second)
		synctest.Wait()
		if _, answered := h.now(); answered != 2 {
			t.Error("a question that nobody answers does not end")
		}
		h.mu.Lock()
		h.offline = true
		h.mu.Unlock()
		h.asks(tag.ID{3})
		synctest.Wait()
		if _, answered := h.now(); answered != 3 {
			t.Error("without a line a question does not end at once")
		}
	})
}

// Nobody stays nobody for an hour, or until the filter is another; and no more of them are remembered than maxNobodies.
func TestNobodies(t *testing.T) {
	playing(t, func(t *testing.T, h *host) {
		nobody := func(n byte) {
			h.asks(tag.ID{n})
			q := <-h.questions
			h.pipe.send(wire.MemberTopic, seal(t, 1, wire.MemberTopic, 1, h.said(q, func(b *wire.MemberBody) { b.Member = nil }), forStore(here.Store, noon)))
			synctest.Wait()
		}
		nobody(1)
		if h.down.Maybe(tag.ID{1}, tag.ID{}) || h.down.Guesting().Nobody != 1 {
			t.Error("nobody is asked for again")
		}
		time.Sleep(nobodyFor + time.Second)
		if !h.down.Maybe(tag.ID{1}, tag.ID{}) {
			t.Error("after an hour somebody may be somebody")
		}
		nobody(2)
		base := built(t, tag.ID{2}, tag.ID{3})
		h.pipe.send(wire.Known, filterHead(t, 2, base, nil, 2))
		h.serve(base, int64(len(base)))
		h.wantReport("snapshot.applied known 2 ")
		if !h.down.Maybe(tag.ID{2}, tag.ID{}) {
			t.Error("with another filter somebody may be somebody")
		}
		for n := range 2 * maxNobodies {
			h.down.nobody([]tag.ID{{1, byte(n), byte(n >> 8)}})
		}
		if n := len(h.down.guests.nobodies); n != maxNobodies {
			t.Errorf("%d are remembered", n)
		}
	})
}

// The filter comes in parts and goes on where it stopped; its list only by what was added; and only what headquarters signed is in force.
func TestTheFilterComesInParts(t *testing.T) {
	playing(t, func(t *testing.T, h *host) {
		var all []tag.ID
		for n := range 200_000 {
			all = append(all, tag.ID{1, byte(n), byte(n >> 8), byte(n >> 16)})
		}
		base := built(t, all...)
		h.pipe.send(wire.Known, filterHead(t, 2, base, nil, len(all)))
		h.serve(base, int64(len(base)))
		list := known.AppendMark(nil, tag.ID{9, 9})
		synctest.Wait()
		<-h.parts                                                         // lost on the way
		h.pipe.send(wire.Known, filterHead(t, 3, base, list, len(all)+1)) // a newer one meanwhile, of the same filter
		time.Sleep(partLost)
		var last wire.ChunkAsk
		for last.Digest != sha256.Sum256(list) {
			file := base
			synctest.Wait()
			if a := <-h.parts; true {
				h.parts <- a
				if a.Digest == sha256.Sum256(list) {
					file = list
				}
			}
			if last = h.serve(file, int64(len(file))); last.Offset == 0 && last.Digest == sha256.Sum256(base) {
				t.Fatal("what was there is fetched again")
			}
		}
		h.wantReport("snapshot.applied known 3 ")
		more := known.AppendMark(slices.Clone(list), tag.ID{8, 8})
		h.pipe.send(wire.Known, filterHead(t, 4, base, more, len(all)+2))
		if a := h.serve(more, int64(len(more))); a.Offset != known.MarkBytes || a.Length != known.MarkBytes {
			t.Errorf("of a list that has grown it asks for %+v", a)
		}
		h.wantReport("snapshot.applied known 4 ")
		if !h.down.Maybe(all[0], tag.ID{}) || !h.down.Maybe(tag.ID{9, 9}, tag.ID{}) || !h.down.Maybe(tag.ID{}, tag.ID{8, 8}) {
			t.Error("a tag is not known")
		}
		h.pipe.send(wire.Known, filterHead(t, 2, base, nil, len(all)))
		h.wantReport("snapshot.refused known 2 older")
		other := built(t, tag.ID{1})
		h.pipe.send(wire.Known, filterHead(t, 5, other, nil, 1))
		lie := slices.Clone(other)
		lie[len(lie)-1] ^= 1
		h.serve(lie, int64(len(lie)))
		h.wantReport("snapshot.refused known 5 digest")
		time.Sleep(fetchRest)
		h.serve(nil, -1)
		h.wantReport("snapshot.refused known 5 absent")
		if !h.down.Maybe(tag.ID{9, 9}, tag.ID{}) || h.down.InForce(wire.Known) != 4 {
			t.Error("the filter before is not in force any more")
		}
		h.pipe.send(wire.Known, seal(t, 1, wire.Known, 6, wire.KnownBody{}, nil))
		h.wantReport("snapshot.applied known 6 ")
		if h.down.Maybe(tag.ID{9, 9}, tag.ID{}) {
			t.Error("without a filter somebody is asked for")
		}
	})
}

// FuzzAnswer: whatever headquarters signs, or anybody sends, is an answer or is refused.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"nonce":"01020000000000000000000000000000","tags":["01000000000000000000000000000000"],"member":{"id":"m-2","tags":["01000000000000000000000000000000"],"consents":["recognise"]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) {
			return
		}
		b, err := (wire.Snapshot{Kind: wire.MemberTopic, Body: data}).Member()
		if err != nil {
			return
		}
		if m, err := readGuest(b); err == nil && (m.ID == "" || !m.Allows(member.Recognise)) {
			t.Fatalf("%+v is taken", m)
		}
	})
}
