package uplink

import (
	"context"
	"encoding/json"
	"time"

	"foyer/sync/journal"
	"foyer/sync/wire"
)

// terms is what a lane may do on a metered line: how much of the day's bytes may be spent before it waits for tomorrow, in
// percent, and for how long a record waits for company. What people were given goes at once, whatever was spent.
var terms = map[string]struct {
	share  int64
	linger time.Duration
}{
	wire.CaseLane:  {},
	wire.MainLane:  {share: 90, linger: 10 * time.Second},
	wire.CountLane: {share: 60, linger: time.Minute},
}

const (
	stateBucket = "uplink" // in the journal's state: spentKey, and keptKey with a lane
	spentKey    = "spent"
)

// purse counts what the line has cost today. The day is the store's. Its zero limit is an unmetered line.
type purse struct {
	limit int64
	spent int64  // bytes today
	day   string // "2006-01-02"
	seen  int64  // of the line's counter
	kept  int64  // spent, as the journal has it
}

// refuses reports whether a lane must wait for tomorrow.
func (p *purse) refuses(lane string, now time.Time) bool {
	share := terms[lane].share
	return p.limit > 0 && share > 0 && now.Format(time.DateOnly) == p.day && p.spent >= p.limit/100*share
}

func (p *purse) linger(lane string) time.Duration {
	if p.limit == 0 {
		return 0
	}
	return terms[lane].linger
}

// count takes in the line's counter, and reports whether what is kept on the disk is too old.
func (p *purse) count(total int64, now time.Time) (keep bool) {
	day := now.Format(time.DateOnly)
	if day != p.day {
		p.day, p.spent, keep = day, 0, true
	}
	p.spent, p.seen = p.spent+total-p.seen, total
	return p.limit > 0 && (keep || p.spent-p.kept >= p.limit/100)
}

type spending struct {
	Day   string `json:"day"`
	Bytes int64  `json:"bytes"`
}

// openPurse reads what today has cost before a restart. A hundredth of the limit at most is forgotten by one.
func openPurse(j *journal.Journal, limit int64, now time.Time) purse {
	p := purse{limit: limit, day: now.Format(time.DateOnly)}
	state, err := j.State(stateBucket)
	var s spending
	if err == nil && json.Unmarshal(state[spentKey], &s) == nil && s.Day == p.day {
		p.spent, p.kept = s.Bytes, s.Bytes
	}
	return p
}

func (u *Uplink) countTraffic(ctx context.Context, now time.Time) error {
	if u.c.Traffic == nil || !u.purse.count(u.c.Traffic(), now) {
		return nil
	}
	u.purse.kept = u.purse.spent
	return u.put(ctx, spentKey, spending{u.purse.day, u.purse.spent})
}

// put keeps something small in the journal's state.
func (u *Uplink) put(ctx context.Context, key string, v any) error {
	value, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = u.c.Journal.Append(ctx, journal.Entry{Puts: []journal.Put{{Bucket: stateBucket, Key: key, Value: value}}})
	return err
}
