// Package binding is who carries which tag: what a store's staff changed since headquarters' last word.
//
// In: the members' book, what staff ask (bind, replace, block, unbind, each with a reason and a name), and when. Out: a
// Change, which is the audit's event and the marks to be stored with it, or a Refused that says why; and for every read
// the standing of its tag: a member's, nobody's because it clashes, blocked, or unknown.
// It never decides and applies at once: a Change is applied when it is durable. It keeps no unknown tag, has no clock, and
// holds hashes only.
// Called by shop, which records a Change before it applies it.
package binding

import (
	"fmt"
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"
)

// Kind is what happened to a tag.
type Kind string

// The kinds.
const (
	Bound    Kind = "bound"    // a tag was given to a member
	Replaced Kind = "replaced" // a new tag took the place of an old one
	Blocked  Kind = "blocked"  // a tag was lost or stolen: it is known, and nobody is greeted
	Unbound  Kind = "unbound"  // a tag was taken back: it is a stranger's from now on
)

// Reason is why staff did it.
type Reason string

// The reasons. Which of them go with which Kind is in reasons.
const (
	NewMember   Reason = "new_member"
	SecondTag   Reason = "second_tag"
	Found       Reason = "found" // a blocked tag came back to its member
	Lost        Reason = "lost"
	Stolen      Reason = "stolen"
	Damaged     Reason = "damaged"
	Upgraded    Reason = "upgraded"
	Returned    Reason = "returned"
	WrongMember Reason = "wrong_member" // it was bound by mistake
	Asked       Reason = "asked"        // the member asked for it
)

// reasons lists those that staff may give.
var reasons = map[Kind][]Reason{
	Bound:    {NewMember, SecondTag, Found},
	Replaced: {Lost, Stolen, Damaged, Upgraded},
	Blocked:  {Lost, Stolen},
	Unbound:  {Damaged, Returned, WrongMember, Asked},
}

// Reasons lists the reasons that go with a kind, in the order in which they are offered.
func Reasons(k Kind) []Reason { return reasons[k] }

// Request is what staff ask for.
type Request struct {
	Member member.ID
	Tag    tag.ID // Bind, Replace: the new one. Block, Unbind: the old one, or zero for all that the member has
	Also   tag.ID // the shorter form of Tag that the reader's profile allows, or zero
	Old    tag.ID // Replace: the old one, or zero for all that the member has
	Reason Reason
	By     string // of staff
}

// Change is one thing that was done, for the audit.
type Change struct {
	Kind   Kind
	Member member.ID
	Reason Reason
	By     string
	At     time.Time
	Clash  bool // the tag's shorter form is another member's too: in that form it matches nobody
	Marks  []Mark
}

// Mark is what a store knows of one tag beyond headquarters' book. It is stored with the change, and replaces what was
// stored for that tag.
type Mark struct {
	Tag    tag.ID    `json:"tag"`
	Member member.ID `json:"member"`
	State  State     `json:"state"`
	At     time.Time `json:"at"`
	Over   member.ID `json:"over,omitempty"`  // who had it in headquarters' book before the store's first change
	Of     tag.ID    `json:"of,omitzero"`     // Tag is a shorter form of this one
	Found  bool      `json:"found,omitempty"` // bound again after headquarters had it blocked
}

// State is what a mark says of its tag.
type State string

// The states.
const (
	IsBound   State = "bound"
	IsBlocked State = "blocked"
	IsUnbound State = "unbound"
	IsShared  State = "shared" // a shorter form that several members have: it matches nobody
)

// Why is the reason of a refusal.
type Why string

// The reasons of a refusal.
const (
	NoMember   Why = "no_member"   // there is none, or they do not want to be recognised
	NoTag      Why = "no_tag"      // no tag was read
	NotTheirs  Why = "not_theirs"  // the member does not have this tag
	Theirs     Why = "theirs"      // the member has this tag already
	Taken      Why = "taken"       // another member has it; it is not said who
	IsLost     Why = "is_lost"     // it is blocked; only its member gets it back, as found
	Clashes    Why = "clashes"     // several members claim it: headquarters must settle it first
	Many       Why = "many"        // the member has as many as one may
	BadReason  Why = "bad_reason"  // the reason does not go with what is asked
	NoName     Why = "no_name"     // it is not said who asks
	SameTag    Why = "same_tag"    // a tag cannot take its own place
	StillGoing Why = "still_going" // another change of this tag or member is being recorded
)

// Refused is a request that is not granted.
type Refused struct{ Why Why }

func (r *Refused) Error() string { return fmt.Sprintf("the tag's change is refused: %s", r.Why) }
