package serve

import (
	"errors"
	"io"
	"net/http"

	"foyer/api"
)

// picture takes a screen's picture of itself.
func (s *Server) picture(w http.ResponseWriter, r *http.Request) *api.Problem {
	face := api.Face(r.PathValue("face"))
	if !public(face) {
		return api.NewProblem(api.CodeNotFound, "only wall and kiosk send pictures")
	}
	png, err := io.ReadAll(http.MaxBytesReader(w, r.Body, api.MaxPicture))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return api.NewProblem(api.CodeTooLarge, "the picture is too large; send a smaller one")
	}
	if err != nil {
		return api.NewProblem(api.CodeInvalid, "the picture did not come whole: "+err.Error())
	}
	if s.pictures == nil || !s.pictures.Take(face, r.PathValue("order"), png) {
		return api.NewProblem(api.CodeNotFound, "nobody waits for this picture")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// set tells what headquarters has set.
func (s *Server) set(w http.ResponseWriter, r *http.Request) *api.Problem {
	all := s.settings()
	if all == nil {
		all = []api.Setting{}
	}
	s.answer(w, r, http.StatusOK, "application/json", all)
	return nil
}
