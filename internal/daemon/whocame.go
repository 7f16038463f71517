package daemon

import (
	"encoding/json"

	"foyer/shop/member"
	"foyer/sync/vault"
	"foyer/sync/wire"
)

// whoCame says whose visit it was, so that a record which names only the visit is sealed as its member's too.
type whoCame map[string]member.ID

// learn takes the visits that are open.
func (w whoCame) learn(s *safe) error {
	past, err := s.histories()
	for _, h := range past {
		if h.Open != nil {
			w[h.Open.Visit] = h.Member
		}
	}
	return err
}

// of is whose a record in clear is; empty for nobody's and for one that is sealed already.
func (w whoCame) of(payload []byte) member.ID {
	if vault.Sealed(payload) {
		return ""
	}
	r, err := wire.DecodeRecord(payload)
	if err != nil {
		return ""
	}
	var body struct {
		Visit  string    `json:"visit"`
		Member member.ID `json:"member"`
	}
	if json.Unmarshal(r.Body, &body) != nil {
		return ""
	}
	if body.Member == "" {
		return w[body.Visit]
	}
	if body.Visit != "" {
		w[body.Visit] = body.Member
	}
	return body.Member
}
