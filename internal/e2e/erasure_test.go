package e2e

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"foyer/api"
	"foyer/hq/store"
	"foyer/reader/tag"
	"foyer/shop/member"
	"foyer/sync/journal"
	"foyer/sync/line/linetest"
	"foyer/sync/vault"
	"foyer/sync/wire"
)

// whoIsErased is somebody who cannot be mistaken for anything else.
const (
	erasedID     = "m-unmistakable-4711"
	erasedFamily = "欧阳"
	erasedGiven  = "Unverwechselbar"
	erasedLatin  = "Unmistakova"
)

// trace is all by which she could be found.
type trace struct {
	words [][]byte
}

func (c *chain) trace() trace {
	secret, err := os.ReadFile(filepath.Join(c.dir, "tag.key"))
	must(c.t, err)
	key, err := tag.ParseSecret(string(secret))
	must(c.t, err)
	made, err := tag.NewKey(key)
	must(c.t, err)
	var tr trace
	for _, word := range []string{erasedID, erasedFamily, erasedGiven, erasedLatin} {
		tr.words = append(tr.words, []byte(word))
	}
	for _, card := range [][5]byte{annasCard, newCard} {
		n, err := tag.NewNumber(tag.EM4100, card[:])
		must(c.t, err)
		id := made.ID(n)
		tr.words = append(tr.words, id[:], []byte(hex.EncodeToString(id[:])), []byte(strings.ToUpper(hex.EncodeToString(card[:]))), []byte(hex.EncodeToString(card[:])), card[:])
	}
	return tr
}

// in lists where a trace of her is.
func (tr trace) in(where string, data []byte) (found []string) {
	for _, w := range tr.words {
		if bytes.Contains(data, w) {
			found = append(found, fmt.Sprintf("%s: %.40q", where, w))
		}
	}
	return found
}

func (tr trace) inFiles(t *testing.T, dir string, but ...string) (found []string) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && !e.Type().IsRegular() || slices.Contains(but, filepath.Base(path)) {
			return nil
		}
		data, readErr := os.ReadFile(path)
		found = append(found, tr.in(path, data)...)
		if errors.Is(readErr, fs.ErrNotExist) {
			readErr = nil // a file that was there for a moment
		}
		return errors.Join(err, readErr)
	}))
	return found
}

// opened lists where a trace of her is in what a store keeps, opened with every key that is left. It has ended.
func (tr trace) opened(t *testing.T, dir string, keys map[string]ed25519.PublicKey) (found []string, sealed int) {
	t.Helper()
	box, err := vault.ReadBox(filepath.Join(dir, "box.key"))
	must(t, err)
	v, err := vault.Read(filepath.Join(dir, "persons.keys"), box)
	must(t, err)
	defer v.Close()
	if who := v.Find(func(name string) bool { return name == erasedID }); len(who) > 0 {
		found = append(found, "she has a key")
	}
	look := func(where, purpose string, data []byte) {
		if vault.Sealed(data) {
			sealed++
			plain, err := v.Open(purpose, data)
			if errors.Is(err, vault.ErrErased) {
				return
			}
			must(t, err)
			data = plain
		}
		if s, err := wire.Open(data, keys); err == nil {
			data = s.Body
		}
		found = append(found, tr.in(where, data)...)
	}
	path := filepath.Join(dir, "journal.db")
	must(t, journal.Export(path, func(e journal.Exported) error {
		look(fmt.Sprint("record ", e.Lane, e.Seq), "record", e.Payload)
		return nil
	}))
	j, err := journal.Open(path, journal.Options{})
	must(t, err)
	defer j.Close()
	for _, bucket := range []string{"history", "tags", "presence", "retired", "guests"} {
		state, err := j.State(bucket)
		must(t, err)
		for key, value := range state {
			purpose := bucket
			if bucket == "guests" {
				purpose = "members"
			}
			look("state "+bucket, purpose, []byte(key))
			look("state "+bucket, purpose, value)
		}
	}
	for _, kind := range []string{wire.Members, wire.Erasures, wire.Campaigns} {
		for _, get := range []func(string) (uint64, []byte, bool){j.Snapshot, j.SnapshotBefore} {
			if _, data, ok := get(kind); ok {
				look("snapshot "+kind, "members", data)
			}
		}
	}
	return found, sealed
}

// wiretap keeps what passes to and from a broker without TLS, by connection and direction.
type wiretap struct {
	mu      sync.Mutex
	streams map[string]*bytes.Buffer
}

func tapped(p *linetest.Proxy) *wiretap {
	w := &wiretap{streams: map[string]*bytes.Buffer{}}
	p.Tap(func(from net.Conn, up bool, data []byte) {
		w.mu.Lock()
		defer w.mu.Unlock()
		name := fmt.Sprintf("%p %v", from, up)
		if w.streams[name] == nil {
			w.streams[name] = &bytes.Buffer{}
		}
		w.streams[name].Write(data)
	})
	return w
}

// messages are all payloads of PUBLISH packets (MQTT 3.1.1, sections 2.2 and 3.3), opened: batches as their records, snapshots as
// their bodies. Streams have to begin with a connection.
func (w *wiretap) messages(t *testing.T, keys map[string]ed25519.PublicKey) (all [][]byte) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.streams {
		for b := s.Bytes(); len(b) > 1; {
			size, n := binary.Uvarint(b[1:]) // the same form
			if n <= 0 || uint64(len(b)-1-n) < size {
				break
			}
			packet := b[1+n : 1+n+int(size)]
			if b[0]>>4 == 3 && len(packet) > 2 {
				at := 2 + int(binary.BigEndian.Uint16(packet))
				if b[0]&0x06 != 0 {
					at += 2
				}
				if at <= len(packet) {
					all = append(all, packet[:at], unwrapped(packet[at:], keys))
				}
			}
			b = b[1+n+int(size):]
		}
	}
	return all
}

func unwrapped(payload []byte, keys map[string]ed25519.PublicKey) []byte {
	if b, err := wire.DecodeBatch(payload); err == nil {
		return slices.Concat(b.Records...)
	}
	if s, err := wire.Open(payload, keys); err == nil {
		return s.Body
	}
	return payload
}

// logged is a log that a test reads back.
type logged struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}

func (l *logged) text() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Clone(l.Bytes())
}

func (c *chain) importSheet(rows ...string) {
	c.t.Helper()
	sheet := "id,family,family_latin,given,title,tags,consents\n" + strings.Join(rows, "\n") + "\n"
	_, err := c.hq.ImportMembers(c.t.Context(), []byte(sheet))
	must(c.t, err)
}

// A member with visits, greetings, cards and a kiosk session in two stores is erased, while one of them is off. Before, nothing
// of her stands in clear in any file of a store. Afterwards nothing of her is anywhere: not in a file of headquarters or of a
// store, not in what every key that is left opens, not on the wire, not in a log. The other member has lost nothing.
func TestAPersonIsErased(t *testing.T) {
	log := &logged{}
	c := newHead(t, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	proxy := linetest.NewProxy(t, strings.TrimPrefix(c.broker.URL(), "tcp://"))
	c.via = func(string) string { return proxy.URL() }
	c.importSheet(erasedID+","+erasedFamily+","+erasedLatin+","+erasedGiven+",ms,6F007B3972,recognise|greet_by_name|public_screen",
		"m-bob,王,Bobby,Bob,mr,62000000AB,recognise|greet_by_name|public_screen")
	c.open("first")
	c.open("second")
	first, second := c.stores["first"], c.stores["second"]
	tr, bobs := c.trace(), [5]byte{0x62, 0, 0, 0, 0xAB}

	for _, b := range []*branch{first, second} {
		waitUntil(t, b.name+" knows her", func() error { _, err := b.api.Wallet(t.Context(), erasedID); return err })
		s := b.hold(t, annasCard, "she is noticed", func(s api.Snapshot) bool { return len(s.Cards) == 1 })
		must(t, b.api.Claim(t.Context(), s.Cards[0].Visit, "Li"))
		must(t, b.api.ReportSession(t.Context(), api.Session{Visit: s.Cards[0].Visit, Language: "en", Started: time.Now().Add(-time.Minute), Ended: time.Now(), Taps: 3, End: "closed"}))
		b.hold(t, bobs, "Bob is noticed", func(s api.Snapshot) bool { return len(s.Cards) == 2 })
	}
	s := first.hold(t, newCard, "a new card is offered", func(s api.Snapshot) bool { return s.Shown != nil && s.Shown.Standing == "unknown" })
	must(t, first.api.ChangeCard(t.Context(), erasedID, api.BindCard, api.CardChange{By: "Li", Reason: "second_tag", Shown: s.Shown.Key, Vouched: true}))
	waitUntil(t, "the second store knows the new card", func() error {
		w, err := second.api.Wallet(t.Context(), erasedID)
		if err == nil && len(w.Held) != 2 {
			err = fmt.Errorf("it has %d", len(w.Held))
		}
		return err
	})
	for _, b := range []*branch{first, second} {
		if found := tr.inFiles(t, b.data); len(found) > 0 {
			t.Errorf("before, in clear: %q", found)
		}
	}
	second.stop() // it hears of the erasure when it is back
	waitUntil(t, "headquarters has her visits", func() error {
		visits, err := c.hq.DB().Visits(t.Context(), "", time.Time{}, 10)
		if err == nil && len(visits) != 4 {
			err = fmt.Errorf("%d visits", len(visits))
		}
		return err
	})

	number, err := c.hq.EraseMember(t.Context(), erasedID, "asked by letter")
	must(t, err)
	confirmed := func(stores int) {
		t.Helper()
		waitUntil(t, fmt.Sprint(stores, " stores have confirmed"), func() error {
			all, err := c.hq.Erasures(t.Context())
			if err == nil && (len(all) != 1 || all[0].Number != number || len(all[0].Receipts) != stores || !all[0].Swept) {
				err = fmt.Errorf("%+v", all)
			}
			return err
		})
	}
	confirmed(1)
	if all, err := c.hq.Erasures(t.Context()); err != nil || all[0].Out() != 1 || all[0].Stores[0].ID != "second" {
		t.Errorf("still out are %+v, %v: want the second store", all[0].Stores, err)
	}
	proxy.Cut() // what is captured begins with new connections
	tap := tapped(proxy)
	c.start(second)
	confirmed(2)
	first.hold(t, annasCard, "her card is a stranger's", func(s api.Snapshot) bool { return s.Shown != nil && s.Shown.Standing == "unknown" })
	for _, b := range []*branch{first, second} {
		w, err := b.api.Wallet(t.Context(), "m-bob")
		if err != nil || len(w.Held) != 1 {
			t.Errorf("%s: Bob has %d cards, %v", b.name, len(w.Held), err)
		}
		if snapshot, err := b.api.Snapshot(t.Context(), api.Reception); err != nil || len(tr.in("", fmt.Append(nil, snapshot))) > 0 {
			t.Errorf("%s: reception is shown her, %v", b.name, err)
		}
	}
	waitUntil(t, "Bob's visits are all at headquarters", func() error {
		visits, err := c.hq.DB().Visits(t.Context(), "", time.Time{}, 10)
		of := map[string]int{}
		for _, v := range visits {
			of[v.Member]++
		}
		if err == nil && (of["m-bob"] != 2 || of[""] != 2) {
			err = fmt.Errorf("visits of %v", of)
		}
		return err
	})
	first.stop()
	second.stop()

	id, key := c.hq.PublicKey()
	keys := map[string]ed25519.PublicKey{id: key}
	messages := tap.messages(t, keys)
	for _, m := range messages {
		if found := tr.in("wire", m); len(found) > 0 {
			t.Errorf("after the erasure on the wire: %q", found)
		}
	}
	found := tr.in("log", log.text())
	for _, b := range []*branch{first, second} {
		opened, sealed := tr.opened(t, b.data, keys)
		found = append(append(found, opened...), tr.inFiles(t, b.data)...)
		if sealed == 0 {
			t.Errorf("%s keeps nothing sealed: nothing was tested", b.name)
		}
	}
	found = append(found, tr.inFiles(t, filepath.Join(c.dir, "hq"))...)
	if len(found) > 0 {
		t.Errorf("after the erasure: %q", found)
	}
	t.Logf("looked through %d messages and %d bytes of logs", len(messages), len(log.text()))
	if _, err := c.hq.ImportMembers(t.Context(), []byte("id,family,tags,consents\n"+erasedID+",X,6F007B3972,recognise\n")); err == nil {
		t.Error("an old file brings her back")
	}
}

// The delivered program is killed without warning at random points of erasures and of what follows them. In the end each erased
// person is gone and confirmed, and who was not erased has lost nothing.
func TestErasuresSurviveKills(t *testing.T) {
	bin, err := filepath.Abs("../../bin/foyerd")
	must(t, err)
	if _, err := os.Stat(bin); err != nil {
		t.Skip("bin/foyerd is not built: make build")
	}
	log := &logged{}
	c := newHead(t, slog.New(slog.NewTextHandler(log, nil)))
	c.bin, c.out = bin, log
	const persons = 6
	rows := []string{"m-bob,王,Bobby,Bob,mr,62000000AB,recognise|greet_by_name"}
	for i := range persons {
		rows = append(rows, fmt.Sprintf("m-unmistakable-%d,欧阳,Unmistakova,Unverwechselbar,ms,620000AB%02X,recognise|greet_by_name", i, i))
	}
	c.importSheet(rows...)
	c.open("first")
	b := c.stores["first"]
	bobs := [5]byte{0x62, 0, 0, 0, 0xAB}
	b.hold(t, bobs, "Bob is noticed", func(s api.Snapshot) bool { return len(s.Cards) == 1 })
	r := rand.New(rand.NewPCG(7, 2026))
	kills := 0
	for i := range persons {
		b.hold(t, [5]byte{0x62, 0, 0, 0xAB, byte(i)}, fmt.Sprint("person ", i, " is noticed"), func(s api.Snapshot) bool {
			return slices.ContainsFunc(s.Cards, func(c api.Card) bool { return c.State != "gone" && c.Name["en"] == "Ms Unmistakova" })
		})
		number, err := c.hq.EraseMember(t.Context(), member.ID(fmt.Sprint("m-unmistakable-", i)), "")
		must(t, err)
		for range 3 {
			pause := time.NewTimer(time.Duration(r.IntN(120_000)) * time.Microsecond)
			<-pause.C
			b.stop()
			kills++
			c.start(b)
		}
		waitUntil(t, fmt.Sprint("erasure ", number, " is confirmed"), func() error {
			all, err := c.hq.Erasures(t.Context())
			if err == nil && len(all[0].Receipts) != 1 {
				err = errors.New("it is not")
			}
			return err
		})
	}
	waitUntil(t, "Bob's visit is at headquarters", func() error {
		visits, err := c.hq.DB().Visits(t.Context(), "", time.Time{}, 20)
		if err == nil && !slices.ContainsFunc(visits, func(v store.Visit) bool { return v.Member == "m-bob" }) {
			err = fmt.Errorf("%d visits", len(visits))
		}
		return err
	})
	waitUntil(t, "the store is up again, and Bob has his card", func() error { // the last confirmation may be from before the last kill
		w, err := b.api.Wallet(t.Context(), "m-bob")
		if err == nil && len(w.Held) != 1 {
			err = fmt.Errorf("he has %d", len(w.Held))
		}
		return err
	})
	b.stop()
	tr := trace{words: [][]byte{[]byte("m-unmistakable"), []byte("欧阳"), []byte("Unverwechselbar"), []byte("Unmistakova")}}
	id, key := c.hq.PublicKey()
	found, _ := tr.opened(t, b.data, map[string]ed25519.PublicKey{id: key})
	found = append(append(found, tr.inFiles(t, b.data)...), tr.in("log", log.text())...)
	found = append(found, tr.inFiles(t, filepath.Join(c.dir, "hq"))...)
	if len(found) > 0 {
		t.Errorf("after %d kills: %q", kills, found)
	}
	box, err := vault.ReadBox(filepath.Join(b.data, "box.key"))
	must(t, err)
	v, err := vault.Read(filepath.Join(b.data, "persons.keys"), box)
	must(t, err)
	defer v.Close()
	if !v.Has("m-bob") {
		t.Error("Bob has lost his key")
	}
}
