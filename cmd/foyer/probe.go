package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	profiles "foyer/firmware-profiles"
	"foyer/reader/frame"
	"foyer/reader/link"
)

// found is one thing that is plugged in, and what came of looking at it: one line of foyer reader probe. Stable.
type found struct {
	Port    string  `json:"port"`
	Device  string  `json:"device,omitempty"` // what the port's name stands for now
	Kind    string  `json:"kind"`             // serial, keyboard or hidraw
	State   string  `json:"state"`            // fits, silent, unclear, held, no_permission, gone or listed
	Profile string  `json:"profile,omitempty"`
	Why     string  `json:"why"`
	Tried   []tried `json:"tried,omitempty"`
}

// tried is what one profile made of a port.
type tried struct {
	Profile  string `json:"profile"`
	Baud     int    `json:"baud"`
	Bytes    uint64 `json:"bytes"`
	Frames   uint64 `json:"frames"`
	Tags     int    `json:"tags"`
	Refused  uint64 `json:"refused"`
	Answered bool   `json:"answered"`

	text bool // its lines prove nothing
}

// prober looks at ports.
type prober struct {
	dev, sys   string // where devices are listed
	listen     time.Duration
	listenOnly bool
	card       time.Duration // how long a person has to show a card to what says nothing; 0 = nobody is there
	ask        func(string)  // tells that person
}

func readerProbe(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("foyer reader probe", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, readerHelp) }
	asJSON := flags.Bool("json", false, "one JSON object a line")
	p := prober{dev: "/dev", sys: "/sys"}
	flags.DurationVar(&p.listen, "listen", time.Second, "how long to listen with each line setting")
	flags.BoolVar(&p.listenOnly, "listen-only", false, "send nothing")
	flags.DurationVar(&p.card, "card", 0, "how long to wait for a card at a port that says nothing")
	p.ask = func(text string) { fmt.Fprintln(stderr, text) }
	names, err := mixed(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil || p.listen <= 0 || p.card < 0 {
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return p.run(ctx, names, *asJSON, stdout, stderr)
}

func (p prober) run(ctx context.Context, names []string, asJSON bool, stdout, stderr io.Writer) int {
	var ports []found
	for _, name := range names {
		ports = append(ports, found{Port: name, Kind: "serial"})
	}
	if len(names) == 0 {
		ports = p.list()
	}
	if len(ports) == 0 {
		fmt.Fprintln(stderr, "nothing is plugged in that could be a reader")
	}
	status := 0
	for _, f := range ports {
		if f.Kind == "serial" {
			p.look(ctx, &f)
		}
		if len(names) > 0 && slices.Contains([]string{"held", "no_permission", "gone"}, f.State) {
			status = 1
		}
		if asJSON {
			json.NewEncoder(stdout).Encode(f)
		} else {
			fmt.Fprintln(stdout, f.line())
		}
	}
	return status
}

func (f found) line() string {
	text := fmt.Sprintf("%s: %s", f.Port, f.State)
	if f.Profile != "" {
		text += " " + f.Profile
	}
	return text + ": " + f.Why
}

// list names what is plugged in: by its lasting name where it has one. Fixed ports of a mainboard (ttyS) have none and are
// looked at only when they are named.
func (p prober) list() []found {
	var all []found
	seen := map[string]bool{}
	add := func(kind, path string) {
		device, err := filepath.EvalSymlinks(path)
		if err != nil || seen[device] {
			return
		}
		seen[device] = true
		f := found{Port: path, Kind: kind}
		if device != path {
			f.Device = device
		}
		all = append(all, f)
	}
	for _, glob := range []struct{ kind, pattern string }{
		{"serial", "serial/by-id/*"}, {"serial", "ttyUSB*"}, {"serial", "ttyACM*"}, {"serial", "ttyAMA*"},
		{"keyboard", "input/by-id/*-event-kbd"}, {"hidraw", "hidraw*"},
	} {
		paths, _ := filepath.Glob(filepath.Join(p.dev, glob.pattern)) // the patterns are sound
		for _, path := range paths {
			add(glob.kind, path)
		}
	}
	for i := range all {
		switch f := &all[i]; f.Kind {
		case "keyboard":
			f.State, f.Why = "listed", "types like a keyboard; if it is a reader, its profile is wedge"
		case "hidraw":
			f.State, f.Why = "listed", "no profile reads it: "+p.hidName(f.Port)
		}
	}
	return all
}

// hidName is what a HID device calls itself.
func (p prober) hidName(path string) string {
	text, _ := os.ReadFile(filepath.Join(p.sys, "class/hidraw", filepath.Base(path), "device/uevent"))
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "HID_NAME="); ok {
			return name
		}
	}
	return "a device without a name"
}

// look tries every line setting on one port, until one fits.
func (p prober) look(ctx context.Context, f *found) {
	if who := heldBy(f.Port); who != "" {
		f.State, f.Why = "held", "held by "+who+"; not opened"
		return
	}
	for _, group := range bySettings(checkable) {
		if ctx.Err() != nil {
			break
		}
		results, err := p.try(ctx, f.Port, group)
		if err != nil {
			f.State, f.Why = stateOf(err), err.Error()
			return
		}
		f.Tried = append(f.Tried, results...)
		if slices.ContainsFunc(results, tried.fits) {
			break
		}
	}
	if err := p.awaitCard(ctx, f); err != nil {
		f.State, f.Why = stateOf(err), err.Error()
		return
	}
	f.judge()
}

// awaitCard lets a person show a card to a reader that only talks. Text counts only here: whatever talks without being
// shown anything is no scanner.
func (p prober) awaitCard(ctx context.Context, f *found) error {
	silent := !slices.ContainsFunc(f.Tried, func(t tried) bool { return t.Bytes > 0 })
	if p.card <= 0 || !silent || ctx.Err() != nil {
		return nil
	}
	for _, group := range bySettings(passive) {
		p.ask(fmt.Sprintf("%s: hold a card to it now, or scan a code (%v)", f.Port, p.card))
		results, err := p.heard(ctx, f.Port, group)
		if err != nil {
			return err
		}
		f.Tried = append(f.Tried, results...)
		if slices.ContainsFunc(results, tried.fits) {
			break
		}
	}
	return nil
}

// textPatience is how long a line of text waits for a frame with a check: the end of a frame, cut off because the port was
// opened in the middle of it, looks like text, and the next whole one comes at once.
const textPatience = 2 * time.Second

// enough reports whether a profile fits, at once if its frames have a check.
func enough(all []*suspect) func() bool {
	var text time.Time
	return func() bool {
		if slices.ContainsFunc(all, func(s *suspect) bool { return s.fits() && !s.result.text }) {
			return true
		}
		if text.IsZero() && slices.ContainsFunc(all, (*suspect).fits) {
			text = time.Now()
		}
		return !text.IsZero() && time.Since(text) >= textPatience
	}
}

func (p prober) heard(ctx context.Context, port string, group []*profiles.Profile) ([]tried, error) {
	l, all, err := suspects(ctx, port, group)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	err = hear(ctx, l, all, p.card, enough(all))
	return resultsOf(all), err
}

func stateOf(err error) string {
	switch {
	case errors.Is(err, link.ErrHeld):
		return "held"
	case errors.Is(err, link.ErrDenied):
		return "no_permission"
	}
	return "gone"
}

// checkable profiles can be believed when a frame fits. A line of text has no check: it would fit a modem's chatter as well
// as a scanner.
func checkable(p *profiles.Profile) bool { return p.Framing.Kind != profiles.TextLine }

// passive profiles are of readers that cannot be asked.
func passive(p *profiles.Profile) bool { return p.Probe == nil }

// bySettings groups those of the serial profiles that come with the program by the settings of their line, the slowest
// first: a reader that only talks is mostly slow.
func bySettings(which func(*profiles.Profile) bool) [][]*profiles.Profile {
	groups := map[profiles.SerialLine][]*profiles.Profile{}
	for _, p := range profiles.Builtin() {
		if p.Kind == profiles.Serial && p.Framing != nil && which(p) {
			groups[p.Link.Serial] = append(groups[p.Link.Serial], p)
		}
	}
	var all [][]*profiles.Profile
	for _, group := range groups {
		all = append(all, group)
	}
	slices.SortFunc(all, func(a, b []*profiles.Profile) int { return a[0].Link.Serial.Baud - b[0].Link.Serial.Baud })
	return all
}

// suspect is one profile while a port is listened to.
type suspect struct {
	profile  *profiles.Profile
	splitter *frame.Splitter
	decoder  *frame.Decoder
	result   tried
	asked    bool // its question was sent last
}

func (s *suspect) feed(data []byte) {
	s.result.Bytes += uint64(len(data))
	s.splitter.Feed(data, s.frame)
	split, refused := s.splitter.Counters(), s.decoder.Counters().Refused()
	s.result.Frames, s.result.Refused = split.Frames-refused, split.Refused()+refused
}

func (s *suspect) frame(f frame.Frame) {
	var seen frame.Sighting
	switch s.decoder.Decode(f, &seen).Kind {
	case frame.Tag:
		s.result.Tags++
	default:
		s.result.Answered = s.result.Answered || s.asked && frame.Matches(s.profile.Probe.Reply, f.Payload)
	}
}

func (s *suspect) fits() bool { return s.result.fits() }

// suspects opens a port with one line setting.
func suspects(ctx context.Context, port string, group []*profiles.Profile) (link.Link, []*suspect, error) {
	line := group[0].Link.Serial
	settings := link.Settings{Baud: line.Baud, DataBits: line.Data, StopBits: line.Stop}
	switch line.Parity {
	case profiles.Even:
		settings.Parity = link.EvenParity
	case profiles.Odd:
		settings.Parity = link.OddParity
	}
	l, err := link.Open(ctx, port, settings)
	if err != nil {
		return nil, nil, err
	}
	var all []*suspect
	for _, one := range group {
		result := tried{Profile: one.ID, Baud: line.Baud, text: !checkable(one)}
		all = append(all, &suspect{profile: one, splitter: frame.New(one), decoder: frame.NewDecoder(one), result: result})
	}
	return l, all, nil
}

func resultsOf(all []*suspect) []tried {
	results := make([]tried, len(all))
	for i, s := range all {
		results[i] = s.result
	}
	return results
}

// try listens with one line setting, then asks.
func (p prober) try(ctx context.Context, port string, group []*profiles.Profile) ([]tried, error) {
	l, all, err := suspects(ctx, port, group)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	if err := hear(ctx, l, all, p.listen, nil); err != nil {
		return nil, err
	}
	for _, s := range all {
		if p.listenOnly || s.profile.Probe == nil || s.asked || slices.ContainsFunc(all, (*suspect).fits) {
			continue
		}
		if err := s.ask(ctx, l, all); err != nil {
			return nil, err
		}
	}
	return resultsOf(all), nil
}

// ask sends the harmless question, twice: a module that sleeps throws the first away. Some protocols have it in common.
func (s *suspect) ask(ctx context.Context, l link.Link, all []*suspect) error {
	for _, other := range all {
		other.asked = other.profile.Probe != nil && slices.Equal(other.profile.Probe.Send, s.profile.Probe.Send)
	}
	for range 2 {
		if slices.ContainsFunc(all, func(s *suspect) bool { return s.result.Answered }) || ctx.Err() != nil {
			break
		}
		if err := s.wake(l); err != nil {
			return err
		}
		if err := l.Send(s.profile.Probe.Send); err != nil {
			return err
		}
		if err := hear(ctx, l, all, s.profile.Probe.Within, nil); err != nil {
			return err
		}
	}
	return nil
}

// wake sends what a sleeping reader throws away.
func (s *suspect) wake(l link.Link) error {
	if len(s.profile.Session.Wake) == 0 {
		return nil
	}
	return l.Send(s.profile.Session.Wake)
}

// hear feeds what comes to every suspect, until the time is over or enough, if given, was heard.
func hear(ctx context.Context, l link.Link, all []*suspect, limit time.Duration, enough func() bool) error {
	buffer := make([]byte, 1024)
	for end := time.Now().Add(limit); time.Now().Before(end) && ctx.Err() == nil && (enough == nil || !enough()); {
		n, err := l.Receive(buffer, min(time.Until(end), 100*time.Millisecond))
		for _, s := range all {
			s.feed(buffer[:n])
		}
		if err != nil && n == 0 {
			return err
		}
	}
	return nil
}

// fits: it answered its own question, or whole frames came, and more of them than of broken ones.
func (t tried) fits() bool { return t.Answered || t.Frames > 0 && t.Frames > t.Refused }

// score is 0 for what does not fit. An answer weighs more than frames, and frames with a check more than text.
func (t tried) score() uint64 {
	switch {
	case !t.fits():
		return 0
	case t.Answered:
		return 1 << 40
	case t.text:
		return t.Frames
	}
	return t.Frames << 16
}

// judge names the best of what was tried.
func (f *found) judge() {
	best, most := -1, uint64(0)
	var bytes uint64
	var equal []string
	for i, t := range f.Tried {
		bytes = max(bytes, t.Bytes)
		switch score := t.score(); {
		case score == 0:
		case score == most:
			equal = append(equal, t.Profile)
		case score > most:
			best, most, equal = i, score, []string{t.Profile}
		}
	}
	switch {
	case len(equal) > 1:
		f.State = "unclear"
		f.Why = "it speaks as " + strings.Join(equal, " and ") + " do; try each with a tag whose number you know"
	case best >= 0 && f.Tried[best].text:
		t := f.Tried[best]
		f.State, f.Profile = "fits", t.Profile
		f.Why = fmt.Sprintf("at %d baud a line of text came, as from a scanner; text has no check, so compare it with a code that you know", t.Baud)
	case best >= 0:
		t := f.Tried[best]
		f.State, f.Profile = "fits", t.Profile
		f.Why = fmt.Sprintf("at %d baud %d whole frames, %d of them tags, %d refused", t.Baud, t.Frames, t.Tags, t.Refused)
		if t.Answered {
			f.Why = fmt.Sprintf("at %d baud it answers the profile's question", t.Baud)
		}
	case bytes > 0:
		f.State, f.Why = "unclear", fmt.Sprintf("it talks, up to %d bytes at one speed, and no profile understands it", bytes)
	default:
		f.State, f.Why = "silent", "nothing came; hold a tag near it and probe again"
	}
}
