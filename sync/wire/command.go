package wire

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Commands is the kind of sealed snapshot whose body is one Command, for one store. Its version is the command's number, which
// grows. It comes on Place.Down(Commands) and is never retained: headquarters sends it again until it is answered or over.
const Commands = "command"

// Do is what a command asks for.
type Do string

// What can be asked for.
const (
	DoConfig      Do = "config"      // change settings that may change while foyerd runs: package setting
	DoResync      Do = "resync"      // ask headquarters for everything anew, and prove what is kept
	DoRestart     Do = "restart"     // end, so that the supervisor starts it again; the screens too
	DoDiagnostics Do = "diagnostics" // a file for technicians, without personal data
	DoScreenshot  Do = "screenshot"  // a picture of each screen, without personal data
)

// Dos lists all of them.
var Dos = []Do{DoConfig, DoResync, DoRestart, DoDiagnostics, DoScreenshot}

// Limits of a command and its answer.
const (
	MaxCommand    = 64 << 10           // bytes of a sealed one
	MaxLife       = 7 * 24 * time.Hour // from when it was made until it is over
	MaxResults    = 8                  // files that an answer may bring
	MaxResult     = 8 << 20            // bytes of one of them
	MaxResultPart = 64 << 10           // bytes of it that go through the broker at once
	maxSettings   = 32
	maxSetting    = 200 // bytes of a value
	maxDoneWhy    = 1000
)

// Command is what headquarters asks of one store. It is done once, whatever the line does, and not after Expires.
type Command struct {
	ID      string            `json:"id"` // random
	Do      Do                `json:"do"`
	Expires time.Time         `json:"expires"`
	Set     map[string]string `json:"set,omitempty"`    // DoConfig: settings, by their names in foyerd.yaml
	Reset   []string          `json:"reset,omitempty"`  // DoConfig: settings that are to be as foyerd.yaml says again
	Screen  string            `json:"screen,omitempty"` // DoScreenshot: "kiosk" or "wall"; none: every screen

	Number uint64    `json:"-"` // the snapshot's version
	MadeAt time.Time `json:"-"`
}

// Seal signs a command for a store.
func (c Command) Seal(p Place, keyID string, key ed25519.PrivateKey) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("seal command: %w", err)
	}
	s, err := NewSnapshot(Commands, p.Chain, c.Number, c.MadeAt, c)
	if err != nil {
		return nil, err
	}
	s.Store = p.Store
	data, err := Seal(s, keyID, key)
	if err == nil && len(data) > MaxCommand {
		err = fmt.Errorf("seal command: %w: %d bytes, at most %d", ErrTooLarge, len(data), MaxCommand)
	}
	return data, err
}

// OpenCommand verifies a sealed command for a place. The error is that of Open, or ErrElsewhere: a command is for one store by name.
// What it asks for may be of a newer program: that is the store's to answer.
func OpenCommand(data []byte, p Place, keys map[string]ed25519.PublicKey) (Command, error) {
	if len(data) > MaxCommand {
		return Command{}, fmt.Errorf("open command: %w: %d bytes, at most %d", ErrTooLarge, len(data), MaxCommand)
	}
	s, err := Open(data, keys)
	if err != nil {
		return Command{}, err
	}
	if err = s.For(p); err == nil && (s.Store != p.Store || s.Kind != Commands) {
		err = fmt.Errorf("%w: a snapshot of %s for store %q came as a command", ErrElsewhere, s.Kind, s.Store)
	}
	if err != nil {
		return Command{}, fmt.Errorf("open command: %w", err)
	}
	var c Command
	if err := s.body(Commands, &c); err != nil {
		return Command{}, fmt.Errorf("open command: %w", err)
	}
	c.Number, c.MadeAt = s.Version, s.MadeAt
	if err := c.check(); err != nil {
		return Command{}, fmt.Errorf("open command: %w: %w", ErrFormat, err)
	}
	return c, nil
}

func (c Command) check() error {
	if !validEpoch(c.ID) {
		return fmt.Errorf("id %.80q: want 1 to %d letters, digits or dashes", c.ID, maxEpoch)
	}
	if !validName(string(c.Do)) || c.Screen != "" && !validName(c.Screen) {
		return fmt.Errorf("command %.40q of screen %.40q: want 1 to 32 lower-case letters, digits or dashes", c.Do, c.Screen)
	}
	if err := checkTime("expires", c.Expires); err != nil {
		return err
	}
	if err := checkTime("made_at", c.MadeAt); err != nil {
		return err
	}
	if life := c.Expires.Sub(c.MadeAt); life <= 0 || life > MaxLife {
		return fmt.Errorf("it is good for %v: want more than nothing and at most %v", life, MaxLife)
	}
	if len(c.Set)+len(c.Reset) > maxSettings {
		return fmt.Errorf("%d settings: want at most %d", len(c.Set)+len(c.Reset), maxSettings)
	}
	for _, name := range append(slices.Collect(maps.Keys(c.Set)), c.Reset...) {
		if !validKind(Kind(name)) || len(c.Set[name]) > maxSetting {
			return fmt.Errorf("setting %.80q: want a name as in foyerd.yaml, and a value of at most %d bytes", name, maxSetting)
		}
	}
	return nil
}

// CommandDone is the kind of record that answers a command.
const CommandDone Kind = "command.done" // Done

// Outcome is what became of a command.
type Outcome string

// The outcomes.
const (
	IsDone    Outcome = "done"
	IsRefused Outcome = "refused" // nothing was changed
	IsFailed  Outcome = "failed"  // it was tried
	IsExpired Outcome = "expired" // it came too late, and was not done
)

// DoneCode says why a command was not done. Codes are only ever added; words/command.why.{code} says each to people.
type DoneCode string

// The codes.
const (
	NotKnown    DoneCode = "unknown"    // this program knows no such command
	NotNew      DoneCode = "old"        // older than commands that the store no longer remembers one by one
	NotAllowed  DoneCode = "setting"    // a setting that headquarters may not change, or a value that it cannot have
	NoScreen    DoneCode = "no_screen"  // no screen is connected, or none answered
	NotUploaded DoneCode = "not_sent"   // the result could not be brought to headquarters
	NotMade     DoneCode = "not_made"   // the result could not be made
	NotProven   DoneCode = "not_proven" // something that is kept is damaged
)

// DoneCodes lists all of them.
var DoneCodes = []DoneCode{NotKnown, NotNew, NotAllowed, NoScreen, NotUploaded, NotMade, NotProven}

// Done answers a command. It holds nothing of a person.
type Done struct {
	ID       string            `json:"id"`
	Do       Do                `json:"do"`
	Outcome  Outcome           `json:"outcome"`
	Code     DoneCode          `json:"code,omitempty"`     // not done: stable, for words in any language
	Why      string            `json:"why,omitempty"`      // the details
	Settings map[string]string `json:"settings,omitempty"` // DoConfig: all that headquarters has set at the store now
	Results  []Result          `json:"results,omitempty"`  // files that headquarters has been given
}

// Result is a file that a command brought.
type Result struct {
	Name   string `json:"name"` // as "diagnostics.tar.gz", "kiosk-1.png"
	Size   int64  `json:"size"` // bytes
	Digest Digest `json:"sha256"`
}

// Shortened is the answer with details that fit into a record.
func (d Done) Shortened() Done {
	if r := []rune(d.Why); len(r) > maxDoneWhy {
		d.Why = string(r[:maxDoneWhy]) + "..."
	}
	return d
}

// Check reports a result that headquarters would not take.
func (r Result) Check() error {
	if !validKind(Kind(r.Name)) || r.Name[0] == '.' {
		return fmt.Errorf("result %.80q: want a name of 1 to 64 lower-case letters, digits, dots or dashes", r.Name)
	}
	if r.Size < 1 || r.Size > MaxResult {
		return fmt.Errorf("result %s of %d bytes: want 1 to %d", r.Name, r.Size, MaxResult)
	}
	return nil
}

// ResultPath is where headquarters takes results over HTTP (PUT), before the command's id and the file's name.
const ResultPath = "/results/v1/"

// ResultTopic is what parts of results and the answers to them are called in topics.
const ResultTopic = "result"

// ResultPart is a part of a result, on Place.Ask(ResultTopic), where a store reaches nothing but the broker.
type ResultPart struct {
	V      int    `json:"v"`
	ID     string `json:"id"` // of the command
	Result        // the whole file
	Offset int64  `json:"offset"`
	Data   []byte `json:"data"`
}

// ResultTaken answers a part, on Place.Down(ResultTopic), never retained.
type ResultTaken struct {
	V    int    `json:"v"`
	ID   string `json:"id"`
	Name string `json:"name"`
	Have int64  `json:"have"`         // bytes that headquarters has, without a gap: the next part begins there
	No   string `json:"no,omitempty"` // why it wants none of it
}

// maxPartMessage is a part in base64, and what is around it.
const maxPartMessage = 2*MaxResultPart + maxShort

// EncodeResultPart encodes a part.
func EncodeResultPart(p ResultPart) ([]byte, error) {
	p.V = Version
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("encode part of a result: %w", err)
	}
	return encode(p)
}

// DecodeResultPart decodes a part.
func DecodeResultPart(data []byte) (ResultPart, error) {
	var p ResultPart
	err := decode(data, maxPartMessage, &p)
	if err == nil {
		err = p.check()
	}
	if err != nil {
		return ResultPart{}, fmt.Errorf("decode part of a result: %w: %w", ErrFormat, err)
	}
	return p, nil
}

func (p ResultPart) check() error {
	if p.V != Version {
		return fmt.Errorf("protocol version %d: want %d", p.V, Version)
	}
	if !validEpoch(p.ID) {
		return fmt.Errorf("command %.80q: want 1 to %d letters, digits or dashes", p.ID, maxEpoch)
	}
	if err := p.Result.Check(); err != nil {
		return err
	}
	if n := int64(len(p.Data)); p.Offset < 0 || n < 1 || n > MaxResultPart || n > p.Size-p.Offset {
		return fmt.Errorf("%d bytes at %d of %d: want 1 to %d within the file", n, p.Offset, p.Size, MaxResultPart)
	}
	return nil
}

// EncodeResultTaken encodes the answer to a part.
func EncodeResultTaken(t ResultTaken) ([]byte, error) {
	t.V = Version
	if err := t.check(); err != nil {
		return nil, fmt.Errorf("encode answer to a result: %w", err)
	}
	return encode(t)
}

// DecodeResultTaken decodes the answer to a part.
func DecodeResultTaken(data []byte) (ResultTaken, error) {
	var t ResultTaken
	err := decode(data, maxShort, &t)
	if err == nil {
		err = t.check()
	}
	if err != nil {
		return ResultTaken{}, fmt.Errorf("decode answer to a result: %w: %w", ErrFormat, err)
	}
	return t, nil
}

func (t ResultTaken) check() error {
	switch {
	case t.V != Version:
		return fmt.Errorf("protocol version %d: want %d", t.V, Version)
	case !validEpoch(t.ID) || !validKind(Kind(t.Name)):
		return errors.New("want a command's id and a result's name")
	case t.Have < 0 || t.Have > MaxResult || len(t.No) > 300:
		return fmt.Errorf("it has %d bytes and %d of reasons: out of bounds", t.Have, len(t.No))
	}
	return nil
}
