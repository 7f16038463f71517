package console

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"foyer/hq"
	"foyer/hq/store"
	"foyer/shop/member"
	"foyer/sync/wire"
)

type apiStore struct {
	ID       string       `json:"id"`
	NameZH   string       `json:"name_zh"`
	NameEN   string       `json:"name_en"`
	Line     hq.Line      `json:"line"` // "online", "offline", "unheard"
	Version  string       `json:"version,omitempty"`
	LastSeen time.Time    `json:"last_seen,omitzero"`
	SkewMS   *int64       `json:"skew_ms,omitempty"` // headquarters' clock minus the store's
	BehindMS int64        `json:"behind_ms"`         // how old its newest record was when it came
	Bad      int          `json:"bad,omitempty"`     // payloads since the start that could not be understood
	LastBad  string       `json:"last_bad,omitempty"`
	Badge    apiBadge     `json:"badge"`
	Applied  []apiApplied `json:"applied"` // one a kind of snapshot that was published

	Packs []apiStorePack `json:"packs"`

	Epoch  string            `json:"epoch,omitempty"`
	Lanes  []hq.LaneStanding `json:"lanes,omitempty"`    // what waits at the store, as far as it has told
	Lost   uint64            `json:"lost,omitempty"`     // records that will never come; see /api/gaps
	Given  *wire.GivenUp     `json:"given_up,omitempty"` // what the store gave up for room
	Budget int64             `json:"budget,omitempty"`
	Spent  int64             `json:"spent,omitempty"` // bytes of the budget, when it told
}

type apiApplied struct {
	Snapshot string    `json:"snapshot"`
	State    string    `json:"state"`   // "applied", "refused", "waiting": for the newest version
	Version  uint64    `json:"version"` // in force at the store; 0 is none
	Newest   uint64    `json:"newest"`  // published
	Code     wire.Code `json:"code,omitempty"`
	Why      string    `json:"why,omitempty"`
}

func newAPIStore(s hq.Store) apiStore {
	out := apiStore{ID: s.ID, NameZH: s.NameZH, NameEN: s.NameEN, Line: s.Line, Version: s.Version, LastSeen: s.LastSeen,
		BehindMS: s.Behind.Milliseconds(), Bad: s.Bad, LastBad: s.LastBad, Applied: []apiApplied{}, Packs: newAPIStorePacks(s),
		Epoch: s.Memory.Told.Epoch, Lanes: s.Memory.Lanes, Lost: s.Memory.Lost, Given: s.Memory.Told.Given, Budget: s.Memory.Told.Budget, Spent: s.Memory.Told.Spent}
	if s.HasSkew {
		out.SkewMS = new(s.Skew.Milliseconds())
	}
	for _, kind := range []string{hq.Members, hq.Campaigns} {
		st := s.Snapshot[kind]
		if st.Newest == 0 {
			continue
		}
		a := apiApplied{Snapshot: kind, State: "waiting", Version: st.Applied, Newest: st.Newest, Code: st.Code, Why: st.Why}
		switch {
		case st.Refused > 0:
			a.State = "refused"
		case st.Applied >= st.Newest:
			a.State = "applied"
		}
		out.Applied = append(out.Applied, a)
	}
	return out
}

func (c *Console) apiStores(w http.ResponseWriter, r *http.Request) {
	stores, err := c.hq.Stores(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	badges, err := c.hq.BadgeViews(r.Context())
	all := make([]apiStore, len(stores))
	for i, s := range stores {
		all[i] = newAPIStore(s)
		all[i].Badge = newAPIBadge(badges[s.ID])
	}
	c.reply(w, r, http.StatusOK, all, err)
}

type apiToken struct {
	ID    string `json:"id"`
	Token string `json:"token"`
}

func (c *Console) apiAddStore(w http.ResponseWriter, r *http.Request) {
	var in struct {
		ID     string `json:"id"`
		NameZH string `json:"name_zh"`
		NameEN string `json:"name_en"`
	}
	if !readJSON(w, r, 16<<10, &in) {
		return
	}
	if c.faultOfStore(storeForm{ID: in.ID, NameZH: in.NameZH, NameEN: in.NameEN}) != "" {
		problem(w, http.StatusUnprocessableEntity, "the store is refused",
			"want an id of 1 to 32 lower-case letters, digits or dashes, and a name of at most 60 characters", nil)
		return
	}
	token, err := c.hq.AddStore(r.Context(), in.ID, in.NameZH, in.NameEN)
	c.reply(w, r, http.StatusCreated, apiToken{in.ID, token}, err)
}

func (c *Console) apiNewToken(w http.ResponseWriter, r *http.Request) {
	token, err := c.hq.NewToken(r.Context(), r.PathValue("id"))
	c.reply(w, r, http.StatusOK, apiToken{r.PathValue("id"), token}, err)
}

// apiBadge is how a store stands to its badge: "none", "code" (until at), "good" or "ended" (at), "revoked" (since at).
type apiBadge struct {
	State hq.BadgeState `json:"state"`
	At    time.Time     `json:"at,omitzero"`
}

func newAPIBadge(v hq.BadgeView) apiBadge {
	if v.State == "" {
		v.State = hq.BadgeNone
	}
	return apiBadge(v)
}

func (c *Console) apiEnrol(w http.ResponseWriter, r *http.Request) {
	ticket, err := c.hq.NewTicket(r.Context(), r.PathValue("id"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	answer(w, http.StatusOK, struct {
		ID     string `json:"id"`
		Ticket string `json:"ticket"`
	}{r.PathValue("id"), ticket.String()})
}

func (c *Console) apiRevoke(w http.ResponseWriter, r *http.Request) {
	err := c.hq.Revoke(r.Context(), r.PathValue("id"))
	c.reply(w, r, http.StatusOK, struct {
		ID    string   `json:"id"`
		Badge apiBadge `json:"badge"`
	}{r.PathValue("id"), apiBadge{hq.BadgeRevoked, c.hq.Now().UTC()}}, err)
}

type apiVisit struct {
	Store     string    `json:"store"`
	Visit     string    `json:"visit"`
	Member    string    `json:"member"`
	Zone      string    `json:"zone,omitempty"`
	Nth       int       `json:"nth"`
	Started   time.Time `json:"started"`
	Ended     time.Time `json:"ended,omitzero"`
	Named     bool      `json:"named"`
	Campaign  string    `json:"campaign,omitempty"`
	ClaimedBy string    `json:"claimed_by,omitempty"`
	ClaimedAt time.Time `json:"claimed_at,omitzero"`
	ServedAt  time.Time `json:"served_at,omitzero"`
	WaitedS   int       `json:"waited_seconds,omitempty"`
}

func (c *Console) apiVisits(w http.ResponseWriter, r *http.Request) {
	since, limit, ok := time.Time{}, 100, true
	if text := r.FormValue("since"); text != "" {
		var err error
		if since, err = time.Parse(time.RFC3339, text); err != nil {
			problem(w, http.StatusBadRequest, "since is no time", "want RFC 3339, like 2026-10-01T08:00:00Z", nil)
			return
		}
	}
	if limit, ok = limitOf(w, r, limit); !ok {
		return
	}
	visits, err := c.hq.DB().Visits(r.Context(), r.FormValue("store"), since, limit)
	all := make([]apiVisit, len(visits))
	for i, v := range visits {
		all[i] = apiVisit{v.Store, v.Visit, v.Member, v.Zone, v.Nth, v.Started, v.Ended, v.Named, v.Campaign,
			v.ClaimedBy, v.ClaimedAt, v.ServedAt, int(v.Waited.Seconds())}
	}
	c.reply(w, r, http.StatusOK, all, err)
}

// maxLimit is how many rows one answer may have.
const maxLimit = 10_000

func limitOf(w http.ResponseWriter, r *http.Request, usual int) (int, bool) {
	text := r.FormValue("limit")
	if text == "" {
		return usual, true
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxLimit {
		problem(w, http.StatusBadRequest, "limit is refused", fmt.Sprintf("want 1 to %d", maxLimit), nil)
		return 0, false
	}
	return n, true
}

func (c *Console) apiRecords(w http.ResponseWriter, r *http.Request) {
	limit, ok := limitOf(w, r, 1000)
	if !ok {
		return
	}
	from, err := strconv.ParseInt("0"+r.FormValue("from"), 10, 64)
	if err != nil {
		problem(w, http.StatusBadRequest, "from is no sequence", "want a whole number", nil)
		return
	}
	rows, err := c.hq.DB().Records(r.Context(), r.FormValue("store"), wire.Kind(r.FormValue("kind")), uint64(from), limit)
	if rows == nil {
		rows = []store.Row{}
	}
	c.reply(w, r, http.StatusOK, rows, err)
}

// apiGaps lists the records that will never come.
func (c *Console) apiGaps(w http.ResponseWriter, r *http.Request) {
	gaps, err := c.hq.DB().Gaps(r.Context())
	if gaps == nil {
		gaps = []store.Gap{}
	}
	c.reply(w, r, http.StatusOK, gaps, err)
}

func (c *Console) apiRecordCount(w http.ResponseWriter, r *http.Request) {
	n, err := c.hq.DB().RecordCount(r.Context(), r.FormValue("store"))
	c.reply(w, r, http.StatusOK, map[string]int{"count": n}, err)
}

type apiMember struct {
	ID         member.ID        `json:"id"`
	Masked     string           `json:"masked"`
	Language   string           `json:"language,omitempty"`
	Tier       string           `json:"tier,omitempty"`
	Cards      int              `json:"cards"`
	NoGreeting bool             `json:"no_greeting,omitempty"`
	Consents   []member.Purpose `json:"consents"`
}

func (c *Console) apiMembers(w http.ResponseWriter, r *http.Request) {
	limit, ok := limitOf(w, r, 100)
	if !ok {
		return
	}
	people, err := c.hq.DB().Members(r.Context(), member.ID(r.FormValue("after")), limit)
	all := make([]apiMember, len(people))
	for i, p := range people {
		all[i] = apiMember{p.ID, p.Masked(), p.Language, p.Tier, len(p.Tags), p.NoGreeting, p.Consents}
	}
	c.reply(w, r, http.StatusOK, all, err)
}

func (c *Console) apiImport(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, hq.MaxImportBytes))
	if err != nil {
		problem(w, http.StatusRequestEntityTooLarge, "the file is too large", fmt.Sprintf("want at most %d bytes", hq.MaxImportBytes), nil)
		return
	}
	todo := c.hq.ImportMembers
	if r.FormValue("dry") == "1" {
		todo = c.hq.CheckMembers
	}
	p, err := todo(r.Context(), data)
	if p != nil && p.FaultCount > 0 {
		lines := make([]string, 0, 5)
		for _, f := range p.Faults[:min(len(p.Faults), cap(lines))] {
			lines = append(lines, f.Error())
		}
		problem(w, http.StatusUnprocessableEntity, fmt.Sprintf("the file has %d faults; nothing of it was stored", p.FaultCount), strings.Join(lines, "; "), p.Faults)
		return
	}
	c.reply(w, r, http.StatusOK, p, err)
}
