package frame

import (
	"errors"
	"fmt"
	"strings"

	"foyer/firmware-profiles"
)

// CheckExamples runs the wire examples of a profile. The error holds every difference, each with file and line.
func CheckExamples(p *profiles.Profile) error {
	var faults []error
	for _, e := range p.Examples {
		got := Play(p, e)
		if diff := compare(got, e.Expect); diff != "" {
			faults = append(faults, fmt.Errorf("%s:%d: example %q: %s", p.File, e.Line, e.Name, diff))
		}
	}
	return errors.Join(faults...)
}

// Play gives what comes out of one example.
func Play(p *profiles.Profile, e profiles.Example) []profiles.Expect {
	if p.Kind == profiles.WiegandGPIO {
		return playCard(p, e)
	}
	if p.Kind == profiles.LLRPNetwork {
		return playLLRP(e)
	}
	if p.Kind == profiles.Wedge {
		return playTyped(p, e)
	}
	var got []profiles.Expect
	splitter, decoder := New(p), NewDecoder(p)
	splitter.OnFault = func(f Fault) { got = append(got, profiles.Expect{Bad: profiles.Bad(f.Bad.String())}) }
	each := func(f Frame) {
		var s Sighting
		m := decoder.Decode(f, &s)
		got = append(got, outcome(m, s))
		for m.Kind == Tag && decoder.More(&s) {
			got = append(got, sighted(s))
		}
	}
	for _, wire := range e.Wire {
		splitter.Feed(wire, each)
	}
	splitter.Flush(each)
	return got
}

func playCard(p *profiles.Profile, e profiles.Example) []profiles.Expect {
	var s Sighting
	card, n, _ := CardBits(e.Bits) // profiles.Parse saw to the digits
	c := NewCard(p)
	if c.IsKey(n) {
		key, bad := c.Key(card)
		if bad != Good {
			return []profiles.Expect{{Bad: profiles.Bad(bad.String())}}
		}
		return []profiles.Expect{{Key: string(key)}}
	}
	if bad := c.Decode(card, n, &s); bad != Good {
		return []profiles.Expect{{Bad: profiles.Bad(bad.String())}}
	}
	return []profiles.Expect{sighted(s)}
}

func outcome(m Meaning, s Sighting) profiles.Expect {
	switch m.Kind {
	case Tag:
		return sighted(s)
	case Quiet:
		return profiles.Expect{Quiet: m.Rule}
	case Error:
		return profiles.Expect{Error: m.Rule}
	case Answer:
		return profiles.Expect{Answer: m.Rule}
	case Refused:
		return profiles.Expect{Bad: profiles.Bad(m.Bad.String())}
	}
	return profiles.Expect{}
}

func sighted(s Sighting) profiles.Expect {
	x := profiles.Expect{Tag: s.Number.Scheme().String() + ":" + s.Number.Reveal()}
	if !s.Also.IsZero() {
		x.Also = s.Also.Scheme().String() + ":" + s.Also.Reveal()
	}
	if s.HasRSSI {
		x.RSSI = new(int(s.RSSI))
	}
	return x
}

// compare says how got differs from want, or nothing. What want leaves open of a tag is not compared.
func compare(got, want []profiles.Expect) string {
	same := len(got) == len(want)
	for i := range min(len(got), len(want)) {
		g := got[i]
		if want[i].Also == "" {
			g.Also = ""
		}
		if want[i].RSSI == nil {
			g.RSSI = nil
		}
		same = same && describe(g) == describe(want[i])
	}
	if same {
		return ""
	}
	return fmt.Sprintf("got %s, want %s", describeAll(got), describeAll(want))
}

func describeAll(all []profiles.Expect) string {
	if len(all) == 0 {
		return "nothing"
	}
	words := make([]string, len(all))
	for i, x := range all {
		words[i] = describe(x)
	}
	return "[" + strings.Join(words, "; ") + "]"
}

func describe(x profiles.Expect) string {
	switch {
	case x.Tag != "":
		text := "tag " + x.Tag
		if x.Also != "" {
			text += " also " + x.Also
		}
		if x.RSSI != nil {
			text += fmt.Sprintf(" at %d dBm", *x.RSSI)
		}
		return text
	case x.Key != "":
		return "key " + x.Key
	case x.Quiet != "":
		return "quiet " + x.Quiet
	case x.Error != "":
		return "error " + x.Error
	case x.Answer != "":
		return "answer " + x.Answer
	case x.Bad != "":
		return "bad " + string(x.Bad)
	}
	return "a frame that no rule is for"
}
