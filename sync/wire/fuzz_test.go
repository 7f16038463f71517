package wire

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// compacted makes raw JSON comparable: encoding takes out white space, nothing else.
var compacted = cmp.Transformer("compact", func(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return "broken: " + string(raw)
	}
	return b.String()
})

// decodesToItself is the property of each decoder: its error is ErrFormat, and what it accepts encodes, and decodes to the same.
func decodesToItself[T any](t *testing.T, data []byte, decode func([]byte) (T, error), encode func(T) ([]byte, error)) {
	t.Helper()
	first, err := decode(data)
	if err != nil {
		if !errors.Is(err, ErrFormat) {
			t.Fatalf("error is %v", err)
		}
		return
	}
	again, err := encode(first)
	if err != nil {
		t.Fatalf("%+v was accepted and cannot be encoded: %v", first, err)
	}
	second, err := decode(again)
	if err != nil {
		t.Fatalf("%s: %v", again, err)
	}
	if diff := cmp.Diff(first, second, compacted); diff != "" {
		t.Fatal(diff)
	}
}

func FuzzBatch(f *testing.F) {
	for _, version := range []int{BatchJSON, BatchCompact} {
		b := goodBatch()
		b.V, b.Floor, b.From, b.Head = version, true, "EPOCH6", 99
		data, _ := EncodeBatch(b)
		f.Add(data)
	}
	f.Add([]byte(`{"v":1,"epoch":"e","lane":"main","first":1,"sent_at":"2026-06-14T12:00:00+08:00","records":[{},[],"\ud800",1e400,null]}`))
	f.Fuzz(func(t *testing.T, data []byte) { decodesToItself(t, data, DecodeBatch, EncodeBatch) })
}

// FuzzCompact goes behind the packing: whatever text somebody packs opens within the limits or is refused.
func FuzzCompact(f *testing.F) {
	f.Add([]byte(goodHead + "\n{\"k\":\"x\"}\n[1, 2]"))
	f.Add([]byte(headWithRecords + "\n1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		data := append(binary.AppendUvarint([]byte{BatchCompact, dictionaryNumber}, uint64(len(text))), deflated(t, text, dictionary1)...)
		decodesToItself(t, data, DecodeBatch, EncodeBatch)
	})
}

func FuzzAck(f *testing.F) {
	f.Add([]byte(`{"v":1,"epoch":"E","lane":"main","upto":3,"hq_time":"2026-06-14T12:00:00Z"}`))
	f.Add([]byte(`{"v":1,"epoch":"E","lane":"main","upto":3,"hq_time":"2026-06-14T12:00:00Z","have":9,"takes":2,"fork":true}`))
	f.Fuzz(func(t *testing.T, data []byte) { decodesToItself(t, data, DecodeAck, EncodeAck) })
}

func FuzzState(f *testing.F) {
	f.Add([]byte(`{"v":1,"online":true,"at":"2026-06-14T12:00:00.5Z","version":"1"}`))
	f.Add([]byte(`{"v":1,"online":true,"at":"2026-06-14T12:00:00Z","epoch":"E","skew_ms":-3,"budget":9,"lanes":[{"lane":"main","last":9,"acked":4,"oldest":"2026-06-14T12:00:00Z"}]}`))
	f.Add([]byte(`{"v":1,"online":true,"at":"2026-06-14T12:00:00Z","guests":{"held":3,"asked":9,"named":4,"late":1}}`))
	f.Fuzz(func(t *testing.T, data []byte) { decodesToItself(t, data, DecodeState, EncodeState) })
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"k":"visit.started","at":"2026-06-14T12:00:00Z","b":{"visit":"v","member":"m","nth":1}}`))
	f.Add([]byte(`{"k":"future","at":"2026-06-14T12:00:00Z","b":[1,2,{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		decodesToItself(t, data, DecodeRecord, EncodeRecord)
		if r, err := DecodeRecord(data); err == nil {
			if body, err := r.Open(); err == nil && body == nil {
				t.Fatal("a body that is nothing")
			}
		}
	})
}

// FuzzEnvelope: bytes from anywhere are never taken for a snapshot, and never panic.
func FuzzEnvelope(f *testing.F) {
	sealed := seal(f, membersSnapshot(f, 3), 1)
	f.Add(sealed)
	f.Add(sealed[:bodyAt])
	_, _, trusted := key(1)
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := Open(data, trusted); err == nil && !bytes.Equal(data, sealed) {
			t.Fatalf("%d foreign bytes open to %+v", len(data), s)
		}
	})
}

// FuzzSnapshot goes behind the signature: whatever headquarters signs opens within the limits or is refused.
func FuzzSnapshot(f *testing.F) {
	text, _ := encode(membersSnapshot(f, 3))
	f.Add(text)
	f.Add([]byte(`{"kind":"campaigns","chain":"c","store":"s","version":9,"made_at":"2026-06-14T12:00:00Z","body":{"campaigns":[{"id":"x"}]}}`))
	id, private, trusted := key(1)
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Open(signed(1, zipped(text)), trusted)
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("error is %v", err)
			}
			return
		}
		for _, err := range []error{second(s.Members()), second(s.Campaigns())} {
			if err != nil && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("error is %v", err)
			}
		}
		sealed, err := Seal(s, id, private)
		if err != nil {
			t.Fatalf("%+v was opened and cannot be sealed: %v", s, err)
		}
		again, err := Open(sealed, trusted)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, again, compacted); diff != "" {
			t.Fatal(diff)
		}
	})
}

func second[T any](_ T, err error) error { return err }

func FuzzKeyFile(f *testing.F) {
	_, private, _ := key(1)
	f.Add(FormatPrivateKey(private))
	f.Add(FormatPublicKey(private.Public().(ed25519.PublicKey)))
	f.Fuzz(func(t *testing.T, text string) {
		if keys, err := ParsePublicKeys(text); err == nil {
			for id, k := range keys {
				if back, err := ParsePublicKeys(FormatPublicKey(k)); err != nil || !back[id].Equal(k) {
					t.Fatalf("key %s: %v", id, err)
				}
			}
		}
		if k, err := ParsePrivateKey(text); err == nil {
			if back, err := ParsePrivateKey(FormatPrivateKey(k)); err != nil || !back.Equal(k) {
				t.Fatal(err)
			}
		}
	})
}

func FuzzTopic(f *testing.F) {
	f.Add("edge/v1/wanlian/fuxing-road/up/main")
	f.Fuzz(func(t *testing.T, topic string) {
		if p, rest, err := ParseTopic(topic); err == nil && p.topic(rest) != topic {
			t.Fatalf("%q became %q", topic, p.topic(rest))
		}
	})
}
