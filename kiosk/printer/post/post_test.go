package post

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	profiles "foyer/firmware-profiles"
	"foyer/kiosk/printer"
	"foyer/kiosk/printer/virtual"
	"foyer/reader/sim"
)

func model(t testing.TB, status profiles.Answers) *profiles.Printer {
	t.Helper()
	p, ok := profiles.FindPrinter("generic-80")
	if !ok {
		t.Fatal("no such printer")
	}
	m := *p
	m.Status = status
	return &m
}

// shop is a virtual printer on a TCP port, and a post that prints there.
type shop struct {
	*virtual.Server
	post *Post
	job  []byte

	mu    sync.Mutex
	stood []Trouble
}

func (s *shop) troubles() []Trouble {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.stood)
}

func newShop(t testing.TB, status profiles.Answers) *shop {
	t.Helper()
	m := model(t, status)
	s := &shop{Server: &virtual.Server{Printer: virtual.New(m)}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(ctx, l)
	}()
	t.Cleanup(func() { cancel(); <-done })
	s.post, err = New(Config{Port: "tcp://" + l.Addr().String(), Model: m, Answer: 300 * time.Millisecond, Patience: 3 * time.Second,
		Stalled: func(t Trouble) { s.mu.Lock(); s.stood = append(s.stood, t); s.mu.Unlock() }})
	if err != nil {
		t.Fatal(err)
	}
	s.job, err = printer.Encode(&printer.Doc{Blocks: []printer.Block{
		{Text: &printer.Text{Runs: []printer.Run{{Text: strings.Repeat("a line of a coupon\n", 30)}}}}, {Cut: true}}}, m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shop) cuts() int {
	n := 0
	for _, e := range s.Printer.Events() {
		if e.Kind == "cut" {
			n++
		}
	}
	return n
}

func TestPrintedOnlyWhenThePrinterSaysSo(t *testing.T) {
	for status, want := range map[profiles.Answers]Outcome{profiles.ProcessID: Printed, profiles.Orderly: Printed, profiles.RealTime: Unknown, profiles.Mute: Unknown} {
		t.Run(string(status), func(t *testing.T) {
			s := newShop(t, status)
			for round := range 3 {
				r := s.post.Print(t.Context(), s.job)
				if r.Outcome != want || r.Trouble != Fine || r.Err != nil || r.Sent < len(s.job) {
					t.Fatalf("round %d: %v, %v, %v, %d of %d bytes", round, r.Outcome, r.Trouble, r.Err, r.Sent, len(s.job))
				}
			}
			waitFor(t, func() bool { return s.cuts() == 3 })
		})
	}
}

// waitFor waits for what another goroutine does.
func waitFor(t *testing.T, is func() bool) {
	t.Helper()
	end := time.Now().Add(20 * time.Second)
	for !is() {
		if time.Now().After(end) {
			t.Fatal("it did not happen")
		}
		<-time.After(5 * time.Millisecond)
	}
}

func TestTroubleBeforeTheJob(t *testing.T) {
	for fault, want := range map[virtual.Fault]Trouble{virtual.NoPaper: NoPaper, virtual.Cover: Cover, virtual.Cutter: Cutter, virtual.Hot: Hot, virtual.Broken: Broken} {
		s := newShop(t, profiles.Orderly)
		s.Printer.Set(fault)
		r := s.post.Print(t.Context(), s.job)
		if r.Outcome != Failed || r.Trouble != want || r.Sent != 0 {
			t.Errorf("%v: %v, %v, %d bytes sent", want, r.Outcome, r.Trouble, r.Sent)
		}
		s.Printer.Set(0)
		if s.Printer.Text() != "" {
			t.Errorf("%v: something was printed", want)
		}
		if r := s.post.Print(t.Context(), s.job); r.Outcome != Printed {
			t.Errorf("%v: afterwards %v, %v, %v", want, r.Outcome, r.Trouble, r.Err)
		}
	}
}

// A roll that ends in the middle: it is told, and when there is a new roll the job goes on and is printed, once.
func TestTheRollEndsInTheMiddle(t *testing.T) {
	for _, status := range []profiles.Answers{profiles.Orderly, profiles.ProcessID} {
		s := newShop(t, status)
		s.Printer.After(10, virtual.NoPaper)
		got := make(chan Result, 1)
		go func() { got <- s.post.Print(context.Background(), s.job) }()
		waitFor(t, func() bool { return slices.Contains(s.troubles(), NoPaper) })
		s.Printer.Set(0)
		if r := <-got; r.Outcome != Printed || s.cuts() != 1 {
			t.Errorf("%s: %v, %v, %v; cut %d times", status, r.Outcome, r.Trouble, r.Err, s.cuts())
		}
		if all := s.troubles(); all[len(all)-1] != Fine {
			t.Errorf("%s: told %v", status, all)
		}
	}
}

func TestARollThatNobodyChanges(t *testing.T) {
	s := newShop(t, profiles.Orderly)
	s.Printer.After(10, virtual.NoPaper)
	if r := s.post.Print(t.Context(), s.job); r.Outcome != Unknown || r.Trouble != NoPaper {
		t.Errorf("%v, %v, %v", r.Outcome, r.Trouble, r.Err)
	}
}

func TestTheEndOfTheRollIsNear(t *testing.T) {
	s := newShop(t, profiles.ProcessID)
	s.Printer.Set(virtual.NearEnd)
	if r := s.post.Print(t.Context(), s.job); r.Outcome != Printed || r.Trouble != NearEnd {
		t.Errorf("%v, %v", r.Outcome, r.Trouble)
	}
}

func TestLinesThatLie(t *testing.T) {
	for name, c := range map[string]struct {
		line    virtual.Line
		outcome Outcome
		trouble Trouble
	}{
		"noise":                         {virtual.Line{Noise: true}, Failed, Nonsense},
		"it takes all and says nothing": {virtual.Line{Deaf: true}, Failed, Silent},
		"it vanishes in mid-job":        {virtual.Line{CutAfter: 300}, Unknown, Gone},
	} {
		s := newShop(t, profiles.Orderly)
		s.SetLine(c.line)
		if r := s.post.Print(t.Context(), s.job); r.Outcome != c.outcome || r.Trouble != c.trouble || r.Err == nil {
			t.Errorf("%s: %v, %v, %v", name, r.Outcome, r.Trouble, r.Err)
		}
	}
}

// A printer that answers the first question and never prints: nobody may believe it.
func TestItGoesDeafInTheMiddle(t *testing.T) {
	s := newShop(t, profiles.Orderly)
	s.post.c.open = deafening(s, s.post.c.open)
	if r := s.post.Print(t.Context(), s.job); r.Outcome != Unknown || r.Trouble != Silent {
		t.Errorf("%v, %v, %v", r.Outcome, r.Trouble, r.Err)
	}
}

func TestNobodyThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	for _, port := range []string{"tcp://" + l.Addr().String(), "/dev/usb/lp97", filepath.Join(t.TempDir(), "ttyUSB0")} {
		p, err := New(Config{Port: port, Model: model(t, profiles.Orderly)})
		if err != nil {
			t.Fatal(err)
		}
		if r := p.Print(t.Context(), []byte("x")); r.Outcome != Failed || r.Trouble != Gone || r.Err == nil {
			t.Errorf("%s: %v, %v, %v", port, r.Outcome, r.Trouble, r.Err)
		}
	}
	if _, err := New(Config{Port: "cups:-oevil", Model: model(t, profiles.Orderly)}); err == nil {
		t.Error("a queue may be named like an option")
	}
}

// A serial line, by a pseudo-terminal: the same printer, the same answers; and it is pulled out.
func TestASerialLine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "printer")
	m := model(t, profiles.ProcessID)
	server := &virtual.Server{Printer: virtual.New(m)}
	port, err := sim.NewPTY(path)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); server.Attend(t.Context(), port) }()
	t.Cleanup(func() { port.Close(); <-done })
	p, err := New(Config{Port: path, Model: m, Answer: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	job, err := printer.Encode(&printer.Doc{Blocks: []printer.Block{{Text: &printer.Text{Runs: []printer.Run{{Text: "over a serial line"}}}}}}, m)
	if err != nil {
		t.Fatal(err)
	}
	if r := p.Print(t.Context(), job); r.Outcome != Printed {
		t.Fatalf("%v, %v, %v", r.Outcome, r.Trouble, r.Err)
	}
	if got := server.Printer.Text(); got != "over a serial line" {
		t.Errorf("printed %q", got)
	}
	port.Unplug()
	if r := p.Print(t.Context(), job); r.Outcome != Failed || r.Trouble != Gone {
		t.Errorf("unplugged: %v, %v, %v", r.Outcome, r.Trouble, r.Err)
	}
}

// CUPS is handed the job by lp; nobody says what became of it.
func TestASpooler(t *testing.T) {
	dir := t.TempDir()
	script := "#!/bin/sh\n[ \"$2\" = broken ] && { echo 'no such queue' >&2; exit 1; }\necho \"$@\" > " + dir + "/args\ncat > " + dir + "/job\n"
	if err := os.WriteFile(filepath.Join(dir, "lp"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	p, err := New(Config{Port: "cups:front", Model: model(t, profiles.Orderly)})
	if err != nil {
		t.Fatal(err)
	}
	if r := p.Print(t.Context(), []byte("\x1b@job")); r.Outcome != Unknown || r.Err != nil {
		t.Errorf("%v, %v", r.Outcome, r.Err)
	}
	args, _ := os.ReadFile(filepath.Join(dir, "args"))
	job, _ := os.ReadFile(filepath.Join(dir, "job"))
	if string(args) != "-d front -o raw -s\n" || string(job) != "\x1b@job" {
		t.Errorf("lp %q was given %q", args, job)
	}
	p, _ = New(Config{Port: "cups:broken", Model: model(t, profiles.Orderly)})
	if r := p.Print(t.Context(), []byte("job")); r.Outcome != Failed || r.Err == nil || !strings.Contains(r.Err.Error(), "no such queue") {
		t.Errorf("%v, %v", r.Outcome, r.Err)
	}
}

func FuzzEar(f *testing.F) {
	f.Add([]byte{0x12, 0x32, 0x7E, 0x10, 0, 0, 0x0F, 0x37, 0x22, 'a', 'b', 'c', 'd', 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		e := ear{asked: []byte{2, 3, 4}, ordered: 2}
		e.hear(b)
		if len(e.held) > 8 || e.answers > len(b) || e.noise > len(b) {
			t.Errorf("%d answers, %d noise of %d bytes", e.answers, e.noise, len(b))
		}
		// However much noise came, a good printer is heard after it.
		e = ear{asked: []byte{2, 3, 4}}
		e.hear(b)
		e.hear(make([]byte, 8))
		e.asked, e.now = []byte{4}, [5]byte{}
		e.hear([]byte{0x72})
		if e.now[4] != 0x72 || e.trouble() == Fine {
			t.Errorf("after % X the answer is lost", b)
		}
	})
}

func BenchmarkPrintOnTCP(b *testing.B) {
	s := newShop(b, profiles.ProcessID)
	for b.Loop() {
		if r := s.post.Print(b.Context(), s.job); r.Outcome != Printed {
			b.Fatal(r)
		}
	}
}
