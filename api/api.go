// Package api is the local contract between foyerd and its faces: the wall, the kiosk, the reception page.
//
// In and out: JSON over HTTP on a unix socket or on TCP with a token; live events by Server-Sent Events. Times are
// RFC 3339. Texts come ready in every language, keyed by language tag, so a face switches language without asking.
// Client and Follow are the Go side of a face: one call each for what a face may ask, and one that keeps a face right
// for ever, whatever the connection does.
// It never imports shop: a face learns only what it may show. A Greeting holds what a public screen may show; a Card
// is for staff and travels only on the reception face.
// Called by api/serve and internal/daemon (which make these values), kiosk and the tools (which read them).
package api

import (
	"encoding/json"
	"time"
)

// Face is who is looking. Each face has its own events, numbered 1, 2, 3... within an epoch.
type Face string

// The faces.
const (
	Wall      Face = "wall"
	Kiosk     Face = "kiosk"
	Reception Face = "reception"
)

// Text is one text in every language: "zh-CN", "en".
type Text map[string]string

// In returns the text in lang, in English where lang is missing.
func (t Text) In(lang string) string {
	if s, ok := t[lang]; ok {
		return s
	}
	return t["en"]
}

// Kind says what an Event's Data is.
type Kind string

// The kinds of events.
const (
	Greeted  Kind = "greeted"  // Greeting; wall and kiosk
	Departed Kind = "departed" // Departure; wall and kiosk
	Showcase Kind = "showcase" // []Offer, the whole list; wall and kiosk
	CardSet  Kind = "card"     // Card, new or changed, keyed by Visit; reception
	StatusIs Kind = "status"   // Status; all faces
	Ordered  Kind = "ordered"  // Order; wall and kiosk
)

// Event is one change. A client that sees ID != last+1 has missed something and asks for a Snapshot.
type Event struct {
	ID   uint64          `json:"id"`
	Kind Kind            `json:"kind"`
	At   time.Time       `json:"at"`
	Data json.RawMessage `json:"data"`
}

// Snapshot is all that one face shows, as of event Last of Epoch. Epoch changes when foyerd restarts.
type Snapshot struct {
	Epoch     string     `json:"epoch"`
	Last      uint64     `json:"last"`
	Now       time.Time  `json:"now"`
	Store     Text       `json:"store"`               // the shop's name
	Greetings []Greeting `json:"greetings,omitempty"` // wall and kiosk: still due, oldest first
	Showcase  []Offer    `json:"showcase,omitempty"`  // wall and kiosk
	Cards     []Card     `json:"cards,omitempty"`     // reception: today's, newest first
	Shown     *Shown     `json:"shown,omitempty"`     // reception: a card that may be bound
	Notices   []Notice   `json:"notices,omitempty"`   // reception: lost cards that turned up, oldest first
	Status    Status     `json:"status"`
}

// Greeting is what a screen says to one arrival, already limited to what that screen may show.
type Greeting struct {
	Visit    string    `json:"visit"`
	At       time.Time `json:"at"`
	Until    time.Time `json:"until"`             // after that the screen moves on
	Language string    `json:"language"`          // the member's own; it leads
	Headline Text      `json:"headline"`          // "早上好，王女士"
	Line     Text      `json:"line"`              // one friendly line
	Neutral  bool      `json:"neutral"`           // no name in it
	Festive  bool      `json:"festive,omitempty"` // kiosk only: their birthday
	Signup   string    `json:"signup,omitempty"`  // kiosk only: they became a member here today, under this name
	Offers   []Offer   `json:"offers,omitempty"`  // kiosk: chosen for the person. Wall: what anybody may see
}

// Offer is one campaign's content as a screen shows it.
type Offer struct {
	Campaign string `json:"campaign"`
	Title    Text   `json:"title"`
	Text     Text   `json:"text"`
	Art      string `json:"art"` // a motif: see shop/campaign Arts
}

// Departure takes a visit off the screens.
type Departure struct {
	Visit string `json:"visit"`
}

// CardState is where a reception card stands.
type CardState string

// The states, in the order in which a card moves through them.
const (
	CardNew     CardState = "new"
	CardClaimed CardState = "claimed"
	CardServed  CardState = "served"
	CardLeft    CardState = "left" // left before anybody claimed
)

// Card is one arrival as staff see it.
type Card struct {
	Visit     string    `json:"visit"`
	State     CardState `json:"state"`
	Arrived   time.Time `json:"arrived"`
	Gone      time.Time `json:"gone,omitzero"`
	Name      Text      `json:"name"`           // with honorific: "王女士", "Ms Wang"
	Tier      string    `json:"tier,omitempty"` // "gold"
	TierName  Text      `json:"tier_name,omitempty"`
	Language  string    `json:"language"`
	Zone      Text      `json:"zone"`
	Nth       int       `json:"nth"`
	LastVisit time.Time `json:"last_visit,omitzero"`
	Priority  bool      `json:"priority,omitempty"` // a key customer
	Quiet     bool      `json:"quiet,omitempty"`    // asked not to be greeted
	Why       []Text    `json:"why"`                // why now: birthday, contract ends, first visit...
	Talk      []Text    `json:"talk"`               // what to say, at most three lines
	Offer     *Offer    `json:"offer,omitempty"`
	OfferWhy  []Text    `json:"offer_why,omitempty"` // why this offer, and why not the others
	By        string    `json:"by,omitempty"`        // who claimed it
	ClaimedAt time.Time `json:"claimed_at,omitzero"`
	ServedAt  time.Time `json:"served_at,omitzero"`
}

// Status is the health that a face may show.
type Status struct {
	Language string `json:"language,omitempty"` // of screens while nobody in particular is there; none: as each was started

	HQ      Link     `json:"hq"`
	Journal Journal  `json:"journal"`
	Readers []Reader `json:"readers"`
	Outputs []Output `json:"outputs,omitempty"`
	Doors   []Door   `json:"doors,omitempty"`

	Printers []Printer `json:"printers,omitempty"`
}

// Order asks a screen to do something.
type Order struct {
	ID string `json:"id"` // random
	Do string `json:"do"`
}

// What a screen may be asked for.
const (
	SendPicture = "picture" // a picture of itself without personal data, to PUT /v1/{face}/pictures/{id}
	StartAgain  = "restart" // end, so that the supervisor starts it again
)

// MaxPicture is the longest picture that a screen may send, in bytes.
const MaxPicture = 8 << 20

// Setting is one that headquarters has set at the store, over what the configuration says.
type Setting struct {
	Name  string `json:"name"` // as in foyerd.yaml
	Value string `json:"value"`
}

// Link is the line to headquarters.
type Link struct {
	Online bool      `json:"online"`
	Since  time.Time `json:"since"`
}

// Journal is the store's memory.
type Journal struct {
	Last    uint64 `json:"last"`              // newest sequence
	Acked   uint64 `json:"acked"`             // highest that headquarters has
	Problem Text   `json:"problem,omitempty"` // in plain words; none when well

	Oldest  time.Time `json:"oldest,omitzero"`   // when the oldest record that waits for headquarters was made
	LastAck time.Time `json:"last_ack,omitzero"` // when headquarters last confirmed something
	Lost    uint64    `json:"lost,omitempty"`    // records that headquarters will never have, since the start
	SkewMS  *int64    `json:"skew_ms,omitempty"` // this box's clock minus headquarters'; none: not measured yet
	Budget  int64     `json:"budget,omitempty"`  // bytes a day on a metered line
	Spent   int64     `json:"spent,omitempty"`   // of them today
	Lanes   []Lane    `json:"lanes,omitempty"`   // in the order in which they go first; none without headquarters
}

// Lane is one log of the store's memory: "cases", "main" (visits) or "count".
type Lane struct {
	Lane   string    `json:"lane"`
	Last   uint64    `json:"last"`
	Acked  uint64    `json:"acked"`
	Oldest time.Time `json:"oldest,omitzero"`
	Waits  bool      `json:"waits,omitempty"` // for the next day's budget
}

// Reader is one reader's health.
type Reader struct {
	Name     string    `json:"name"`
	Online   bool      `json:"online"`
	Problem  Text      `json:"problem,omitempty"` // in plain words, what to do included; none while online
	Notice   Text      `json:"notice,omitempty"`  // what somebody should look at although it works; none when there is nothing
	LastRead time.Time `json:"last_read,omitzero"`
}

// Output is a lamp or a buzzer beside a reader.
type Output struct {
	Signal  string `json:"signal"`            // what it belongs to: "counter lamp"
	Name    string `json:"name"`              // green, buzzer
	Problem Text   `json:"problem,omitempty"` // in plain words, what to do included; none while it works
}

// Door is a door contact.
type Door struct {
	Name     string    `json:"name"`
	Known    bool      `json:"known"` // whether it is open can be told now
	Open     bool      `json:"open"`
	Since    time.Time `json:"since,omitzero"` // it stands so
	Opened   int       `json:"opened"`         // times today, since the program began
	LeftOpen bool      `json:"left_open,omitempty"`
	Problem  Text      `json:"problem,omitempty"`
}

// Claim is the body of POST /v1/reception/cards/{visit}/claim, .../release and .../serve.
type Claim struct {
	By string `json:"by"`
}

// Session is the body of POST /v1/kiosk/sessions: one finished use of the kiosk.
type Session struct {
	Visit    string    `json:"visit,omitempty"`
	Language string    `json:"language"`
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended"`
	Taps     int       `json:"taps"`
	End      string    `json:"end"` // "idle" or "closed"
}

// Tried is the body of POST /v1/kiosk/demos: one demo pack that somebody tried.
type Tried struct {
	Visit    string    `json:"visit,omitempty"`
	Language string    `json:"language"`
	Pack     string    `json:"pack"`
	Version  int       `json:"version"`
	Started  time.Time `json:"started"`
	Ended    time.Time `json:"ended"`
	Score    int       `json:"score"`
	End      string    `json:"end"`              // "done", "won", "lost", or "left" before its end
	Reward   string    `json:"reward,omitempty"` // what the score is worth, by the pack's name for it
}

// Problem is the body of every answer of 400 and above (RFC 9457: type omitted, title and detail kept).
type Problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Code   Code   `json:"code,omitempty"` // the reason in one word, for programs and translations
	Detail string `json:"detail"`         // what, where and what to do
}
