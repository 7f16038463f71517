package frame

import (
	"encoding/binary"

	"foyer/firmware-profiles"
	"foyer/reader/tag"
)

// Sighting is what a frame or a card says about one tag.
type Sighting struct {
	Number  tag.Number // in the profile's canonical scheme, or a GSRN
	Also    tag.Number // the shorter form that may match too; zero if the profile names none
	RSSI    tag.RSSI   // dBm; only if HasRSSI
	HasRSSI bool
	Antenna uint8 // 1-based; 0 where the reader has one
}

// Kind is what a frame is.
type Kind uint8

// The kinds of frame.
const (
	Unknown Kind = iota // no rule of the profile is for it
	Tag                 // a tag was seen
	Quiet               // normal and frequent: not logged
	Error               // the reader complains
	Answer              // anything else with a meaning
	Refused             // it should be a tag but cannot be trusted: see Bad
)

var kindNames = [...]string{"unknown", "tag", "quiet", "error", "answer", "refused"}

func (k Kind) String() string { return kindNames[min(int(k), len(kindNames)-1)] }

// Meaning is what a frame means.
type Meaning struct {
	Kind Kind
	Rule string // the name of the profile's rule; empty for Unknown
	Code byte   // of Error, and of Quiet: the field code, if the rule has one
	Text string // what Code means, or "random id"; empty if the profile does not say
	Bad  Bad    // of Refused
}

// Decoder gives frames their meaning.
type Decoder struct {
	rules    []rule // in the order in which they are tried
	scheme   tag.Scheme
	also     tag.Scheme
	types    map[byte]string
	found    fields // scratch, so that nothing is allocated
	last     *rule  // that decided the last frame; nil for none
	batch    batch
	counters Counters
}

type rule struct {
	kind   Kind
	name   string
	when   []profiles.Match
	sign   sign
	steps  []step
	codes  map[byte]string
	means  string
	isType string
}

// sign is one byte that a payload must have for a rule to be for it: most rules are passed over by looking at it alone.
type sign struct {
	at  int // -1: there is none
	has byte
}

func signOf(when []profiles.Match) sign {
	for _, m := range when {
		if !m.Not && len(m.Is) > 0 {
			return sign{m.At, m.Is[0]}
		}
	}
	return sign{at: -1}
}

func (s sign) missing(payload []byte) bool {
	return s.at >= 0 && (s.at >= len(payload) || payload[s.at] != s.has)
}

// NewDecoder compiles the meaning of the frames that a serial reader sends.
func NewDecoder(p *profiles.Profile) *Decoder {
	f := p.Frames
	return newDecoder(p, []group{{Quiet, f.Quiet}, {Tag, f.Reads}, {Error, f.Errors}, {Answer, f.Answers}})
}

// NewSentDecoder compiles the meaning of the frames that we send. All of them are answers to it.
func NewSentDecoder(p *profiles.Profile) *Decoder {
	return newDecoder(p, []group{{Answer, p.Frames.Sent}})
}

type group struct {
	kind  Kind
	rules []profiles.Rule
}

func newDecoder(p *profiles.Profile, groups []group) *Decoder {
	d := &Decoder{scheme: schemeOf(p.Canonical.Scheme), also: schemeOf(p.Canonical.Also)}
	d.batch.codec = codecs[p.Codec]
	for _, f := range p.Frames.Head {
		if f.Is == profiles.TypeByte {
			d.types = byteNames(f.Names)
		}
	}
	for _, group := range groups {
		for _, r := range group.rules {
			steps := compile(p.Frames.Head, r.Fields)
			d.rules = append(d.rules, rule{group.kind, r.Name, r.When, signOf(r.When), steps, byteNames(r.Codes), r.Means, r.Type})
		}
	}
	return d
}

// Counters returns how many frames the decoder refused, by reason. The splitter counts the rest.
func (d *Decoder) Counters() Counters { return d.counters }

// Decode says what f means. If it is a Tag, s is its first; what s holds otherwise means nothing. More gives the other tags
// of the frame.
func (d *Decoder) Decode(f Frame, s *Sighting) Meaning {
	d.batch.left = 0
	for i := range d.rules {
		r := &d.rules[i]
		if r.sign.missing(f.Payload) || len(r.when) > 0 && !Matches(r.when, f.Payload) {
			continue
		}
		fits := d.found.walk(r.steps, f.Payload)
		d.last = r
		m := Meaning{Kind: r.kind, Rule: r.name}
		switch {
		case r.kind == Tag && !fits:
			return d.refuse(r, Fields)
		case r.kind == Tag:
			if bad := d.sight(f.Payload, s, &m); bad != Good {
				return d.refuse(r, bad)
			}
		case !fits:
			continue // the next rule may fit
		}
		if code := d.found.get(kCode, f.Payload); code != nil {
			m.Code, m.Text = code[0], r.codes[code[0]]
		}
		return m
	}
	d.found.has, d.last = 0, nil
	return Meaning{}
}

func (d *Decoder) refuse(r *rule, bad Bad) Meaning {
	d.batch.left = 0
	d.counters.Bad[bad]++
	return Meaning{Kind: Refused, Rule: r.name, Bad: bad}
}

// sight fills s from the fields that were found. A read that names nobody makes m Quiet.
func (d *Decoder) sight(payload []byte, s *Sighting, m *Meaning) Bad {
	if d.found.has>>kRecords&1 == 1 {
		return d.firstRecord(payload, s, m)
	}
	if bad := d.proveEPC(payload); bad != Good {
		return bad
	}
	if bad := d.setNumber(&s.Number, payload); bad != Good {
		return bad
	}
	if s.Number.IsZero() {
		m.Kind, m.Text = Quiet, randomID
		return Good
	}
	s.RSSI, s.HasRSSI, s.Antenna = 0, false, 0
	if rssi := d.found.get(kRSSI, payload); rssi != nil {
		s.RSSI, s.HasRSSI = tag.RSSI(int8(rssi[0])), true
	}
	s.settle(d.scheme, d.also)
	return Good
}

// proveEPC checks what the tag itself sent: the CRC first, because a wrong one explains a wrong length.
func (d *Decoder) proveEPC(payload []byte) Bad {
	pc, epc := d.found.get(kPC, payload), d.found.get(kEPC, payload)
	if pc == nil {
		return Good
	}
	if crc := d.found.get(kEPCCRC, payload); crc != nil {
		covered := payload[d.found.from[kPC]:d.found.to[kEPC]] // side by side: profiles.Parse sees to it
		if gen2CRC(covered) != binary.BigEndian.Uint16(crc) {
			return EPCCRC
		}
	}
	if words := int(pc[0] >> 3); 2*words != len(epc) { // PC bits 15 to 11 count the EPC's words
		return PCLength
	}
	return Good
}

func (d *Decoder) setNumber(n *tag.Number, payload []byte) Bad {
	if em := d.found.get(kEM, payload); em != nil {
		return badIf(n.Set(tag.EM4100, em))
	}
	if uid := d.found.get(kUID, payload); uid != nil {
		return setUID(n, uid)
	}
	if text := d.found.get(kText, payload); text != nil {
		var err error
		*n, err = tag.FromText(text)
		return badIf(err)
	}
	return badIf(n.SetEPC(d.found.get(kEPC, payload)))
}

func badIf(err error) Bad {
	if err != nil {
		return Fields
	}
	return Good
}

// settle brings the number into the canonical scheme, and adds the shorter form.
func (s *Sighting) settle(scheme, also tag.Scheme) {
	if s.Number.Scheme() != scheme {
		s.Number.SetShorter(&s.Number, scheme)
	}
	if (also == tag.None || !s.Also.SetShorter(&s.Number, also)) && !s.Also.IsZero() {
		s.Also = tag.Number{}
	}
}

// schemeOf finds the scheme of reader/tag by its name.
func schemeOf(s profiles.Scheme) tag.Scheme {
	for _, t := range []tag.Scheme{tag.EM4100, tag.EM4100x32, tag.EM4100x24, tag.EPC, tag.Wiegand32, tag.Wiegand, tag.UID,
		tag.Text} {
		if t.String() == string(s) {
			return t
		}
	}
	return tag.None
}
