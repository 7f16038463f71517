package wire

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"
)

// storeDay is one day of a store, made by internal/daemon's TestADayIsShortOnTheWire -update.
func storeDay(t testing.TB) []json.RawMessage {
	t.Helper()
	f, err := os.Open("testdata/day.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var day []json.RawMessage
	for lines := bufio.NewScanner(z); lines.Scan(); {
		day = append(day, bytes.Clone(lines.Bytes()))
	}
	if len(day) < 1000 {
		t.Fatalf("%d records in the day", len(day))
	}
	return day
}

// batches cuts a day into batches of n.
func batches(day []json.RawMessage, n int) []Batch {
	var all []Batch
	for i := 0; i < len(day); i += n {
		part := day[i:min(i+n, len(day))]
		all = append(all, Batch{Epoch: "K4ZTQ2M7WYB3XJ5RLPN6DHVCGA", Lane: MainLane, First: uint64(80_001 + i), Schema: Schema,
			Head: uint64(80_000 + len(day)), SkewMS: 113, SentAt: time.Date(2026, 6, 14, 12, 0, 0, i*1_000_003%1_000_000_000, time.UTC), Records: part})
	}
	return all
}

// The line around a payload. TLS 1.3 adds to each record 5 bytes of header, 1 of type and 16 of tag (RFC 8446, section
// 5.2) and holds up to 16 KiB; a PUBLISH at QoS 1 has its header, the topic and a packet id (MQTT 3.1.1, section 3.3); a PUBACK has 4 bytes.
const (
	tlsRecord = 22
	puback    = 4 + tlsRecord
)

func publishPacket(topic string, payload int) int {
	rest := 2 + len(topic) + 2 + payload
	n := 1 + 1 + rest
	for l := rest >> 7; l > 0; l >>= 7 {
		n++
	}
	return n
}

func publishBytes(topic string, payload int) int {
	n := publishPacket(topic, payload)
	return n + (n+16383)/16384*tlsRecord
}

// ackPacket is headquarters' acknowledgement as MQTT carries it.
func ackPacket(t testing.TB) int {
	ack, err := EncodeAck(Ack{Epoch: "K4ZTQ2M7WYB3XJ5RLPN6DHVCGA", Lane: MainLane, Upto: 83_000, HQTime: noon.Add(123456789), Takes: BatchCompact})
	if err != nil {
		t.Fatal(err)
	}
	return publishPacket(Place{"wanlian", "fuxing-road"}.Ack(), len(ack))
}

// onTheLine is all that one batch moves in both directions: itself, its PUBACK, headquarters' acknowledgement and its PUBACK.
func onTheLine(t testing.TB, payload int) int {
	return publishBytes(Place{"wanlian", "fuxing-road"}.Up(MainLane), payload) + puback + ackPacket(t) + tlsRecord + puback
}

// encodings are what was chosen from, each from a batch to bytes.
var encodings = []struct {
	name   string
	encode func(t testing.TB, b Batch) []byte
}{
	{"format 1, JSON", func(t testing.TB, b Batch) []byte { b.V = BatchJSON; return must(EncodeBatch(b))(t) }},
	{"CBOR", func(t testing.TB, b Batch) []byte { return inCBOR(t, b) }},
	{"Sparkplug B", func(t testing.TB, b Batch) []byte { return inSparkplug(t, b) }},
	{"Sparkplug B, deflated", func(t testing.TB, b Batch) []byte { return deflated(t, inSparkplug(t, b), nil) }},
	{"CBOR, dictionary, deflate", func(t testing.TB, b Batch) []byte { return deflated(t, inCBOR(t, b), cborDictionary(t)) }},
	{"JSON, dictionary, zstd", func(t testing.TB, b Batch) []byte { return must(b.lines())(t) }}, // packed below: its encoder is kept
	{"format 2", func(t testing.TB, b Batch) []byte { return must(EncodeBatch(b))(t) }},
}

func must(data []byte, err error) func(testing.TB) []byte {
	return func(t testing.TB) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
}

// BenchmarkBytes prints the bytes an event of each encoding, for batches as they catch up and for single events: the payload, with
// what is around it by the formula, and as real TLS writes it.
func BenchmarkBytes(b *testing.B) {
	day := storeDay(b)
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderCRC(false),
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderDictRaw(1, dictionary1))
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range encodings {
		for _, n := range []int{250, 10, 1} {
			b.Run(fmt.Sprintf("%s/%d", e.name, n), func(b *testing.B) {
				all := batches(day, n)
				if n == 1 {
					all = all[:500]
				}
				for b.Loop() {
					payload, line, events := 0, 0, 0
					var each []int
					for _, one := range all {
						data := e.encode(b, one)
						if e.name == "JSON, dictionary, zstd" {
							data = z.EncodeAll(data, nil)
						}
						payload, line, events = payload+len(data), line+onTheLine(b, len(data)), events+len(one.Records)
						each = append(each, len(data))
					}
					b.ReportMetric(float64(throughTLS(b, each))/float64(events), "tls-B/event")
					b.ReportMetric(float64(payload)/float64(events), "payload-B/event")
					b.ReportMetric(float64(line)/float64(events), "line-B/event")
				}
			})
		}
	}
}

func deflated(t testing.TB, data, dictionary []byte) []byte {
	var out bytes.Buffer
	w, err := flate.NewWriterDict(&out, flate.BestCompression, dictionary)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// inCBOR has the same names of fields, and times as whole milliseconds.
func inCBOR(t testing.TB, b Batch) []byte {
	var out []byte
	head := map[string]any{"v": 2, "epoch": b.Epoch, "lane": b.Lane, "first": b.First, "sent_at": b.SentAt.UnixMilli()}
	for _, r := range append([]any{head}, parsed(t, b.Records)...) {
		if m := r.(map[string]any); m["at"] != nil {
			m["at"] = must2(time.Parse(time.RFC3339Nano, m["at"].(string)))(t).UnixMilli()
		}
		out = append(out, must(cbor.Marshal(whole(r)))(t)...)
	}
	return out
}

func must2[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func parsed(t testing.TB, records []json.RawMessage) []any {
	all := make([]any, len(records))
	for i, r := range records {
		if err := json.Unmarshal(r, &all[i]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// whole makes integers of JSON's numbers, which the records' all are.
func whole(v any) any {
	switch v := v.(type) {
	case float64:
		return int64(v)
	case map[string]any:
		for k := range v {
			v[k] = whole(v[k])
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	}
	return v
}

// cborDictionary is the same text as ours, as far as it is JSON, in CBOR.
func cborDictionary(t testing.TB) []byte {
	var out []byte
	for line := range bytes.Lines(dictionary1) {
		var v any
		if json.Unmarshal(line, &v) == nil {
			out = append(out, must(cbor.Marshal(whole(v)))(t)...)
		}
	}
	return out
}

// inSparkplug is a DDATA payload (Sparkplug 3.0, section 6.4.1) with a metric for each field of an event. The names went ahead in
// the birth certificate, so each metric has an alias; it has a time, a type, the mark of history, and its value.
func inSparkplug(t testing.TB, b Batch) []byte {
	aliases := map[string]uint64{}
	out := protowire.AppendVarint(protowire.AppendTag(nil, 1, protowire.VarintType), uint64(b.SentAt.UnixMilli()))
	for _, r := range parsed(t, b.Records) {
		event := r.(map[string]any)
		at := must2(time.Parse(time.RFC3339Nano, event["at"].(string)))(t).UnixMilli()
		flatten(event["k"].(string), event["b"], func(name string, v any) {
			alias, ok := aliases[name]
			if !ok {
				alias = uint64(len(aliases) + 1)
				aliases[name] = alias
			}
			out = protowire.AppendBytes(protowire.AppendTag(out, 2, protowire.BytesType), metric(alias, at, v))
		})
	}
	return protowire.AppendVarint(protowire.AppendTag(out, 3, protowire.VarintType), b.First%256)
}

func flatten(name string, v any, use func(string, any)) {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			flatten(name+"/"+k, x, use)
		}
	case []any:
		for i, x := range v {
			flatten(fmt.Sprint(name, "/", i), x, use)
		}
	default:
		use(name, v)
	}
}

// metric has the fields of org.eclipse.tahu.protobuf.Payload.Metric: 2 alias, 3 timestamp, 4 datatype, 5 is_historical, then
// 11 long_value, 14 boolean_value or 15 string_value.
func metric(alias uint64, at int64, v any) []byte {
	number := func(b []byte, field protowire.Number, n uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), n)
	}
	m := number(number(nil, 2, alias), 3, uint64(at))
	switch v := v.(type) {
	case float64:
		return number(number(number(m, 4, 4), 5, 1), 11, uint64(v)) // Int64
	case bool:
		n := uint64(0)
		if v {
			n = 1
		}
		return number(number(number(m, 4, 11), 5, 1), 14, n) // Boolean
	}
	return protowire.AppendString(protowire.AppendTag(number(number(m, 4, 12), 5, 1), 15, protowire.BytesType), v.(string)) // String
}

// A day that catches up costs at most 45 bytes an event, with all that is around it, and arrives to the letter.
func TestADayFitsIntoFortyFiveBytesAnEvent(t *testing.T) {
	day := storeDay(t)
	line := 0
	var back []json.RawMessage
	for _, b := range batches(day, 250) {
		data := must(EncodeBatch(b))(t)
		line += onTheLine(t, len(data))
		got, err := DecodeBatch(data)
		if err != nil {
			t.Fatal(err)
		}
		back = append(back, got.Records...)
	}
	for i := range day {
		if !bytes.Equal(day[i], back[i]) {
			t.Fatalf("record %d was %s and came as %s", i, day[i], back[i])
		}
	}
	if each := float64(line) / float64(len(day)); each > 45 {
		t.Errorf("%.1f bytes an event, want at most 45", each)
	}
}
