package proof

import (
	"time"

	"foyer/shop/member"
)

// Limits bound guessing. Four digits are guessed in 5,000 tries: with the defaults, that takes seventeen days for one
// member, and a kiosk allows 40 tries an hour over all members.
type Limits struct {
	PerMember int           // wrong tries in Window that lock a member; 0 is DefaultPerMember
	PerPlace  int           // wrong tries in Window that lock a place; 0 is DefaultPerPlace
	Window    time.Duration // and how long the lock lasts; 0 is DefaultWindow
	Most      int           // members and places counted at once; 0 is DefaultMost
}

// The defaults of Limits.
const (
	DefaultPerMember = 3
	DefaultPerPlace  = 10
	DefaultWindow    = 15 * time.Minute
	DefaultMost      = 10_000
)

// Gate makes proofs and counts wrong tries. It belongs to one goroutine, and not to the shop's: Try takes tens of
// milliseconds of arithmetic, so that who steals a secret cannot try all digits at once.
type Gate struct {
	limits Limits
	wrong  map[key]count
	report func(Tried)
}

// key is a member or a place. A right try at a place clears the member, never the place: who has a card of their own
// could otherwise go on guessing another's.
type key struct {
	member member.ID
	place  string
}

// count is the wrong tries since the first of a window.
type count struct {
	n     int
	since time.Time
}

// NewGate returns a gate that has seen nothing. report is called for every try; nil is allowed.
func NewGate(l Limits, report func(Tried)) *Gate {
	if l.PerMember == 0 {
		l.PerMember = DefaultPerMember
	}
	if l.PerPlace == 0 {
		l.PerPlace = DefaultPerPlace
	}
	if l.Window == 0 {
		l.Window = DefaultWindow
	}
	if l.Most == 0 {
		l.Most = DefaultMost
	}
	if report == nil {
		report = func(Tried) {}
	}
	return &Gate{limits: l, wrong: map[key]count{}, report: report}
}

// Attempt is somebody who says that they are a member.
type Attempt struct {
	Member member.ID
	Place  string // the kiosk or counter
	Method Method // PIN or LastDigits
	Secret Secret // the member's, zero if there is none
	Said   string
}

// Try checks what somebody said. The error is a *Refused.
func (g *Gate) Try(a Attempt, now time.Time) (Proof, error) {
	refused := g.judge(a, now)
	t := Tried{At: now, Member: a.Member, Place: a.Place, Method: a.Method}
	if refused != nil {
		t.Why = refused.Why
		g.report(t)
		return Proof{}, refused
	}
	g.report(t)
	delete(g.wrong, key{member: a.Member})
	return Proof{member: a.Member, method: a.Method, at: now}, nil
}

func (g *Gate) judge(a Attempt, now time.Time) *Refused {
	who, where := key{member: a.Member}, key{place: a.Place}
	switch {
	case a.Method != PIN && a.Method != LastDigits:
		return &Refused{Why: NotStaff}
	case !isDigits(a.Said):
		return &Refused{Why: NotDigits}
	}
	if until, locked := g.locked(who, g.limits.PerMember, now); locked {
		return &Refused{Why: MemberLocked, Until: until}
	}
	if until, locked := g.locked(where, g.limits.PerPlace, now); locked {
		return &Refused{Why: PlaceLocked, Until: until}
	}
	if !g.room(now, who, where) {
		return &Refused{Why: Busy, Until: now.Add(g.limits.Window)}
	}
	matches := a.Secret.Matches(a.Said)
	switch {
	case len(a.Secret.Hash) == 0:
		g.add(where, now) // or a kiosk could be asked who has a PIN
		return &Refused{Why: NoSecret}
	case matches:
		return nil
	}
	g.add(where, now)
	return &Refused{Why: Wrong, Left: g.limits.PerMember - g.add(who, now)}
}

// Vouch makes a proof by staff, who are known by name.
func (g *Gate) Vouch(m member.ID, place, by string, now time.Time) (Proof, error) {
	t := Tried{At: now, Member: m, Place: place, Method: Staff, By: by}
	if by == "" {
		t.Why = NoName
		g.report(t)
		return Proof{}, &Refused{Why: NoName}
	}
	g.report(t)
	return Proof{member: m, method: Staff, by: by, at: now}, nil
}

func (g *Gate) locked(k key, most int, now time.Time) (until time.Time, locked bool) {
	c, ok := g.wrong[k]
	until = c.since.Add(g.limits.Window)
	if ok && !now.Before(until) {
		delete(g.wrong, k)
		return time.Time{}, false
	}
	return until, ok && c.n >= most
}

// add counts a wrong try. The window begins anew with the try that locks, so that waiting for its end is never short.
func (g *Gate) add(k key, now time.Time) int {
	c := g.wrong[k]
	if c.n == 0 {
		c.since = now
	}
	c.n++
	if c.n >= g.limits.PerMember && k.place == "" || c.n >= g.limits.PerPlace {
		c.since = now
	}
	g.wrong[k] = c
	return c.n
}

// room reports whether both can be counted, and lets go of what is over.
func (g *Gate) room(now time.Time, keys ...key) bool {
	need := len(g.wrong)
	for _, k := range keys {
		if _, ok := g.wrong[k]; !ok {
			need++
		}
	}
	if need <= g.limits.Most {
		return true
	}
	over := 0
	for k, c := range g.wrong {
		if now.Sub(c.since) >= g.limits.Window {
			delete(g.wrong, k)
			over++
		}
	}
	return need-over <= g.limits.Most
}
