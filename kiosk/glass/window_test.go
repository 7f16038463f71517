package glass_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"foyer/api"
	"foyer/internal/screen"
	"foyer/kiosk/look"
)

// patience is how long a picture may take on a busy machine before a test gives up. It is no performance figure.
const patience = 20 * time.Second

// binary builds the real program once.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "foyer-kiosk-test")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "foyer-kiosk")
	out, err := exec.Command("go", "build", "-tags", "x11,migrated_fynedo,release", "-o", path, "foyer/cmd/foyer-kiosk").CombinedOutput()
	if err != nil {
		return "", &buildError{string(out)}
	}
	return path, nil
})

type buildError struct{ out string }

func (e *buildError) Error() string { return e.out }

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binaryIfBuilt(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

var built bool

func binaryIfBuilt() (string, error) {
	if !built {
		return "", os.ErrNotExist
	}
	return binary()
}

// rig is a display, a twin of foyerd and the real program on them.
type rig struct {
	*fakeFoyerd
	screen *screen.Screen
	cmd    *exec.Cmd
	logs   *bytes.Buffer
	ended  chan error
	ready  string
	start  func(testing.TB)
}

func newRig(t testing.TB, width, height int, args ...string) *rig {
	t.Helper()
	if testing.Short() {
		t.Skip("SKIP: a window test, and -short was asked for")
	}
	if _, err := exec.LookPath("Xvfb"); err != nil {
		t.Skip("SKIP: no Xvfb on this machine (Debian package xvfb): the real window is not tested")
	}
	built = true
	path, err := binary()
	if err != nil {
		t.Skipf("SKIP: foyer-kiosk cannot be built here (gcc, xorg-dev and libgl1-mesa-dev are needed): the real window is not tested\n%v", err)
	}
	x, err := screen.StartXvfb(t.Context(), width, height)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	r := &rig{fakeFoyerd: newFakeFoyerd(t), logs: &bytes.Buffer{}, ended: make(chan error, 1), ready: filepath.Join(t.TempDir(), "ready")}
	if r.screen, err = screen.Open(x.Display); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.screen.Close)
	r.start = func(t testing.TB) { r.run(t, path, x.Display, args) }
	r.start(t)
	return r
}

// run starts the program and waits for its first frame.
func (r *rig) run(t testing.TB, path, display string, args []string) {
	t.Helper()
	os.Remove(r.ready)
	r.cmd = exec.Command(path, append([]string{"-api", r.Address, "-ready-file", r.ready, "-verbose"}, args...)...)
	// The poorest surroundings that a unit may give: no home, no language, no desktop bus.
	r.cmd.Env = []string{"DISPLAY=" + display, "PATH=" + os.Getenv("PATH"), "LANG=C"}
	r.cmd.Stderr = r.logs
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	cmd := r.cmd
	go func() { r.ended <- cmd.Wait() }()
	t.Cleanup(func() { cmd.Process.Kill() })
	until(t, "the first frame", func() bool { _, err := os.Stat(r.ready); return err == nil })
}

// until asks every few milliseconds. The world outside this process cannot be put in a bubble.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited %v in vain for %s", patience, what)
		}
	}
}

// colour reads one pixel.
func (r *rig) colour(t testing.TB, x, y int) color.RGBA {
	t.Helper()
	img, err := r.screen.CaptureRect(image.Rect(x, y, x+1, y+1))
	if err != nil {
		t.Fatal(err)
	}
	return img.RGBAAt(0, 0)
}

func (r *rig) shows(t testing.TB, what string, x, y int, want color.NRGBA) {
	t.Helper()
	until(t, what, func() bool {
		got := r.colour(t, x, y)
		return near(got.R, want.R) && near(got.G, want.G) && near(got.B, want.B)
	})
}

func near(a, b uint8) bool { return max(a, b)-min(a, b) <= 6 }

// keep leaves a picture for people to look at.
func (r *rig) keep(t testing.TB, name string) {
	t.Helper()
	img, err := r.screen.Capture()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(t.ArtifactDir(), name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
}

func (r *rig) tap(t testing.TB, x, y int) {
	t.Helper()
	if err := r.screen.Tap(image.Pt(x, y)); err != nil {
		t.Fatal(err)
	}
}

// Portrait full HD: a person is greeted, walks through home and an offer, and leaves; the session is reported.
func TestKioskServesAPerson(t *testing.T) {
	r := newRig(t, 1080, 1920)
	r.shows(t, "the invitation", 800, 1760, look.Teal)
	r.keep(t, "attract")
	r.say(api.Greeted, greeting("v1", "zh-CN", "上午好，王女士", "Good morning, Ms Wang", time.Minute))
	r.shows(t, "the greeting's way on", 150, 1620, look.Teal)
	r.keep(t, "greet")
	r.tap(t, 540, 1620)
	r.shows(t, "home", 950, 760, look.Card)
	r.keep(t, "home")
	r.tap(t, 540, 860)
	r.shows(t, "the offer", 30, 500, look.TintOf("phone").Ground)
	r.keep(t, "detail")
	r.tap(t, 870, 1800)
	s := <-r.sessions
	if s.Visit != "v1" || s.Taps != 3 || s.End != "closed" || s.Language != "zh-CN" {
		t.Errorf("reported %+v", s)
	}
	r.shows(t, "the invitation again", 800, 1760, look.Teal)
	r.close(t)
}

// Somebody becomes a member with their finger alone, by Pinyin, and calls staff.
func TestKioskSignsUp(t *testing.T) {
	r := newRig(t, 1080, 1920, "-idle", "10m")
	r.shows(t, "the invitation", 800, 1760, look.Teal)
	r.tap(t, 540, 1800) // become a member
	r.shows(t, "the age", 200, 900, look.Teal)
	r.tap(t, 540, 960) // fourteen or older
	digits := map[rune]image.Point{'1': {217, 1013}, '3': {869, 1013}, '8': {543, 1412}, '0': {543, 1622}}
	r.shows(t, "the digits", 160, 960, look.Card)
	for _, d := range "13800138000" {
		r.tap(t, digits[d].X, digits[d].Y)
	}
	r.shows(t, "the way on", 800, 1760, look.Teal)
	r.keep(t, "join-phone")
	r.tap(t, 870, 1800)
	r.shows(t, "the letters", 120, 1100, look.Card)
	r.tap(t, 925, 1303) // l
	r.tap(t, 750, 1146) // i
	r.shows(t, "the choices", 190, 940, look.Mist)
	r.tap(t, 217, 984)
	r.shows(t, "the way on", 800, 1760, look.Teal)
	r.keep(t, "join-name")
	r.tap(t, 870, 1800)
	r.shows(t, "the titles", 200, 715, look.Card)
	r.tap(t, 540, 715)
	r.shows(t, "the way on from the consents", 800, 1760, look.Teal)
	r.shows(t, "the consents", 700, 645, look.Card)
	r.tap(t, 540, 645)
	r.keep(t, "join-consents")
	r.tap(t, 870, 1800)
	got := <-r.signups
	if got.Phone != "13800138000" || got.Name != "李" || got.Title != "ms" || len(got.Consents) != 1 || got.Text == "" || got.Key == "" {
		t.Errorf("signed up %+v", got)
	}
	r.shows(t, "the code", 120, 600, look.Card)
	r.keep(t, "join-welcome")
	r.close(t)
	for _, word := range []string{"138", "李"} {
		if strings.Contains(r.logs.String(), word) {
			t.Errorf("the log holds what was typed: %s", r.logs)
		}
	}
}

// close ends the program as a supervisor would.
func (r *rig) close(t testing.TB) {
	t.Helper()
	start := time.Now()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-r.ended:
		if err != nil {
			t.Errorf("ended with %v\n%s", err, r.logs)
		}
	case <-time.After(patience):
		t.Fatalf("still there %v after SIGTERM", patience)
	}
	t.Logf("SIGTERM to end: %v", time.Since(start).Round(time.Millisecond))
	for _, word := range []string{"王", "Wang", "v1"} {
		if strings.Contains(r.logs.String(), word) {
			t.Errorf("the log names a person: %s", r.logs)
		}
	}
	if strings.Contains(r.logs.String(), "Error in Fyne call thread") {
		t.Errorf("a call from the wrong goroutine: %s", r.logs)
	}
}

// A kiosk that was killed in the middle comes back to whoever is still to be greeted; a session that it had is wiped.
func TestKioskComesBack(t *testing.T) {
	r := newRig(t, 1080, 1920)
	r.say(api.Greeted, greeting("v1", "zh-CN", "上午好，王女士", "Good morning, Ms Wang", time.Minute))
	r.shows(t, "the greeting's way on", 150, 1620, look.Teal)
	r.tap(t, 540, 1620)
	r.shows(t, "home", 950, 760, look.Card)
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-r.ended
	r.start(t)
	r.shows(t, "the greeting again", 150, 1620, look.Teal)
	r.say(api.Departed, api.Departure{Visit: "v1"})
	r.shows(t, "the invitation", 800, 1760, look.Teal)
	r.close(t)
}

// Nobody touches it any more: the warning counts down, and the screen starts over.
func TestKioskWarnsAndWipes(t *testing.T) {
	r := newRig(t, 1080, 1920, "-idle", "1s", "-warning", "2s")
	r.say(api.Greeted, greeting("v1", "en", "上午好，王女士", "Good morning, Ms Wang", time.Minute))
	r.shows(t, "the greeting's way on", 150, 1620, look.Teal)
	r.tap(t, 540, 1620)
	r.shows(t, "the warning", 200, 1500, look.Honey)
	r.keep(t, "warning")
	if s := <-r.sessions; s.End != "idle" || s.Visit != "v1" {
		t.Errorf("reported %+v", s)
	}
	r.close(t)
}

// Every tap lands although motion, press and release arrive together, as touch panels send them.
func TestEveryTapLands(t *testing.T) {
	r := newRig(t, 1080, 1920, "-idle", "10m")
	const rounds = 16
	for range rounds {
		r.shows(t, "the invitation", 800, 1760, look.Teal)
		r.tap(t, 870, 1800) // browse
		r.shows(t, "home", 950, 760, look.Card)
		r.tap(t, 540, 860) // the first of three cards, below the way to the demos
		r.shows(t, "the first offer", 30, 500, look.TintOf("phone").Ground)
		r.tap(t, 200, 1800) // back
		r.shows(t, "home", 950, 760, look.Card)
		r.tap(t, 870, 1800) // finish
		s := <-r.sessions
		if s.Taps != 4 {
			t.Fatalf("%d taps landed of 4", s.Taps)
		}
	}
	t.Logf("%d of %d taps landed", 4*rounds, 4*rounds)
	r.close(t)
}

func TestWallGreetsSeveral(t *testing.T) {
	r := newRig(t, 1920, 1080, "-screen", "welcome")
	r.shows(t, "the calm loop", 1700, 900, look.Paper)
	r.keep(t, "calm")
	r.say(api.Greeted, greeting("v1", "zh-CN", "上午好，王女士", "Good morning, Ms Wang", time.Minute))
	r.say(api.Greeted, greeting("v2", "en", "上午好，Lindqvist 女士", "Good morning, Ms Lindqvist", time.Minute))
	r.say(api.Greeted, greeting("v3", "zh-CN", "上午好，欧阳先生", "Good morning, Mr Ouyang", time.Minute))
	r.shows(t, "three doors", 1800, 900, look.Blush)
	r.keep(t, "three")
	r.say(api.Departed, api.Departure{Visit: "v1"})
	r.shows(t, "two doors", 1800, 900, look.Mist)
	r.close(t)
}

// From foyerd's event to changed pixels in the X framebuffer: a greeting comes, and goes again.
func BenchmarkGreetingToPixels(b *testing.B) {
	r := newRig(b, 1080, 1920, "-idle", "10m")
	r.shows(b, "the invitation", 800, 1760, look.Teal)
	var all []time.Duration
	for b.Loop() {
		start := time.Now()
		r.say(api.Greeted, greeting("v", "zh-CN", "上午好，王女士", "Good morning, Ms Wang", time.Minute))
		r.await(b, 150, 1620, look.Teal)
		all = append(all, time.Since(start))
		r.say(api.Departed, api.Departure{Visit: "v"})
		r.await(b, 150, 1620, look.TintOf("phone").Ground) // a teaser of the invitation
	}
	slices.Sort(all)
	b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "p99-ms")
	r.close(b)
}

// await looks every half millisecond.
func (r *rig) await(b *testing.B, x, y int, want color.NRGBA) {
	b.Helper()
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	for start := time.Now(); time.Since(start) < patience; <-tick.C {
		if got := r.colour(b, x, y); near(got.R, want.R) && near(got.G, want.G) && near(got.B, want.B) {
			return
		}
	}
	b.Fatal("the picture never came")
}

// What the invitation costs while nobody is there, in processor time a second.
func BenchmarkInvitation(b *testing.B) {
	r := newRig(b, 1080, 1920)
	r.shows(b, "the invitation", 800, 1760, look.Teal)
	for b.Loop() {
		before := r.spent(b)
		time.Sleep(16 * time.Second) // two dips of the card
		b.ReportMetric(float64(r.spent(b)-before)/16/float64(time.Second)*100, "cpu-%")
	}
	r.close(b)
}

// spent is the processor time of the program so far, from /proc/pid/stat; the clock ticks 100 times a second.
func (r *rig) spent(b *testing.B) time.Duration {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	var user, system int
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')'):]))
	fmt.Sscan(fields[12], &user)
	fmt.Sscan(fields[13], &system)
	return time.Duration(user+system) * 10 * time.Millisecond
}
