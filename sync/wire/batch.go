package wire

import (
	"bytes"
	"compress/flate"
	_ "embed"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
)

// Versions of Batch. The first byte of a payload tells them apart: '{' is the first of version 1.
const (
	BatchJSON    = 1 // one JSON object
	BatchCompact = 2 // see below
)

// Schema is the version of the records' shapes. It grows when a kind changes its meaning; kinds that are added change nothing.
const Schema = 1

// Version 2: the byte 2, the number of the dictionary, the length of what is packed as an unsigned varint, then RFC 1951 with
// the dictionary as preset. What is packed are lines of compact JSON: the Batch without its records, then each record.
const dictionaryNumber = 1

// dictionary1 is text that records are likely to hold, the likeliest last. It never changes: another one gets another number.
//
//go:embed dictionary-1.txt
var dictionary1 []byte

// packers are kept because each holds more than half a megabyte.
var packers = sync.Pool{New: func() any {
	w, err := flate.NewWriterDict(nil, flate.BestCompression, dictionary1)
	if err != nil {
		panic(err) // a programmer's error: the level exists
	}
	return w
}}

var unpackers = sync.Pool{New: func() any { return flate.NewReaderDict(bytes.NewReader(nil), dictionary1) }}

// EncodeBatch encodes a batch that keeps the limits, in the version that it names or else the newest.
func EncodeBatch(b Batch) ([]byte, error) {
	if b.V == 0 {
		b.V = BatchCompact
	}
	if err := b.check(); err != nil {
		return nil, fmt.Errorf("encode batch: %w", err)
	}
	pack := b.compact
	if b.V == BatchJSON {
		pack = func() ([]byte, error) { return encode(b) }
	}
	data, err := pack()
	if err == nil && len(data) > MaxBatch {
		err = fmt.Errorf("%d bytes: want at most %d", len(data), MaxBatch)
	}
	if err != nil {
		return nil, fmt.Errorf("encode batch: %w", err)
	}
	return data, nil
}

func (b Batch) compact() ([]byte, error) {
	text, err := b.lines()
	if err != nil {
		return nil, err
	}
	if len(text) > MaxBatch {
		return nil, fmt.Errorf("%d bytes before packing: want at most %d", len(text), MaxBatch)
	}
	out := bytes.NewBuffer(binary.AppendUvarint([]byte{BatchCompact, dictionaryNumber}, uint64(len(text))))
	w := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	w.Reset(out)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}

// lines is what is packed. Compacting takes line ends out of a record; inside a string JSON has none.
func (b Batch) lines() ([]byte, error) {
	records := b.Records
	b.Records = nil
	head, err := encode(b)
	if err != nil {
		return nil, err
	}
	text := bytes.NewBuffer(head)
	for _, r := range records {
		text.WriteByte('\n')
		if err := json.Compact(text, r); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}

// DecodeBatch decodes a batch of any version. The records are JSON values; what they mean is DecodeRecord's: a batch with one
// bad record must still be stored, or its lane would never go on.
func DecodeBatch(data []byte) (Batch, error) {
	var b Batch
	var err error
	if len(data) > 0 && data[0] == BatchCompact {
		b, err = unpackBatch(data)
	} else if err = decode(data, MaxBatch, &b); err == nil && b.V != BatchJSON {
		err = fmt.Errorf("protocol version %d: want %d", b.V, BatchJSON)
	}
	if err == nil {
		err = b.check()
	}
	if err != nil {
		return Batch{}, fmt.Errorf("decode batch: %w: %w", ErrFormat, err)
	}
	return b, nil
}

func unpackBatch(data []byte) (Batch, error) {
	text, err := inflate(data)
	if err != nil {
		return Batch{}, err
	}
	head, rest, more := bytes.Cut(text, []byte("\n"))
	var b Batch
	if err := decode(head, MaxBatch, &b); err != nil {
		return Batch{}, err
	}
	if b.V != BatchCompact || b.Records != nil {
		return Batch{}, fmt.Errorf("a head of version %d with %d records", b.V, len(b.Records))
	}
	for more {
		var line []byte
		line, rest, more = bytes.Cut(rest, []byte("\n"))
		if !json.Valid(line) {
			return Batch{}, fmt.Errorf("record %d of it is no JSON", len(b.Records)+1)
		}
		if len(b.Records) == MaxRecords {
			return Batch{}, fmt.Errorf("more than %d records", MaxRecords)
		}
		b.Records = append(b.Records, line)
	}
	return b, nil
}

// inflate unpacks exactly as much as the payload says that it holds, and never more than a batch may be.
func inflate(data []byte) ([]byte, error) {
	if len(data) < 3 || len(data) > MaxBatch {
		return nil, fmt.Errorf("%d bytes: want 3 to %d", len(data), MaxBatch)
	}
	if data[1] != dictionaryNumber {
		return nil, fmt.Errorf("dictionary %d: this program knows %d", data[1], dictionaryNumber)
	}
	size, n := binary.Uvarint(data[2:])
	if n <= 0 || size > MaxBatch {
		return nil, fmt.Errorf("it says that it holds %d bytes: want at most %d", size, MaxBatch)
	}
	packed := bytes.NewReader(data[2+n:])
	z := unpackers.Get().(io.ReadCloser)
	defer unpackers.Put(z)
	if err := z.(flate.Resetter).Reset(packed, dictionary1); err != nil {
		return nil, err
	}
	var text bytes.Buffer // grows as bytes come: a lie about the size costs nothing
	if _, err := io.Copy(&text, io.LimitReader(z, int64(size)+1)); err != nil {
		return nil, err
	}
	if text.Len() != int(size) || packed.Len() > 0 {
		return nil, errors.New("it holds another number of bytes than it says")
	}
	return text.Bytes(), nil
}

// Last is the sequence of the batch's last record; First-1 where it has none.
func (b Batch) Last() uint64 { return b.First + uint64(len(b.Records)) - 1 }

func (b Batch) check() error {
	if b.V != BatchJSON && b.V != BatchCompact {
		return fmt.Errorf("protocol version %d: want %d or %d", b.V, BatchJSON, BatchCompact)
	}
	if err := checkHead(b.Epoch, b.Lane); err != nil {
		return err
	}
	if b.From != "" && !validEpoch(b.From) || b.Base > math.MaxInt64 {
		return fmt.Errorf("epoch %.80q before, up to %d: want 1 to %d letters, digits or dashes", b.From, b.Base, maxEpoch)
	}
	if b.First < 1 || b.First > math.MaxInt64-MaxRecords {
		return fmt.Errorf("first sequence %d: want 1 or more", b.First)
	}
	if len(b.Records) > MaxRecords || len(b.Records) == 0 && !b.Floor {
		return fmt.Errorf("%d records: want 1 to %d", len(b.Records), MaxRecords)
	}
	if b.Head > math.MaxInt64 || b.Schema < 0 {
		return fmt.Errorf("newest sequence %d, schema %d: out of bounds", b.Head, b.Schema)
	}
	for i, r := range b.Records {
		if len(r) == 0 || len(r) > MaxRecord {
			return fmt.Errorf("record %d of %d bytes: want 1 to %d", b.First+uint64(i), len(r), MaxRecord)
		}
	}
	return checkTime("sent_at", b.SentAt)
}
