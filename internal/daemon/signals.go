package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"foyer/api"
	profiles "foyer/firmware-profiles"
	"foyer/internal/strictyaml"
	"foyer/reader/link"
	"foyer/reader/signal"
	"foyer/shop"
	"foyer/shop/member"
)

// Signal is lamps and a buzzer beside a reader, and what they show.
type Signal struct {
	Name    string            `yaml:"name,required"`    // what people call it: "counter lamp"
	Zones   []string          `yaml:"zones"`            // where it answers; left out: everywhere
	Outputs map[string]Output `yaml:"outputs,required"` // by name: green, red, buzzer
	Known   string            `yaml:"known"`            // a member's tag: "green 2s, buzzer 2x100ms"; left out: nothing
	Unknown string            `yaml:"unknown"`          // a tag that is nobody's
	Refused string            `yaml:"refused"`          // a tag that is blocked: lost or stolen
}

// Output is a line of this computer that switches something.
type Output struct {
	Line     string `yaml:"line,required"` // gpio:GPIO22, gpio:pin15, gpio:gpiochip0/22
	LowIsOn  bool   `yaml:"low_is_on"`     // most relay boards, and a lamp between the supply and the line
	resolved string // the line as the kernel calls it
}

// Door is a door contact: closed, between its line and ground, while the door is.
type Door struct {
	Name     string        `yaml:"name,required"`
	Line     string        `yaml:"line,required"`
	Settle   time.Duration `yaml:"settle"`    // how long the contact must rest; default 50ms
	LeftOpen time.Duration `yaml:"left_open"` // a door that stands open for longer is told of; left out: never

	resolved string
}

// patterns are the texts of a signal by event.
func (s *Signal) patterns() map[signal.Event]string {
	all := map[signal.Event]string{signal.Known: s.Known, signal.Unknown: s.Unknown, signal.Refused: s.Refused}
	maps.DeleteFunc(all, func(_ signal.Event, text string) bool { return text == "" })
	return all
}

// checkSignals checks lamps and doors. It opens nothing: a line that is missing does not keep a shop shut.
func (c *Config) checkSignals(doc *strictyaml.Doc) {
	board := profiles.ThisBoard()
	lines, names := map[string]string{}, map[string]bool{}
	for i, r := range c.Readers {
		if scheme, both, ok := strings.Cut(board.Lines(r.Port), ":"); ok && link.IsLines(scheme+":") {
			for line := range strings.SplitSeq(both, ",") {
				lines["gpio:"+strings.TrimSpace(line)] = fmt.Sprintf("readers[%d]", i)
			}
		}
	}
	claim := func(path, line string) string {
		if line == "" {
			return "" // told already: it is required
		}
		if !link.IsLine(line) {
			doc.At(path, "%q is no line, want one like gpio:GPIO22, gpio:pin15 or gpio:gpiochip0/22", line)
		}
		resolved := board.Lines(line)
		if other, taken := lines[resolved]; taken {
			doc.At(path, "%s is the line of %s already", line, other)
		}
		lines[resolved] = path
		return resolved
	}
	unique := func(path, name string) {
		if names[name] {
			doc.At(path, "a second one is called %q, want names that differ", name)
		}
		names[name] = name != ""
	}
	for i := range c.Signals {
		path := fmt.Sprintf("signals[%d]", i)
		unique(path+".name", c.Signals[i].Name)
		c.checkSignal(doc, path, &c.Signals[i], claim)
	}
	for i := range c.Doors {
		d, path := &c.Doors[i], fmt.Sprintf("doors[%d]", i)
		unique(path+".name", d.Name)
		d.resolved = claim(path+".line", d.Line)
		if d.Settle < 0 || d.Settle > 10*time.Second {
			doc.At(path+".settle", "%v, want at most 10s", d.Settle)
		}
		if d.LeftOpen < 0 {
			doc.At(path+".left_open", "%v, want more than 0", d.LeftOpen)
		}
	}
}

func (c *Config) checkSignal(doc *strictyaml.Doc, path string, s *Signal, claim func(path, line string) string) {
	for _, name := range slices.Sorted(maps.Keys(s.Outputs)) {
		o, at := s.Outputs[name], path+".outputs."+name
		if p, err := signal.ParsePattern(name); err != nil || p[0].Output != name || len(p) > 1 {
			doc.At(at, "%q is no name for an output, want 1 to 16 lower-case letters, digits and dashes", name)
		}
		o.resolved = claim(at+".line", o.Line)
		s.Outputs[name] = o
	}
	if len(s.Outputs) == 0 && doc.Has(path+".outputs") {
		doc.At(path+".outputs", "is empty, want at least one output")
	}
	if len(s.patterns()) == 0 {
		doc.At(path, "shows nothing: want known, unknown or refused")
	}
	for event, text := range s.patterns() {
		p, err := signal.ParsePattern(text)
		if err != nil {
			doc.At(path+"."+string(event), "%v", err)
		}
		for _, track := range p {
			if _, ok := s.Outputs[track.Output]; !ok {
				doc.At(path+"."+string(event), "no output %q, there are %s", track.Output, strings.Join(slices.Sorted(maps.Keys(s.Outputs)), ", "))
			}
		}
	}
	for i, zone := range s.Zones {
		if !slices.ContainsFunc(c.Zones, func(z Zone) bool { return z.ID == zone }) {
			doc.At(fmt.Sprintf("%s.zones[%d]", path, i), "no zone %q in this file", zone)
		}
	}
}

// gpio opens the lines of this computer.
type gpio struct {
	out     func(port string, lowIsOn bool) (signal.Switch, error)
	contact func(port string) (signal.Contact, error)
}

// orKernel gives the kernel's lines where there are no others.
func (g gpio) orKernel() gpio {
	if g.out != nil {
		return g
	}
	return gpio{
		out:     func(port string, lowIsOn bool) (signal.Switch, error) { return link.OpenOut(port, lowIsOn) },
		contact: func(port string) (signal.Contact, error) { return link.OpenContact(port) },
	}
}

// signals are the lamps and doors of a shop.
type signals struct {
	lamps []lamps
	doors []Door
	lines gpio
	log   *slog.Logger
	show  func() // is called when a page should look again

	mu      sync.Mutex
	outputs []api.Output
	stands  []standing // as doors
}

// lamps is one Signal at work.
type lamps struct {
	zones []string
	*signal.Lamps
}

// standing is how a door stands.
type standing struct {
	signal.Door
	trouble error
	opened  int // times on the day of At
}

// newSignals opens nothing yet.
func newSignals(c *Config, lines gpio, log *slog.Logger, show func()) (*signals, error) {
	s := &signals{doors: c.Doors, lines: lines, log: log, show: show, stands: make([]standing, len(c.Doors))}
	for i := range c.Signals {
		one := &c.Signals[i]
		config := signal.Config{Outputs: map[string]func() (signal.Switch, error){}, Patterns: map[signal.Event]signal.Pattern{},
			Log: log.With("signal", one.Name)}
		at := map[string]int{}
		for _, name := range slices.Sorted(maps.Keys(one.Outputs)) {
			o := one.Outputs[name]
			config.Outputs[name] = func() (signal.Switch, error) { return lines.out(o.resolved, o.LowIsOn) }
			at[name] = len(s.outputs)
			s.outputs = append(s.outputs, api.Output{Signal: one.Name, Name: name})
		}
		config.Tell = func(output string, err error) { s.failed(at[output], err) }
		for event, text := range one.patterns() {
			p, err := signal.ParsePattern(text)
			if err != nil {
				return nil, err
			}
			config.Patterns[event] = p
		}
		l, err := signal.NewLamps(config)
		if err != nil {
			return nil, fmt.Errorf("signal %s: %w", one.Name, err)
		}
		s.lamps = append(s.lamps, lamps{one.Zones, l})
	}
	return s, nil
}

// run starts the lamps and doors.
func (s *signals) run(start func(name string, run func(context.Context) error)) {
	for _, l := range s.lamps {
		start("lamps", l.Run)
	}
	for i, d := range s.doors {
		start("door", func(ctx context.Context) error { return s.watch(ctx, i, d) })
	}
}

// watch follows a door. A line that can never be is told like one that is not there: it does not end the shop.
func (s *signals) watch(ctx context.Context, i int, d Door) error {
	c := signal.DoorConfig{Name: d.Name, Port: d.resolved, Settle: d.Settle, Log: s.log,
		Open:    func(context.Context) (signal.Contact, error) { return s.lines.contact(d.resolved) },
		Trouble: func(err error) { s.stuck(i, err) }}
	if err := signal.WatchDoor(ctx, c, func(now signal.Door) { s.moved(i, now) }); err != nil {
		s.log.Error("door contact is given up", "door", d.Name, "err", err)
		s.stuck(i, err)
	}
	return nil
}

// noticed shows that a tag arrived. It is called from the shop's goroutine and never waits.
func (s *signals) noticed(n shop.Noticed) {
	event := signal.Unknown
	switch n.Standing {
	case member.Carried:
		event = signal.Known
	case member.Blocked:
		event = signal.Refused
	case member.Unknown, member.Clashing: // nobody's
	}
	for _, l := range s.lamps {
		if len(l.zones) == 0 || slices.Contains(l.zones, n.Zone) {
			l.Signal(event)
		}
	}
}

// failed notes that an output does not work, or works again.
func (s *signals) failed(output int, err error) {
	s.mu.Lock()
	s.outputs[output].Problem = lineTrouble(err)
	s.mu.Unlock()
	s.show()
}

func (s *signals) stuck(door int, err error) {
	s.mu.Lock()
	s.stands[door].trouble = err
	s.mu.Unlock()
	s.show()
}

// moved notes how a door stands. How it stands at first is no opening.
func (s *signals) moved(door int, now signal.Door) {
	s.mu.Lock()
	was := s.stands[door]
	n := standing{Door: now, opened: was.opened}
	if !sameDay(was.At, now.At) {
		n.opened = 0
	}
	if now.Open && !was.At.IsZero() && !was.Open {
		n.opened++
	}
	s.stands[door] = n
	s.mu.Unlock()
	s.log.Debug("door", "door", now.Name, "open", now.Open)
	s.show()
}

func sameDay(a, b time.Time) bool {
	y, m, d := a.Local().Date()
	y2, m2, d2 := b.Local().Date()
	return y == y2 && m == m2 && d == d2
}

// status is how lamps and doors are now, for the pages.
func (s *signals) status(now time.Time) ([]api.Output, []api.Door) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var doors []api.Door
	for i, d := range s.doors {
		is := &s.stands[i]
		one := api.Door{Name: d.Name, Known: !is.At.IsZero() && is.trouble == nil, Open: is.Open, Since: is.At, Opened: is.opened,
			Problem: lineTrouble(is.trouble)}
		if !sameDay(is.At, now) {
			one.Opened = 0
		}
		one.LeftOpen = one.Known && is.Open && d.LeftOpen > 0 && now.Sub(is.At) >= d.LeftOpen
		doors = append(doors, one)
	}
	return slices.Clone(s.outputs), doors
}

// lineTrouble says in words why a line does not work; nil is no trouble.
func lineTrouble(err error) api.Text {
	if err == nil {
		return nil
	}
	for _, why := range []struct {
		is  error
		key string
	}{
		{link.ErrUnplugged, "unplugged"},
		{link.ErrNoDevice, "no_device"},
		{link.ErrDenied, "no_permission"},
		{link.ErrHeld, "held"},
	} {
		if errors.Is(err, why.is) {
			return said("line.why." + why.key)
		}
	}
	return said("line.why.trouble")
}
