package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	profiles "foyer/firmware-profiles"
	"foyer/reader/frame"
	"foyer/reader/tag"
)

// event is one line that profile play prints. Its fields are described in playHelp; they are stable.
type event struct {
	Profile  string `json:"profile"`
	Protocol string `json:"protocol,omitempty"`

	Direction string   `json:"direction,omitempty"`
	Line      int      `json:"line,omitempty"`
	At        *float64 `json:"at_s,omitempty"`
	Offset    int64    `json:"offset"`
	Frame     string   `json:"frame"`
	Kind      string   `json:"kind"`
	Rule      string   `json:"rule,omitempty"`
	Error     string   `json:"error,omitempty"`
	Scheme    string   `json:"scheme,omitempty"`
	IDHex     string   `json:"id_hex,omitempty"`

	AlsoScheme string `json:"also_scheme,omitempty"`
	AlsoHex    string `json:"also_hex,omitempty"`

	fob
	wiegandCard
	uhf
	gs1
	*llrpEvent
	values []frame.Value // by the names of the profile, after the rest
}

// MarshalJSON puts the values behind the fields.
func (e event) MarshalJSON() ([]byte, error) {
	type plain event
	out, err := json.Marshal(plain(e))
	for _, v := range e.values {
		name, nameErr := json.Marshal(v.Name)
		is, isErr := json.Marshal(v.Is)
		if err = errors.Join(err, nameErr, isErr); err != nil {
			return nil, err
		}
		out = append(out[:len(out)-1], ',')
		out = append(append(append(append(out, name...), ':'), is...), '}')
	}
	return out, err
}

func (e *event) has(name string) bool {
	return slices.ContainsFunc(e.values, func(v frame.Value) bool { return v.Name == name })
}

// add puts a value under a name, once.
func (e *event) add(name string, is any) {
	if !e.has(name) {
		e.values = append(e.values, frame.Value{Name: name, Is: is})
	}
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
	Cmd       any    `json:"cmd,omitempty"`
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
	d.values(f, &e)
	d.records(f, m, &e)
	switch m.Kind {
	case frame.Tag:
		e.Kind = "tag"
		e.sighted(s)
		e.gs1 = gs1Forms(s.Number, d.epc(f)).brief()
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

// epc is the EPC of a frame's only tag, or nil.
func (d *deck) epc(f frame.Frame) []byte {
	if epc, ok := d.field(f, profiles.EPCBytes); ok {
		return epc
	}
	if records, _ := d.decoder.Records(f); len(records) == 1 {
		return records[0].EPC
	}
	return nil
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
		case profiles.UIDBytes:
			e.add("uid", fmt.Sprintf("%x", b))
		case profiles.TextOf:
			e.add("text", strings.ToValidUTF8(string(b), "\uFFFD"))
		case profiles.EM:
			if n, err := tag.NewNumber(tag.EM4100, b); err == nil {
				e.fob, e.IDHex = fobForms(n), n.Reveal()
			}
		}
	}
}

// values fills in what the profile has names for.
func (d *deck) values(f frame.Frame, e *event) {
	for name, is := range d.decoder.Values(f) {
		switch name {
		case "cmd":
			e.Cmd = is
		case "type":
			e.Type = fmt.Sprint(is)
		default:
			e.add(name, is)
		}
	}
}

// records fills in the tags of a frame that may hold several; the first one's facts stand beside the list too.
func (d *deck) records(f frame.Frame, m frame.Meaning, e *event) {
	records, has := d.decoder.Records(f)
	if !has || m.Kind == frame.Refused {
		return
	}
	tags := []map[string]any{}
	for i, r := range records {
		if r.UID == nil && len(r.EPC) == 0 {
			continue
		}
		facts := factsOf(r)
		one := map[string]any{}
		for _, v := range facts {
			one[v.Name] = v.Is
			if i == 0 && !slices.Contains([]string{"scheme", "id_hex", "gsrn"}, v.Name) {
				e.add(v.Name, v.Is)
			}
		}
		tags = append(tags, one)
	}
	if d.profile.Codec == profiles.PN532 {
		e.add("targets", len(tags))
	}
	if len(records) > 0 && records[0].Antenna > 0 {
		e.add("antenna", int(records[0].Antenna))
	}
	e.add("tags", tags)
}

// factsOf is what is known of one record.
func factsOf(r frame.Seen) (facts []frame.Value) {
	add := func(name string, is any) { facts = append(facts, frame.Value{Name: name, Is: is}) }
	if !r.Number.IsZero() {
		add("scheme", r.Number.Scheme().String())
		add("id_hex", r.Number.Reveal())
	}
	if gsrn, ok := r.Number.GSRN(); ok {
		add("gsrn", gsrn)
	}
	if r.Random {
		add("random", true)
	}
	for _, part := range []struct {
		name string
		b    []byte
	}{{"pc", r.PC}, {"epc_crc", r.CRC}} {
		if part.b != nil {
			add(part.name, fmt.Sprintf("%x", part.b))
		}
	}
	if len(r.EPC) > 0 {
		add("epc", fmt.Sprintf("%x", r.EPC))
	}
	if r.HasRSSI {
		add("rssi_dbm", int(r.RSSI))
	}
	return append(facts, r.Values...)
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
