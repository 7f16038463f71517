package content_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foyer/hq/packs"
	"foyer/sync/content"
	"foyer/sync/line/linetest"
	"foyer/sync/setting"
	"foyer/sync/wire"
)

// generous is how long a test waits for what must happen. It is only ever waited out by a test that fails.
const generous = 30 * time.Second

// house is headquarters' files and a store that fetches them.
type house struct {
	t       testing.TB
	depot   *packs.Depot
	web     *httptest.Server
	dir     string
	config  content.Config
	version uint64
	store   *content.Store
	stop    func()
	reports chan string
}

func newHouse(t testing.TB) *house {
	h := &house{t: t, dir: t.TempDir(), reports: make(chan string, 100)}
	var err error
	if h.depot, err = packs.Open(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	h.web = httptest.NewTLSServer(h.depot.Handler(func(store, token string) bool { return store == "north" && token == "secret" }, slog.New(slog.DiscardHandler)))
	t.Cleanup(h.web.Close)
	h.config = content.Config{Dir: h.dir, Store: "north", Reserve: 1, Retry: time.Millisecond, Sources: []content.Source{h.http(h.web.URL)},
		Report: func(kind wire.Kind, a wire.Applied) {
			h.reports <- strings.TrimSpace(fmt.Sprint(kind, " ", a.Snapshot, " ", a.Version, " ", a.Code))
		}}
	return h
}

func (h *house) http(url string) content.Source {
	return content.NewHTTP(content.HTTPConfig{URL: url, User: "north", Password: "secret", TLS: h.trust()})
}

func (h *house) trust() *tls.Config {
	all := x509.NewCertPool()
	all.AddCert(h.web.Certificate())
	return &tls.Config{RootCAs: all}
}

// open starts the store; stop ends it as a power cut would see it.
func (h *house) open() {
	h.t.Helper()
	var err error
	if h.store, err = content.Open(h.config); err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() {
		if err := h.store.Run(ctx); err != nil {
			h.t.Error(err)
		}
	})
	h.stop = sync.OnceFunc(func() { cancel(); all.Wait(); h.store.Close() })
	h.t.Cleanup(h.stop)
}

// pack keeps files at headquarters and returns a release of them.
func (h *house) pack(name string, version uint64, files map[string]string) wire.Release {
	h.t.Helper()
	dir := h.t.TempDir()
	for path, text := range files {
		path = filepath.Join(dir, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			h.t.Fatal(err)
		}
	}
	list, err := h.depot.Read(dir)
	if err != nil {
		h.t.Fatal(err)
	}
	return wire.Release{Pack: name, Version: version, Percent: 100, Files: list}
}

func (h *house) apply(all ...wire.Release) {
	h.t.Helper()
	h.version++
	s, err := wire.NewSnapshot(wire.Packs, "wanlian", h.version, time.Now(), wire.PacksBody{Releases: all})
	if err != nil {
		h.t.Fatal(err)
	}
	if err := h.store.Apply(s); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) want(report string) {
	h.t.Helper()
	select {
	case got := <-h.reports:
		if got != report {
			h.t.Errorf("reported %q, want %q", got, report)
		}
	case <-time.After(generous):
		h.t.Fatalf("waited for the report %q", report)
	}
}

func (h *house) read(pack, path string) string {
	f, err := h.store.Open(pack, path)
	if errors.Is(err, fs.ErrNotExist) {
		return "none"
	}
	if err != nil {
		h.t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(data)
}

// files counts what the store's folder holds.
func (h *house) files(under string) int {
	n := 0
	filepath.WalkDir(filepath.Join(h.dir, under), func(_ string, e fs.DirEntry, _ error) error {
		if !e.IsDir() {
			n++
		}
		return nil
	})
	return n
}

func noise(n int, seed uint64) string {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

func TestPacksComeIntoForce(t *testing.T) {
	h := newHouse(t)
	h.open()
	logo := noise(70_000, 1)
	first := h.pack("art", 1, map[string]string{"logo.png": logo, "wall/a.svg": "one", "empty": ""})
	h.apply(first)
	h.want("snapshot.applied pack.art 1")
	if h.read("art", "wall/a.svg") != "one" || h.read("art", "logo.png") != logo || h.read("art", "empty") != "" {
		t.Error("the files are not what was published")
	}
	if h.read("art", "../logo.png") != "none" || h.read("zoo", "logo.png") != "none" {
		t.Error("what was not published can be opened")
	}
	second := h.pack("art", 2, map[string]string{"logo.png": logo, "wall/a.svg": "two"})
	zoo := h.pack("zoo", 1, map[string]string{"same.png": logo})
	h.web.Config.Handler = counting(t, h.web.Config.Handler, 1) // the logo is here already, under whatever name
	open, err := h.store.Open("art", "wall/a.svg")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	h.apply(zoo, second)
	h.want("snapshot.applied pack.art 2")
	h.want("snapshot.applied pack.zoo 1")
	if h.read("art", "wall/a.svg") != "two" || h.read("zoo", "same.png") != logo {
		t.Error("version 2 is not in force")
	}
	if text, err := io.ReadAll(open); err != nil || string(text) != "one" {
		t.Errorf("who had opened version 1 reads %q, %v", text, err)
	}
	h.apply(first, zoo) // headquarters took version 2 back: nothing needs fetching, the one before is kept
	h.want("snapshot.applied pack.art 1")
	if h.read("art", "wall/a.svg") != "one" {
		t.Error("version 1 is not back")
	}
	h.apply(second)
	h.want("snapshot.applied pack.zoo 0")
	h.want("snapshot.applied pack.art 2")
	h.stop()
	if n := h.files("files"); n != 4 {
		t.Errorf("%d files are kept, want the 4 of the pack's two versions", n)
	}
	h.open() // in force at once, before anybody says anything
	if h.read("art", "wall/a.svg") != "two" || h.read("zoo", "same.png") != "none" {
		t.Error("after a restart version 2 is not in force")
	}
}

// counting fails the test when more files are asked for.
func counting(t testing.TB, next http.Handler, most int) http.Handler {
	var mu sync.Mutex
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if most--; most < 0 {
			t.Errorf("%s is fetched", r.URL.Path)
		}
		next.ServeHTTP(w, r)
	})
}

// carry brings 20 MB over a line that is cut every so many bytes, and returns bytes carried for each byte needed.
func (h *house) carry(size int, every int64, restarts bool) float64 {
	h.t.Helper()
	text := noise(size, 9)
	cutter := linetest.NewCutter(h.t, strings.TrimPrefix(h.web.URL, "https://"), every)
	h.config.Sources = []content.Source{h.http("https://" + cutter.Address())}
	h.open()
	r := h.pack("big", 1, map[string]string{"video.bin": text})
	h.apply(r)
	for restarts {
		_, _, before := cutter.Carried()
		for _, _, cuts := cutter.Carried(); cuts < before+5 && h.read("big", "video.bin") == "none"; _, _, cuts = cutter.Carried() {
			time.Sleep(time.Millisecond) // polls a counter; nothing depends on how long it is
		}
		if h.read("big", "video.bin") != "none" {
			break
		}
		h.stop()
		h.open()
		h.apply(r)
	}
	h.want("snapshot.applied pack.big 1")
	if h.read("big", "video.bin") != text {
		h.t.Error("the file is not what was published")
	}
	down, up, cuts := cutter.Carried()
	h.t.Logf("%d bytes down and %d up for %d needed, %d cuts", down, up, size, cuts)
	if every > 0 && cuts < size/int(every)/2 {
		h.t.Errorf("only %d cuts", cuts)
	}
	return float64(down+up) / float64(size)
}

func TestACutLineCostsLittle(t *testing.T) {
	if ratio := newHouse(t).carry(20<<20, 480_000, false); ratio > 1.05 {
		t.Errorf("%.3f bytes for each byte needed", ratio)
	}
}

func TestARestartGoesOn(t *testing.T) {
	if ratio := newHouse(t).carry(8<<20, 200_000, true); ratio > 1.25 {
		t.Errorf("%.3f bytes for each byte needed", ratio)
	}
}

func BenchmarkPackThroughACutLine(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(newHouse(b).carry(20<<20, 480_000, false), "bytes/needed")
	}
}

func TestBadFilesAreRefusedAndChangeNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		serve func(http.ResponseWriter, *http.Request, []byte)
		want  string
	}{
		"other bytes, same size": {func(w http.ResponseWriter, r *http.Request, good []byte) {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(append([]byte{good[0] + 1}, good[1:]...)))
		}, "digest"},
		"longer": {func(w http.ResponseWriter, r *http.Request, good []byte) {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(append(good, 'x')))
		}, "digest"},
		"shorter": {func(w http.ResponseWriter, r *http.Request, good []byte) {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(good[1:]))
		}, "digest"},
		"another tag": {func(w http.ResponseWriter, r *http.Request, good []byte) {
			w.Header().Set("ETag", `"x"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(good))
		}, "digest"},
		"nothing": {func(w http.ResponseWriter, r *http.Request, _ []byte) { http.NotFound(w, r) }, "absent"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			h.open()
			h.apply(h.pack("art", 1, map[string]string{"a": "one"}))
			h.want("snapshot.applied pack.art 1")
			good := noise(100_000, 2)
			second := h.pack("art", 2, map[string]string{"a": "two", "b": good})
			inner := h.web.Config.Handler
			h.web.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, second.Files[1].Digest.String()) {
					inner.ServeHTTP(w, r)
					return
				}
				w.Header().Set("ETag", second.Files[1].Digest.ETag())
				tc.serve(w, r, []byte(good))
			})
			h.apply(second)
			h.want("snapshot.refused pack.art 2 " + tc.want)
			if h.read("art", "a") != "one" || h.read("art", "b") != "none" {
				t.Error("half a release is in force")
			}
			h.web.Config.Handler = inner // mended; headquarters' next word makes the store try again
			h.apply(second)
			h.want("snapshot.applied pack.art 2")
		})
	}
}

// Somebody in between who knows no ranges costs bytes and breaks nothing.
func TestAServerWithoutRanges(t *testing.T) {
	h := newHouse(t)
	text := noise(3<<20, 3)
	r := h.pack("art", 1, map[string]string{"a": text})
	h.web.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", r.Files[0].Digest.ETag())
		io.WriteString(w, text)
	})
	h.open()
	h.apply(r)
	h.want("snapshot.applied pack.art 1")
	if h.read("art", "a") != text {
		t.Error("the file is not what was published")
	}
}

func TestWhatWasThereAndIsWrongIsFetchedAgain(t *testing.T) {
	h := newHouse(t)
	text := noise(200_000, 4)
	r := h.pack("art", 1, map[string]string{"a": text})
	part := filepath.Join(h.dir, "parts", r.Files[0].Digest.String())
	for _, left := range []int{1000, 200_000, 300_000} { // as after a power cut: zeros where bytes should be
		h.open()
		h.stop()
		if err := os.WriteFile(part, make([]byte, left), 0o600); err != nil {
			t.Fatal(err)
		}
		h.open()
		h.apply(r)
		h.want("snapshot.applied pack.art 1")
		if h.read("art", "a") != text {
			t.Error("the file is not what was published")
		}
		h.apply()
		h.want("snapshot.applied pack.art 0")
		h.stop()
		if n := h.files("files") + h.files("parts") + h.files("force"); n != 0 {
			t.Errorf("%d files stay", n)
		}
	}
}

func TestDiskWithoutRoom(t *testing.T) {
	h := newHouse(t)
	h.open()
	one := h.pack("art", 1, map[string]string{"a": "one"})
	h.apply(one)
	h.want("snapshot.applied pack.art 1")
	h.stop()

	h.config.Reserve = 1 << 60
	h.open()
	second := h.pack("art", 2, map[string]string{"a": noise(100_000, 5)})
	h.apply(second)
	h.want("snapshot.refused pack.art 2 disk")
	h.stop()

	h.config.Reserve = 1 // there is room when it begins, and none in the middle
	if err := os.Symlink("/dev/full", filepath.Join(h.dir, "parts", second.Files[0].Digest.String())); err != nil {
		t.Fatal(err)
	}
	h.open()
	h.apply(second)
	h.want("snapshot.refused pack.art 2 disk")
	if h.read("art", "a") != "one" {
		t.Error("version 1 is gone")
	}
	if n := h.files("parts"); n != 0 {
		t.Errorf("%d parts stay on the full disk", n)
	}
	h.apply(second)
	h.want("snapshot.applied pack.art 2")
}

func TestADamagedPackGivesWayToTheOneBefore(t *testing.T) {
	h := newHouse(t)
	h.open()
	one, two := h.pack("art", 1, map[string]string{"a": "one"}), h.pack("art", 2, map[string]string{"a": "two"})
	h.apply(one)
	h.want("snapshot.applied pack.art 1")
	h.apply(two)
	h.want("snapshot.applied pack.art 2")
	h.stop()
	for name, damage := range map[string]func() error{
		"pointer": func() error { return os.WriteFile(filepath.Join(h.dir, "force", "art.json"), []byte("{"), 0o600) },
		"file": func() error {
			name := two.Files[0].Digest.String()
			return os.Remove(filepath.Join(h.dir, "files", name[:2], name))
		},
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		h.open()
		if got := h.read("art", "a"); got != "one" {
			t.Errorf("with a damaged %s %q is in force", name, got)
		}
		h.apply(two)
		h.want("snapshot.applied pack.art 2")
		if got := h.read("art", "a"); got != "two" {
			t.Errorf("mended, %q is in force", got)
		}
		h.stop()
	}
}

func TestOneOwner(t *testing.T) {
	h := newHouse(t)
	h.open()
	if _, err := content.Open(h.config); !errors.Is(err, content.ErrHeld) {
		t.Errorf("a second one opens it: %v", err)
	}
	if _, err := content.Sweep(h.dir); !errors.Is(err, content.ErrHeld) {
		t.Errorf("it is swept while it is used: %v", err)
	}
}

func TestSweepRemovesRotAndLeavings(t *testing.T) {
	h := newHouse(t)
	h.open()
	r := h.pack("art", 1, map[string]string{"a": "good", "b": "also"})
	h.apply(r)
	h.want("snapshot.applied pack.art 1")
	h.stop()
	name := r.Files[0].Digest.String()
	rotten := filepath.Join(h.dir, "files", name[:2], name)
	stray := filepath.Join(h.dir, "parts", strings.Repeat("a", 64))
	if err := errors.Join(os.WriteFile(rotten, []byte("bad!"), 0o600), os.WriteFile(stray, []byte("123"), 0o600)); err != nil {
		t.Fatal(err)
	}
	held, err := content.Inspect(h.dir)
	if err != nil || len(held) != 1 || held[0].Version != 1 || held[0].Before {
		t.Fatalf("%+v, %v", held, err)
	}
	if err := content.Verify(h.dir, r.Files[0]); !errors.Is(err, content.ErrAltered) {
		t.Errorf("the rotten file: %v", err)
	}
	if err := content.Verify(h.dir, r.Files[1]); err != nil {
		t.Errorf("the good file: %v", err)
	}
	if n, err := content.Sweep(h.dir); err != nil || n != 7 {
		t.Errorf("swept %d bytes, %v; want 7", n, err)
	}
	h.open()
	h.apply(r)
	h.want("snapshot.applied pack.art 1")
	if h.read("art", "a") != "good" {
		t.Error("the rotten file was not fetched again")
	}
}

// broker is a pipe whose other end is headquarters' depot.
type broker struct {
	depot *packs.Depot
	fn    func(string, []byte)
	asked int
}

func (b *broker) Subscribe(_ string, fn func(string, []byte)) { b.fn = fn }

func (b *broker) Publish(_ string, _ bool, payload []byte) error {
	a, err := wire.DecodeChunkAsk(payload)
	if err != nil {
		return err
	}
	c, err := b.depot.Part(a)
	if err != nil {
		return err
	}
	answer, err := wire.EncodeChunk(c)
	if err != nil {
		return err
	}
	b.asked++
	b.fn("", []byte("nonsense"))
	b.fn("", answer)
	return nil
}

func TestTheBrokerHelpsOut(t *testing.T) {
	h := newHouse(t)
	b := &broker{depot: h.depot}
	chunks := content.NewChunks(wire.Place{Chain: "wanlian", Store: "north"}, b)
	h.config.Sources = []content.Source{h.http("http://127.0.0.1:1"), chunks}
	h.open()
	text := noise(300_000, 6)
	h.apply(h.pack("art", 1, map[string]string{"a": text}))
	h.want("snapshot.applied pack.art 1")
	if h.read("art", "a") != text || b.asked != 5 {
		t.Errorf("asked %d times", b.asked)
	}
	gone := wire.Release{Pack: "zoo", Version: 1, Percent: 100, Files: []wire.PackFile{{Path: "x", Size: 3, Digest: sha256.Sum256([]byte("no!"))}}}
	h.apply(gone)
	h.want("snapshot.applied pack.art 0")
	h.want("snapshot.refused pack.zoo 1 absent")
}

func TestWithoutTheTokenThereAreNoFiles(t *testing.T) {
	h := newHouse(t)
	r := h.pack("art", 1, map[string]string{"a": "one"})
	for _, password := range []string{"", "wrong"} {
		source := content.NewHTTP(content.HTTPConfig{URL: h.web.URL, User: "north", Password: password, TLS: h.trust()})
		var got bytes.Buffer
		if err := source.Fetch(t.Context(), r.Files[0], 0, 3, &got); err == nil || !strings.Contains(err.Error(), "401") || got.Len() > 0 {
			t.Errorf("%q: %v, %q", password, err, got.String())
		}
	}
}

// slow is a source in virtual time.
type slow struct{ text string }

func (s slow) String() string { return "a test" }

func (s slow) Fetch(_ context.Context, _ wire.PackFile, offset, n int64, w io.Writer) error {
	_, err := io.WriteString(w, s.text[offset:offset+n])
	return err
}

// In virtual time: nothing before the quiet hours, then not faster than the rate, and what hurries comes at once.
func TestQuietHoursAndRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const mb = 1 << 20
		text := noise(3*mb, 7)
		quiet, err := setting.ParseWindow("22:00-06:00") // a bubble begins at midnight UTC
		if err != nil {
			t.Fatal(err)
		}
		reports := make(chan time.Time, 10)
		s, err := content.Open(content.Config{Dir: t.TempDir(), Store: "north", Sources: []content.Source{slow{text}}, Reserve: 1, Rate: mb / 10, Quiet: quiet,
			Report: func(kind wire.Kind, a wire.Applied) {
				if kind != wire.SnapshotApplied {
					t.Error(kind, a)
				}
				reports <- time.Now()
			}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		began := time.Now()
		noon := time.Date(began.Year(), began.Month(), began.Day(), 12, 0, 0, 0, time.Local)
		time.Sleep(time.Until(noon))
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- s.Run(ctx) }()
		release := func(version uint64, now bool) {
			r := wire.Release{Pack: "art", Version: version, Percent: 100, Now: now, Files: []wire.PackFile{{Path: "a", Size: int64(len(text)), Digest: sha256.Sum256([]byte(text))}}}
			snapshot, err := wire.NewSnapshot(wire.Packs, "c", version, time.Now(), wire.PacksBody{Releases: []wire.Release{r}})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Apply(snapshot); err != nil {
				t.Fatal(err)
			}
		}
		release(1, false)
		took := (<-reports).Sub(noon)
		if want := 10*time.Hour + 30*time.Second; took < want || took > want+5*time.Second {
			t.Errorf("at noon it takes %v, want %v: ten hours of waiting and half a minute at 100 kB/s", took, want)
		}
		snapshot, _ := wire.NewSnapshot(wire.Packs, "c", 2, time.Now(), wire.PacksBody{})
		if err := s.Apply(snapshot); err != nil {
			t.Fatal(err)
		}
		<-reports
		time.Sleep(time.Until(noon.AddDate(0, 0, 1)))
		release(3, true)
		if took := (<-reports).Sub(noon.AddDate(0, 0, 1)); took > 35*time.Second {
			t.Errorf("at once takes %v", took)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
