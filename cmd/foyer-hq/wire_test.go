package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"foyer/hq/outlet"
	"foyer/sync/wire"
	"foyer/sync/wire/asyncapi"
)

// tap stands between a store and the broker and keeps what passes.
type tap struct {
	address string

	mu     sync.Mutex
	passed []*bytes.Buffer // one a direction of a connection
}

func newTap(t *testing.T, to string) *tap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tp := &tap{address: l.Addr().String()}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b, err := net.Dial("tcp", to)
			if err != nil {
				c.Close()
				continue
			}
			all.Go(func() { tp.copy(c, b) })
			all.Go(func() { tp.copy(b, c) })
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return tp
}

func (tp *tap) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	kept := &bytes.Buffer{}
	tp.mu.Lock()
	tp.passed = append(tp.passed, kept)
	tp.mu.Unlock()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		tp.mu.Lock()
		kept.Write(buf[:n])
		tp.mu.Unlock()
		if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

type passed struct {
	topic   string
	payload []byte
}

// messages are the whole PUBLISH packets that passed: MQTT 3.1.1 sections 2.2 and 3.3.
func (tp *tap) messages() (all []passed) {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	for _, b := range tp.passed {
		for rest := b.Bytes(); len(rest) > 1; {
			size, n := binary.Uvarint(rest[1:])
			if n <= 0 || uint64(len(rest)-1-n) < size {
				break
			}
			head, body := rest[0], rest[1+n:][:size]
			rest = rest[1+n+int(size):]
			if head>>4 != 3 {
				continue
			}
			topic := string(body[2:][:binary.BigEndian.Uint16(body)])
			if body = body[2+len(topic):]; head&6 != 0 {
				body = body[2:] // the packet's identifier
			}
			all = append(all, passed{topic, body})
		}
	}
	return all
}

// judge holds payloads against the published schemas.
type judge struct {
	t    *testing.T
	made map[string]*jsonschema.Schema
}

func (j *judge) schema(name string) *jsonschema.Schema {
	j.t.Helper()
	if s := j.made[name]; s != nil {
		return s
	}
	doc, err := asyncapi.SchemaOf(name)
	if err != nil {
		j.t.Fatal(err)
	}
	text, err := json.Marshal(doc)
	if err != nil {
		j.t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		j.t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("foyer.json", value); err != nil {
		j.t.Fatal(err)
	}
	s, err := c.Compile("foyer.json")
	if err != nil {
		j.t.Fatal(err)
	}
	j.made[name] = s
	return s
}

func (j *judge) fits(what, name string, text []byte) {
	j.t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		j.t.Fatalf("%s: %v", what, err)
	}
	if err := j.schema(name).Validate(value); err != nil {
		j.t.Errorf("%s does not fit %s: %v\n%.600s", what, name, err, text)
	}
}

// judged takes one message apart as the document says, and returns the name of its channel.
func (j *judge) judged(m passed, trusted func([]byte) (wire.Snapshot, error)) string {
	j.t.Helper()
	_, rest, err := wire.ParseTopic(m.topic)
	if err != nil {
		j.t.Fatal(err)
	}
	for _, c := range asyncapi.Channels {
		if strings.ReplaceAll(c.Rest, "{lane}", strings.TrimPrefix(rest, "up/")) != rest {
			continue
		}
		switch text := m.payload; {
		case c.Payload == nil:
		case c.Sealed:
			s, err := trusted(text)
			if err != nil {
				j.t.Errorf("%s: %v", m.topic, err)
				break
			}
			j.fits(m.topic, reflect.TypeOf(c.Payload).Name(), s.Body)
		case c.Name == "batch":
			b, err := wire.DecodeBatch(text)
			if err != nil {
				j.t.Fatal(err)
			}
			for _, raw := range b.Records {
				r, err := wire.DecodeRecord(raw)
				if err != nil {
					j.t.Fatal(err)
				}
				j.fits("a record", "record."+string(r.Kind), raw)
			}
			whole, err := json.Marshal(b)
			if err != nil {
				j.t.Fatal(err)
			}
			j.fits(m.topic, "Batch", whole)
		default:
			j.fits(m.topic, reflect.TypeOf(c.Payload).Name(), text)
		}
		return c.Name
	}
	j.t.Errorf("%s is in no channel of the document", m.topic)
	return ""
}

// A store and headquarters at work: all that passes between them is in the AsyncAPI document and fits its schemas; and what
// integrators are told of it fits theirs, once and without a pseudonym.
func TestWhatPassesIsDescribed(t *testing.T) {
	c := newChain(t)
	listen := newTap(t, c.up.MQTT)
	c.broker = listen.address
	c.ask("POST", "/api/members/import", crowd(200, 0), nil)
	stop := c.store("{}")
	c.members(2)
	c.ask("POST", "/api/members/import", crowd(200, 5), nil)
	c.members(3)
	c.ask("POST", "/api/packs/art", zipOf(t, "a", "b"), nil)
	c.want("art 1 of 1 applied")
	for _, do := range []string{"resync", "diagnostics"} {
		c.cli("command", "north", do, "--wait", "3m")
	}
	stop()
	key, err := os.ReadFile(c.up.PublicKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := wire.ParsePublicKeys(string(key))
	if err != nil {
		t.Fatal(err)
	}
	j := &judge{t: t, made: map[string]*jsonschema.Schema{}}
	seen := map[string]int{}
	for _, m := range listen.messages() {
		seen[j.judged(m, func(data []byte) (wire.Snapshot, error) { return wire.Open(data, keys) })]++
	}
	for _, want := range []string{"batch", "ack", "state", "membersHead", "membersAsk", "membersWhole", "membersDelta", "campaigns", "packs", "chunkAsk", "chunk", "command", "resultPart", "resultTaken"} {
		if seen[want] == 0 {
			t.Errorf("no %s passed; there were %v", want, seen)
		}
	}
	c.told(j)
}

// told reads all events as an integrator does.
func (c *chain) told(j *judge) {
	c.t.Helper()
	token, err := os.ReadFile(c.path("events.token"))
	if err != nil {
		c.t.Fatal(err)
	}
	ids, after, kinds := map[string]bool{}, "", map[string]bool{}
	for limit := time.Now().Add(generous); time.Now().Before(limit); {
		req, err := http.NewRequest("GET", "http://"+c.up.Console+outlet.Path+"?limit=3&after="+after, nil)
		if err != nil {
			c.t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			c.t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != 200 {
			c.t.Fatalf("%s %v %s", resp.Status, err, body)
		}
		var raw []json.RawMessage
		if err := json.Unmarshal(body, &raw); err != nil {
			c.t.Fatal(err)
		}
		for _, text := range raw {
			j.fits("an event", "CloudEvent", text)
			var e wire.CloudEvent
			if err := json.Unmarshal(text, &e); err != nil || ids[e.ID] {
				c.t.Errorf("%v: %s", err, text)
			}
			ids[e.ID], kinds[e.Type] = true, true
		}
		if after = resp.Header.Get(outlet.CursorHeader); len(raw) == 0 {
			break
		}
	}
	var count struct{ Count int }
	c.ask("GET", "/api/records/count?store=north", "", &count)
	if len(ids) != count.Count || !kinds["org.example.shops.snapshot.applied"] || !kinds["org.example.shops.command.done"] {
		c.t.Errorf("%d events of %d records, kinds %v", len(ids), count.Count, kinds)
	}
}
