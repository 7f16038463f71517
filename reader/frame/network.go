package frame

import (
	"time"

	"foyer/firmware-profiles"
	"foyer/reader/llrp"
	"foyer/reader/tag"
	"foyer/reader/wedge"
)

// playLLRP gives what comes out of one example of a network reader.
func playLLRP(e profiles.Example) []profiles.Expect {
	var got []profiles.Expect
	var splitter llrp.Splitter
	each := func(m llrp.Message) { got = append(got, messageOutcome(m)...) }
	for _, wire := range e.Wire {
		if splitter.Feed(wire, each) != nil {
			return append(got, profiles.Expect{Bad: profiles.BadLength})
		}
	}
	if splitter.Held() > 0 {
		got = append(got, profiles.Expect{Bad: profiles.BadCut})
	}
	return got
}

// messageOutcome is a line a tag, or one for a message without any.
func messageOutcome(m llrp.Message) (got []profiles.Expect) {
	switch m.Type {
	case llrp.ROAccessReport:
		got = tagOutcomes(m.Body)
		if len(got) == 0 {
			got = []profiles.Expect{{Quiet: m.Type.String()}}
		}
	case llrp.ErrorMessage:
		got = []profiles.Expect{{Error: m.Type.String()}}
	default:
		got = []profiles.Expect{{Answer: m.Type.String()}}
	}
	return got
}

func tagOutcomes(body []byte) (got []profiles.Expect) {
	var t llrp.Tag
	for report := llrp.Report(body); report.More(); {
		found, err := report.Next(&t)
		var n tag.Number
		if err == nil && found {
			n, err = t.Number()
		}
		switch {
		case err != nil:
			got = append(got, profiles.Expect{Bad: profiles.BadFields})
		case found:
			s := Sighting{Number: n, RSSI: tag.RSSI(t.RSSI), HasRSSI: t.Has&llrp.HasRSSI != 0}
			got = append(got, outcome(Meaning{Kind: Tag}, s))
		}
	}
	return got
}

// playTyped gives what comes out of one example of a keyboard wedge.
func playTyped(p *profiles.Profile, e profiles.Example) []profiles.Expect {
	var got []profiles.Expect
	typist := NewTypist(p)
	for _, event := range wedge.Keys(e.Typed, 0, 5*time.Millisecond) {
		var s Sighting
		switch bad, done := typist.Feed(event, &s); {
		case done && bad == Good:
			got = append(got, outcome(Meaning{Kind: Tag}, s))
		case done:
			got = append(got, profiles.Expect{Bad: profiles.Bad(bad.String())})
		}
	}
	return got
}

// Typist makes sightings of what a keyboard wedge types. It belongs to one goroutine.
type Typist struct {
	decoder      *wedge.Decoder
	number       string // the scheme's name and a colon, as tag.ParseNumber wants it
	scheme, also tag.Scheme
}

// NewTypist compiles the rules of a wedge profile.
func NewTypist(p *profiles.Profile) *Typist {
	w := p.Wedge
	return &Typist{
		decoder: wedge.New(wedge.Rule{KeyGap: w.KeyGap, Shortest: w.MinLength, Longest: w.MaxLength}),
		number:  string(w.Number) + ":",
		scheme:  schemeOf(p.Canonical.Scheme),
		also:    schemeOf(p.Canonical.Also),
	}
}

// Feed takes one key. done reports the end of a scan: good, or refused for length, characters or what the number says.
func (t *Typist) Feed(e wedge.Event, into *Sighting) (bad Bad, done bool) {
	scan, done := t.decoder.Feed(e)
	if !done {
		return Good, false
	}
	switch scan.Fault {
	case wedge.Good:
	case wedge.OddKey:
		return Charset, true
	case wedge.Human, wedge.Lost:
		return Cut, true
	default:
		return Length, true
	}
	n, err := tag.ParseNumber(t.number + string(scan.Text))
	if err != nil {
		return Charset, true
	}
	*into = Sighting{Number: n}
	into.settle(t.scheme, t.also)
	return Good, true
}
