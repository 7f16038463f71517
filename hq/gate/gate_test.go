package gate

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"foyer/hq"
	"foyer/hq/ca"
	"foyer/hq/store/storetest"
	"foyer/sync/badge"
	"foyer/sync/wire"
)

// office is headquarters with its door open, and a clock that the test sets.
type office struct {
	t    *testing.T
	hq   *hq.HQ
	gate *Gate
	addr string

	mu  sync.Mutex
	now time.Time
}

var start = time.Date(2026, 9, 30, 12, 0, 0, 0, time.UTC)

func newOffice(t *testing.T) *office {
	o := &office{t: t, now: start}
	var err error
	if o.hq, err = hq.Open(hq.Config{Dir: storetest.Link(t, t.TempDir()), Chain: "harbour", Now: o.clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.hq.Close() })
	o.gate = New(o.hq, nil)
	o.addr = o.open(o.gate, o.hq.ServerTLS())
	if err := o.hq.SetDoors(hq.Doors{Gate: o.addr, Broker: "tls://127.0.0.1:1"}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"north", "south"} {
		if _, err := o.hq.AddStore(t.Context(), id, "", id); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func (o *office) clock() time.Time { o.mu.Lock(); defer o.mu.Unlock(); return o.now }

func (o *office) pass(d time.Duration) { o.mu.Lock(); defer o.mu.Unlock(); o.now = o.now.Add(d) }

func (o *office) open(h http.Handler, config *tls.Config) (address string) {
	o.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		o.t.Fatal(err)
	}
	s := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go s.Serve(tls.NewListener(ln, config))
	o.t.Cleanup(func() { s.Close() })
	return ln.Addr().String()
}

func (o *office) ticket(store string) badge.Ticket {
	o.t.Helper()
	ticket, err := o.hq.NewTicket(o.t.Context(), store)
	if err != nil {
		o.t.Fatal(err)
	}
	return ticket
}

// box is a store's box with an identity folder and a clock of its own.
type box struct {
	o     *office
	dir   string
	store string
	off   time.Duration // its clock minus headquarters'
}

func (o *office) box(store string) *box {
	return &box{o: o, dir: filepath.Join(o.t.TempDir(), "identity"), store: store}
}

func (b *box) place() wire.Place { return wire.Place{Chain: "harbour", Store: b.store} }
func (b *box) now() time.Time    { return b.o.clock().Add(b.off) }

func (b *box) enrol(t badge.Ticket) (badge.Enrolled, error) {
	return badge.Enrol(b.o.t.Context(), badge.Enrolment{Dir: b.dir, Place: b.place(), Ticket: t, Again: true, Now: b.now})
}

func (b *box) mustEnrol() *badge.Folder {
	b.o.t.Helper()
	if _, err := b.enrol(b.o.ticket(b.store)); err != nil {
		b.o.t.Fatal(err)
	}
	return b.folder()
}

func (b *box) folder() *badge.Folder {
	b.o.t.Helper()
	f, err := badge.Open(b.dir, b.place())
	if err != nil {
		b.o.t.Fatal(err)
	}
	return f
}

func (b *box) visit(f *badge.Folder) error {
	return (&badge.Keeper{Folder: f, Now: b.now}).Visit(b.o.t.Context())
}

func refusedWith(t *testing.T, err error, word string) {
	t.Helper()
	r, ok := errors.AsType[*badge.Refusal](err)
	if !ok || r.Word != word {
		t.Fatalf("the error is %v: want a refusal %q", err, word)
	}
}

func TestEnrol(t *testing.T) {
	o := newOffice(t)
	b := o.box("north")
	e, err := b.enrol(o.ticket("north"))
	if err != nil {
		t.Fatal(err)
	}
	if id, _ := o.hq.PublicKey(); e.News.Broker != "tls://127.0.0.1:1" || e.News.Gate != o.addr || !strings.Contains(e.News.SigningKeys, "foyer-ed25519-public") || id == "" {
		t.Errorf("the news are %+v", e.News)
	}
	if store, err := o.hq.Admit(e.Badge.Leaf); err != nil || store != "north" {
		t.Errorf("headquarters takes the badge for %q, %v", store, err)
	}
	for name, mode := range map[string]os.FileMode{"": 0o700, "badge.pem": 0o600, "headquarters.json": 0o600} {
		if info, err := os.Stat(filepath.Join(b.dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%q has %v, %v: want mode %o", name, info.Mode(), err, mode)
		}
	}
	if files, err := os.ReadDir(b.dir); err != nil || len(files) != 3 {
		t.Errorf("the folder has %v: want the badge, the news, the authority and nothing else", files)
	}
}

func TestCodesThatOpenNothing(t *testing.T) {
	o := newOffice(t)
	old := o.ticket("north")
	used := o.ticket("north") // makes the old one void
	if _, err := o.box("north").enrol(used); err != nil {
		t.Fatal(err)
	}
	never := badge.Ticket{Address: o.addr, Code: badge.NewCode(used.Code.Pin)}
	for name, tc := range map[string]struct {
		ticket badge.Ticket
		word   string
	}{
		"never made": {never, badge.WrongCode}, "replaced": {old, badge.WrongCode}, "used": {used, badge.UsedCode},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := o.box("north").enrol(tc.ticket)
			refusedWith(t, err, tc.word)
		})
	}
	late := o.ticket("north")
	o.pass(hq.CodeLife)
	_, err := o.box("north").enrol(late)
	refusedWith(t, err, badge.Expired)
	_, err = o.box("south").enrol(o.ticket("north"))
	refusedWith(t, err, badge.Elsewhere)
	if !strings.Contains(err.Error(), "store north") || !strings.Contains(err.Error(), "store south") {
		t.Errorf("the error is %v: want it to name both stores", err)
	}
}

// The code of a store whose configuration was wrong is still good once that is mended.
func TestElsewhereCostsNoCode(t *testing.T) {
	o := newOffice(t)
	ticket := o.ticket("north")
	_, err := o.box("south").enrol(ticket)
	refusedWith(t, err, badge.Elsewhere)
	if _, err := o.box("north").enrol(ticket); err != nil {
		t.Error(err)
	}
}

// The answer got lost after headquarters had used the code up: the same box asks again with the same code.
func TestLostAnswer(t *testing.T) {
	o := newOffice(t)
	var cut sync.Once
	front := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lost := false
		cut.Do(func() { lost = true })
		if !lost {
			o.gate.ServeHTTP(w, r)
			return
		}
		o.gate.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	})
	ticket := o.ticket("north")
	ticket.Address = o.open(front, o.hq.ServerTLS())
	b := o.box("north")
	if _, err := b.enrol(ticket); err == nil {
		t.Fatal("the line was cut and nothing is wrong")
	}
	if _, err := b.enrol(ticket); err != nil {
		t.Fatalf("the second try: %v", err)
	}
	_, err := o.box("north").enrol(ticket)
	refusedWith(t, err, badge.UsedCode) // another box has another key
}

// Who answers at headquarters' address without being it learns nothing.
func TestImpostor(t *testing.T) {
	o := newOffice(t)
	var told bytes.Buffer
	impostor, err := ca.Open(t.TempDir(), "harbour", start)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := impostor.Server(start, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	// It may even send the real authority's certificate along, which everybody can have.
	pair.Certificate = append(pair.Certificate, o.hq.Authority().Certificate().Raw)
	ticket := o.ticket("north")
	ticket.Address = o.open(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(&told, r.Body) }), &tls.Config{Certificates: []tls.Certificate{pair}})
	if _, err := o.box("north").enrol(ticket); err == nil || !strings.Contains(err.Error(), "not headquarters") {
		t.Errorf("the error is %v: want that whoever answers is not headquarters", err)
	}
	if told.Len() > 0 {
		t.Errorf("the impostor was told %q", told.String())
	}
}

func TestTooManyWrongCodes(t *testing.T) {
	o := newOffice(t)
	good := o.ticket("north")
	for range most {
		_, err := o.box("north").enrol(badge.Ticket{Address: o.addr, Code: badge.NewCode(good.Code.Pin)})
		refusedWith(t, err, badge.WrongCode)
	}
	_, err := o.box("north").enrol(good)
	refusedWith(t, err, badge.SlowDown)
	o.pass(within)
	if _, err := o.box("north").enrol(good); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

// However wrong a box's clock is, it enrols, is told so, works, and is renewed when headquarters says that it is time.
func TestBoxesWithWrongClocks(t *testing.T) {
	for name, off := range map[string]time.Duration{"in 1970": -start.Sub(time.Unix(0, 0)), "three days behind": -72 * time.Hour, "twenty years ahead": 20 * 365 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			b := o.box("north")
			b.off = off
			e, err := b.enrol(o.ticket("north"))
			if err != nil {
				t.Fatal(err)
			}
			if e.Skew != -off {
				t.Errorf("it is told that its clock is off by %v, want %v", e.Skew, -off)
			}
			_, err = o.box("north").enrol(badge.Ticket{Address: o.addr, Code: badge.NewCode(o.ticket("north").Code.Pin)})
			refusedWith(t, err, badge.WrongCode)
			f := b.folder()
			first := f.Badge().Leaf
			if err := b.visit(f); err != nil {
				t.Fatal(err)
			}
			if !f.Badge().Leaf.Equal(first) {
				t.Error("a fresh badge was renewed: the box went by its own clock")
			}
			o.pass(61 * 24 * time.Hour)
			if err := b.visit(f); err != nil {
				t.Fatal(err)
			}
			if f.Badge().Leaf.Equal(first) {
				t.Error("after two thirds of its life it was not renewed")
			}
		})
	}
}

func TestClockIsToldWithARefusal(t *testing.T) {
	o := newOffice(t)
	b := o.box("north")
	b.off = -72 * time.Hour
	_, err := b.enrol(badge.Ticket{Address: o.addr, Code: badge.NewCode(o.ticket("north").Code.Pin)})
	if err == nil || !strings.Contains(err.Error(), "3 days behind") {
		t.Errorf("the error is %v: want it to tell of the clock", err)
	}
}

// A renewal has a new key, is one rename, and the old badge stays good for some days after the new one was shown.
func TestRenewal(t *testing.T) {
	o := newOffice(t)
	b := o.box("north")
	f := b.mustEnrol()
	old := f.Badge().Leaf
	o.pass(60*24*time.Hour + time.Hour)
	if err := b.visit(f); err != nil {
		t.Fatal(err)
	}
	young := f.Badge().Leaf
	if young.Equal(old) || bytes.Equal(young.RawSubjectPublicKeyInfo, old.RawSubjectPublicKeyInfo) {
		t.Fatal("the badge has no new key")
	}
	if again := b.folder().Badge().Leaf; !again.Equal(young) {
		t.Error("the folder has another badge than is used")
	}
	if _, err := os.Stat(filepath.Join(b.dir, "pending.key")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the pending key is still there: %v", err)
	}
	if _, err := o.hq.Admit(old); err != nil {
		t.Errorf("the old badge right after the switch: %v", err)
	}
	o.pass(9 * 24 * time.Hour)
	_, err := o.hq.Admit(old)
	refusedWith(t, err, badge.Revoked)
	if _, err := o.hq.Admit(young); err != nil {
		t.Errorf("the new badge: %v", err)
	}
}

// A box that was switched off for months comes back by itself; one that was off for a year does not.
func TestLateRenewal(t *testing.T) {
	o := newOffice(t)
	b, lost := o.box("north"), o.box("south")
	f, gone := b.mustEnrol(), lost.mustEnrol()
	o.pass(ca.BadgeLife + 100*24*time.Hour)
	if _, err := o.hq.Admit(f.Badge().Leaf); err == nil {
		t.Error("the broker takes a badge that has ended")
	}
	if err := b.visit(f); err != nil {
		t.Fatal(err)
	}
	if _, err := o.hq.Admit(f.Badge().Leaf); err != nil {
		t.Errorf("after the renewal: %v", err)
	}
	o.pass(100 * 24 * time.Hour)
	refusedWith(t, lost.visit(gone), badge.NoBadge)
}

func TestRevoke(t *testing.T) {
	o := newOffice(t)
	b, other := o.box("north"), o.box("south")
	f, g := b.mustEnrol(), other.mustEnrol()
	open := o.ticket("north")
	stolen := f.Badge().Leaf
	if err := o.hq.Revoke(t.Context(), "north"); err != nil {
		t.Fatal(err)
	}
	_, err := o.hq.Admit(stolen)
	refusedWith(t, err, badge.Revoked)
	refusedWith(t, b.visit(f), badge.Revoked)
	_, err = b.enrol(open)
	refusedWith(t, err, badge.WrongCode)
	if err := other.visit(g); err != nil {
		t.Errorf("another store: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(o.hq.PublicKeyFile()), hq.RevokedFile))
	if err != nil || !bytes.Contains(text, []byte("X509 CRL")) {
		t.Errorf("the list of revoked badges: %v", err)
	}
	o.pass(time.Hour)
	if _, err := o.hq.Admit(b.mustEnrol().Badge().Leaf); err != nil {
		t.Errorf("enrolled anew: %v", err)
	}
	_, err = o.hq.Admit(stolen)
	refusedWith(t, err, badge.Revoked)
}

// Headquarters' certificate is judged by what headquarters said last: an old copy is refused, the box's clock is not asked.
func TestOldCopyOfHeadquarters(t *testing.T) {
	o := newOffice(t)
	b := o.box("north")
	f := b.mustEnrol()
	pair, err := o.hq.Authority().Server(start.Add(-ca.ServerLife-24*time.Hour), ca.ServerLife) // ended yesterday
	if err != nil {
		t.Fatal(err)
	}
	old := o.open(o.gate, &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequestClientCert})
	dial := func() error {
		conn, err := tls.Dial("tcp", old, f.Client())
		if err == nil {
			conn.Close()
		}
		return err
	}
	if err := dial(); err == nil || !strings.Contains(err.Error(), "old copy") {
		t.Errorf("the error is %v: want that an old copy answers", err)
	}
	conn, err := tls.Dial("tcp", o.addr, f.Client())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

func TestHandleKnowsTheStore(t *testing.T) {
	o := newOffice(t)
	o.gate.Handle("GET /v1/name", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, StoreOf(r)) }))
	f := o.box("north").mustEnrol()
	get := func(config *tls.Config) (int, string) {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
		resp, err := client.Get("https://" + o.addr + "/v1/name")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text)
	}
	if status, text := get(f.Client()); status != 200 || text != "north" {
		t.Errorf("with a badge: %d %s", status, text)
	}
	roots := x509.NewCertPool()
	roots.AddCert(o.hq.Authority().Certificate())
	if status, text := get(&tls.Config{RootCAs: roots, ServerName: badge.ServerName("harbour"), Time: o.clock}); status != 401 || !strings.Contains(text, badge.NoBadge) {
		t.Errorf("without a badge: %d %s", status, text)
	}
}

func TestNothingButMessages(t *testing.T) {
	o := newOffice(t)
	for name, tc := range map[string]struct {
		method, path, body string
		status             int
	}{
		"nonsense":         {"POST", badge.EnrolPath, "nonsense", 400},
		"too long":         {"POST", badge.EnrolPath, strings.Repeat(" ", badge.MaxMessage+1), 400},
		"no request in it": {"POST", badge.EnrolPath, `{"chain":"harbour","store":"north","code":"x"}`, 400},
		"no certificate":   {"POST", badge.RenewPath, `{"chain":"harbour","store":"north","csr":"AAAA"}`, 401},
		"bad request":      {"POST", badge.EnrolPath, `{"chain":"harbour","store":"north","csr":"AAAA"}`, 400},
		"another address":  {"GET", "/", "", 404},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			o.gate.ServeHTTP(w, httptest.NewRequest(tc.method, tc.path, strings.NewReader(tc.body)).WithContext(context.Background()))
			if w.Code != tc.status || !strings.Contains(w.Body.String(), `"time"`) {
				t.Errorf("it is answered %d %s: want %d and the time", w.Code, w.Body, tc.status)
			}
		})
	}
}
