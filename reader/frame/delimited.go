package frame

import "foyer/firmware-profiles"

// delimited: a payload of fixed size between the start and one of several ends.
type delimited struct {
	start   []byte
	hexText bool
	check   profiles.CheckKind
	ends    []profiles.Bytes
	size    int    // bytes on the wire between start and end
	binary  []byte // payload and check, decoded
}

func newDelimited(f *profiles.Framing) *delimited {
	d := &delimited{start: f.Start, hexText: f.Text == profiles.HexText, check: f.Check, ends: f.Ends}
	d.binary = make([]byte, f.Payload+1)
	d.size = len(d.binary)
	if d.hexText {
		d.size *= 2
	}
	return d
}

func (d *delimited) try(b []byte, last bool) attempt {
	whole, possible := prefix(b, d.start)
	if !possible || len(b) == len(d.start) && last {
		return attempt{noStart: true}
	}
	if !whole {
		return attempt{noStart: last}
	}
	body := b[len(d.start):]
	if d.hexText {
		if n, bad := d.digits(body); bad != Good {
			// A start at once after a start is noise, not a frame cut short.
			return attempt{size: len(d.start) + n, bad: bad, noStart: bad == Cut && n == 0}
		}
	}
	end, found := d.end(body)
	switch {
	case !found && end < 0:
		return attempt{size: len(d.start) + d.size, bad: End}
	case !found && last:
		return attempt{size: len(b), bad: Cut}
	case !found:
		return attempt{}
	}
	if !d.hexText {
		copy(d.binary, body)
	}
	payload := d.binary[:len(d.binary)-1]
	a := attempt{size: len(d.start) + d.size + end, payload: payload}
	check := d.check.Of(payload, 0)
	if d.check == profiles.NegSum8 { // the start counts too
		check -= uint16(startSum(d.start))
	}
	if byte(check) != d.binary[len(payload)] {
		a.bad = Checksum
	}
	return a
}

func startSum(b []byte) (sum byte) {
	for _, x := range b {
		sum += x
	}
	return sum
}

// digits decodes the digits that are there, and says how many bytes belong to the frame if one of them is none.
func (d *delimited) digits(body []byte) (int, Bad) {
	for i, c := range body[:min(len(body), d.size)] {
		if v := hexValue[c]; v < 16 {
			d.binary[i/2] = d.binary[i/2]<<4 | v // two digits push out what stood there
			continue
		}
		if c == d.start[0] {
			return i, Cut
		}
		return i + 1, Charset
	}
	return 0, Good
}

// end returns the length of the end that follows. If none is found yet it is 0; if none can be any more, -1.
func (d *delimited) end(body []byte) (int, bool) {
	if len(body) <= d.size {
		return 0, false
	}
	possible := -1
	for _, end := range d.ends {
		whole, begun := prefix(body[d.size:], end)
		if whole {
			return len(end), true
		}
		if begun {
			possible = 0
		}
	}
	return possible, false
}

// hexValue is the value of an ASCII hex digit, 16 for any other byte.
var hexValue = func() (t [256]byte) {
	for i := range t {
		t[i] = 16
	}
	for i := range byte(10) {
		t['0'+i] = i
	}
	for i := range byte(6) {
		t['A'+i], t['a'+i] = 10+i, 10+i
	}
	return t
}()
