package hq

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"foyer/hq/store"
	"foyer/hq/store/storetest"
	"foyer/reader/tag"
	"foyer/shop/member"
	fuse "foyer/sync/known"
	"foyer/sync/wire"
)

// mail is a broker of which a test looks into every letter.
type mail struct {
	sent chan letter

	mu       sync.Mutex
	retained map[string][]byte
}

type letter struct {
	topic   string
	payload []byte
}

func (m *mail) Run(context.Context, func(string, []byte) error) error { return nil }

func (m *mail) Publish(topic string, retain bool, payload []byte) error {
	if retain {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.retained[topic] = payload
		return nil
	}
	m.sent <- letter{topic, payload}
	return nil
}

func (m *mail) Online() (bool, time.Time) { return true, time.Time{} }

// branch is headquarters whose stores have their regulars alone, and whose clock a test moves. Nothing runs by itself: the test
// delivers and publishes.
type branch struct {
	*HQ
	t     testing.TB
	mail  *mail
	send  func(string, []byte) error
	ahead atomic.Int64
}

func newBranch(t testing.TB, r Regulars, stores ...string) *branch {
	b := &branch{t: t, mail: &mail{sent: make(chan letter, 1000), retained: map[string][]byte{}}}
	noon := time.Date(2026, 9, 30, 12, 0, 0, 0, time.UTC)
	var err error
	if b.HQ, err = Open(Config{Dir: storetest.Link(t, t.TempDir()), Chain: "harbour", TagSecret: bytes.Repeat([]byte{7}, 32), Regulars: r,
		Now: func() time.Time { return noon.Add(time.Duration(b.ahead.Load())) }}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	b.broker = b.mail
	b.send = func(topic string, payload []byte) error { return b.deliver(t.Context(), topic, payload) }
	for _, id := range stores {
		if _, err := b.AddStore(t.Context(), id, "", id); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// publish looks what is to be published, as the publisher does.
func (b *branch) publish() {
	b.t.Helper()
	if err := b.publishAll(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
}

func (b *branch) put(all ...store.Person) {
	b.t.Helper()
	revision, err := b.db.Revision(b.t.Context(), Members)
	if err == nil {
		err = b.db.PutMembers(b.t.Context(), revision, all, b.Now())
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

func person(id string, tags ...byte) store.Person {
	p := store.Person{Member: member.Member{ID: member.ID(id), Family: "Family-" + id, Consents: []member.Purpose{member.Recognise}}}
	for _, n := range tags {
		p.Tags = append(p.Tags, tag.ID{n})
	}
	return p
}

func (b *branch) visits(id, who string, at time.Time) {
	b.t.Helper()
	_, err := b.db.Ingest(b.t.Context(), store.Batch{Store: id, Epoch: "e", Lane: "main", First: b.next(id), Received: b.Now(),
		Records: []wire.Record{wire.NewRecord(wire.VisitStarted, at, wire.Visit{Visit: id + who + at.String(), Member: who, Nth: 1})}})
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *branch) next(id string) uint64 {
	n, err := b.db.Watermark(b.t.Context(), id, "e", "main")
	if err != nil {
		b.t.Fatal(err)
	}
	return n + 1
}

func (b *branch) open(sealed []byte) wire.Snapshot {
	b.t.Helper()
	id, key := b.PublicKey()
	s, err := wire.Open(sealed, map[string]ed25519.PublicKey{id: key})
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *branch) retained(id, kind string) wire.Snapshot {
	b.t.Helper()
	b.mail.mu.Lock()
	defer b.mail.mu.Unlock()
	sealed := b.mail.retained[at(id).Down(kind)]
	if sealed == nil {
		b.t.Fatalf("nothing of %s is before store %s", kind, id)
	}
	return b.open(sealed)
}

// answer is what a question brings.
func (b *branch) answer(topic string, payload []byte, err error) []byte {
	b.t.Helper()
	for len(b.mail.sent) > 0 {
		<-b.mail.sent
	}
	if err == nil {
		err = b.send(topic, payload)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	select {
	case l := <-b.mail.sent:
		return l.payload
	case <-time.After(patience):
		b.t.Fatalf("nothing answers on %s", topic)
		return nil
	}
}

// shopOf is what a store would have after asking: it follows the protocol.
type shopOf struct {
	version uint64
	roster  wire.Roster
}

// sync brings a store's roster to what its head says, and tells in what kind of snapshot that came.
func (b *branch) sync(id string, s *shopOf) (kind string) {
	b.t.Helper()
	head := b.retained(id, wire.MembersHead)
	body, err := head.Head()
	if err != nil || head.Store != id {
		b.t.Fatalf("head for %q: %v", head.Store, err)
	}
	if head.Version == s.version {
		return ""
	}
	ask, err := wire.EncodeMembersAsk(wire.MembersAsk{Have: s.version, Digest: s.roster.Digest()})
	b.mu.Lock()
	clear(b.wholes)
	b.mu.Unlock()
	got := b.open(b.answer(at(id).Ask(wire.Members), ask, err))
	if got.Kind == wire.MembersDelta {
		d, err := got.Delta()
		if err == nil {
			s.roster, err = s.roster.Apply(d)
		}
		if err != nil {
			b.t.Fatal(err)
		}
	} else if s.roster, err = wire.ParseRoster(got.Body); err != nil {
		b.t.Fatal(err)
	}
	if s.version = got.Version; s.version != head.Version || s.roster.Digest() != body.Digest || got.Store != id {
		b.t.Fatalf("version %d for %q, the head says %d", s.version, got.Store, head.Version)
	}
	return got.Kind
}

func (s *shopOf) ids() (all []string) {
	for id := range s.roster.All() {
		all = append(all, string(id))
	}
	return all
}

func (s *shopOf) want(t testing.TB, ids ...string) {
	t.Helper()
	if diff := cmp.Diff(ids, s.ids()); diff != "" {
		t.Errorf("the roster differs: %s", diff)
	}
}

// Each store has those who visited it, for a time, and those who were marked for it; who comes anew within the hour, whoever changes
// at once.
func TestEachStoreHasItsRegulars(t *testing.T) {
	b := newBranch(t, Regulars{Above: -1, For: 10 * 24 * time.Hour}, "a", "b")
	b.put(person("m-1", 1), person("m-2", 2), person("m-3", 3))
	b.visits("a", "m-1", b.Now().Add(-time.Hour))
	b.visits("b", "m-2", b.Now().Add(-11*24*time.Hour))
	if err := b.MarkRegular(t.Context(), "b", "m-3", true); err != nil {
		t.Fatal(err)
	}
	if err := b.MarkRegular(t.Context(), "b", "m-9", true); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a member who is none is marked: %v", err)
	}
	b.ahead.Add(int64(time.Hour))
	b.publish()
	var shopA, shopB shopOf
	if kind := b.sync("a", &shopA); kind != Members {
		t.Errorf("the first is a %s", kind)
	}
	b.sync("b", &shopB)
	shopA.want(t, "m-1")
	shopB.want(t, "m-3")

	b.visits("a", "m-3", b.Now())
	b.publish()
	if kind := b.sync("a", &shopA); kind != "" {
		t.Errorf("who comes anew is told of at once, by %s", kind)
	}
	b.ahead.Add(int64(time.Hour))
	b.publish()
	if kind := b.sync("a", &shopA); kind != wire.MembersDelta {
		t.Errorf("a change comes as %q", kind)
	}
	shopA.want(t, "m-1", "m-3")

	changed := person("m-3", 3)
	changed.Family = "New"
	b.put(changed)
	b.publish()
	b.sync("a", &shopA)
	if b.sync("b", &shopB); !bytes.Contains(shopA.roster.Body(), []byte("New")) || !bytes.Contains(shopB.roster.Body(), []byte("New")) {
		t.Error("a change is not in all stores that know the member")
	}
	stores, err := b.Stores(t.Context())
	if err != nil || stores[0].Regulars == nil || stores[0].Regulars.Members != 2 || stores[0].Regulars.Known.Newest == 0 || stores[0].Snapshot[Members].Newest != shopA.version {
		t.Errorf("the fleet says %+v, %v", stores[0].Regulars, err)
	}

	b.ahead.Add(int64(11 * 24 * time.Hour))
	b.publish()
	b.sync("a", &shopA)
	b.sync("b", &shopB)
	shopA.want(t)
	shopB.want(t, "m-3")
	none := person("m-3", 3)
	none.Consents = nil
	b.put(none)
	b.publish()
	b.sync("b", &shopB)
	shopB.want(t)
}

func (b *branch) ask(id string, tags ...tag.ID) (wire.Snapshot, wire.MemberBody) {
	b.t.Helper()
	question := wire.MemberAsk{Nonce: wire.NewNonce(), Tags: tags}
	payload, err := wire.EncodeMemberAsk(question)
	s := b.open(b.answer(at(id).Ask(wire.MemberTopic), payload, err))
	body, err := s.Member()
	if err != nil || !body.Answers(question) || s.Store != id {
		b.t.Fatalf("%+v for %q, %v", body, s.Store, err)
	}
	return s, body
}

// Whoever a store was told of it hears of: the next roster has them, or says that they are not to be known.
func TestWhoIsToldOfIsHeardOf(t *testing.T) {
	b := newBranch(t, Regulars{Above: -1}, "a")
	b.put(person("m-1", 1), person("m-2", 2))
	b.publish()
	var shopA shopOf
	b.sync("a", &shopA)
	said, body := b.ask("a", tag.ID{1})
	if !bytes.Contains(body.Member, []byte("Family-m-1")) {
		t.Fatalf("the answer is %s", body.Member)
	}
	b.ask("a", tag.ID{2})
	if _, body := b.ask("a", tag.ID{9}, tag.ID{8}); body.Member != nil {
		t.Errorf("a stranger is %s", body.Member)
	}
	none := person("m-2", 2)
	none.Consents = nil
	b.ahead.Add(int64(time.Second))
	b.put(none) // before any roster had them
	b.publish()
	if kind := b.sync("a", &shopA); kind != wire.MembersDelta {
		t.Errorf("%q", kind)
	}
	shopA.want(t, "m-1")
	head := b.retained("a", wire.MembersHead)
	if roster, _ := b.db.ShopRoster(t.Context(), "a"); !said.MadeAt.Before(roster.MadeAt) || head.Version != roster.Version {
		t.Errorf("answer of %s, roster of %s", said.MadeAt, roster.MadeAt)
	}
	if at, err := b.db.RegularAt(t.Context(), "m-1"); err != nil || len(at) != 1 || at[0].Store != "a" || at[0].Asked || !at[0].Told() {
		t.Errorf("%+v, %v", at, err)
	}
}

// A shorter form that two members have is nobody's, also for a store that knows only one of them; and of a whole number that is
// another's shorter form it is the whole number's.
func TestSharedFormsAreNobodysEverywhere(t *testing.T) {
	b := newBranch(t, Regulars{Above: -1}, "a")
	one, two, three, four := person("m-1", 1), person("m-2", 2), person("m-3", 3), person("m-4", 30)
	one.Also, two.Also = []tag.ID{{20}, {30}}, []tag.ID{{20}, {21}}
	b.put(one, two, three, four)
	if err := b.MarkRegular(t.Context(), "a", "m-1", true); err != nil {
		t.Fatal(err)
	}
	b.publish()
	var shopA shopOf
	b.sync("a", &shopA)
	m := b.theirs(&shopA)["m-1"]
	if diff := cmp.Diff([]tag.ID{{20}}, m.Shared); diff != "" || len(m.Tags) != 1 {
		t.Errorf("tags %v, shared %v", m.Tags, m.Shared)
	}
	for n, want := range map[byte]string{20: "", 21: "m-2", 30: "m-4", 2: "m-2", 3: "m-3"} {
		if _, body := b.ask("a", tag.ID{n}); bytes.Contains(body.Member, []byte(`"`+want+`"`)) != (want != "") || want == "" && body.Member != nil {
			t.Errorf("tag %d is %s, want %q", n, body.Member, want)
		}
	}
	// The other lets go of it: the store hears at once that it is its member's now.
	two.Also = two.Also[1:]
	b.put(two)
	b.publish()
	b.sync("a", &shopA)
	if m := b.theirs(&shopA)["m-1"]; len(m.Shared) != 0 || len(m.Tags) != 2 {
		t.Errorf("tags %v, shared %v", m.Tags, m.Shared)
	}
	tags, _, err := b.db.KnownTags(t.Context())
	if err != nil || len(tags) != 6 {
		t.Errorf("%d known tags, %v", len(tags), err)
	}
}

func (b *branch) theirs(s *shopOf) map[member.ID]member.Member {
	b.t.Helper()
	body, err := (wire.Snapshot{Kind: Members, Body: s.roster.Body()}).Members()
	if err != nil {
		b.t.Fatal(err)
	}
	all := map[member.ID]member.Member{}
	for _, m := range body.Members {
		all[m.ID] = m
	}
	return all
}

// Too many questions are not answered, and nobody else's store is the worse for it.
func TestQuestionsHaveALimit(t *testing.T) {
	b := newBranch(t, Regulars{Above: -1}, "a", "b")
	now := time.Now()
	for n := range questionsBurst {
		if !b.mayAsk("a", now) {
			t.Fatalf("question %d is one too many", n)
		}
	}
	if b.mayAsk("a", now) || !b.mayAsk("b", now) || !b.mayAsk("a", now.Add(time.Second)) {
		t.Error("the limit is another")
	}
	if q := b.questions["a"].Questions; q.Asked != questionsBurst+2 || q.Limited != 1 {
		t.Errorf("%+v", q)
	}
	if err := b.send(at("a").Ask(wire.MemberTopic), []byte("{}")); err != nil || b.presenceOf("a").bad != 1 {
		t.Errorf("what is no question: %v", err)
	}
}

// fetch gets a file in parts, from an offset on.
func (b *branch) fetch(digest wire.Digest, from []byte) []byte {
	b.t.Helper()
	for {
		payload, err := wire.EncodeChunkAsk(wire.ChunkAsk{Digest: digest, Offset: int64(len(from)), Length: wire.MaxChunk})
		c, err := wire.DecodeChunk(b.answer(at("a").Ask(wire.KnownParts), payload, err))
		if err != nil {
			b.t.Fatal(err)
		}
		if from = append(from, c.Data...); int64(len(from)) >= c.Total {
			return from
		}
	}
}

// The filter is built once; who joins goes into a list that only grows, until a night in which it is built anew.
func TestTheFilterOfKnownTags(t *testing.T) {
	b := newBranch(t, Regulars{Above: -1}, "a")
	b.put(person("m-1", 1))
	b.ahead.Add(int64(time.Hour))
	b.publish()
	first := b.retained("a", wire.Known)
	one, err := first.Known()
	if err != nil || one.Tags != 1 {
		t.Fatalf("%+v, %v", one, err)
	}
	many := func(from, n int) {
		var all []store.Person
		for i := from; i < from+n; i++ {
			p := person(fmt.Sprint("n-", i))
			p.Tags = []tag.ID{{}}
			binary.BigEndian.PutUint32(p.Tags[0][4:], uint32(i)+1)
			all = append(all, p)
		}
		b.put(all...)
		b.publish()
	}
	many(0, 10)
	if again := b.retained("a", wire.Known); again.Version != first.Version {
		t.Error("the filter is told of anew within the hour")
	}
	b.ahead.Add(int64(time.Hour))
	many(10, 10)
	two, _ := b.retained("a", wire.Known).Known()
	if two.Tags < 20 || two.Filter != one.Filter || two.ListLen > one.ListLen+20*fuse.MarkBytes || two.ListLen < one.ListLen+15*fuse.MarkBytes {
		t.Errorf("after 20 joined: %+v, before %+v", two, one)
	}
	list := b.fetch(two.List, nil)
	b.ahead.Add(int64(14 * time.Hour)) // 03:00
	many(20, 1100)
	three, _ := b.retained("a", wire.Known).Known()
	if three.Filter == two.Filter || three.ListLen != 0 || three.Tags != 1121 {
		t.Errorf("after a night with %d more: %+v", 1100, three)
	}
	f, err := fuse.Parse(b.fetch(three.Filter, nil))
	if err != nil || !f.Has(tag.ID{1}) || f.Len() != 1121 {
		t.Errorf("%v", err)
	}
	if old := b.fetch(two.List, list[:8]); !bytes.Equal(old, list) { // a store that was in the middle of it
		t.Error("the file before is not there any more")
	}
	payload, err := wire.EncodeChunkAsk(wire.ChunkAsk{Digest: wire.Digest{9}, Length: 1})
	if c, err := wire.DecodeChunk(b.answer(at("a").Ask(wire.KnownParts), payload, err)); err != nil || c.Total != -1 {
		t.Errorf("a file that is not there: %+v, %v", c, err)
	}
}
