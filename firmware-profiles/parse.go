package profiles

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"foyer/internal/strictyaml"
)

// Defaults of what a profile may leave out.
const (
	defaultReadTimeout = 100 * time.Millisecond
	defaultWithin      = 500 * time.Millisecond
	defaultFrameGap    = 30 * time.Millisecond
	defaultMinInterval = 120 * time.Microsecond
	defaultMaxInterval = 20 * time.Millisecond // the longest interval of SIA AC-01
)

// Parse reads one profile. The error holds every fault, each as "name:line: path: what was wrong, what was expected".
// The wire examples are not run here but by frame.CheckExamples.
func Parse(name string, data []byte) (*Profile, error) {
	p := &Profile{File: name}
	c := checker{Doc: strictyaml.Decode(name, data, p), p: p}
	p.setDefaults()
	c.profile()
	for i := range p.Examples {
		p.Examples[i].Line = c.Line(fmt.Sprintf("examples[%d]", i))
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Profile) setDefaults() {
	if p.Link != nil {
		orDefault(&p.Link.ReadTimeout, defaultReadTimeout)
		orDefault(&p.Link.Serial.Data, 8)
		orDefault(&p.Link.Serial.Stop, 1)
		orDefault(&p.Link.Serial.Parity, NoParity)
	}
	if p.Framing != nil && p.Framing.Kind == TextLine {
		orDefault(&p.Framing.Charset, Printable)
	}
	if p.Framing != nil && p.Framing.Length != nil {
		orDefault(&p.Framing.Length.Order, Big)
	}
	for _, c := range p.Session.commands() {
		orDefault(&c.Within, defaultWithin)
	}
	p.setNetworkDefaults()
	if w := p.Wiegand; w != nil {
		orDefault(&w.FrameGap, defaultFrameGap)
		orDefault(&w.MinInterval, defaultMinInterval)
		orDefault(&w.MaxInterval, defaultMaxInterval)
	}
}

func orDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// commands lists every command with its path.
func (s *Session) commands() map[string]*Command {
	all := map[string]*Command{}
	for i := range s.Start {
		all[fmt.Sprintf("session.start[%d]", i)] = &s.Start[i]
	}
	for i := range s.Stop {
		all[fmt.Sprintf("session.stop[%d]", i)] = &s.Stop[i]
	}
	if s.Poll != nil {
		all["session.poll.command"] = &s.Poll.Command
		for i := range s.Poll.Turns {
			all[fmt.Sprintf("session.poll.turns[%d]", i)] = &s.Poll.Turns[i]
		}
	}
	return all
}

// maxTurns is the most antennas that a reader is asked for one by one: a hub has so many.
const maxTurns = 64

// checker holds the rules that types cannot: what must go together, and bounds. A zero value that is required was told by
// strictyaml already and is not told twice.
type checker struct {
	*strictyaml.Doc
	p *Profile
}

var (
	idForm      = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	captureForm = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
)

func (c *checker) profile() {
	p := c.p
	if p.Schema != Schema {
		c.At("schema", "got %d, want %d: the vocabulary that this program reads", p.Schema, Schema)
	}
	if p.ID != "" && !idForm.MatchString(p.ID) {
		c.At("id", "got %.40q, want 1 to 32 lower case letters, digits and dashes", p.ID)
	}
	c.about()
	c.duration("cadence", p.Cadence, 0, time.Minute)
	switch p.Kind {
	case Serial:
		c.together("serial", []string{"link", "framing", "frames"}, []string{"wiegand"})
	case WiegandGPIO:
		c.together("wiegand", []string{"wiegand"}, []string{"link", "framing", "session", "frames", "codec"})
	}
	c.link()
	structural := c.Count()
	c.framing()
	c.session(c.Count() == structural)
	c.frames()
	c.wiegand()
	c.network()
	c.canonical()
	c.examples()
}

// together demands the sections that belong to a kind and refuses those that do not.
func (c *checker) together(kind string, own, foreign []string) {
	for _, section := range own {
		if !c.Has(section) {
			c.At("kind", "a %s profile needs the section %s", kind, section)
		}
	}
	for _, section := range foreign {
		if c.Has(section) {
			c.At(section, "does not belong into a %s profile, remove it", kind)
		}
	}
}

func (c *checker) about() {
	a := c.p.About
	c.text("about.title", a.Title)
	if len(a.Products) == 0 && c.Has("about.products") {
		c.At("about.products", "is empty, want at least one product")
	}
	for i, product := range a.Products {
		if product.Note != nil {
			c.text(fmt.Sprintf("about.products[%d].note", i), *product.Note)
		}
	}
	for i, caveat := range a.Caveats {
		path := fmt.Sprintf("about.caveats[%d]", i)
		c.text(path+".text", caveat.Text)
		if caveat.Link != "" && !strings.HasPrefix(caveat.Link, "https://") {
			c.At(path+".link", "got %.60q, want an address that starts with https://", caveat.Link)
		}
	}
	for i, name := range a.Captures {
		if !captureForm.MatchString(name) {
			c.At(fmt.Sprintf("about.captures[%d]", i), "got %.40q, want lower case letters, digits, dashes and underscores", name)
		}
	}
}

func (c *checker) text(path string, t Text) {
	for key, text := range map[string]string{"en": t.EN, "zh-CN": t.ZhCN} {
		if c.Has(path+"."+key) && strings.TrimSpace(text) == "" {
			c.At(path+"."+key, "is empty, want a text")
		}
	}
}

func (c *checker) link() {
	l := c.p.Link
	if l == nil {
		return
	}
	c.bounds("link.serial.baud", l.Serial.Baud, 300, 4_000_000)
	c.bounds("link.serial.data", l.Serial.Data, 5, 8)
	c.bounds("link.serial.stop", l.Serial.Stop, 1, 2)
	c.duration("link.read_timeout", l.ReadTimeout, time.Millisecond, 10*time.Second)
}

// session checks the commands against the framing too, if that is sound.
func (c *checker) session(framed bool) {
	s := c.p.Session
	for path, command := range s.commands() {
		c.duration(path+".within", command.Within, time.Millisecond, time.Minute)
		c.matches(path+".reply", command.Reply)
		if f := c.p.Framing; framed && f != nil && len(command.Send) > 0 {
			if err := f.verify(command.Send); err != nil {
				c.At(path+".send", "%s", err)
			}
		}
		if command.Optional && len(command.Reply) == 0 {
			c.At(path+".optional", "has no meaning without a reply to wait for")
		}
	}
	if s.Poll != nil {
		c.duration("session.poll.every", s.Poll.Every, time.Millisecond, time.Minute)
		c.bounds("session.poll.turns", len(s.Poll.Turns), 0, maxTurns)
	}
	if c.p.Kind == Serial && c.p.Report != "" && (c.p.Report == Polled) != (s.Poll != nil) {
		c.At("report", "polled and session.poll go together: give both or neither")
	}
	c.duration("session.gap", s.Gap, time.Millisecond, time.Second)
	if s.Confirm != nil {
		c.matches("session.confirm.when", s.Confirm.When)
		if f := c.p.Framing; framed && f != nil && len(s.Confirm.Send) > 0 {
			if err := f.verify(s.Confirm.Send); err != nil {
				c.At("session.confirm.send", "%s", err)
			}
		}
	}
	c.matches("session.rearm.on", s.Rearm.On)
	if (s.Rearm.Every > 0 || s.Rearm.AfterSilence > 0 || len(s.Rearm.On) > 0) && len(s.Start) == 0 {
		c.At("session.rearm", "runs session.start again, and there is none")
	}
	c.duration("session.rearm.every", s.Rearm.Every, 0, 24*time.Hour)
	c.duration("session.rearm.after_silence", s.Rearm.AfterSilence, 0, time.Hour)
}

func (c *checker) matches(path string, matches []Match) {
	for i, m := range matches {
		c.bounds(fmt.Sprintf("%s[%d].at", path, i), m.At, 0, maxBytes)
	}
}

func (c *checker) bounds(path string, got, least, most int) {
	if got < least || got > most {
		c.At(path, "got %d, want %d to %d", got, least, most)
	}
}

func (c *checker) duration(path string, got, least, most time.Duration) {
	if got != 0 && got < least || got > most {
		c.At(path, "got %s, want %s to %s", got, least, most)
	}
}

func (c *checker) canonical() {
	canonical := c.p.Canonical
	if w := c.p.Wiegand; w != nil && w.Bits != 0 && w.Keypad.Bits() == w.Bits {
		if c.Has("canonical") {
			c.At("canonical", "does not go with keys alone, remove it")
		}
		return
	}
	if !c.Has("canonical") {
		c.At("canonical", "is missing and must be given: which identity is stored")
		return
	}
	if canonical.Scheme == "" {
		return
	}
	if able := c.p.schemes(); len(able) > 0 && !slices.Contains(able, canonical.Scheme) {
		c.At("canonical.scheme", "got %q, want one that the reads of this profile give: %s", canonical.Scheme, list(able))
	}
	if shorter := canonical.Scheme.shorter(); canonical.Also != "" && !slices.Contains(shorter, canonical.Also) {
		c.At("canonical.also", "got %q, want a shorter form of %s: %s", canonical.Also, canonical.Scheme, list(shorter))
	}
}

// schemes lists the identities that the reads can give.
func (p *Profile) schemes() []Scheme {
	switch {
	case p.Wiegand != nil && p.Wiegand.Number.Bits == 24:
		return []Scheme{EM4100x24, WiegandN}
	case p.Wiegand != nil && p.Wiegand.Number.Bits == 32:
		return []Scheme{EM4100x32, EM4100x24, Wiegand32, WiegandN, UID}
	case p.Wiegand != nil && p.Wiegand.Number.Bits > 0:
		return []Scheme{WiegandN}
	case p.Frames != nil:
		return p.Frames.schemes(p.Codec)
	}
	return p.networkSchemes()
}

func (f *Frames) schemes(codec Codec) (all []Scheme) {
	for _, able := range []struct {
		kind    FieldKind
		schemes []Scheme
	}{
		{EM, []Scheme{EM4100, EM4100x32, EM4100x24}}, {EPCBytes, []Scheme{EPC}}, {UIDBytes, []Scheme{UID}},
		{TextOf, []Scheme{CodeText}}, {Records, []Scheme{codec.scheme()}},
	} {
		if f.readsA(able.kind) {
			all = append(all, able.schemes...)
		}
	}
	return all
}

func (f *Frames) readsA(kind FieldKind) bool {
	return slices.ContainsFunc(f.Reads, func(r Rule) bool {
		return slices.ContainsFunc(r.Fields, func(f Field) bool { return f.Is == kind })
	})
}

// shorter lists the forms that a number of the scheme can be cut to.
func (s Scheme) shorter() []Scheme {
	switch s {
	case EM4100:
		return []Scheme{EM4100x32, EM4100x24}
	case EM4100x32:
		return []Scheme{EM4100x24}
	}
	return nil
}

func list[T ~string](words []T) string {
	if len(words) == 0 {
		return "there is none"
	}
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return strings.Join(out, ", ")
}
