package main

import (
	"fmt"
	"strings"

	profiles "foyer/firmware-profiles"
	"foyer/reader/frame"
	"foyer/reader/llrp"
	"foyer/reader/wedge"
)

// llrpEvent is what profile play prints of a message of an LLRP reader.
type llrpEvent struct {
	ID         *uint32   `json:"message_id,omitempty"`
	StatusText string    `json:"status_text,omitempty"`
	Tags       []llrpTag `json:"tags"`
	IDs        []llrpID  `json:"ids,omitempty"` // of the tags, in order
}

// llrpTag is one tag of a report. What the reader left out is left out.
type llrpTag struct {
	EPC       string  `json:"epc"`
	EPCBits   int     `json:"epc_bits,omitempty"` // where it is not 96
	Antenna   *uint16 `json:"antenna,omitempty"`
	RSSI      *int8   `json:"peak_rssi_dbm,omitempty"`
	FirstSeen *uint64 `json:"first_seen_utc_us,omitempty"`
	LastSeen  *uint64 `json:"last_seen_utc_us,omitempty"`
	SeenCount *uint16 `json:"seen_count,omitempty"`
}

// llrpID is how a tag is stored.
type llrpID struct {
	Scheme string `json:"scheme,omitempty"`
	IDHex  string `json:"id_hex,omitempty"`
	Error  string `json:"error,omitempty"`
	gs1
}

// messages plays bytes of an LLRP reader. A line of a capture that has no header is the body of a report.
func (d *deck) messages(p piece) error {
	if !p.alone {
		return d.stream(p.data)
	}
	d.offset = 0
	if strings.HasSuffix(p.protocol, "_body") {
		d.report(llrp.Message{Type: llrp.ROAccessReport, Body: p.data}, p.data)
		return d.err
	}
	before := d.total()
	d.llrp = llrp.Splitter{}
	if err := d.stream(p.data); err != nil {
		return err
	}
	if d.llrp.Held() > 0 {
		d.write(event{Kind: "error", Error: "cut_short", Frame: fmt.Sprintf("%x", p.data)})
	} else if d.total() == before {
		d.write(event{Kind: "error", Error: "no_frame", Frame: fmt.Sprintf("%x", p.data)})
	}
	d.llrp = llrp.Splitter{}
	return d.err
}

// stream plays a piece of a connection. Once it makes no sense, all that follows is passed over: there is nothing by which
// the next message could be found.
func (d *deck) stream(data []byte) error {
	if d.lost {
		return d.err
	}
	if err := d.llrp.Feed(data, func(m llrp.Message) { d.report(m, nil) }); err != nil {
		d.lost = !d.now.alone
		d.write(event{Kind: "error", Error: "bad_length", Offset: d.offset, Frame: fmt.Sprintf("%x", data)})
	}
	return d.err
}

// report writes one message; raw is what it is shown as, nil for header and body.
func (d *deck) report(m llrp.Message, raw []byte) {
	e := event{Kind: "reply", Rule: m.Type.String(), Offset: d.offset, Frame: fmt.Sprintf("%x", raw)}
	e.Type = m.Type.String()
	l := &llrpEvent{Tags: []llrpTag{}}
	if raw == nil {
		e.Frame = fmt.Sprintf("%02x%02x%08x%08x%x", m.Version<<2|uint8(m.Type>>8), uint8(m.Type), 10+len(m.Body), m.ID, m.Body)
		l.ID = new(m.ID)
	}
	d.offset += int64(len(e.Frame) / 2)
	if s, err := llrp.ParseStatus(m.Body); err == nil && m.Type != llrp.ROAccessReport {
		e.Status, l.StatusText = new(int(s.Code)), s.Text
	}
	switch m.Type {
	case llrp.ROAccessReport:
		e.Kind, e.Error = reportTags(m.Body, l)
	case llrp.KeepAlive:
		e.Kind = "quiet"
	}
	e.llrpEvent = l
	d.write(e)
}

// reportTags fills in the tags, and says what kind of report it is: quiet without any, an error if nothing in it is good.
func reportTags(body []byte, into *llrpEvent) (kind, fault string) {
	kind = "quiet"
	var t llrp.Tag
	for r := llrp.Report(body); r.More(); {
		found, err := r.Next(&t)
		switch {
		case err != nil:
			fault = "fields_mismatch"
		case found:
			kind = "tag"
			into.Tags = append(into.Tags, tagFields(&t))
			into.IDs = append(into.IDs, tagID(&t))
		}
	}
	if kind == "quiet" && fault != "" {
		kind = "error"
	}
	return kind, fault
}

func tagFields(t *llrp.Tag) llrpTag {
	out := llrpTag{EPC: fmt.Sprintf("%x", t.EPC)}
	if t.EPCBits != 96 {
		out.EPCBits = t.EPCBits
	}
	if t.Has&llrp.HasAntenna != 0 {
		out.Antenna = new(t.Antenna)
	}
	if t.Has&llrp.HasRSSI != 0 {
		out.RSSI = new(t.RSSI)
	}
	if t.Has&llrp.HasFirstSeen != 0 {
		out.FirstSeen = new(t.FirstSeen)
	}
	if t.Has&llrp.HasLastSeen != 0 {
		out.LastSeen = new(t.LastSeen)
	}
	if t.Has&llrp.HasSeenCount != 0 {
		out.SeenCount = new(t.SeenCount)
	}
	return out
}

func tagID(t *llrp.Tag) llrpID {
	n, err := t.Number()
	if err != nil {
		return llrpID{Error: "fields_mismatch"}
	}
	return llrpID{Scheme: n.Scheme().String(), IDHex: n.Reveal(), gs1: gs1Forms(n, t.EPC)}
}

// typed plays raw input events of this machine's kernel.
func (d *deck) typed(p piece) error {
	if p.alone {
		d.keys = wedge.Splitter{}
	}
	d.keys.Feed(p.data, func(e wedge.Event) {
		var s frame.Sighting
		bad, done := d.typist.Feed(e, &s)
		if !done {
			return
		}
		out := event{Kind: "tag"}
		if bad != frame.Good {
			out.Kind, out.Error = "error", bad.String()
		} else {
			out.fob = fobForms(s.Number)
			out.sighted(s)
		}
		d.write(out)
	})
	return d.err
}

// network is the state of playing what comes neither over a serial line nor as a card.
type network struct {
	llrp   llrp.Splitter
	lost   bool  // nothing of the connection makes sense any more
	offset int64 // in it
	typist *frame.Typist
	keys   wedge.Splitter
}

// networked sets that state up, and reports whether the profile is of such a kind.
func (d *deck) networked() bool {
	if d.profile.Kind == profiles.Wedge {
		d.typist = frame.NewTypist(d.profile)
	}
	return d.typist != nil || d.profile.Kind == profiles.LLRPNetwork
}
