package serve

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"foyer/api"
)

// Cards is whoever knows members and their cards. Its errors are as a Desk's.
type Cards interface {
	Search(ctx context.Context, query string) ([]api.Person, error)
	Wallet(ctx context.Context, member string) (api.Wallet, error)
	ChangeCard(ctx context.Context, member string, verb api.CardVerb, change api.CardChange) error
	Dismiss(ctx context.Context, notice, by string) error
}

const maxQuery = 40 // runes of a name that is looked for

func (s *Server) cardRoutes() []route {
	if s.cards == nil {
		return nil
	}
	return []route{
		{"POST", "/v1/reception/members/search", staff, s.search},
		{"GET", "/v1/reception/members/{member}/cards", staff, s.wallet},
		{"POST", "/v1/reception/members/{member}/cards/{verb}", staff, s.changeCard},
		{"POST", "/v1/reception/notices/{notice}/dismiss", staff, s.dismiss},
	}
}

// search takes the query in the body: a name does not belong into an address.
func (s *Server) search(w http.ResponseWriter, r *http.Request) *api.Problem {
	var in api.Search
	if p := readBody(w, r, &in); p != nil {
		return p
	}
	query := strings.TrimSpace(in.Query)
	if query != "" && (utf8.RuneCountInString(query) > maxQuery || !plain(query, maxQuery*utf8.UTFMax)) {
		return api.NewProblem(api.CodeInvalid, fmt.Sprintf(`"query": a part of a name, at most %d characters on one line`, maxQuery))
	}
	found, err := s.cards.Search(r.Context(), query)
	if err != nil {
		return s.done(w, r, err)
	}
	if found == nil {
		found = []api.Person{}
	}
	s.answer(w, r, http.StatusOK, "application/json", found)
	return nil
}

func (s *Server) wallet(w http.ResponseWriter, r *http.Request) *api.Problem {
	who, p := memberOf(r)
	if p != nil {
		return p
	}
	wallet, err := s.cards.Wallet(r.Context(), who)
	if err != nil {
		return s.done(w, r, err)
	}
	if wallet.Held == nil {
		wallet.Held = []api.Held{}
	}
	s.answer(w, r, http.StatusOK, "application/json", wallet)
	return nil
}

func memberOf(r *http.Request) (string, *api.Problem) {
	who := r.PathValue("member")
	if !plain(who, maxVisit) {
		return "", api.NewProblem(api.CodeNoMember, "there is no such member; search for one first")
	}
	return who, nil
}

func (s *Server) changeCard(w http.ResponseWriter, r *http.Request) *api.Problem {
	who, p := memberOf(r)
	if p != nil {
		return p
	}
	verb := api.CardVerb(r.PathValue("verb"))
	if !slices.Contains(api.CardVerbs, verb) {
		return api.NewProblem(api.CodeNotFound, fmt.Sprintf("a card takes only %v", api.CardVerbs))
	}
	var c api.CardChange
	if p := readBody(w, r, &c); p != nil {
		return p
	}
	if c.By, p = nameOf(c.By); p != nil {
		return p
	}
	for name, text := range map[string]string{"reason": c.Reason, "shown": c.Shown, "card": c.Card} {
		if text != "" && !plain(text, maxVisit) {
			return api.NewProblem(api.CodeInvalid, fmt.Sprintf("%q: take it from what the store told", name))
		}
	}
	return s.done(w, r, s.cards.ChangeCard(r.Context(), who, verb, c))
}

func (s *Server) dismiss(w http.ResponseWriter, r *http.Request) *api.Problem {
	notice := r.PathValue("notice")
	if !plain(notice, maxVisit) {
		return api.NewProblem(api.CodeNotFound, "there is no such notice")
	}
	var c api.Claim
	if p := readBody(w, r, &c); p != nil {
		return p
	}
	by, p := nameOf(c.By)
	if p != nil {
		return p
	}
	return s.done(w, r, s.cards.Dismiss(r.Context(), notice, by))
}

// nameOf takes the name of who acts.
func nameOf(by string) (string, *api.Problem) {
	by = strings.TrimSpace(by)
	if utf8.RuneCountInString(by) > maxBy || !plain(by, maxBy*utf8.UTFMax) {
		return "", api.NewProblem(api.CodeInvalid, fmt.Sprintf(`"by": say who acts: 1 to %d characters on one line`, maxBy))
	}
	return by, nil
}

// counter is what reception sees of cards: the one that was shown last, and the notices that nobody has dealt with.
type counter struct {
	shown   api.Shown
	notices map[string]api.Notice
}

// Shown tells reception of a card that was shown, or that there is none any more.
func (h *Hub) Shown(s api.Shown) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.push(api.ShownIs, s, api.Reception) {
		h.counter.shown = s
	}
}

// Notice tells reception of a lost card that turned up, or that it was dealt with.
func (h *Hub) Notice(n api.Notice) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.push(api.NoticeIs, n, api.Reception) {
		return
	}
	if n.By != "" {
		delete(h.counter.notices, n.ID)
		return
	}
	if h.counter.notices == nil {
		h.counter.notices = map[string]api.Notice{}
	}
	h.counter.notices[n.ID] = n
}

// into puts what is still due into reception's snapshot, the oldest notice first.
func (c *counter) into(s *api.Snapshot, now time.Time) {
	if c.shown.Key != "" && now.Before(c.shown.Until) {
		s.Shown = new(c.shown)
	}
	s.Notices = slices.SortedFunc(maps.Values(c.notices), func(x, y api.Notice) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.ID, y.ID))
	})
}
