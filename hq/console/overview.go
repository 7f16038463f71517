package console

import (
	"context"
	"net/http"
	"strings"
	"time"

	"foyer/hq"
	"foyer/hq/store"
	"foyer/sync/wire"
)

// shownVisits is how many of today's newest visits the overview lists.
const shownVisits = 30

type overviewView struct {
	Now     time.Time
	Counts  store.Counts
	Alive   int
	Stores  []storeRow
	Visits  []visitRow
	Problem string
	Away    bool      // the broker is an outside one and not to be reached
	Since   time.Time // of Away
}

type visitRow struct {
	store.Visit
	StoreName string
	Offer     string // the campaign's title
}

// Key tells a row that was there from a new one.
func (v visitRow) Key() string { return v.Store + "/" + v.Visit.Visit }

func (c *Console) overview(w http.ResponseWriter, r *http.Request) {
	v, err := c.overviewData(r.Context(), c.language(w, r))
	if err != nil {
		c.broken(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "overview", v)
}

func (c *Console) overviewPart(w http.ResponseWriter, r *http.Request) {
	v, err := c.overviewData(r.Context(), c.language(w, r))
	if err != nil {
		c.broken(w, r, err)
		return
	}
	c.part(w, r, "overview", v)
}

func (c *Console) overviewData(ctx context.Context, lang string) (overviewView, error) {
	now := c.hq.Now().In(c.zone)
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, c.zone)
	v := overviewView{Now: now, Problem: c.hq.Problem()}
	online, since := c.hq.BrokerOnline()
	v.Away, v.Since = !online, since
	var err error
	if v.Counts, err = c.hq.DB().Count(ctx, midnight); err != nil {
		return v, err
	}
	if v.Stores, err = c.storeRows(ctx, lang); err != nil {
		return v, err
	}
	names := map[string]string{}
	for _, s := range v.Stores {
		names[s.ID] = s.Name(lang)
		if s.Line == hq.Online {
			v.Alive++
		}
	}
	visits, err := c.hq.DB().Visits(ctx, "", midnight, shownVisits)
	if err != nil {
		return v, err
	}
	titles, err := c.titles(ctx, lang)
	for _, x := range visits {
		v.Visits = append(v.Visits, visitRow{x, names[x.Store], titles[x.Campaign]})
	}
	return v, err
}

// titles gives campaigns by what they say, in a language.
func (c *Console) titles(ctx context.Context, lang string) (map[string]string, error) {
	plans, err := c.hq.DB().Plans(ctx)
	titles := map[string]string{}
	for _, p := range plans {
		said := p.Campaign
		if p.Live != nil {
			said = *p.Live
		}
		titles[p.Campaign.ID] = said.Content[lang].Title
	}
	return titles, err
}

// storeRow is a store as its row shows it.
type storeRow struct {
	hq.Store
	Chips []chip
	Badge hq.BadgeView
	Door  bool // stores can enrol here
}

// chip is one kind of snapshot in a store's row.
type chip struct {
	Kind                         string
	Pack                         string // of the kind "pack"
	Applied, Newest              uint64
	Current, Refused, None, Late bool
	Why                          string
}

func (c *Console) storeRows(ctx context.Context, lang string) ([]storeRow, error) {
	stores, err := c.hq.Stores(ctx)
	if err != nil {
		return nil, err
	}
	badges, err := c.hq.BadgeViews(ctx)
	rows := make([]storeRow, len(stores))
	for i, s := range stores {
		rows[i] = storeRow{Store: s, Badge: badges[s.ID], Door: c.hq.HasDoor()}
		if rows[i].Badge.State == "" {
			rows[i].Badge.State = hq.BadgeNone
		}
		for _, kind := range []string{hq.Members, hq.Campaigns} {
			st := s.Snapshot[kind]
			rows[i].Chips = append(rows[i].Chips, chip{Kind: kind, Applied: st.Applied, Newest: st.Newest,
				Current: st.Newest > 0 && st.Applied == st.Newest, Refused: st.Refused > 0, None: st.Newest == 0,
				Late: st.Newest > 0 && st.Refused == 0 && st.Applied < st.Newest, Why: c.refusal(lang, st.Code, st.Why)})
		}
		if s.Regulars != nil {
			st := s.Regulars.Known
			rows[i].Chips = append(rows[i].Chips, chip{Kind: wire.Known, Applied: st.Applied, Newest: st.Newest, Current: st.Newest > 0 && st.Applied == st.Newest,
				Refused: st.Refused > 0, None: st.Newest == 0, Late: st.Newest > 0 && st.Refused == 0 && st.Applied < st.Newest, Why: c.refusal(lang, st.Code, st.Why)})
		}
		rows[i].Chips = append(rows[i].Chips, c.packChips(lang, s)...)
	}
	return rows, err
}

// packChips shows the packs, and the list of them where the store refused that.
func (c *Console) packChips(lang string, s hq.Store) []chip {
	var all []chip
	if st := s.Snapshot[hq.Packs]; st.Refused > 0 {
		all = append(all, chip{Kind: hq.Packs, Newest: st.Newest, Refused: true, Why: c.refusal(lang, st.Code, st.Why)})
	}
	for _, p := range s.Packs {
		all = append(all, chip{Kind: "pack", Pack: p.Pack, Applied: p.InForce, Newest: p.Wanted, Current: p.InForce == p.Wanted,
			Refused: p.Refused, Late: !p.Refused && p.InForce != p.Wanted, None: p.Wanted == 0, Why: c.refusal(lang, p.Code, p.Why)})
	}
	return all
}

// Skewed reports a clock that is off by so much that times from the store mislead.
func (s storeRow) Skewed() bool { return s.HasSkew && s.Skew.Abs() > 5*time.Second }

// Late reports a store whose newest record was old when it came: its line had been away.
func (s storeRow) Late() bool { return s.Behind > time.Minute }

// SameNames reports a store with one name in both languages.
func (s storeRow) SameNames() bool { return strings.EqualFold(s.NameEN, s.NameZH) }
