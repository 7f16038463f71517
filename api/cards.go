package api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// The kinds of events about members' cards; reception only.
const (
	ShownIs  Kind = "shown"  // Shown: the card that lies at the counter; an empty key says that there is none any more
	NoticeIs Kind = "notice" // Notice, new or changed, keyed by ID
)

// Shown is a card that was shown at a counter or a kiosk and is no member's to be greeted: it may be bound until Until.
// Nothing of its number is told.
type Shown struct {
	Key      string    `json:"key"`
	Zone     Text      `json:"zone"`
	At       time.Time `json:"at"`
	Until    time.Time `json:"until"`
	Standing string    `json:"standing"` // "unknown", "blocked" or "clashing"
}

// Notice tells staff of what waits for one of them. It stays until somebody says that it was dealt with.
type Notice struct {
	ID       string    `json:"id"`
	Kind     string    `json:"kind,omitempty"` // LostCard, CalledFor or Newcomer
	At       time.Time `json:"at"`             // when it was seen last
	Zone     Text      `json:"zone,omitempty"`
	Member   string    `json:"member,omitempty"` // whose it was, for their cards; none if that is not to be known any more
	Name     Text      `json:"name,omitempty"`
	Phone    string    `json:"phone,omitempty"`    // Newcomer: "138****5678"
	Language string    `json:"language,omitempty"` // CalledFor: what they speak
	Times    int       `json:"times"`
	By       string    `json:"by,omitempty"` // who dealt with it
}

// Search is the body of POST /v1/reception/members/search. Without a query, it asks for the members who are in the shop.
type Search struct {
	Query string `json:"query,omitempty"` // a part of a name, or a member's id
}

// Person is a member as staff look one up.
type Person struct {
	Member   string `json:"member"`           // headquarters' pseudonym
	Name     Text   `json:"name"`             // with honorific
	Masked   string `json:"masked,omitempty"` // "王**"; none for who does not want to be called by name
	TierName Text   `json:"tier_name,omitempty"`
	Here     bool   `json:"here,omitempty"` // in the shop now
	Cards    int    `json:"cards"`          // that are not lost
}

// Wallet is a member's cards, those that were lost included.
type Wallet struct {
	Person
	Held []Held `json:"held"`
}

// Held is one card: Label is for people ("K7P-3M"), ID for programs; neither is its number.
type Held struct {
	ID    string    `json:"id"`
	Label string    `json:"label"`
	Lost  bool      `json:"lost,omitempty"`
	At    time.Time `json:"at,omitzero"` // when this store changed it last
}

// CardVerb is what staff do with a member's cards.
type CardVerb string

// The verbs.
const (
	BindCard    CardVerb = "bind"    // a new card, or a lost one that was found again
	ReplaceCard CardVerb = "replace" // a new card for an old one, or for all
	BlockCard   CardVerb = "block"   // lost or stolen; without Card, all
	UnbindCard  CardVerb = "unbind"  // taken back; without Card, all
)

// CardVerbs lists them.
var CardVerbs = []CardVerb{BindCard, ReplaceCard, BlockCard, UnbindCard}

// CardChange is the body of POST /v1/reception/members/{member}/cards/{verb}.
type CardChange struct {
	By     string `json:"by"`
	Reason string `json:"reason"`          // see shop/binding
	Shown  string `json:"shown,omitempty"` // Key of the card that was shown: the new one
	Card   string `json:"card,omitempty"`  // ID of one of the member's cards: the old one, or the one that was found
	// Vouched says that By made sure who this is. Without it no card is handed out.
	Vouched bool `json:"vouched,omitempty"`
}

// SearchMembers looks members up.
func (c *Client) SearchMembers(ctx context.Context, query string) ([]Person, error) {
	var found []Person
	if err := c.ask(ctx, http.MethodPost, "/v1/reception/members/search", Search{Query: query}, &found); err != nil {
		return nil, fmt.Errorf("look members up: %w", err)
	}
	return found, nil
}

// Wallet tells a member's cards.
func (c *Client) Wallet(ctx context.Context, member string) (Wallet, error) {
	var w Wallet
	if err := c.ask(ctx, http.MethodGet, "/v1/reception/members/"+url.PathEscape(member)+"/cards", nil, &w); err != nil {
		return Wallet{}, fmt.Errorf("a member's cards: %w", err)
	}
	return w, nil
}

// ChangeCard does something with a member's cards. A *Problem says in its code why it is refused.
func (c *Client) ChangeCard(ctx context.Context, member string, verb CardVerb, change CardChange) error {
	path := "/v1/reception/members/" + url.PathEscape(member) + "/cards/" + string(verb)
	if err := c.ask(ctx, http.MethodPost, path, change, nil); err != nil {
		return fmt.Errorf("%s card: %w", verb, err)
	}
	return nil
}

// Dismiss says that somebody dealt with a notice.
func (c *Client) Dismiss(ctx context.Context, notice, by string) error {
	if err := c.ask(ctx, http.MethodPost, "/v1/reception/notices/"+url.PathEscape(notice)+"/dismiss", Claim{By: by}, nil); err != nil {
		return fmt.Errorf("dismiss notice: %w", err)
	}
	return nil
}
