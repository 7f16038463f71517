package greeting

import (
	"time"

	"foyer/shop/campaign"
	"foyer/shop/member"
	"foyer/shop/presence"
	"foyer/shop/visit"
)

// FactsOf gathers what the rules of campaigns may ask. now is in the store's time zone; m may be nil.
func FactsOf(m *member.Member, v visit.Visit, h visit.History, now time.Time, role presence.Role) campaign.Facts {
	f := campaign.Facts{
		Member: campaign.Member{NthVisit: int64(v.Nth), DaysSinceLastVisit: campaign.NoDays, DaysToContractEnd: campaign.NoContract, DaysSinceJoined: campaign.NoDays},
		Visit:  campaign.Visit{Zone: string(role), Hour: int64(now.Hour()), Weekday: int64(now.Weekday()+6)%7 + 1},
	}
	if !v.Last.IsZero() {
		f.Member.DaysSinceLastVisit = days(v.Last.In(now.Location()), now)
	}
	if m != nil {
		f.Member.Tier, f.Member.Language = m.Tier, m.Language
		f.Member.BirthdayToday = m.Birthday.Is(now)
		if !m.ContractEnds.IsZero() {
			f.Member.DaysToContractEnd = days(now, m.ContractEnds)
		}
		if !m.Since.IsZero() {
			f.Member.DaysSinceJoined = days(m.Since, now)
		}
	}
	f.Offered = offeredToday(h, now, v.ID)
	return f
}

func offeredToday(h visit.History, now time.Time, except string) map[string]int {
	if len(h.Offered) == 0 {
		return nil
	}
	out, day := map[string]int{}, visit.Day(now)
	for id := range h.Offered {
		out[id] = h.OfferedOn(id, day, except)
	}
	return out
}

// days counts calendar days: each time's date is taken in its own zone, as a contract's last day is meant.
func days(from, to time.Time) int64 {
	return int64(midnight(to).Sub(midnight(from)) / (24 * time.Hour))
}

func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}
