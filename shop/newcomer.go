package shop

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"foyer/reader/tag"
	"foyer/shop/binding"
	"foyer/shop/member"
	"foyer/shop/presence"
	"foyer/shop/proof"
)

// Bounds of becoming a member at the kiosk.
const (
	CardTime      = 2 * time.Minute     // a new card that is held to a reader so soon after it becomes theirs
	CodeTime      = 24 * time.Hour      // staff may confirm the number so long
	NewcomerTime  = 90 * 24 * time.Hour // headquarters has not told of them for so long: they are let go
	codeTries     = 5                   // wrong codes, then the number is not confirmed by it any more
	signupsAnHour = 60                  // more than one a minute is somebody who plays
	keptAnswers   = 200                 // forms whose answer is known, should they be sent again
)

// What may be wrong with a sign-up or its code.
var (
	ErrForm      = errors.New("sign-up")
	ErrMany      = errors.New("too many have signed up within the hour: ask staff, or wait a while")
	ErrNoSignup  = errors.New("nobody waits for that: it was confirmed already, or is too long ago")
	ErrWrongCode = errors.New("the code is another one: look at the kiosk's screen again")
)

// Form is what somebody wrote who wants to become a member.
type Form struct {
	Key      string // names it: sent twice, it is taken once
	Language string
	Phone    string
	Name     string
	Title    member.Title
	Consents []member.Purpose
	Text     string // version of the words that were agreed to
}

// Joined is what becomes of a Form.
type Joined struct {
	Signup string // names it, for the kiosk and for reception
	Code   string // four digits that staff ask for
	Name   Text
	Card   bool // a new card that is held to a reader now becomes theirs
}

// Newcomer is who became a member at this store. It is kept until headquarters tells of them. There is no phone number in
// it: that is in the record for headquarters alone.
type Newcomer struct {
	Member    member.Member `json:"member"`
	Signup    string        `json:"signup"`
	At        time.Time     `json:"at"`
	Code      string        `json:"code,omitempty"` // none once it was used, or cannot be
	Phone     string        `json:"phone"`          // "138****5678"
	Tries     int           `json:"tries,omitempty"`
	Confirmed string        `json:"confirmed,omitempty"` // who of staff made sure of the number
}

// MemberSignedUp says that somebody became a member. Its Newcomer is the state to be stored with it.
type MemberSignedUp struct {
	Newcomer
	Phone string // the whole number, for headquarters
}

// NumberConfirmed says that staff made sure of a newcomer's number.
type NumberConfirmed struct {
	Newcomer
	By string
}

// CodeTried says that a wrong code was given. Nothing of it goes to headquarters.
type CodeTried struct{ Newcomer }

// NewcomersSettled says that headquarters has told of these members, or never will: what was stored of them may go.
type NewcomersSettled struct{ Members []member.ID }

func (MemberSignedUp) fact()   {}
func (NumberConfirmed) fact()  {}
func (CodeTried) fact()        {}
func (NewcomersSettled) fact() {}

// NewcomerWaits tells reception of somebody whose number is to be confirmed; with By, that it need not be any more.
type NewcomerWaits struct {
	Signup string
	At     time.Time
	Member member.ID // empty for who does not want to be recognised: they have no cards
	Name   Text
	Phone  string
	By     string
}

// NewCardWorks tells the kiosk that a newcomer's card is theirs.
type NewCardWorks struct{ Signup string }

func (NewcomerWaits) event() {}
func (NewCardWorks) event()  {}

// newcomers is what the loop knows of them.
type newcomers struct {
	base    *member.Book // headquarters' book, without them
	all     map[member.ID]*Newcomer
	answers []answered
	waiting []awaited
	lately  []time.Time // of the last sign-ups
}

// answered is a form that was taken.
type answered struct {
	key    string
	joined Joined
}

// awaited is a newcomer who may hold a card to a reader.
type awaited struct {
	who   member.ID
	until time.Time
}

// SignUp makes somebody a member of the chain, at this store at once and everywhere when headquarters has heard. It returns
// when that is durable. Its errors are ErrForm, ErrMany, ErrStopped, the journal's, or the context's.
func (s *Shop) SignUp(ctx context.Context, f Form) (Joined, error) {
	m, err := s.memberOf(f)
	if err != nil {
		return Joined{}, err
	}
	var got Joined
	reply := make(chan error, 1)
	err = s.ask(ctx, request{reply: reply, do: func(s *Shop) {
		s.signUp(f, m, func(j Joined, err error) {
			got = j
			reply <- err
		})
	}})
	if err != nil {
		return Joined{}, err
	}
	return got, nil
}

// memberOf is the member that a form makes, without an id.
func (s *Shop) memberOf(f Form) (member.Member, error) {
	m := member.Member{ID: "m-0", Title: f.Title, Language: f.Language, Consents: f.Consents, ConsentText: f.Text, Tags: []tag.ID{}}
	m.Family, m.Given = member.Split(f.Name)
	switch {
	case !shortText(f.Key, 64):
		return m, fmt.Errorf("%w: key: want 1 to 64 characters that name the form", ErrForm)
	case !member.ValidPhone(f.Phone):
		return m, fmt.Errorf("%w: phone: want a mobile number", ErrForm)
	case !shortText(f.Name, member.MaxName):
		return m, fmt.Errorf("%w: name: want 1 to %d characters", ErrForm, member.MaxName)
	case f.Language == "" || f.Text == "":
		return m, fmt.Errorf("%w: language and text: want in which words it was agreed", ErrForm)
	}
	if err := member.Check([]member.Member{m}); err != nil {
		return m, fmt.Errorf("%w: %w", ErrForm, err)
	}
	return m, nil
}

func (s *Shop) signUp(f Form, m member.Member, reply func(Joined, error)) {
	n := &s.newcomers
	if i := slices.IndexFunc(n.answers, func(a answered) bool { return a.key == f.Key }); i >= 0 {
		reply(n.answers[i].joined, nil)
		return
	}
	n.lately = slices.DeleteFunc(n.lately, func(t time.Time) bool { return s.now.Sub(t) >= time.Hour })
	if len(n.lately) >= signupsAnHour {
		reply(Joined{}, ErrMany)
		return
	}
	n.lately = append(n.lately, s.now)
	m.ID = member.ID("m-" + strings.ToLower(s.cfg.NewID()))
	m.Since = s.now
	one := Newcomer{Member: m, Signup: s.cfg.NewID(), At: s.now, Code: n.newCode(), Phone: member.MaskPhone(f.Phone)}
	s.cfg.Ledger.Record(Fact{At: s.now, Body: MemberSignedUp{one, f.Phone}, Of: m.ID}, func(err error) {
		s.outcomes.add(func() { reply(s.joined(f.Key, one, err)) })
		s.nudge(s.settled)
	})
}

// newCode is four digits that no other newcomer has now.
func (n *newcomers) newCode() string {
	for {
		k, err := rand.Int(rand.Reader, big.NewInt(10_000))
		if err != nil {
			panic(err) // the system's random numbers never fail
		}
		code := fmt.Sprintf("%04d", k)
		taken := false
		for _, other := range n.all {
			taken = taken || other.Code == code
		}
		if !taken || len(n.all) > 5_000 {
			return code
		}
	}
}

// joined puts a newcomer in force who is durable.
func (s *Shop) joined(key string, one Newcomer, err error) (Joined, error) {
	if err != nil {
		return Joined{}, fmt.Errorf("record the sign-up: %w", err)
	}
	n := &s.newcomers
	n.all[one.Member.ID] = &one
	s.overlay()
	j := Joined{Signup: one.Signup, Code: one.Code, Name: s.fullName(&one.Member)}
	if one.Member.Allows(member.Recognise) && len(s.padZones()) > 0 {
		n.waiting = append(n.due(s.now), awaited{one.Member.ID, s.now.Add(CardTime)})
		j.Card = len(n.waiting) == 1
	}
	n.answers = append(n.answers, answered{key, j})
	n.answers = n.answers[max(0, len(n.answers)-keptAnswers):]
	s.cfg.Screens.Show(s.waits(one))
	return j, nil
}

// fullName is how somebody is called on their own screen, by their own hand: it needs no consent.
func (s *Shop) fullName(m *member.Member) Text {
	if name, ok := m.Called(s.cfg.Words); ok {
		return name
	}
	return everyLanguage(s.cfg.Words, "greeting.member")
}

func (s *Shop) waits(one Newcomer) NewcomerWaits {
	w := NewcomerWaits{Signup: one.Signup, At: one.At, Name: s.called(&one.Member), Phone: one.Phone, By: one.Confirmed}
	if one.Member.Allows(member.Recognise) {
		w.Member = one.Member.ID
	}
	return w
}

// overlay lays the newcomers over headquarters' book.
func (s *Shop) overlay() {
	base := s.newcomers.base
	s.book = base
	var fresh []member.Member
	for id, one := range s.newcomers.all {
		if !base.Has(id) {
			fresh = append(fresh, one.Member)
		}
	}
	if len(fresh) > 0 {
		s.book = base.WithNewcomers(fresh)
	}
	if base == nil { // before headquarters' word nothing is settled by it
		s.bindings.Use(s.book)
		return
	}
	s.settleTags()
}

// settleNewcomers lets go of who is in headquarters' book now, and of who never came there.
func (s *Shop) settleNewcomers() {
	var settled []member.ID
	for id, one := range s.newcomers.all {
		waits := one.Confirmed == "" && one.Code != ""
		if s.now.Sub(one.At) >= CodeTime && waits {
			one.Code, waits = "", false
			over := s.waits(*one)
			over.By = "-"
			s.cfg.Screens.Show(over)
		}
		// Who was recognised nowhere is told of by nobody: they are kept as long as their code is good for something.
		done := s.newcomers.base.Has(id) || !one.Member.Allows(member.Recognise)
		if done && !waits || s.now.Sub(one.At) >= NewcomerTime {
			delete(s.newcomers.all, id)
			settled = append(settled, id)
		}
	}
	if len(settled) > 0 {
		slices.Sort(settled)
		s.cfg.Ledger.Record(Fact{At: s.now, Body: NewcomersSettled{slices.Clone(settled)}}, nil)
		s.overlay()
		unknown := slices.DeleteFunc(settled, func(id member.ID) bool {
			_, known := s.book.ByID(id)
			return known
		})
		if len(unknown) > 0 { // they are somebody else by now, or nobody's to recognise
			s.cfg.Ledger.Record(Fact{At: s.now, Body: MembersForgotten{unknown}}, nil)
		}
	}
}

// due drops those who have held no card to a reader in time.
func (n *newcomers) due(now time.Time) []awaited {
	return slices.DeleteFunc(n.waiting, func(a awaited) bool { return !now.Before(a.until) })
}

// padZones are the zones in which a newcomer's card is taken: those of kiosks, and the counters where no kiosk has a reader.
func (s *Shop) padZones() []string {
	var kiosks, all []string
	for _, zone := range s.counters {
		all = append(all, zone)
		if s.zones[zone].Role == presence.Kiosk {
			kiosks = append(kiosks, zone)
		}
	}
	if len(kiosks) > 0 {
		return kiosks
	}
	return all
}

// give makes a card that nobody has a newcomer's, if exactly one waits for theirs: of two it is not known whose it is.
func (s *Shop) give(id, also tag.ID, zone string) {
	n := &s.newcomers
	n.waiting = n.due(s.now)
	if len(n.waiting) != 1 || !slices.Contains(s.padZones(), zone) {
		return
	}
	who := n.waiting[0].who
	one := n.all[who]
	if one == nil {
		n.waiting = nil
		return
	}
	reply := make(chan error, 1)
	r := binding.Request{Member: who, Tag: id, Also: also, Reason: binding.NewMember, By: "kiosk"}
	s.decideTag(r, (*binding.Book).Bind, proof.SignUp, reply)
	select {
	case <-reply: // refused, or another change is being recorded: the card lies there still, and is asked for again
	default:
		n.waiting = nil
	}
}

// carded tells the kiosk of a newcomer's first card.
func (s *Shop) carded(who member.ID) {
	s.newcomers.waiting = slices.DeleteFunc(s.newcomers.waiting, func(a awaited) bool { return a.who == who })
	if one := s.newcomers.all[who]; one != nil {
		s.cfg.Screens.Show(NewCardWorks{one.Signup})
	}
}

// signupOf names the sign-up of who became a member here today.
func (s *Shop) signupOf(who member.ID) string {
	if one := s.newcomers.all[who]; one != nil && s.now.Sub(one.At) < CodeTime {
		return one.Signup
	}
	return ""
}

// Confirm says that staff made sure of a newcomer's number: the person in front of them told the code of the kiosk's screen.
// It returns when that is durable. Its errors are ErrBy, ErrNoSignup, ErrWrongCode, ErrStopped, the journal's, or the context's.
func (s *Shop) Confirm(ctx context.Context, signup, code, by string) error {
	if !shortText(by, 40) {
		return ErrBy
	}
	reply := make(chan error, 1)
	return s.ask(ctx, request{reply: reply, do: func(s *Shop) {
		for _, one := range s.newcomers.all {
			if one.Signup == signup && one.Code != "" {
				s.confirm(one, code, by, reply)
				return
			}
		}
		reply <- ErrNoSignup
	}})
}

func (s *Shop) confirm(one *Newcomer, code, by string, reply chan error) {
	next := *one
	var body Body
	answer := error(nil)
	if subtle.ConstantTimeCompare([]byte(code), []byte(one.Code)) == 1 {
		next.Code, next.Confirmed = "", by
		body = NumberConfirmed{next, by}
	} else {
		answer = ErrWrongCode
		if next.Tries++; next.Tries >= codeTries {
			next.Code = ""
		}
		body = CodeTried{next}
	}
	s.cfg.Ledger.Record(Fact{At: s.now, Body: body, Of: one.Member.ID}, func(err error) {
		s.outcomes.add(func() {
			if err != nil {
				reply <- fmt.Errorf("record that the number was confirmed: %w", err)
				return
			}
			*one = next
			if w := s.waits(next); next.Code == "" {
				if w.By == "" {
					w.By = "-"
				}
				s.cfg.Screens.Show(w)
			}
			reply <- answer
		})
		s.nudge(s.settled)
	})
}

// showNewcomers tells reception after a restart of who waits.
func (s *Shop) showNewcomers() {
	for _, one := range s.newcomers.all {
		if one.Code != "" && one.Confirmed == "" {
			s.cfg.Screens.Show(s.waits(*one))
		}
	}
}
