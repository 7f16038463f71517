package serve

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"foyer/api"
)

// Printers is whoever has paper. Its errors are as a Desk's.
type Printers interface {
	Print(ctx context.Context, printer string, o api.PrintOrder) error
	Settle(ctx context.Context, printer, serial string, verb api.PrintVerb) error
}

func (s *Server) printerRoutes() []route {
	if s.printers == nil {
		return nil
	}
	return []route{
		{"POST", "/v1/reception/printers/{printer}/print", staff, s.print},
		{"POST", "/v1/reception/printers/{printer}/jobs/{serial}/{verb}", staff, s.settle},
	}
}

func (s *Server) print(w http.ResponseWriter, r *http.Request) *api.Problem {
	var o api.PrintOrder
	if p := readBody(w, r, &o); p != nil {
		return p
	}
	var p *api.Problem
	if o.By, p = nameOf(o.By); p != nil {
		return p
	}
	if !slices.Contains(api.Printables, o.What) {
		return api.NewProblem(api.CodeInvalid, fmt.Sprintf(`"what": want one of %v`, api.Printables))
	}
	printer, p := printerOf(r)
	if p != nil {
		return p
	}
	return s.done(w, r, s.printers.Print(r.Context(), printer, o))
}

func (s *Server) settle(w http.ResponseWriter, r *http.Request) *api.Problem {
	var c api.Claim
	if p := readBody(w, r, &c); p != nil {
		return p
	}
	if _, p := nameOf(c.By); p != nil {
		return p
	}
	printer, p := printerOf(r)
	if p != nil {
		return p
	}
	serial, verb := r.PathValue("serial"), api.PrintVerb(r.PathValue("verb"))
	if !plain(serial, maxVisit) || !slices.Contains(api.PrintVerbs, verb) {
		return api.NewProblem(api.CodeNotFound, fmt.Sprintf("there is no such job, or not one of %v", api.PrintVerbs))
	}
	return s.done(w, r, s.printers.Settle(r.Context(), printer, serial, verb))
}

func printerOf(r *http.Request) (string, *api.Problem) {
	name := r.PathValue("printer")
	if !plain(name, maxVisit) {
		return "", api.NewProblem(api.CodeNotFound, "there is no such printer; take its name from the store's health")
	}
	return name, nil
}
