// Package proof is the second factor: a tag can be lost, lent or copied, so whatever hands out a benefit asks for more.
//
// In: what a person said (a PIN, the last digits of a phone number) or that staff vouch for them, and when. Out: a Proof,
// which everything that hands out a benefit takes as an argument, or a Refused that says why and until when. Every try is
// told as a Tried, for the audit.
// It never holds a PIN or a digit of a phone number, has no clock, and never says whether a member exists.
// Called by shop, and by what hands out benefits (which calls Proof.Of).
package proof

import (
	"errors"
	"fmt"
	"time"

	"foyer/shop/member"
)

// Method is how somebody was shown to be the member.
type Method string

// The methods.
const (
	PIN        Method = "pin"
	LastDigits Method = "last_digits" // of the phone number that the member gave
	Staff      Method = "staff"       // who knows them, or looked at a document
	SignUp     Method = "sign_up"     // they became a member at this moment: nobody else can be this member yet
)

// Valid is how long a proof holds: one errand at the counter.
const Valid = 5 * time.Minute

// Proof is that somebody was shown to be a member. Only a Gate makes one; the zero Proof proves nothing.
type Proof struct {
	member member.ID
	method Method
	by     string
	at     time.Time
}

// What may be wrong with a proof.
var (
	ErrNone  = errors.New("no proof of who this is: ask for the PIN, or let staff vouch")
	ErrOther = errors.New("the proof is another member's")
	ErrOld   = errors.New("the proof is too old: ask again")
)

// Of verifies that p is fresh and this member's. Whatever hands out a benefit calls it first.
func (p Proof) Of(m member.ID, now time.Time) error {
	switch age := now.Sub(p.at); {
	case p.member == "" || p.method == "":
		return ErrNone
	case p.member != m:
		return ErrOther
	case age < 0 || age > Valid:
		return ErrOld
	}
	return nil
}

// Method tells how it was proved, for the record of the benefit.
func (p Proof) Method() Method { return p.method }

// By is who of the staff vouched, or empty.
func (p Proof) By() string { return p.by }

// Why is the reason of a refusal.
type Why string

// The reasons.
const (
	Wrong        Why = "wrong"         // the digits are not the member's
	NoSecret     Why = "no_secret"     // the member has none: staff may vouch
	NotDigits    Why = "not_digits"    // what was typed cannot be a secret; it does not count as a try
	MemberLocked Why = "member_locked" // too many wrong tries for this member
	PlaceLocked  Why = "place_locked"  // too many wrong tries at this kiosk or counter
	Busy         Why = "busy"          // too many are locked out at once to keep count: refuse rather than forget
	NoName       Why = "no_name"       // staff vouch by name
	NotStaff     Why = "not_staff"     // only Vouch makes a proof by staff
)

// Refused is a try that proved nothing.
type Refused struct {
	Why   Why
	Left  int       // tries left for this member, with Wrong
	Until time.Time // with MemberLocked, PlaceLocked and Busy
}

func (r *Refused) Error() string {
	switch r.Why {
	case Wrong:
		return fmt.Sprintf("proof refused: wrong; %d tries left", r.Left)
	case MemberLocked, PlaceLocked, Busy:
		return fmt.Sprintf("proof refused: %s until %s", r.Why, r.Until.Format(time.TimeOnly))
	}
	return "proof refused: " + string(r.Why)
}

// Tried is one try, for the audit.
type Tried struct {
	At     time.Time
	Member member.ID
	Place  string
	Method Method
	By     string // of staff
	Why    Why    // empty: it was proved
}
