package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"foyer/api"
	"foyer/reader/link"
	"foyer/reader/signal"
	"foyer/reader/sim"
	"foyer/reader/tag"
	"foyer/shop/member"
	"foyer/sync/journal"
)

// bench is a computer with lines that a test plays: what goes on is written down, and a chip can be missing.
type bench struct {
	mu      sync.Mutex
	missing bool
	story   []string
	shut    bool // the door
	swings  chan struct{}
}

func newBench() *bench { return &bench{shut: true, swings: make(chan struct{}, 100)} }

func (b *bench) gpio() gpio {
	return gpio{
		out: func(port string, lowIsOn bool) (signal.Switch, error) {
			return &strand{b, fmt.Sprintf("%s/%v", port, lowIsOn)}, b.err()
		},
		contact: func(string) (signal.Contact, error) { return &leaf{b}, b.err() },
	}
}

func (b *bench) err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.missing {
		return fmt.Errorf("no chip: %w", link.ErrNoDevice)
	}
	return nil
}

func (b *bench) lose(missing bool) {
	b.mu.Lock()
	b.missing = missing
	b.mu.Unlock()
}

func (b *bench) swing(shut bool) {
	b.mu.Lock()
	b.shut = shut
	b.mu.Unlock()
	b.swings <- struct{}{}
}

// shone counts how often a line was switched on.
func (b *bench) shone(line string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, s := range b.story {
		if s == line {
			n++
		}
	}
	return n
}

type strand struct {
	*bench
	name string
}

func (w *strand) Set(on bool) error {
	if err := w.err(); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if on {
		w.story = append(w.story, w.name)
	}
	return nil
}

func (w *strand) Close() error { return nil }

type leaf struct{ *bench }

func (l *leaf) Next(wait time.Duration) (shut, moved bool, err error) {
	if err := l.err(); err != nil {
		return false, false, err
	}
	select {
	case <-l.swings:
		moved = true
	case <-time.After(wait):
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shut, moved, nil
}

func (l *leaf) Close() error { return nil }

const lit = good + `signals:
  - name: counter lamp
    zones: [tap]
    outputs:
      green: {line: "gpio:GREEN"}
      red: {line: "gpio:RED", low_is_on: true}
      amber: {line: "gpio:AMBER"}
      buzzer: {line: "gpio:BUZZER"}
    known: green 50ms, buzzer 2x10ms
    unknown: red 50ms
    refused: amber 50ms
  - {name: cellar, zones: [], outputs: {blue: {line: "gpio:BLUE"}}, refused: blue 10ms}
doors:
  - {name: front, line: "gpio:DOOR", left_open: 1s}
`

// withMembers runs foyerd with members that headquarters would have sent: card 1 is carried, card 2 is blocked.
func withMembers(ctx context.Context, c *Config, o Options) error {
	key, err := tag.NewKey(c.secret)
	if err != nil {
		return err
	}
	card := func(text string) tag.ID {
		n, err := tag.ParseNumber(text)
		if err != nil {
			panic(err)
		}
		return key.ID(n)
	}
	book, err := member.NewBook([]member.Member{{ID: "m-1", Family: "王", Tags: []tag.ID{card("em4100:0000000001")},
		Blocked: []tag.ID{card("em4100:0000000002")}, Consents: []member.Purpose{member.Recognise}}})
	if err != nil {
		return err
	}
	j, err := journal.Open(filepath.Join(c.Data, "..", "journal.db"), journal.Options{Log: o.Log})
	if err != nil {
		return err
	}
	defer j.Close()
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return err
	}
	keys, err := c.openVault(o.Log)
	if err != nil {
		return err
	}
	defer keys.Close()
	h, err := build(c, j, keys, o)
	if err != nil {
		return err
	}
	h.shop.SetMembers(book)
	tcp, local, err := h.listen()
	if err != nil {
		return err
	}
	return h.run(ctx, tcp, local, func() error { return writeReady(o.ReadyFile, c, tcp) })
}

// taps holds a card to a played RDM6300 until so.
func (s *shopfront) taps(port *sim.PTY, card byte, what string, so func() bool) {
	s.t.Helper()
	ctx, stop := context.WithCancel(s.t.Context())
	var done sync.WaitGroup
	defer done.Wait()
	defer stop()
	rdm := sim.NewRDM6300(port)
	done.Go(func() { rdm.Run(ctx) })
	rdm.Near([5]byte{4: card})
	s.until(what, so)
}

// A lamp answers to a member, a stranger and a lost card, each by its own pattern.
func TestLampsAnswerToTags(t *testing.T) {
	t.Parallel()
	dir := room(t)
	port, b := plugged(t, dir), newBench()
	s := serves(t, dir, replaced(t, lit, "/dev/serial/by-id/x", port.Path(), "tap: true", "tap: true, grace: 10m"), withMembers, func(o *Options) { o.lines = b.gpio() })
	told := func(want string) func() bool {
		return func() bool {
			return want == fmt.Sprintf("green %d, buzzer %d, red %d, amber %d, blue %d", b.shone("gpio:GREEN/false"),
				b.shone("gpio:BUZZER/false"), b.shone("gpio:RED/true"), b.shone("gpio:AMBER/false"), b.shone("gpio:BLUE/false"))
		}
	}
	s.taps(port, 1, "the member's lamp", told("green 1, buzzer 2, red 0, amber 0, blue 0"))
	s.taps(port, 9, "the stranger's lamp", told("green 1, buzzer 2, red 1, amber 0, blue 0"))
	s.taps(port, 2, "the lost card's lamps, in the cellar too", told("green 1, buzzer 2, red 1, amber 1, blue 1"))
	if outputs := s.status().Outputs; len(outputs) != 5 || outputs[0].Problem != nil {
		t.Errorf("outputs: %+v", outputs)
	}
}

// A computer without the chip opens its shop: the page says what is wrong, and that it is well again once the chip is there.
func TestAMissingChipKeepsNoShopShut(t *testing.T) {
	t.Parallel()
	dir := room(t)
	port, b := plugged(t, dir), newBench()
	b.lose(true)
	s := opens(t, dir, replaced(t, lit, "/dev/serial/by-id/x", port.Path()), func(o *Options) { o.lines = b.gpio() })
	troubled := func(n int) func() bool {
		return func() bool {
			found := 0
			status := s.status()
			for _, o := range status.Outputs {
				if strings.Contains(o.Problem["en"], "is not there") && strings.Contains(o.Problem["zh-CN"], "找不到引脚") {
					found++
				}
			}
			for _, d := range status.Doors {
				if d.Problem != nil && !d.Known {
					found++
				}
			}
			return found == n
		}
	}
	s.until("six lines are missing", troubled(6))
	s.plays(port, false)
	b.lose(false)
	s.until("all lines are there", troubled(0))
	s.until("the door is known", func() bool { d := s.status().Doors[0]; return d.Known && !d.Open })
	b.lose(true)
	s.until("six lines are missing again", troubled(6))
}

// A door is counted when it opens, and told of when it stands open for long.
func TestADoorIsCounted(t *testing.T) {
	t.Parallel()
	dir := room(t)
	b := newBench()
	s := opens(t, dir, lit, func(o *Options) { o.lines = b.gpio() })
	stands := func(what string, so func(api.Door) bool) {
		t.Helper()
		s.until(what, func() bool { return so(s.status().Doors[0]) })
	}
	stands("shut", func(d api.Door) bool { return d.Known && !d.Open && d.Opened == 0 && !d.Since.IsZero() })
	b.swing(false)
	stands("open", func(d api.Door) bool { return d.Open })
	stands("left open", func(d api.Door) bool { return d.LeftOpen })
	b.swing(true)
	stands("shut again", func(d api.Door) bool { return !d.Open && !d.LeftOpen })
	b.swing(false)
	stands("opened twice", func(d api.Door) bool { return d.Open && d.Opened >= 2 })
}

// What is counted is a day's: a new day begins at nothing.
func TestANewDayOfADoor(t *testing.T) {
	s := &signals{doors: []Door{{Name: "front"}}, stands: make([]standing, 1), log: slog.New(slog.DiscardHandler), show: func() {}}
	noon := time.Date(2026, 6, 14, 12, 0, 0, 0, time.Local)
	for i := range 7 { // shut at first, then open three times
		s.moved(0, signal.Door{Open: i%2 == 1, At: noon.Add(time.Duration(i) * time.Minute)})
	}
	if _, doors := s.status(noon.Add(time.Hour)); doors[0].Opened != 3 {
		t.Errorf("opened %d times", doors[0].Opened)
	}
	if _, doors := s.status(noon.Add(24 * time.Hour)); doors[0].Opened != 0 {
		t.Errorf("opened %d times on the day after", doors[0].Opened)
	}
	s.moved(0, signal.Door{Open: true, At: noon.Add(24 * time.Hour)})
	if _, doors := s.status(noon.Add(24 * time.Hour)); doors[0].Opened != 1 {
		t.Errorf("opened %d times on the day after", doors[0].Opened)
	}
}

// The kernel's own lines, on a machine that has none of these names.
func TestLinesOfThisComputer(t *testing.T) {
	lines := gpio{}.orKernel()
	if _, err := lines.out("gpio:NO_SUCH_LINE", false); !errors.Is(err, link.ErrNoDevice) && !errors.Is(err, link.ErrDenied) {
		t.Error(err)
	}
	if _, err := lines.contact("gpio:NO_SUCH_LINE"); !errors.Is(err, link.ErrNoDevice) && !errors.Is(err, link.ErrDenied) {
		t.Error(err)
	}
}
