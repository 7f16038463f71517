package wire

import (
	"encoding/json"
	"fmt"
)

// bodies makes an empty body for each kind that this program knows.
var bodies = map[Kind]func() any{
	VisitStarted:    func() any { return new(Visit) },
	VisitEnded:      func() any { return new(Visit) },
	GreetingDecided: func() any { return new(Greeting) },
	CardClaimed:     func() any { return new(Reception) },
	CardReleased:    func() any { return new(Reception) },
	CardServed:      func() any { return new(Reception) },
	KioskUsed:       func() any { return new(Session) },
	DemoFinished:    func() any { return new(Tried) },
	RewardEarned:    func() any { return new(Tried) },
	StrangersPassed: func() any { return new(Strangers) },
	ReaderChanged:   func() any { return new(Reader) },
	StaffCalled:     func() any { return new(StaffCall) },
	StaffCame:       func() any { return new(StaffCall) },
	MemberSignedUp:  func() any { return new(SignUp) },
	MemberConfirmed: func() any { return new(Confirmed) },
	TagChanged:      func() any { return new(TagChange) },
	BlockedSeen:     func() any { return new(BlockedTag) },
	BlockedHandled:  func() any { return new(BlockedTag) },
	SnapshotApplied: func() any { return new(Applied) },
	SnapshotRefused: func() any { return new(Applied) },
	RecordLost:      func() any { return new(Lost) },
	MemoryThinned:   func() any { return new(GivenUp) },
	CommandDone:     func() any { return new(Done) },
	MemberErased:    func() any { return new(EraseReceipt) },
}

// Bodies are empty bodies by kind, as Open fills them: for what describes them.
func Bodies() map[Kind]any {
	all := map[Kind]any{}
	for kind, make := range bodies {
		all[kind] = make()
	}
	return all
}

// Known reports whether this program knows the kind's body.
func (k Kind) Known() bool { return bodies[k] != nil }

// EncodeRecord encodes a record: what the journal keeps and a batch carries.
func EncodeRecord(r Record) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	data, err := encode(r)
	if err == nil && len(data) > MaxRecord {
		err = fmt.Errorf("%d bytes: want at most %d", len(data), MaxRecord)
	}
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	return data, nil
}

// DecodeRecord decodes a record of any kind, known or not.
func DecodeRecord(data []byte) (Record, error) {
	var r Record
	if err := decode(data, MaxRecord, &r); err != nil {
		return Record{}, fmt.Errorf("decode record: %w: %w", ErrFormat, err)
	}
	if err := r.check(); err != nil {
		return Record{}, fmt.Errorf("decode record: %w: %w", ErrFormat, err)
	}
	return r, nil
}

// Open decodes the body: a pointer to the struct of its kind (*Visit, *Greeting, ...), or, for a kind that a newer
// program sent, the json.RawMessage as it is.
func (r Record) Open() (any, error) {
	make := bodies[r.Kind]
	if make == nil {
		return r.Body, nil
	}
	body := make()
	if err := decode(r.Body, MaxRecord, body); err != nil {
		return nil, fmt.Errorf("decode body of %s: %w: %w", r.Kind, ErrFormat, err)
	}
	return body, nil
}

func (r Record) check() error {
	if !validKind(r.Kind) {
		return fmt.Errorf("kind %.80q: want 1 to 64 lower-case letters, digits, dots, dashes or underscores", r.Kind)
	}
	if len(r.Body) == 0 || !json.Valid(r.Body) {
		return fmt.Errorf("%s: want a body", r.Kind)
	}
	return checkTime("at", r.At)
}

func validKind(k Kind) bool {
	if k == "" || len(k) > 64 {
		return false
	}
	for _, r := range k {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_' {
			return false
		}
	}
	return true
}
