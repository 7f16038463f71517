package store

import (
	"encoding/json"
	"time"

	"foyer/sync/wire"
)

// project writes what a record says into the tables that pages read. A kind that is not known here, or a body that does
// not fit its kind, is kept as a record and says nothing.
func project(t *tx, store string, r wire.Record, received time.Time) error {
	switch r.Kind {
	case wire.VisitStarted:
		return with(r, func(v wire.Visit) error {
			return ofNow(t, &v.Member, func() error { return visitStarted(t, store, r.At, v) })
		})
	case wire.VisitEnded:
		return with(r, func(v wire.Visit) error {
			return ofNow(t, &v.Member, func() error { return visitEnded(t, store, r.At, v) })
		})
	case wire.GreetingDecided:
		return with(r, func(g wire.Greeting) error { return greeted(t, store, g) })
	case wire.CardClaimed:
		return with(r, func(c wire.Reception) error {
			return t.exec("UPDATE visit SET claimed_by = ?, claimed_at = ?, waited_s = ? WHERE store = ? AND visit = ?",
				c.By, ms(r.At), c.WaitedSeconds, store, c.Visit)
		})
	case wire.CardServed:
		return with(r, func(c wire.Reception) error {
			return t.exec("UPDATE visit SET served_at = ? WHERE store = ? AND visit = ?", ms(r.At), store, c.Visit)
		})
	case wire.TagChanged: // a clock that runs ahead must not outdo what is told later
		return with(r, func(c wire.TagChange) error {
			return ofNow(t, &c.Member, func() error { return tagChanged(t, store, earlier(r.At, received), c) })
		})
	case wire.MemberSignedUp:
		return with(r, func(s wire.SignUp) error { return signedUp(t, store, earlier(r.At, received), s) })
	case wire.MemberConfirmed:
		return with(r, func(c wire.Confirmed) error { return confirmed(t, earlier(r.At, received), c) })
	case wire.BlockedSeen:
		return with(r, func(b wire.BlockedTag) error { return blockedTag(t, store, r.At, CardSeen, b) })
	case wire.BlockedHandled:
		return with(r, func(b wire.BlockedTag) error { return blockedTag(t, store, r.At, CardHandled, b) })
	case wire.CommandDone:
		return with(r, func(d wire.Done) error { return commandDone(t, store, r.At, d) })
	case wire.MemberErased:
		return with(r, func(e wire.EraseReceipt) error { return erasureReceipt(t, store, earlier(r.At, received), e) })
	case wire.SnapshotApplied:
		return with(r, func(a wire.Applied) error { return answered(t, store, "applied", r.At, a) })
	case wire.SnapshotRefused:
		return with(r, func(a wire.Applied) error { return answered(t, store, "refused", r.At, a) })
	}
	return nil
}

// ofNow does something with a member by today's name.
func ofNow(t *tx, who *string, do func() error) (err error) {
	if *who, err = calledNow(t, *who); err != nil {
		return err
	}
	return do()
}

func earlier(x, y time.Time) time.Time {
	if y.Before(x) {
		return y
	}
	return x
}

func with[B any](r wire.Record, use func(B) error) error {
	var body B
	if json.Unmarshal(r.Body, &body) != nil {
		return nil
	}
	return use(body)
}

func visitStarted(t *tx, store string, when time.Time, v wire.Visit) error {
	if err := visited(t, store, v.Member, when); err != nil {
		return err
	}
	return t.exec(`INSERT INTO visit (store, visit, member, zone, nth, started) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (store, visit) DO UPDATE SET member = excluded.member, zone = excluded.zone, nth = excluded.nth,
			started = excluded.started`, store, v.Visit, v.Member, v.Zone, v.Nth, ms(when))
}

// visitEnded also makes the visit where its start was told in an epoch that was lost.
func visitEnded(t *tx, store string, when time.Time, v wire.Visit) error {
	started := when.Add(-time.Duration(v.Seconds) * time.Second)
	return t.exec(`INSERT INTO visit (store, visit, member, zone, nth, started, ended) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (store, visit) DO UPDATE SET ended = excluded.ended`,
		store, v.Visit, v.Member, v.Zone, v.Nth, ms(started), ms(when))
}

// greeted keeps that the name was said once said, and the last campaign offered: a visit may be greeted in several zones.
func greeted(t *tx, store string, g wire.Greeting) error {
	return t.exec(`UPDATE visit SET named = max(named, ?), campaign = CASE WHEN ? = '' THEN campaign ELSE ? END
		WHERE store = ? AND visit = ?`, g.Named, g.Campaign, g.Campaign, store, g.Visit)
}

// maxWhy bounds a store's reason, which is shown on a page.
const maxWhy = 1000

func answered(t *tx, store, state string, when time.Time, a wire.Applied) error {
	why := []rune(a.Why)
	why = why[:min(len(why), maxWhy)]
	return t.exec(`INSERT INTO applied (store, kind, version, state, code, why, at) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (store, kind, version) DO UPDATE SET state = excluded.state, code = excluded.code, why = excluded.why, at = excluded.at`,
		store, a.Snapshot, int64(a.Version), state, string(a.Code), string(why), ms(when))
}
