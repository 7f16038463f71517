package console

import (
	"errors"
	"net/http"
	"strings"

	"foyer/hq"
	"foyer/hq/store"
	"foyer/sync/wire"
)

type storesView struct {
	Stores []storeRow
	Form   storeForm
	Token  *newToken
	Ticket *newTicket
	Out    string // the store that was shut out just now
}

type storeForm struct {
	ID, NameZH, NameEN string
	Fault              string // key of a text
}

// newToken is shown once, right after it was made.
type newToken struct {
	ID, Token string
	Fresh     bool // the store is new, too
	Key       string
}

func (c *Console) stores(w http.ResponseWriter, r *http.Request) {
	c.showStores(w, r, http.StatusOK, storesView{})
}

func (c *Console) showStores(w http.ResponseWriter, r *http.Request, status int, v storesView) {
	var err error
	if v.Stores, err = c.storeRows(r.Context(), c.language(w, r)); err != nil {
		c.broken(w, r, err)
		return
	}
	c.render(w, r, status, "stores", v)
}

func (c *Console) storesPart(w http.ResponseWriter, r *http.Request) {
	rows, err := c.storeRows(r.Context(), c.language(w, r))
	if err != nil {
		c.broken(w, r, err)
		return
	}
	c.part(w, r, "stores", storesView{Stores: rows})
}

// addStore answers with the token in the page itself: a redirect would have to carry it or keep it.
func (c *Console) addStore(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
	f := storeForm{ID: strings.TrimSpace(r.PostFormValue("id")), NameZH: strings.TrimSpace(r.PostFormValue("name_zh")), NameEN: strings.TrimSpace(r.PostFormValue("name_en"))}
	f.Fault = c.faultOfStore(f)
	if f.Fault != "" {
		c.showStores(w, r, http.StatusUnprocessableEntity, storesView{Form: f})
		return
	}
	token, err := c.hq.AddStore(r.Context(), f.ID, f.NameZH, f.NameEN)
	if errors.Is(err, store.ErrExists) {
		f.Fault = "store_exists"
		c.showStores(w, r, http.StatusConflict, storesView{Form: f})
		return
	}
	if err != nil {
		c.broken(w, r, err)
		return
	}
	if c.hq.HasDoor() {
		c.giveTicket(w, r, http.StatusCreated, f.ID)
		return
	}
	c.showStores(w, r, http.StatusCreated, storesView{Token: &newToken{f.ID, token, true, c.hq.PublicKeyFile()}})
}

// maxStoreName is how many characters a store's name may have.
const maxStoreName = 60

func (c *Console) faultOfStore(f storeForm) string {
	if (wire.Place{Chain: c.hq.Chain(), Store: f.ID}).Check() != nil {
		return "store_id"
	}
	if n := max(len([]rune(f.NameZH)), len([]rune(f.NameEN))); n > maxStoreName || f.NameZH+f.NameEN == "" {
		return "store_name"
	}
	return ""
}

func (c *Console) newToken(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	token, err := c.hq.NewToken(r.Context(), id)
	if errors.Is(err, store.ErrNotFound) {
		c.notFound(w, r)
		return
	}
	if err != nil {
		c.broken(w, r, err)
		return
	}
	c.showStores(w, r, http.StatusOK, storesView{Token: &newToken{ID: id, Token: token, Key: c.hq.PublicKeyFile()}})
}

// newTicket is shown once, right after it was made.
type newTicket struct{ ID, Ticket string }

// giveTicket answers with a one-time code in the page itself, as addStore does with a token.
func (c *Console) giveTicket(w http.ResponseWriter, r *http.Request, status int, id string) {
	ticket, err := c.hq.NewTicket(r.Context(), id)
	switch {
	case errors.Is(err, store.ErrNotFound) || errors.Is(err, hq.ErrNoDoor):
		c.notFound(w, r)
	case err != nil:
		c.broken(w, r, err)
	default:
		c.showStores(w, r, status, storesView{Ticket: &newTicket{id, ticket.String()}})
	}
}

func (c *Console) enrolStore(w http.ResponseWriter, r *http.Request) {
	c.giveTicket(w, r, http.StatusOK, r.PathValue("id"))
}

func (c *Console) revokeStore(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	err := c.hq.Revoke(r.Context(), id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		c.notFound(w, r)
	case err != nil:
		c.broken(w, r, err)
	default:
		c.showStores(w, r, http.StatusOK, storesView{Out: id})
	}
}
