package serve

import (
	"context"
	"net/http"
	"regexp"
	"strings"

	"foyer/api"
)

// Guests is whoever takes what people ask at the kiosk, and what staff say of it. Its errors are as a Desk's.
type Guests interface {
	SignUp(ctx context.Context, s api.SignUp) (api.Joined, error)
	CallStaff(ctx context.Context, h api.Help) error
	Confirm(ctx context.Context, newcomer string, c api.Confirm) error
}

func (s *Server) guestRoutes() []route {
	if s.guests == nil {
		return nil
	}
	return []route{
		{"POST", "/v1/kiosk/signups", screens, s.signUp},
		{"POST", "/v1/kiosk/help", screens, s.help},
		{"POST", "/v1/reception/newcomers/{newcomer}/confirm", staff, s.confirm},
	}
}

func (s *Server) signUp(w http.ResponseWriter, r *http.Request) *api.Problem {
	var in api.SignUp
	if p := readBody(w, r, &in); p != nil {
		return p
	}
	if err := in.Check(); err != nil {
		return api.NewProblem(api.CodeInvalid, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	joined, err := s.guests.SignUp(r.Context(), in)
	if err != nil {
		return s.done(w, r, err)
	}
	s.answer(w, r, http.StatusOK, "application/json", joined)
	return nil
}

func (s *Server) help(w http.ResponseWriter, r *http.Request) *api.Problem {
	var in api.Help
	if p := readBody(w, r, &in); p != nil {
		return p
	}
	if !plain(in.Language, 16) || in.Visit != "" && !plain(in.Visit, maxVisit) {
		return api.NewProblem(api.CodeInvalid, `"language": want a tag like en or zh-CN; "visit": take it from the greeting, or leave it out`)
	}
	return s.done(w, r, s.guests.CallStaff(r.Context(), in))
}

// codeForm is what a kiosk shows a newcomer.
var codeForm = regexp.MustCompile(`^[0-9]{4}$`)

func (s *Server) confirm(w http.ResponseWriter, r *http.Request) *api.Problem {
	id := r.PathValue("newcomer")
	if !plain(id, maxVisit) {
		return api.NewProblem(api.CodeNotFound, "nobody of that name waits; take it from a notice")
	}
	var in api.Confirm
	if p := readBody(w, r, &in); p != nil {
		return p
	}
	var p *api.Problem
	if in.By, p = nameOf(in.By); p != nil {
		return p
	}
	if in.Code = strings.TrimSpace(in.Code); !codeForm.MatchString(in.Code) {
		return api.NewProblem(api.CodeWrongCode, `"code": the four digits on the kiosk's screen`)
	}
	return s.done(w, r, s.guests.Confirm(r.Context(), id, in))
}

// Carded tells the kiosk that a newcomer's card is theirs.
func (h *Hub) Carded(signup string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.push(api.CardedIs, api.Carded{Signup: signup}, api.Kiosk)
}
