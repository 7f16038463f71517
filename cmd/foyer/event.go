package main

import (
	"encoding/binary"
	"fmt"

	profiles "foyer/firmware-profiles"
	"foyer/reader/frame"
	"foyer/reader/tag"
)

// event is one line that profile play prints. Its fields are described in playHelp; they are stable.
type event struct {
	Profile  string   `json:"profile"`
	Protocol string   `json:"protocol"`
	Line     int      `json:"line,omitempty"`
	At       *float64 `json:"at_s,omitempty"`
	Offset   int64    `json:"offset"`
	Frame    string   `json:"frame"`
	Kind     string   `json:"kind"`
	Rule     string   `json:"rule,omitempty"`
	Error    string   `json:"error,omitempty"`
	Scheme   string   `json:"scheme,omitempty"`
	IDHex    string   `json:"id_hex,omitempty"`

	AlsoScheme string `json:"also_scheme,omitempty"`
	AlsoHex    string `json:"also_hex,omitempty"`

	fob
	wiegandCard
	uhf
	gs1
	*llrpEvent
}

// fob is what an EM4100 number says in its several forms.
type fob struct {
	Version    string  `json:"version,omitempty"`
	Card32     *uint32 `json:"card32,omitempty"`
	Checksum   string  `json:"checksum,omitempty"`
	Printed10D string  `json:"printed_10d,omitempty"`
	Printed35  string  `json:"printed_3_5,omitempty"`
}

type wiegandCard struct {
	Format   string  `json:"format,omitempty"`
	NBits    int     `json:"nbits,omitempty"`
	ParityOK *bool   `json:"parity_ok,omitempty"`
	Key      string  `json:"key,omitempty"`
	Facility *uint64 `json:"facility,omitempty"`
	Card     *uint64 `json:"card,omitempty"`
}

type uhf struct {
	Type      string `json:"type,omitempty"`
	Cmd       *int   `json:"cmd,omitempty"`
	RSSI      *int   `json:"rssi_dbm,omitempty"`
	PC        string `json:"pc,omitempty"`
	EPC       string `json:"epc,omitempty"`
	EPCCRC    string `json:"epc_crc,omitempty"`
	Status    *int   `json:"status,omitempty"`
	Data      string `json:"data,omitempty"`
	ErrorCode *int   `json:"error_code,omitempty"`
	ErrorText string `json:"error_text,omitempty"`
}

// fault writes a frame that the splitter refused.
func (d *deck) fault(f frame.Fault) {
	d.write(event{Kind: "error", Error: f.Bad.String(), Offset: f.Offset, Frame: fmt.Sprintf("%x", f.Raw)})
}

// frame writes a frame that passed its check.
func (d *deck) frame(f frame.Frame) {
	var s frame.Sighting
	m := d.decoder.Decode(f, &s)
	e := event{Kind: "reply", Rule: m.Rule, Offset: f.Offset, Frame: fmt.Sprintf("%x", f.Raw)}
	d.fields(f, &e)
	switch m.Kind {
	case frame.Tag:
		e.Kind = "tag"
		e.sighted(s)
		if epc, ok := d.field(f, profiles.EPCBytes); ok {
			e.gs1 = gs1Forms(s.Number, epc).brief()
		}
	case frame.Quiet:
		e.Kind = "quiet"
		d.complaint(f, m, &e)
	case frame.Refused:
		e.Kind, e.Error = "error", m.Bad.String()
	case frame.Error:
		d.complaint(f, m, &e)
	case frame.Answer, frame.Unknown: // the fields say it
	}
	d.write(e)
}

// complaint shows the reader's error code by itself, and all that it sent as data.
func (d *deck) complaint(f frame.Frame, m frame.Meaning, e *event) {
	e.Data = fmt.Sprintf("%x", f.Payload[min(d.headSize, len(f.Payload)):])
	if _, ok := d.field(f, profiles.Code); ok {
		e.ErrorCode, e.ErrorText = new(int(m.Code)), m.Text
	}
}

func (d *deck) field(f frame.Frame, want profiles.FieldKind) ([]byte, bool) {
	for kind, b := range d.decoder.Fields(f) {
		if kind == want {
			return b, true
		}
	}
	return nil, false
}

// fields fills in what the rule found in the payload.
func (d *deck) fields(f frame.Frame, e *event) {
	for kind, b := range d.decoder.Fields(f) {
		switch kind {
		case profiles.TypeByte:
			if e.Type = d.decoder.TypeName(b[0]); e.Type == "" {
				e.Type = fmt.Sprintf("%02x", b[0])
			}
		case profiles.CmdByte:
			e.Cmd = new(int(b[0]))
		case profiles.RSSI:
			e.RSSI = new(int(int8(b[0])))
		case profiles.PC:
			e.PC = fmt.Sprintf("%x", b)
		case profiles.EPCBytes:
			e.EPC = fmt.Sprintf("%x", b)
		case profiles.EPCCRC:
			e.EPCCRC = fmt.Sprintf("%x", b)
		case profiles.Status:
			e.Status = new(int(b[0]))
		case profiles.Data:
			e.Data = fmt.Sprintf("%x", b)
		case profiles.EM:
			if n, err := tag.NewNumber(tag.EM4100, b); err == nil {
				e.fob, e.IDHex = fobForms(n), n.Reveal()
			}
		}
	}
}

// sighted fills in the number as it is stored.
func (e *event) sighted(s frame.Sighting) {
	e.Scheme = s.Number.Scheme().String()
	if e.IDHex == "" {
		e.IDHex = s.Number.Reveal()
	}
	if !s.Also.IsZero() {
		e.AlsoScheme, e.AlsoHex = s.Also.Scheme().String(), s.Also.Reveal()
	}
}

// fobForms gives the forms of an EM4100 number that it is long enough for.
func fobForms(n tag.Number) fob {
	var f fob
	f.Printed10D, f.Printed35 = n.Printed()
	b := n.Bytes(nil)
	if len(b) >= 4 && f.Printed10D != "" {
		f.Card32 = new(binary.BigEndian.Uint32(b[len(b)-4:]))
	}
	if n.Scheme() == tag.EM4100 {
		f.Version, f.Checksum = fmt.Sprintf("%02X", b[0]), fmt.Sprintf("%02X", n.Checksum())
	}
	return f
}

// bits writes a Wiegand card.
func (d *deck) bits(digits string) error {
	card, n, ok := frame.CardBits(digits)
	if !ok {
		return fmt.Errorf("bits %.70q: want up to 64 digits 0 and 1", digits)
	}
	if d.card.IsKey(n) {
		return d.key(digits, card, n)
	}
	var s frame.Sighting
	bad := d.card.Decode(card, n, &s)
	e := event{Kind: "tag", Frame: digits}
	e.Format, e.NBits, e.ParityOK = d.profile.Wiegand.Format, n, new(bad == frame.Good)
	if bad == frame.BitCount {
		e.Format, e.ParityOK = "", nil
	} else {
		e.Facility, e.Card = d.facility(card)
	}
	if bad != frame.Good {
		e.Kind, e.Error = "error", bad.String()
	} else {
		e.fob = fobForms(s.Number)
		e.sighted(s)
	}
	d.write(e)
	return d.err
}

// key writes a key of a keypad.
func (d *deck) key(digits string, bits uint64, n int) error {
	e := event{Kind: "key", Frame: digits}
	key, bad := d.card.Key(bits)
	e.NBits, e.Key = n, string(key)
	if bad != frame.Good {
		e.Kind, e.Key, e.Error = "error", "", bad.String()
	}
	d.write(e)
	return d.err
}

func (d *deck) facility(card uint64) (facility, number *uint64) {
	if v, ok := d.card.Facility(card); ok {
		facility = new(v)
	}
	if v, ok := d.card.Number(card); ok {
		number = new(v)
	}
	return facility, number
}
