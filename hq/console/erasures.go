package console

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"foyer/hq"
	"foyer/hq/store"
	"foyer/shop/member"
)

// erasuresView lists who was erased, without saying who it was, and where that has come.
type erasuresView struct {
	All   []hq.Erasure
	Fresh uint64 // the one that was just asked for
}

func (c *Console) erasures(w http.ResponseWriter, r *http.Request) {
	c.showErasures(w, r, 0)
}

func (c *Console) showErasures(w http.ResponseWriter, r *http.Request, fresh uint64) {
	all, err := c.hq.Erasures(r.Context())
	if err != nil {
		c.broken(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "erasures", erasuresView{All: all, Fresh: fresh})
}

func (c *Console) erasuresPart(w http.ResponseWriter, r *http.Request) {
	all, err := c.hq.Erasures(r.Context())
	if err != nil {
		c.broken(w, r, err)
		return
	}
	c.part(w, r, "erasures", erasuresView{All: all})
}

// eraseMember erases a person for good: the form has a box to tick that says so.
func (c *Console) eraseMember(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 8192)
	id := member.ID(r.PathValue("id"))
	reason := strings.TrimSpace(r.PostFormValue("reason"))
	switch {
	case r.PostFormValue("sure") != "yes":
		c.showMember(w, r, http.StatusBadRequest, "unsure")
		return
	case len(reason) > store.MaxReason:
		c.showMember(w, r, http.StatusBadRequest, "long")
		return
	}
	number, err := c.hq.EraseMember(r.Context(), id, reason)
	switch {
	case errors.Is(err, store.ErrNotFound):
		c.notFound(w, r)
	case err != nil:
		c.broken(w, r, err)
	default:
		c.showErasures(w, r, number)
	}
}

type apiErasure struct {
	Number uint64            `json:"number"`
	At     time.Time         `json:"at"`
	Reason string            `json:"reason,omitempty"`
	Swept  bool              `json:"swept"` // headquarters' own records name nobody any more
	Stores []apiErasureStore `json:"stores"`
}

type apiErasureStore struct {
	Store   string    `json:"store"`
	Done    time.Time `json:"done,omitzero"`    // when it said that nothing is left there
	Forgets time.Time `json:"forgets,omitzero"` // when its lease makes it forget its members anyway
}

func newAPIErasure(e hq.Erasure) apiErasure {
	out := apiErasure{Number: e.Number, At: e.At, Reason: e.Reason, Swept: e.Swept, Stores: []apiErasureStore{}}
	for _, s := range e.Stores {
		out.Stores = append(out.Stores, apiErasureStore{Store: s.ID, Done: s.Done, Forgets: s.Forgets})
	}
	return out
}

func (c *Console) apiErasures(w http.ResponseWriter, r *http.Request) {
	all, err := c.hq.Erasures(r.Context())
	out := []apiErasure{}
	for _, e := range all {
		out = append(out, newAPIErasure(e))
	}
	c.reply(w, r, http.StatusOK, out, err)
}

func (c *Console) apiEraseMember(w http.ResponseWriter, r *http.Request) {
	var ask struct {
		Reason string `json:"reason"`
	}
	if !readJSON(w, r, 4096, &ask) {
		return
	}
	if len(ask.Reason) > store.MaxReason {
		problem(w, http.StatusBadRequest, "the reason is too long", "want at most 200 bytes", nil)
		return
	}
	number, err := c.hq.EraseMember(r.Context(), member.ID(r.PathValue("id")), ask.Reason)
	c.reply(w, r, http.StatusOK, struct {
		Number uint64 `json:"number"`
	}{number}, err)
}
