// Package member is a person who joined the chain: who they are to us, and what they allowed.
//
// In: the members' snapshot from headquarters. Out: lookup by tag.ID, consent by purpose.
// It never holds what a shop floor need not know (no phone, no address, no purchases), never logs a name.
// Called by shop, shop/visit, shop/greeting, sync/wire (to carry members) and hq.
package member

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"time"

	"foyer/reader/tag"
)

// ID is a chain-wide pseudonym ("m-7f3a..."), made by headquarters, meaningless outside it.
type ID string

// LogValue prints a short hash: a log must not tell who came.
func (id ID) LogValue() slog.Value {
	sum := sha256.Sum256([]byte(id))
	return slog.StringValue(hex.EncodeToString(sum[:4]))
}

// Purpose is one thing that a member may allow or refuse by itself (PIPL articles 14 and 29: separate consent).
type Purpose string

// The purposes. Without Recognise a member's tag is a stranger's tag.
const (
	Recognise    Purpose = "recognise"     // notice the tag and keep the visit
	GreetByName  Purpose = "greet_by_name" // say the name on the screen in front of the person, and to reception
	PublicScreen Purpose = "public_screen" // show surname and honorific on the wall
	Marketing    Purpose = "marketing"     // choose offers by what we know
	SurveyLink   Purpose = "survey_link"   // tie survey answers to the person
	ShareMerch   Purpose = "share_with_merchants"
)

// Purposes lists all of them in the order in which they are asked.
var Purposes = []Purpose{Recognise, GreetByName, PublicScreen, Marketing, SurveyLink, ShareMerch}

// Title is how a person is addressed.
type Title string

// The titles.
const (
	NoTitle Title = ""
	Mr      Title = "mr"
	Ms      Title = "ms"
	Teacher Title = "teacher" // 老师
	Doctor  Title = "doctor"
)

// Forms maps a shorter form of a number to the longest: both are tags, but one card.
type Forms map[tag.ID]tag.ID

// Member is what a store may know. The zero values mean "not known".
type Member struct {
	ID           ID        `json:"id"`
	Tags         []tag.ID  `json:"tags"`
	Blocked      []tag.ID  `json:"blocked,omitempty"` // lost or stolen: staff are told when one turns up, and nobody is greeted
	Shared       []tag.ID  `json:"shared,omitempty"`  // shorter forms that others, whom a store need not know, have too: nobody's
	Forms        Forms     `json:"forms,omitempty"`   // which of Tags and Blocked are shorter forms of a card's number, and of which card's
	Family       string    `json:"family"`
	FamilyLatin  string    `json:"family_latin,omitempty"` // "Wang" for 王: what English texts say; empty when Family is Latin already
	Given        string    `json:"given,omitempty"`
	Title        Title     `json:"title,omitempty"`
	Language     string    `json:"language,omitempty"`     // "zh-CN", "en"
	Tier         string    `json:"tier,omitempty"`         // "silver", "gold", "diamond"; staff see it, screens never
	Birthday     MonthDay  `json:"birthday,omitzero"`      // no year: a shop need not know the age
	Since        time.Time `json:"since,omitzero"`         // joined
	ContractEnds time.Time `json:"contract_ends,omitzero"` // the day
	NoGreeting   bool      `json:"no_greeting,omitempty"`  // "do not greet me": screens stay neutral, staff are told
	Consents     []Purpose `json:"consents"`               // those given; all others are refused
	ConsentText  string    `json:"consent_text,omitempty"` // version of the text that was agreed to
	Was          []ID      `json:"was,omitempty"`          // what stores called them before it was known that it is one person
}
