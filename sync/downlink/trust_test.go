package downlink

import (
	"path/filepath"
	"testing"
	"time"

	"foyer/sync/journal"
	"foyer/sync/wire"
)

// Headquarters changes its key: what came before the store knew the new one comes into force once it does, and what the
// old one signs does not any more.
func TestKeysChange(t *testing.T) {
	j, _ := openJournal(t, filepath.Join(t.TempDir(), "store.journal"), journal.Options{})
	s := open(t, j, pipe{}, nil)
	background(t, "downlink", s.down.Run)
	s.pipe.send(wire.Members, members(t, 1, "陈"))
	s.wantReport("snapshot.applied members 1")
	byNew := seal(t, 2, wire.Campaigns, 4, wire.CampaignsBody{}, nil)
	s.pipe.send(wire.Campaigns, byNew)
	s.wantReport("snapshot.refused campaigns 0 key")
	s.down.Trust(trusted(1, 2))
	s.wantReport("snapshot.applied campaigns 4")
	s.pipe.send(wire.Members, members(t, 2, "李"))
	s.wantReport("snapshot.applied members 2")
	s.down.Trust(trusted(2))
	s.pipe.send(wire.Members, members(t, 3, "王"))
	s.wantReport("snapshot.refused members 0 key")
	s.wantApplied("members 1 陈", "campaigns 4 0", "members 2 李")
}

// The last word counts, whether the downlink runs already or not.
func TestTrustTwice(t *testing.T) {
	j, _ := openJournal(t, filepath.Join(t.TempDir(), "store.journal"), journal.Options{})
	s := open(t, j, pipe{}, nil)
	s.down.Trust(trusted(1))
	s.down.Trust(trusted(1, 2))
	background(t, "downlink", s.down.Run)
	s.pipe.send(wire.Campaigns, seal(t, 2, wire.Campaigns, 1, wire.CampaignsBody{}, nil))
	for {
		select {
		case got := <-s.reports:
			if got == "snapshot.applied campaigns 1" {
				return
			}
			if got != "snapshot.refused campaigns 0 key" { // it may come before the keys are taken
				t.Fatalf("reported %q", got)
			}
		case <-time.After(generous):
			t.Fatal("nothing is reported")
		}
	}
}
