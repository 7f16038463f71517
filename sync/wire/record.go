package wire

import (
	"encoding/json"
	"time"
)

// Kind names what happened. Kinds are only ever added.
type Kind string

// The kinds, each with the struct that is its body.
const (
	VisitStarted    Kind = "visit.started"       // Visit
	VisitEnded      Kind = "visit.ended"         // Visit
	GreetingDecided Kind = "greeting.decided"    // Greeting
	CardClaimed     Kind = "reception.claimed"   // Reception
	CardReleased    Kind = "reception.released"  // Reception
	CardServed      Kind = "reception.served"    // Reception
	StaffCalled     Kind = "reception.called"    // StaffCall
	StaffCame       Kind = "reception.came"      // StaffCall, with By
	MemberSignedUp  Kind = "member.signup"       // SignUp
	MemberConfirmed Kind = "member.confirmed"    // Confirmed
	KioskUsed       Kind = "kiosk.used"          // Session
	DemoFinished    Kind = "demo.finished"       // Tried
	RewardEarned    Kind = "reward.earned"       // Tried, with Reward: a demo that was finished so well that something is owed
	StrangersPassed Kind = "strangers.passed"    // Strangers
	ReaderChanged   Kind = "reader.changed"      // Reader
	TagChanged      Kind = "tag.changed"         // TagChange
	BlockedSeen     Kind = "tag.blocked.seen"    // BlockedTag
	BlockedHandled  Kind = "tag.blocked.handled" // BlockedTag, with By
	SnapshotApplied Kind = "snapshot.applied"    // Applied
	SnapshotRefused Kind = "snapshot.refused"    // Applied, with Why
	RecordLost      Kind = "record.lost"         // Lost, in place of a record of any lane that is not there any more
	MemoryThinned   Kind = "memory.thinned"      // GivenUp, each time the counts have changed
	MemberErased    Kind = "member.erased"       // EraseReceipt
)

// Record is one thing that happened at a store: what the journal keeps and a batch carries.
type Record struct {
	Kind Kind            `json:"k"`
	At   time.Time       `json:"at"`
	Body json.RawMessage `json:"b"`
}

// Visit is a member's stay.
type Visit struct {
	Visit   string `json:"visit"`             // random, one a visit
	Member  string `json:"member"`            // headquarters' pseudonym
	Zone    string `json:"zone,omitempty"`    // where it started
	Nth     int    `json:"nth"`               // 1 for the first visit to this store
	Seconds int    `json:"seconds,omitempty"` // how long, at its end
}

// Greeting is one decision with every reason: what was said, what was not, and why.
type Greeting struct {
	Visit    string   `json:"visit"`
	Zone     string   `json:"zone"`
	Named    bool     `json:"named"`              // the wall said the name
	Campaign string   `json:"campaign,omitempty"` // the offer chosen
	Reasons  []Reason `json:"reasons"`
}

// Reason is one typed yes or no. Code is stable ("consent.public_screen.missing"); About names a campaign where it is one.
type Reason struct {
	Yes   bool   `json:"yes"`
	Code  string `json:"code"`
	About string `json:"about,omitempty"`
}

// Reception is what a receptionist did with a card. By is a staff name's initials or a counter, never a customer's.
type Reception struct {
	Visit         string `json:"visit"`
	By            string `json:"by"`
	WaitedSeconds int    `json:"waited_seconds"`
}

// Session is one use of the kiosk.
type Session struct {
	Visit    string `json:"visit,omitempty"` // none for a walk-in
	Language string `json:"language"`
	Seconds  int    `json:"seconds"`
	Taps     int    `json:"taps"`
	End      string `json:"end"` // "idle", "closed"
}

// Tried is one demo pack that somebody tried at the kiosk.
type Tried struct {
	Visit    string `json:"visit,omitempty"` // none for a walk-in
	Language string `json:"language"`
	Pack     string `json:"pack"`
	Version  int    `json:"version"` // of the pack's own manifest
	Seconds  int    `json:"seconds"`
	Score    int    `json:"score,omitempty"`
	End      string `json:"end"` // "done", "won", "lost", "left"
	Reward   string `json:"reward,omitempty"`
}

// Strangers counts tags that nobody enrolled. Nothing else of them is kept.
type Strangers struct {
	Zone  string `json:"zone"`
	Count int    `json:"count"`
}

// Reader tells that a reader came or went.
type Reader struct {
	Reader string `json:"reader"`
	Online bool   `json:"online"`
	Why    string `json:"why,omitempty"`
}

// Applied tells what became of a snapshot.
type Applied struct {
	Snapshot string `json:"snapshot"`       // kind
	Version  uint64 `json:"version"`        // 0 where it could not be read
	Code     Code   `json:"code,omitempty"` // refused: stable, for words in any language
	Why      string `json:"why,omitempty"`  // refused: the details
}

// Lost stands in a lane for a record that is not there any more: headquarters sees every number in its order. It may come in
// place of a record that headquarters holds, and then says nothing.
type Lost struct {
	Why string `json:"why"` // LostDamaged, LostGivenUp, LostErased
}

// Why a record is lost.
const (
	LostDamaged = "damaged"  // the disk gave back other bytes than it was given
	LostGivenUp = "given_up" // for room, since the disk or the quota was full
	LostErased  = "erased"   // its person was erased before headquarters had it, or had it again
)

// GivenUp counts what was given up for room since the journal's file was made, and headquarters did not have.
type GivenUp struct {
	Visits     uint64 `json:"visits"`
	Statistics uint64 `json:"statistics"`
}

// Code says why a snapshot was refused. Codes are only ever added; words/sync.refused.{code} says each to people.
type Code string

// The codes.
const (
	RefusedFormat    Code = "format" // it cannot be read
	RefusedTooLarge  Code = "too_large"
	RefusedForged    Code = "forged"    // the signature is wrong
	RefusedKey       Code = "key"       // signed with a key that the store does not trust
	RefusedElsewhere Code = "elsewhere" // for another chain, store or kind
	RefusedOlder     Code = "older"     // an older version than the one in force
	RefusedAltered   Code = "altered"   // the version in force, with other contents
	RefusedRules     Code = "rules"     // its contents break a rule
	RefusedNotKept   Code = "not_kept"  // what was kept from before could not be put in force again
	RefusedDigest    Code = "digest"    // a file of a pack is not what its digest says
	RefusedAbsent    Code = "absent"    // headquarters has no such file
	RefusedDisk      Code = "disk"      // the store's disk has no room for it, or fails
	RefusedLease     Code = "lease"     // nothing was heard from headquarters for so long that the store has forgotten it
)

// Codes lists all of them.
var Codes = []Code{
	RefusedFormat, RefusedTooLarge, RefusedForged, RefusedKey, RefusedElsewhere, RefusedOlder, RefusedAltered, RefusedRules, RefusedNotKept,
	RefusedDigest, RefusedAbsent, RefusedDisk, RefusedLease,
}

// NewRecord encodes a body. Bodies are the structs above, which always encode. The time is kept to the millisecond, as headquarters
// keeps it: the rest of it is noise that does not pack.
func NewRecord(kind Kind, at time.Time, body any) Record {
	b, err := json.Marshal(body)
	if err != nil {
		panic(err) // a programmer's error: the bodies above hold no channel, function or cycle
	}
	return Record{Kind: kind, At: at.UTC().Truncate(time.Millisecond), Body: b}
}
