package console

import (
	"encoding/json"
	"errors"
	"net/http"

	"foyer/api"
	"foyer/hq"
	"foyer/hq/store"
)

func (c *Console) apiRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/stores", c.apiStores)
	mux.HandleFunc("POST /api/stores", c.apiAddStore)
	mux.HandleFunc("POST /api/stores/{id}/token", c.apiNewToken)
	mux.HandleFunc("POST /api/stores/{id}/enrol", c.apiEnrol)
	mux.HandleFunc("POST /api/stores/{id}/revoke", c.apiRevoke)
	mux.HandleFunc("GET /api/visits", c.apiVisits)
	mux.HandleFunc("GET /api/records", c.apiRecords)
	mux.HandleFunc("GET /api/records/count", c.apiRecordCount)
	mux.HandleFunc("GET /api/gaps", c.apiGaps)
	mux.HandleFunc("GET /api/members", c.apiMembers)
	mux.HandleFunc("GET /api/members/{id}/cards", c.apiMemberCards)
	mux.HandleFunc("POST /api/members/{id}/erase", c.apiEraseMember)
	mux.HandleFunc("GET /api/erasures", c.apiErasures)
	mux.HandleFunc("POST /api/members/import", c.apiImport)
	mux.HandleFunc("GET /api/campaigns", c.apiCampaigns)
	mux.HandleFunc("GET /api/campaigns/{id}", c.apiCampaign)
	mux.HandleFunc("POST /api/campaigns", c.apiSaveCampaign)
	mux.HandleFunc("POST /api/campaigns/check", c.apiCheckCampaign)
	mux.HandleFunc("POST /api/campaigns/{id}/push", c.apiPush)
	mux.HandleFunc("POST /api/campaigns/{id}/end", c.apiEnd)
	mux.HandleFunc("GET /api/snapshots", c.apiSnapshots)
	mux.HandleFunc("GET /api/events", c.events)
	c.packRoutes(mux)
	c.commandRoutes(mux)
}

func answer(w http.ResponseWriter, status int, body any) {
	data, err := json.Marshal(body)
	if err != nil {
		http.Error(w, "this answer could not be encoded", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(data, '\n'))
}

// problem answers with api.Problem and, where there are some, faults.
func problem(w http.ResponseWriter, status int, title, detail string, faults any) {
	data, err := json.Marshal(struct {
		api.Problem
		Faults any `json:"faults,omitempty"`
	}{api.Problem{Status: status, Title: title, Detail: detail}, faults})
	if err != nil {
		http.Error(w, title, status)
		return
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	w.Write(append(data, '\n'))
}

// fail answers with what an error of hq means to a tool.
func (c *Console) fail(w http.ResponseWriter, r *http.Request, err error) {
	if b, ok := errors.AsType[*hq.Broken](err); ok {
		type fault struct {
			Field string `json:"field"`
			Wrong string `json:"wrong"`
			Want  string `json:"want"`
		}
		var all []fault
		for _, f := range b.Faults {
			all = append(all, fault{f.Field, f.Wrong, f.Want})
		}
		problem(w, http.StatusUnprocessableEntity, "the campaign is refused", err.Error(), all)
		return
	}
	for sentinel, status := range map[error]int{
		store.ErrNotFound: http.StatusNotFound, store.ErrExists: http.StatusConflict, store.ErrChanged: http.StatusConflict,
		hq.ErrNoTagKey: http.StatusConflict, hq.ErrNoDoor: http.StatusConflict, store.ErrNarrower: http.StatusConflict,
	} {
		if errors.Is(err, sentinel) {
			problem(w, status, http.StatusText(status), err.Error(), nil)
			return
		}
	}
	if r.Context().Err() == nil {
		c.log.Error("a request failed", "path", r.URL.Path, "err", err)
	}
	problem(w, http.StatusInternalServerError, "this did not work here", "headquarters' log says why", nil)
}

// reply answers with a value, or with what went wrong.
func (c *Console) reply(w http.ResponseWriter, r *http.Request, status int, body any, err error) {
	if err != nil {
		c.fail(w, r, err)
		return
	}
	answer(w, status, body)
}

// readJSON decodes a body of at most limit bytes, strictly.
func readJSON(w http.ResponseWriter, r *http.Request, limit int64, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, limit))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		problem(w, http.StatusBadRequest, "the body cannot be read", err.Error(), nil)
		return false
	}
	return true
}
