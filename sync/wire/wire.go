// Package wire is how each noun travels between a store and headquarters: topics, batches, acknowledgements, signed
// snapshots, and the records of what happened.
//
// In and out: bytes of MQTT payloads and Go values. Times are RFC 3339 in UTC, sequences start at 1.
// It never does I/O. Every decoder here is total: any bytes give a value or an error, within stated limits.
// Called by sync/uplink, sync/downlink, hq and internal/daemon.
//
// The protocol in short. A store publishes Batch at QoS 1 on .../up/{lane}: records with contiguous sequences of one
// epoch (a random name made with the journal's file) and lane. Headquarters stores the rows and its watermark in one
// transaction, then publishes Ack{epoch, lane, upto} on .../ack. A batch that starts above watermark+1 is a gap: not stored, the ack
// repeats the watermark and the store goes back to it. The broker's PUBACK means nothing.
// Downwards, headquarters retains one signed Snapshot a kind on .../down/{kind}. What a store needs beyond that it asks for on
// .../ask/{what}, and is answered, not retained, on .../down/...: changes of the members (MembersHead), parts of files (ChunkAsk).
//
// # When one of the two has forgotten
//
// Ack.Have is headquarters' watermark. Below what it once acknowledged: it was restored from a backup, and the store goes
// back to Have. What the store no longer holds is told by Batch.Floor, and headquarters notes the gap and goes on. Above
// what the store has written, or a record that headquarters holds otherwise (Ack.Fork): the store was restored from an older
// image, and what it writes now has numbers that were used before. It goes on under a new epoch whose batches name the old
// one in From; headquarters leaves out those of its records that it holds from there already.
//
// # What a batch costs
//
// One day of a store (testdata/day.jsonl.gz, 3,360 events made by the rules of package shop), bytes an event with MQTT,
// TLS 1.3 records (22 bytes each, by the formula) and the answers, in catch-up (batches of 250) and one by one, where 300 bytes
// are the answers and what MQTT and TLS put around; BenchmarkBytes prints it:
//
//	format 1, JSON            216   686
//	CBOR                      156   536
//	Sparkplug B               192   508
//	Sparkplug B, deflated      49   437
//	CBOR, dictionary, deflate  27   443
//	JSON, dictionary, zstd     23   453
//	format 2                   23   446
//
// Format 2 is JSON lines deflated with a dictionary. It is as short as any of them, because what remains are the random
// names of visits and the times; it keeps each record to the letter, kinds of the future too; and it needs nothing but the
// standard library. Format 1 stays readable.
//
// A busy week of 100,000 events through a real line (internal/bench's CatchUp: foyerd, badge and TLS, three lanes, 1 % of the
// packets lost) cost 18 bytes an event in TLS's stream and 20 with TCP's and IP's heads, all handshakes and answers included.
package wire

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Version is the protocol's version; it is part of every topic.
const Version = 1

// MaxBatch is the longest batch payload accepted, in bytes.
const MaxBatch = 1 << 20

// Place names one store of one chain. Both are lower-case letters, digits and dashes, at most 32 characters.
type Place struct{ Chain, Store string }

func (p Place) topic(rest string) string {
	return fmt.Sprintf("edge/v1/%s/%s/%s", p.Chain, p.Store, rest)
}

// Up is where a store publishes batches of a lane.
func (p Place) Up(lane string) string { return p.topic("up/" + lane) }

// Ack is where headquarters acknowledges.
func (p Place) Ack() string { return p.topic("ack") }

// Down is where headquarters retains the snapshot of a kind.
func (p Place) Down(kind string) string { return p.topic("down/" + kind) }

// State is where a store retains State, and where its will says offline.
func (p Place) State() string { return p.topic("state") }

// ParseTopic takes a topic apart: the place and what follows it ("up/main", "state").
func ParseTopic(topic string) (Place, string, error) {
	parts := strings.SplitN(topic, "/", 5)
	if len(parts) != 5 || parts[0] != "edge" || parts[1] != "v1" || parts[4] == "" {
		return Place{}, "", fmt.Errorf("topic %.80q: want edge/v1/{chain}/{store}/{what}", topic)
	}
	p := Place{Chain: parts[2], Store: parts[3]}
	if err := p.Check(); err != nil {
		return Place{}, "", err
	}
	return p, parts[4], nil
}

// Check reports a chain or store name that could not be a topic level.
func (p Place) Check() error {
	for _, s := range []string{p.Chain, p.Store} {
		if !validName(s) {
			return fmt.Errorf("name %.40q: want 1 to 32 lower-case letters, digits or dashes", s)
		}
	}
	return nil
}

func validName(s string) bool {
	if s == "" || len(s) > 32 {
		return false
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return true
}

// Batch carries records First, First+1, ... of one lane and epoch. Each record is one encoded Record.
type Batch struct {
	V       int               `json:"v"` // 1: JSON; 2: compact. 0 is encoded as the newest
	Epoch   string            `json:"epoch"`
	Lane    string            `json:"lane"`
	First   uint64            `json:"first"`
	SentAt  time.Time         `json:"sent_at"` // the store's clock: headquarters measures its skew with it
	Records []json.RawMessage `json:"records,omitempty"`

	Schema int    `json:"schema,omitempty"`  // of the records; 0 is 1
	Head   uint64 `json:"head,omitempty"`    // the lane's newest record when this was sent; 0: not told
	SkewMS int64  `json:"skew_ms,omitempty"` // the store's clock minus headquarters', as the store measured it last
	Floor  bool   `json:"floor,omitempty"`   // what comes before First will never come: there may then be no record
	From   string `json:"from,omitempty"`    // the epoch that went on as this one when the store was restored from an older image
	Base   uint64 `json:"base,omitempty"`    // with From: this lane's numbers go on after this one
}

// Ack says that headquarters has stored all records of an epoch and lane up to and including Upto, durably.
type Ack struct {
	V      int       `json:"v"`
	Epoch  string    `json:"epoch"`
	Lane   string    `json:"lane"`
	Upto   uint64    `json:"upto"`
	HQTime time.Time `json:"hq_time"`

	Have  *uint64 `json:"have,omitempty"`  // the watermark, where Upto answers a batch that lies below it
	Takes int     `json:"takes,omitempty"` // the newest version of Batch that headquarters reads; 0 is 1
	Fork  bool    `json:"fork,omitempty"`  // headquarters holds record Upto+1 otherwise: go on under a new epoch
}

// Watermark is the highest sequence below which headquarters misses nothing.
func (a Ack) Watermark() uint64 {
	if a.Have != nil {
		return *a.Have
	}
	return a.Upto
}
