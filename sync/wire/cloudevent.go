package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// CloudEvent is a record for integrators: CloudEvents 1.0 in the JSON event format. Several are a JSON array (batch mode).
type CloudEvent struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`     // EPOCH/lane/sequence: with the source, unique for good
	Source      string          `json:"source"` // /chains/CHAIN/stores/STORE
	Type        string          `json:"type"`   // the chain's prefix and the record's kind
	Time        time.Time       `json:"time"`   // by the store's clock
	DataSchema  string          `json:"dataschema"`
	ContentType string          `json:"datacontenttype,omitempty"`
	Sequence    string          `json:"sequence"`     // within the partition, in the order of its text
	Partition   string          `json:"partitionkey"` // EPOCH/lane: between partitions there is no order
	Data        json.RawMessage `json:"data,omitempty"`
}

// Media types of CloudEvents.
const (
	CloudEventType      = "application/cloudevents+json"
	CloudEventBatchType = "application/cloudevents-batch+json"
)

// DefaultEventPrefix begins the types of events unless a chain has its own.
const DefaultEventPrefix = "com.foyer"

// Outside is how records look to integrators.
type Outside struct {
	Chain   string
	Prefix  string // of types, in reverse-DNS form; "": DefaultEventPrefix
	Members bool   // pseudonyms of members and tags, and the names that staff sign with, may go out
}

// CheckPrefix reports a prefix of types that is no name in reverse-DNS form.
func CheckPrefix(text string) error {
	if !validKind(Kind(text)) || text[0] == '.' || text[len(text)-1] == '.' || bytes.Contains([]byte(text), []byte("..")) {
		return fmt.Errorf("%.70q: want a name like com.example.foyer", text)
	}
	return nil
}

// openKeys are what of a record's body anybody may see. A kind of the future shows what it calls by these names, and nothing else.
var openKeys = keysOf("visit", "zone", "nth", "seconds", "named", "campaign", "reasons", "yes", "code", "about", "waited_seconds", "language",
	"taps", "end", "count", "reader", "online", "why", "kind", "reason", "proved", "clash", "state", "found", "snapshot", "version", "visits", "statistics",
	"id", "do", "outcome", "settings", "results", "size", "sha256")

// personKeys are what may go out besides where a chain allows it.
var personKeys = keysOf("member", "marks", "tag", "of", "by")

// wholeKeys are open with all that is in them: their keys are names of machines.
var wholeKeys = keysOf("settings", "results")

func keysOf(names ...string) map[string]bool {
	all := map[string]bool{}
	for _, n := range names {
		all[n] = true
	}
	return all
}

// Event is a record at its place, as a CloudEvent.
func (o Outside) Event(store, epoch, lane string, seq uint64, r Record) CloudEvent {
	prefix := o.Prefix
	if prefix == "" {
		prefix = DefaultEventPrefix
	}
	e := CloudEvent{SpecVersion: "1.0", ID: fmt.Sprintf("%s/%s/%d", epoch, lane, seq), Source: "/chains/" + o.Chain + "/stores/" + store,
		Type: prefix + "." + string(r.Kind), Time: r.At.UTC(), DataSchema: fmt.Sprintf("urn:foyer:record:%d:%s", Schema, r.Kind),
		Sequence: fmt.Sprintf("%020d", seq), Partition: epoch + "/" + lane}
	if data := o.open(r.Body); data != nil {
		e.Data, e.ContentType = data, "application/json"
	}
	return e
}

// open is a body without what is nobody's business outside; nil where there is nothing to see.
func (o Outside) open(body json.RawMessage) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	fields, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	data, err := encode(o.prune(fields))
	if err != nil {
		return nil
	}
	return data
}

// prune takes out, at any depth, what is not open.
func (o Outside) prune(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range v {
			switch {
			case wholeKeys[key]:
				out[key] = value
			case openKeys[key] || o.Members && personKeys[key]:
				out[key] = o.prune(value)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = o.prune(v[i])
		}
		return out
	}
	return v
}
