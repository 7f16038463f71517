package downlink

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"foyer/sync/journal"
	"foyer/sync/vault"
	"foyer/sync/wire"
)

// leasedHead is a head of a version, the n-th that headquarters made, with a lease of an hour.
func (h history) leasedHead(version uint64, n int) []byte {
	return seal(h.t, 1, wire.MembersHead, version, wire.HeadBody{Digest: h.roster(version).Digest(), LeaseSeconds: 3600},
		func(s *wire.Snapshot) { s.MadeAt = noon.Add(time.Duration(n) * time.Minute) })
}

// leased is a store whose members are kept under a key. offline makes its questions fail.
type leased struct {
	*store
	history
	dir       string
	questions chan wire.MembersAsk
	offline   atomic.Bool
	stop      func()
}

func openLeased(t *testing.T, dir string) *leased {
	t.Helper()
	j, stopJournal := openJournal(t, filepath.Join(dir, "j"), journal.Options{})
	s, questions := asked(t, j)
	l := &leased{store: s, history: history{t}, dir: dir, questions: questions}
	answer := s.down.c.Ask
	s.down.c.Ask = func(what string, payload []byte) error {
		if l.offline.Load() {
			return errors.New("offline")
		}
		return answer(what, payload)
	}
	box, err := vault.ReadBox(filepath.Join(dir, "box"))
	if errors.Is(err, os.ErrNotExist) {
		box, err = vault.MakeBox(filepath.Join(dir, "box"))
	}
	if err != nil {
		t.Fatal(err)
	}
	keys, err := vault.Open(filepath.Join(dir, "keys"), nil, box)
	if err != nil {
		t.Fatal(err)
	}
	s.down.c.Vault, s.down.c.OldKeyFile = keys, filepath.Join(dir, "key")
	stopDown := background(t, "downlink", s.down.Run)
	l.stop = func() { stopDown(); stopJournal(); keys.Close() }
	return l
}

func (l *leased) supply(version uint64, n int) {
	l.store.t.Helper()
	l.pipe.send(wire.MembersHead, l.leasedHead(version, n))
	<-l.questions
	l.pipe.send(wire.MembersWhole, l.whole(version))
	l.wantReport("snapshot.applied members " + string(rune('0'+version)))
}

// clear reports whether a name stands in any file of the store.
func (l *leased) clear(name string) bool {
	found := false
	filepath.WalkDir(l.dir, func(path string, e os.DirEntry, _ error) error {
		if !e.IsDir() {
			data, err := os.ReadFile(path)
			if err != nil {
				l.store.t.Error(err)
			}
			found = found || bytes.Contains(data, []byte(name))
		}
		return nil
	})
	return found
}

// Out of touch for longer than its lease a store forgets its members, key first, and says so; it takes them again.
func TestAStoreOutOfTouchForgets(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := openLeased(t, dir)
		l.supply(2, 1)
		if l.down.c.Vault.Len() != 1 {
			t.Error("there is no key")
		}
		l.offline.Store(true)
		time.Sleep(59 * time.Minute)
		l.wantApplied("members 2 2李")
		time.Sleep(2 * time.Minute)
		l.wantReport("snapshot.refused members 2 lease")
		l.wantApplied("members 2 2李", "members 2 ")
		if n := l.down.c.Vault.Len(); n != 0 {
			t.Errorf("%d keys are left", n)
		}
		if l.down.InForce(wire.Members) != 0 {
			t.Error("members are in force")
		}
		l.stop()

		l = openLeased(t, dir)
		l.pipe.send(wire.MembersHead, l.leasedHead(1, 9))
		l.wantReport("snapshot.refused members 1 older") // forgotten, and yet nothing older is taken
		l.wantApplied()
		l.supply(2, 10)
		l.wantApplied("members 2 2李")
		l.stop()
	})
}

func TestAStoreThatWasOffForTooLongForgetsAtTheStart(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := openLeased(t, dir)
		l.supply(2, 1)
		l.stop()
		time.Sleep(50 * time.Minute)
		l = openLeased(t, dir)
		<-l.down.Restored()
		l.wantApplied("members 2 2李")
		l.stop()
		time.Sleep(20 * time.Minute)
		l = openLeased(t, dir)
		l.wantReport("snapshot.refused members 2 lease")
		l.wantApplied("members 2 ")
		l.stop()
	})
}

// Only a newer word of headquarters renews the lease; a store that is online asks for one before it forgets.
func TestTheLeaseIsRenewed(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := openLeased(t, dir)
		l.supply(2, 1)
		for n := range 3 {
			time.Sleep(time.Hour + time.Minute)
			if a := <-l.questions; a.Have != 2 {
				t.Errorf("it asks as one that has version %d", a.Have)
			}
			l.pipe.send(wire.MembersHead, l.leasedHead(2, 2+n))
		}
		time.Sleep(50 * time.Minute)
		l.wantApplied("members 2 2李")
		l.pipe.send(wire.MembersHead, l.leasedHead(2, 4)) // the last one once more: it renews nothing
		time.Sleep(15 * time.Minute)
		<-l.questions
		l.wantReport("snapshot.refused members 2 lease")
		l.stop()
	})
}

// Nothing of the members stands in clear in any file, with or without changes; without the key nothing can be read.
func TestMembersAreKeptEncrypted(t *testing.T) {
	dir := t.TempDir()
	l := openLeased(t, dir)
	l.supply(2, 1)
	l.pipe.send(wire.MembersHead, l.leasedHead(3, 2))
	<-l.questions
	l.pipe.send(wire.MembersDelta, l.delta(2, 3))
	l.wantReport("snapshot.applied members 3")
	l.stop()
	if l.clear("FYSN") || l.clear("FYMB") || l.clear("FYMK") {
		t.Error("members are kept as they came")
	}
	l = openLeased(t, dir)
	<-l.down.Restored()
	l.wantApplied("members 3 3李王")
	l.stop()
	if err := os.Remove(filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	l = openLeased(t, dir)
	<-l.down.Restored()
	l.wantApplied()
	if l.down.InForce(wire.Members) != 0 {
		t.Error("without the key members are in force")
	}
	l.supply(3, 3) // they come back with the line
	l.stop()
}

// Members that were kept under a key of their own before there was a vault stay, and that key goes.
func TestTheOldKeyIsLeft(t *testing.T) {
	dir := t.TempDir()
	l := openLeased(t, dir)
	l.supply(2, 1)
	kept := l.down.now[wire.Members].sealed
	secret := bytes.Repeat([]byte{7}, oldKeyLength)
	block, err := aes.NewCipher(secret)
	if err != nil {
		t.Fatal(err)
	}
	old, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	locked := append([]byte(oldMagic), old.Seal(nil, nil, kept, []byte(oldMagic))...)
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "key"), secret, 0o600), l.down.c.Journal.PutSnapshot(t.Context(), wire.Members, 2, locked)); err != nil {
		t.Fatal(err)
	}
	l.stop()
	for range 2 { // by the old key, then by the vault
		l = openLeased(t, dir)
		<-l.down.Restored()
		l.wantApplied("members 2 2李")
		if _, err := os.Stat(filepath.Join(dir, "key")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the old key is still there: %v", err)
		}
		l.stop()
	}
}

// set is a moment as a wall clock that is wrong by so much would show it, with the same monotonic reading.
func set(at time.Time, off time.Duration) (wall time.Time) { return at.Round(0).Add(off) }

// A wall clock that jumps ends no lease by itself. What a box that was off has missed is known from the wall clock alone, once that is right.
func TestAJumpAloneEndsNoLease(t *testing.T) {
	const day = 24 * time.Hour
	start := time.Now()
	for name, c := range map[string]struct {
		heard time.Time     // by the wall clock, before the start
		ran   time.Duration // since the start
		over  bool
	}{
		"just heard":                           {set(start, 0), time.Hour, false},
		"ran for longer":                       {set(start, 0), 31 * day, true},
		"was off for long":                     {set(start, -31*day), 0, true},
		"was off for a part, ran for the rest": {set(start, -20*day), 11 * day, true},
		"was off for a part":                   {set(start, -20*day), 9 * day, false},
		"the clock was behind at the start":    {set(start, 20000*day), time.Hour, false},
		"and stays so for longer":              {set(start, 20000*day), 31 * day, true},
	} {
		l := lease{Heard: c.heard, For: 30 * day}
		l.takeUp(start)
		if got := l.over(start.Add(c.ran)); got != c.over {
			t.Errorf("%s: over is %v", name, got)
		}
		if c.over {
			continue
		}
		// The wall clock is set to years later, or to 1970, while it runs.
		jumped := l
		jumped.Heard = set(l.Heard, -3000*day)
		if jumped.over(start.Add(c.ran)) && !l.behind {
			t.Errorf("%s: a jump ahead ends it", name)
		}
		jumped.Heard = set(l.Heard, 3000*day)
		if jumped.over(start.Add(c.ran)) {
			t.Errorf("%s: a jump back ends it", name)
		}
	}
	// A box without a clock of its own starts in 1970, and is told the time by the network: then its lease is judged by that.
	l := lease{Heard: set(start, 0), For: 30 * day}
	l.takeUp(start.Add(-20000 * day))
	if !l.behind || l.over(start.Add(-20000*day+time.Hour)) {
		t.Errorf("in 1970: %+v", l)
	}
	if !l.over(start.Add(40 * day).Round(0)) {
		t.Error("the clock was set to forty days later, and the lease goes on")
	}
}
