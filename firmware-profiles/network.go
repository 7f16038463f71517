package profiles

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The kinds that are neither a serial line nor two GPIO lines.
const (
	LLRPNetwork Kind = "llrp"  // a fixed UHF reader over TCP or TLS: "tcp://10.0.0.7:5084", "tls://10.0.0.7:5085"
	Wedge       Kind = "wedge" // a reader that types like a keyboard: "/dev/input/by-id/...-event-kbd"
)

// LLRPPlan is what an LLRP reader is asked to do.
type LLRPPlan struct {
	KeepAlive   time.Duration `yaml:"keep_alive"`   // how often the reader says that it lives, 1s to 60s; default 10s
	Antennas    []int         `yaml:"antennas"`     // 1-based; empty = all that are connected
	Session     int           `yaml:"session"`      // Gen2 session, 0 to 3; 2 and 3 report a tag once and then keep silent
	Population  int           `yaml:"population"`   // tags expected at once; default 32
	ReportAfter int           `yaml:"report_after"` // tags a report; default 1: at once
}

// WedgePlan is how a keyboard wedge types a number.
type WedgePlan struct {
	Layout    Layout        `yaml:"layout"`          // of the keyboard that it plays; default us
	KeyGap    time.Duration `yaml:"key_gap"`         // a longer pause between two keys is a person typing; default 50ms
	MinLength int           `yaml:"min_length"`      // characters of a number; default 4
	MaxLength int           `yaml:"max_length"`      // default 64
	Number    Scheme        `yaml:"number,required"` // what the characters are: em4100-32 is ten decimal digits, the others hex
}

// Layout is a keyboard layout.
type Layout string

// The layouts.
const US Layout = "us"

// Words lists the vocabulary.
func (Layout) Words() []string { return []string{string(US)} }

// Defaults of what those plans may leave out.
const (
	defaultKeepAlive  = 10 * time.Second
	defaultPopulation = 32
	defaultKeyGap     = 50 * time.Millisecond
	defaultMinTyped   = 4
	maxTyped          = 128
)

func (p *Profile) setNetworkDefaults() {
	if l := p.LLRP; l != nil {
		orDefault(&l.KeepAlive, defaultKeepAlive)
		orDefault(&l.Population, defaultPopulation)
		orDefault(&l.ReportAfter, 1)
	}
	if p.Probe != nil {
		orDefault(&p.Probe.Within, defaultWithin)
	}
	if w := p.Wedge; w != nil {
		orDefault(&w.Layout, US)
		orDefault(&w.KeyGap, defaultKeyGap)
		orDefault(&w.MinLength, defaultMinTyped)
		orDefault(&w.MaxLength, maxTyped/2)
	}
}

// network checks the two kinds and keeps their sections out of the others.
func (c *checker) network() {
	serial := []string{"link", "framing", "session", "frames", "wiegand", "probe"}
	switch c.p.Kind {
	case LLRPNetwork:
		c.together("llrp", []string{"llrp"}, append(serial, "wedge"))
	case Wedge:
		c.together("wedge", []string{"wedge"}, append(serial, "llrp"))
	case Serial:
		c.together("serial", nil, []string{"llrp", "wedge"})
	case WiegandGPIO:
		c.together("wiegand", nil, []string{"llrp", "wedge", "probe"})
	}
	c.llrp()
	c.wedge()
	c.probe()
}

func (c *checker) llrp() {
	l := c.p.LLRP
	if l == nil {
		return
	}
	c.duration("llrp.keep_alive", l.KeepAlive, time.Second, time.Minute)
	c.bounds("llrp.session", l.Session, 0, 3)
	c.bounds("llrp.population", l.Population, 1, 65535)
	c.bounds("llrp.report_after", l.ReportAfter, 1, 1000)
	if len(l.Antennas) > 64 {
		c.At("llrp.antennas", "%d antennas, want at most 64", len(l.Antennas))
	}
	for i, antenna := range l.Antennas {
		c.bounds(fmt.Sprintf("llrp.antennas[%d]", i), antenna, 1, 255)
		if slices.Contains(l.Antennas[:i], antenna) {
			c.At(fmt.Sprintf("llrp.antennas[%d]", i), "antenna %d is there twice", antenna)
		}
	}
}

func (c *checker) wedge() {
	w := c.p.Wedge
	if w == nil {
		return
	}
	c.duration("wedge.key_gap", w.KeyGap, 5*time.Millisecond, time.Second)
	c.bounds("wedge.min_length", w.MinLength, 1, maxTyped)
	c.bounds("wedge.max_length", w.MaxLength, w.MinLength, maxTyped)
}

// probe wants a whole frame, and an answer that proves something.
func (c *checker) probe() {
	p := c.p.Probe
	if p == nil {
		return
	}
	c.duration("probe.within", p.Within, time.Millisecond, 5*time.Second)
	c.matches("probe.reply", p.Reply)
	if len(p.Reply) == 0 {
		c.At("probe", "needs a reply: an answer that proves the profile")
	}
	if f := c.p.Framing; f != nil && c.Count() == 0 && len(p.Send) > 0 {
		if err := f.verify(p.Send); err != nil {
			c.At("probe.send", "%s", err)
		}
	}
}

// networkSchemes lists the identities that the two kinds give.
func (p *Profile) networkSchemes() []Scheme {
	switch {
	case p.LLRP != nil:
		return []Scheme{EPC}
	case p.Wedge != nil && p.Wedge.Number != "":
		return append([]Scheme{p.Wedge.Number}, p.Wedge.Number.shorter()...)
	}
	return nil
}

// networkExample says what is wrong with the input of an example of the two kinds, or nothing.
func (p *Profile) networkExample(e Example) string {
	switch {
	case p.Kind == LLRPNetwork && (len(e.Wire) == 0 || e.Bits != "" || e.Typed != ""):
		return "an example of an llrp profile has wire, and nothing else"
	case p.Kind == Wedge && (len(e.Wire) > 0 || e.Bits != "" || e.Typed == ""):
		return "an example of a wedge profile has typed, and nothing else"
	case p.Kind != Wedge && e.Typed != "":
		return "typed is for wedge profiles only"
	case strings.ContainsFunc(e.Typed, func(r rune) bool { return r > '~' || r < ' ' && r != '\n' && r != '\t' }):
		return "typed holds a character that no US keyboard has: want ASCII, \\n for Enter and \\t for Tab"
	}
	return ""
}
