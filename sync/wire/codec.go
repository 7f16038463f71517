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

// EncodeBatch encodes a batch that keeps the limits.
func EncodeBatch(b Batch) ([]byte, error) {
	b.V = Version
	if err := b.check(); err != nil {
		return nil, fmt.Errorf("encode batch: %w", err)
	}
	data, err := encode(b)
	if err == nil && len(data) > MaxBatch {
		err = fmt.Errorf("%d bytes: want at most %d", len(data), MaxBatch)
	}
	if err != nil {
		return nil, fmt.Errorf("encode batch: %w", err)
	}
	return data, nil
}

// DecodeBatch decodes a batch. The records are JSON values; what they mean is DecodeRecord's: a batch with one bad
// record must still be stored, or its lane would never go on.
func DecodeBatch(data []byte) (Batch, error) {
	var b Batch
	if err := decode(data, MaxBatch, &b); err != nil {
		return Batch{}, fmt.Errorf("decode batch: %w: %w", ErrFormat, err)
	}
	if err := b.check(); err != nil {
		return Batch{}, fmt.Errorf("decode batch: %w: %w", ErrFormat, err)
	}
	return b, nil
}

// Last is the sequence of the batch's last record.
func (b Batch) Last() uint64 { return b.First + uint64(len(b.Records)) - 1 }

func (b Batch) check() error {
	if err := checkHead(b.V, b.Epoch, b.Lane); err != nil {
		return err
	}
	if b.First < 1 || b.First > math.MaxInt64 {
		return fmt.Errorf("first sequence %d: want 1 or more", b.First)
	}
	if len(b.Records) < 1 || len(b.Records) > MaxRecords {
		return fmt.Errorf("%d records: want 1 to %d", len(b.Records), MaxRecords)
	}
	for i, r := range b.Records {
		if len(r) == 0 || len(r) > MaxRecord {
			return fmt.Errorf("record %d of %d bytes: want 1 to %d", b.First+uint64(i), len(r), MaxRecord)
		}
	}
	return checkTime("sent_at", b.SentAt)
}

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
	if err := checkHead(a.V, a.Epoch, a.Lane); err != nil {
		return err
	}
	if a.Upto > math.MaxInt64 {
		return fmt.Errorf("sequence %d is too high", a.Upto)
	}
	return checkTime("hq_time", a.HQTime)
}

// EncodeState encodes the retained word on a store's line.
func EncodeState(s State) ([]byte, error) {
	s.V = Version
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("encode state: %w", err)
	}
	return encode(s)
}

// DecodeState decodes the retained word on a store's line.
func DecodeState(data []byte) (State, error) {
	var s State
	if err := decode(data, maxShort, &s); err != nil {
		return State{}, fmt.Errorf("decode state: %w: %w", ErrFormat, err)
	}
	if err := s.check(); err != nil {
		return State{}, fmt.Errorf("decode state: %w: %w", ErrFormat, err)
	}
	return s, nil
}

func (s State) check() error {
	if s.V != Version {
		return fmt.Errorf("protocol version %d: want %d", s.V, Version)
	}
	if len(s.Version) > 64 {
		return fmt.Errorf("program version of %d bytes: want at most 64", len(s.Version))
	}
	return checkTime("at", s.At)
}

func checkHead(v int, epoch, lane string) error {
	if v != Version {
		return fmt.Errorf("protocol version %d: want %d", v, Version)
	}
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
