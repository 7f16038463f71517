package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// Limits of what is encoded and what is accepted.
const (
	MaxRecords = 1000     // records of one batch
	MaxRecord  = 64 << 10 // bytes of one record
	maxShort   = 4 << 10  // bytes of an Ack or a State
	maxEpoch   = 64       // characters of an epoch
)

// ErrFormat is what every decoder's error is: the bytes are not what they should be, or of a version that this program does
// not know.
var ErrFormat = errors.New("wrong format")

// EncodeAck encodes an acknowledgement.
func EncodeAck(a Ack) ([]byte, error) {
	a.V = Version
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("encode acknowledgement: %w", err)
	}
	return encode(a)
}

// DecodeAck decodes an acknowledgement.
func DecodeAck(data []byte) (Ack, error) {
	var a Ack
	if err := decode(data, maxShort, &a); err != nil {
		return Ack{}, fmt.Errorf("decode acknowledgement: %w: %w", ErrFormat, err)
	}
	if err := a.check(); err != nil {
		return Ack{}, fmt.Errorf("decode acknowledgement: %w: %w", ErrFormat, err)
	}
	return a, nil
}

func (a Ack) check() error {
	if a.V != Version {
		return fmt.Errorf("protocol version %d: want %d", a.V, Version)
	}
	if err := checkHead(a.Epoch, a.Lane); err != nil {
		return err
	}
	if a.Upto > math.MaxInt64 || a.Watermark() > math.MaxInt64 {
		return fmt.Errorf("sequence %d or %d is too high", a.Upto, a.Watermark())
	}
	return checkTime("hq_time", a.HQTime)
}

func checkHead(epoch, lane string) error {
	if !validEpoch(epoch) {
		return fmt.Errorf("epoch %.80q: want 1 to %d letters, digits or dashes", epoch, maxEpoch)
	}
	if !validName(lane) {
		return fmt.Errorf("lane %.40q: want 1 to 32 lower-case letters, digits or dashes", lane)
	}
	return nil
}

func validEpoch(s string) bool {
	if s == "" || len(s) > maxEpoch {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return true
}

// checkTime holds times to what RFC 3339 can write in UTC.
func checkTime(name string, t time.Time) error {
	if y := t.UTC().Year(); t.IsZero() || y < 1 || y > 9998 {
		return fmt.Errorf("%s: want a time", name)
	}
	return nil
}

// encode writes JSON without escaping what HTML would need: the other side is no browser, and a name in Chinese or an "&" stays as
// short as it is.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decode reads exactly one JSON value of at most limit bytes. Fields that it does not know are left out: a newer sender
// may add some. Of two fields with one name the last counts; nothing signed is decoded before its signature was verified.
func decode(data []byte, limit int, into any) error {
	if len(data) > limit {
		return fmt.Errorf("%d bytes: want at most %d", len(data), limit)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows its end")
	}
	return nil
}
