package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"foyer/api"
)

const (
	maxBody    = 4 << 10        // the largest request body that is read
	maxBy      = 40             // runes of a name at the desk
	maxVisit   = 128            // bytes of a visit's name
	maxSession = 24 * time.Hour // one use of the kiosk
	maxTaps    = 100_000
	maxScore   = 1_000_000
)

func (s *Server) claim(ctx context.Context, visit, by string) error {
	return s.desk.Claim(ctx, visit, by)
}
func (s *Server) release(ctx context.Context, visit, by string) error {
	return s.desk.Release(ctx, visit, by)
}
func (s *Server) serve(ctx context.Context, visit, by string) error {
	return s.desk.Serve(ctx, visit, by)
}

// card answers one of the three things that staff do with a card.
func (s *Server) card(do func(ctx context.Context, visit, by string) error) handler {
	return func(w http.ResponseWriter, r *http.Request) *api.Problem {
		visit := r.PathValue("visit")
		if !plain(visit, maxVisit) {
			return api.NewProblem(api.CodeNotFound, "there is no such visit; take its name from a card")
		}
		var c api.Claim
		if p := readBody(w, r, &c); p != nil {
			return p
		}
		by, p := nameOf(c.By)
		if p != nil {
			return p
		}
		return s.done(w, r, do(r.Context(), visit, by))
	}
}

func (s *Server) session(w http.ResponseWriter, r *http.Request) *api.Problem {
	var u api.Session
	if p := readBody(w, r, &u); p != nil {
		return p
	}
	if err := checkSession(u); err != nil {
		return api.NewProblem(api.CodeInvalid, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return s.done(w, r, s.desk.KioskUsed(r.Context(), u))
}

func (s *Server) tried(w http.ResponseWriter, r *http.Request) *api.Problem {
	var t api.Tried
	if p := readBody(w, r, &t); p != nil {
		return p
	}
	if err := checkTried(t); err != nil {
		return api.NewProblem(api.CodeInvalid, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return s.done(w, r, s.desk.DemoTried(r.Context(), t))
}

// done answers with nothing when all went well.
func (s *Server) done(w http.ResponseWriter, r *http.Request, err error) *api.Problem {
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if p, ok := errors.AsType[*api.Problem](err); ok {
		return p
	}
	if r.Context().Err() != nil {
		return api.NewProblem(api.CodeBusy, "the request was ended before the store had answered; look at the card and try again")
	}
	s.log.Error("the desk could not do what was asked", "pattern", r.Pattern, "err", err)
	return api.NewProblem(api.CodeInternal, "the store could not do this; its log says why. Try again, and call for help if it stays")
}

// readBody takes exactly one JSON object with known fields only.
func readBody(w http.ResponseWriter, r *http.Request, into any) *api.Problem {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return api.NewProblem(api.CodeNotJSON, "send the body as JSON with the header Content-Type: application/json")
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			return nil
		}
		err = errors.New("there is more after the end of the object")
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return api.NewProblem(api.CodeTooLarge, fmt.Sprintf("the body is longer than %d bytes; send less", maxBody))
	}
	return api.NewProblem(api.CodeInvalid, "the body is not what this address takes: "+err.Error())
}

// plain says whether s is 1 to limit bytes of printable text on one line.
func plain(s string, limit int) bool {
	return s != "" && len(s) <= limit && utf8.ValidString(s) &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// complaints collects what is wrong with a body.
type complaints []error

func (c *complaints) fault(bad bool, text string) {
	if bad {
		*c = append(*c, errors.New(text))
	}
}

// checkTried tells all that is wrong with a report of a demo.
func checkTried(t api.Tried) error {
	var c complaints
	c.fault(t.Visit != "" && !plain(t.Visit, maxVisit), `"visit": take it from the greeting, or leave it out`)
	c.fault(!plain(t.Language, 16), `"language": want a tag like en or zh-CN`)
	c.fault(!plain(t.Pack, 32) || t.Version < 1, `"pack", "version": want those of the pack's manifest`)
	c.fault(t.Started.IsZero() || t.Ended.Before(t.Started) || t.Ended.Sub(t.Started) > maxSession, `"started", "ended": want two times at most a day apart`)
	c.fault(t.Score < 0 || t.Score > maxScore, `"score": out of range`)
	c.fault(!slices.Contains([]string{"done", "won", "lost", "left"}, t.End), `"end": want done, won, lost or left`)
	c.fault(t.Reward != "" && !plain(t.Reward, 32), `"reward": want the name that the pack gives it`)
	return errors.Join(c...)
}

// checkSession tells all that is wrong with a report of the kiosk.
func checkSession(u api.Session) error {
	var c complaints
	fault := c.fault
	fault(u.Visit != "" && !plain(u.Visit, maxVisit), `"visit": take it from the greeting, or leave it out`)
	fault(!plain(u.Language, 16), `"language": want a tag like en or zh-CN`)
	fault(u.Started.IsZero() || u.Ended.IsZero(), `"started", "ended": both are needed`)
	fault(u.Ended.Before(u.Started), `"ended": lies before started`)
	fault(u.Ended.Sub(u.Started) > maxSession, `"ended": more than a day after started`)
	fault(u.Taps < 0 || u.Taps > maxTaps, `"taps": out of range`)
	fault(u.End != "idle" && u.End != "closed", `"end": want idle or closed`)
	return errors.Join(c...)
}

func (s *Server) healthz(w http.ResponseWriter, r *http.Request) *api.Problem {
	if err := s.health(r.Context()); err != nil {
		return api.NewProblem(api.CodeBusy, err.Error())
	}
	s.answer(w, r, http.StatusOK, "application/json", map[string]bool{"ok": true})
	return nil
}
