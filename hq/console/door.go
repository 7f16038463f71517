package console

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	cookieName  = "foyer_hq"
	sessionTime = 12 * time.Hour
	maxSessions = 1000

	// After tries wrong tokens from one address, or allTries from all, within tryTime, nobody there is let in, right or wrong.
	tries    = 5
	allTries = 60
	tryTime  = time.Minute
)

// doors knows who may come in.
type doors struct {
	token [sha256.Size]byte // hash of the admin token
	now   func() time.Time

	mu       sync.Mutex
	sessions map[[sha256.Size]byte]time.Time // hash of the cookie's value: when it ends
	wrong    map[string]int                  // by address, since began
	allWrong int
	began    time.Time
}

func newDoors(token string, now func() time.Time) *doors {
	return &doors{token: sha256.Sum256([]byte(token)), now: now, sessions: map[[sha256.Size]byte]time.Time{}, wrong: map[string]int{}}
}

func (d *doors) isToken(text string) bool {
	hash := sha256.Sum256([]byte(text))
	return subtle.ConstantTimeCompare(hash[:], d.token[:]) == 1
}

// try checks a token that somebody typed. wait is how long they have to wait before the next try, 0 if they need not.
func (d *doors) try(from, token string) (ok bool, wait time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	if now.Sub(d.began) >= tryTime {
		d.began, d.allWrong = now, 0
		clear(d.wrong)
	}
	if d.wrong[from] >= tries || d.allWrong >= allTries {
		return false, d.began.Add(tryTime).Sub(now)
	}
	if d.isToken(token) {
		return true, 0
	}
	d.wrong[from]++
	d.allWrong++
	return false, 0
}

// open begins a session and returns the cookie's value.
func (d *doors) open() string {
	value := rand.Text()
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	for hash, end := range d.sessions {
		if now.After(end) || len(d.sessions) >= maxSessions {
			delete(d.sessions, hash)
		}
	}
	d.sessions[sha256.Sum256([]byte(value))] = now.Add(sessionTime)
	return value
}

func (d *doors) close(value string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.sessions, sha256.Sum256([]byte(value)))
}

// mayPass reports whether a request carries a session or the token.
func (d *doors) mayPass(r *http.Request) bool {
	if token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		if right, _ := d.try(address(r), token); right {
			return true
		}
	}
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	end, ok := d.sessions[sha256.Sum256([]byte(cookie.Value))]
	return ok && d.now().Before(end)
}

func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// behindDoor lets those pass who may, sends browsers to the login page, and answers tools with 401.
func (c *Console) behindDoor(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case c.doors.mayPass(r):
			next.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/api/") || r.Method != http.MethodGet || strings.HasPrefix(r.URL.Path, "/parts/") || r.URL.Path == "/events":
			w.Header().Set("WWW-Authenticate", "Bearer")
			problem(w, http.StatusUnauthorized, "not signed in", "send the admin token as Authorization: Bearer, or sign in at /login", nil)
		default:
			http.Redirect(w, r, "/login", http.StatusSeeOther)
		}
	})
}

// loginPage shows the form. With ?token= it signs in at once and takes the token out of the address bar.
func (c *Console) loginPage(w http.ResponseWriter, r *http.Request) {
	if token := r.URL.Query().Get("token"); token != "" {
		c.enter(w, r, token)
		return
	}
	if c.doors.mayPass(r) {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	c.render(w, r, http.StatusOK, "login", loginView{})
}

type loginView struct {
	Wrong bool
	Wait  int // seconds
}

func (c *Console) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	c.enter(w, r, strings.TrimSpace(r.PostFormValue("token")))
}

func (c *Console) enter(w http.ResponseWriter, r *http.Request, token string) {
	ok, wait := c.doors.try(address(r), token)
	switch {
	case ok:
		http.SetCookie(w, &http.Cookie{Name: cookieName, Value: c.doors.open(), Path: "/", MaxAge: int(sessionTime.Seconds()),
			HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil})
		http.Redirect(w, r, "/", http.StatusSeeOther)
	case wait > 0:
		w.Header().Set("Retry-After", seconds(wait))
		c.render(w, r, http.StatusTooManyRequests, "login", loginView{Wait: int(wait.Seconds()) + 1})
	default:
		c.log.Warn("somebody came with a wrong admin token", "from", address(r))
		c.render(w, r, http.StatusForbidden, "login", loginView{Wrong: true})
	}
}

func (c *Console) logout(w http.ResponseWriter, r *http.Request) {
	if cookie, err := r.Cookie(cookieName); err == nil {
		c.doors.close(cookie.Value)
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}
