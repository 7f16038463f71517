package serve

import (
	"bytes"
	"net/http"

	"foyer/api"
)

// loginByLink takes the token out of a pairing link, so that it stays in no history and no later address. Without a
// token it asks for one.
func (s *Server) loginByLink(w http.ResponseWriter, r *http.Request) *api.Problem {
	if token := r.URL.Query().Get("token"); token != "" {
		return s.login(w, r, token)
	}
	return s.askForToken(w, http.StatusOK, "")
}

func (s *Server) loginByForm(w http.ResponseWriter, r *http.Request) *api.Problem {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return api.NewProblem(api.CodeInvalid, "the form cannot be read; open /login and try again")
	}
	return s.login(w, r, r.PostForm.Get("token"))
}

func (s *Server) login(w http.ResponseWriter, r *http.Request, token string) *api.Problem {
	w.Header().Set("Referrer-Policy", "no-referrer")
	k, p := s.guard.byToken(token, address(r))
	switch {
	case p != nil && p.Code == api.CodeSlowDown:
		return s.askForToken(w, p.Status, "login_slow")
	case p != nil:
		return s.askForToken(w, p.Status, "login_wrong")
	case k.role != ForReception:
		return s.askForToken(w, http.StatusForbidden, "login_screen")
	}
	s.guard.signIn(w, r, k)
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, "/reception/", http.StatusSeeOther)
	return nil
}

// askForToken shows the sign-in in all languages at once: nobody is known yet, so neither is the language.
func (s *Server) askForToken(w http.ResponseWriter, status int, fault string) *api.Problem {
	var b bytes.Buffer
	if err := s.page.login.Execute(&b, map[string]any{"Texts": s.page.texts, "Fault": fault}); err != nil {
		s.log.Error("the sign-in page cannot be written", "err", err)
		return api.NewProblem(api.CodeInternal, "the sign-in page cannot be shown; the log says why")
	}
	w.Header().Set("Content-Type", kinds[".html"])
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
	return nil
}
