package campaign

import (
	"cmp"
	"slices"
	"time"
)

// Code is why a campaign applies or does not. Codes are stable: they are stored and sent.
type Code string

// The codes.
const (
	Matched       Code = "campaign.matched"
	NotStarted    Code = "campaign.not_started"
	Over          Code = "campaign.ended"
	OtherStore    Code = "campaign.other_store"
	NotInAudience Code = "campaign.audience"
	RuleError     Code = "campaign.rule_error" // the rule could not be worked out over these facts
	RuleCost      Code = "campaign.rule_cost"  // the rule was stopped at MaxCost
	Capped        Code = "cap.day"
)

// Verdict is one campaign's answer.
type Verdict struct {
	Campaign *Campaign
	Yes      bool
	Code     Code
}

// Set is the compiled campaigns in order of priority. It is immutable and safe for concurrent use; a nil Set is empty.
type Set struct {
	campaigns []compiled
}

type compiled struct {
	Campaign
	rule rule
}

// Len is the number of campaigns.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.campaigns)
}

// Match asks every campaign, the highest priority first. It costs nothing more for a campaign out of its time or store.
func (s *Set) Match(f Facts, now time.Time, store string) []Verdict {
	if s == nil {
		return nil
	}
	facts := map[string]any{"member": &f.Member, "visit": &f.Visit}
	out := make([]Verdict, 0, len(s.campaigns))
	for i := range s.campaigns {
		c := &s.campaigns[i]
		code := c.when(now, store)
		if code == Matched && f.Offered[c.ID] >= max(c.PerDay, 1) {
			code = Capped
		}
		if code == Matched {
			code = c.rule.ask(facts)
		}
		out = append(out, Verdict{&c.Campaign, code == Matched, code})
	}
	return out
}

// Public lists the campaigns for everybody that run now in a store, the highest priority first.
func (s *Set) Public(now time.Time, store string) []*Campaign {
	if s == nil {
		return nil
	}
	var out []*Campaign
	for i := range s.campaigns {
		if c := &s.campaigns[i]; c.rule.always && c.when(now, store) == Matched {
			out = append(out, &c.Campaign)
		}
	}
	return out
}

// Running lists all campaigns that run now in a store with what Match would answer before asking anything of a person:
// Matched for a public one, NotInAudience for a personal one.
func (s *Set) Running(now time.Time, store string) []Verdict {
	if s == nil {
		return nil
	}
	var out []Verdict
	for i := range s.campaigns {
		c := &s.campaigns[i]
		switch {
		case c.when(now, store) != Matched:
		case c.rule.always:
			out = append(out, Verdict{&c.Campaign, true, Matched})
		default:
			out = append(out, Verdict{&c.Campaign, false, NotInAudience})
		}
	}
	return out
}

// Next is the first moment after now at which some campaign of a store begins or ends; zero if there is none.
func (s *Set) Next(now time.Time, store string) time.Time {
	var next time.Time
	if s == nil {
		return next
	}
	for i := range s.campaigns {
		c := &s.campaigns[i]
		for _, t := range []time.Time{c.Starts, c.Ends} {
			if c.runsIn(store) && t.After(now) && (next.IsZero() || t.Before(next)) {
				next = t
			}
		}
	}
	return next
}

// when is Matched if the campaign runs now in a store. A campaign runs from Starts until just before Ends.
func (c *compiled) when(now time.Time, store string) Code {
	switch {
	case now.Before(c.Starts):
		return NotStarted
	case !now.Before(c.Ends):
		return Over
	case !c.runsIn(store):
		return OtherStore
	}
	return Matched
}

func (c *compiled) runsIn(store string) bool {
	return len(c.Stores) == 0 || slices.Contains(c.Stores, store)
}

func byPriority(a, b compiled) int {
	return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.ID, b.ID))
}
