// Package campaign is one thing that headquarters wants said to some people for some time.
//
// In: a Campaign as headquarters wrote it, and the facts of one visit. Out: does it apply, and the typed reason.
// Audience rules are CEL over Facts with a cost limit. The same Compile runs at headquarters before publishing and at the
// store before applying. It never has side effects, reads no clock and no disk.
// Called by shop/greeting, shop, sync/wire, hq.
//
// A rule is one CEL expression that gives true or false, over the variables that Variables lists:
//
//	member.tier in ["gold", "diamond"] && member.days_to_contract_end <= 30
//
// A field that does not exist, a rule that is not a yes or no, and a rule whose worst case costs more than MaxCost are
// refused by Compile. The plain rule "true" makes a campaign public: it is for everybody, and only such campaigns are
// shown on the wall or to members who did not agree to personal offers.
package campaign

import "time"

// Campaign is one message with its audience and its time. Texts are keyed by language tag; zh-CN and en must both be there.
type Campaign struct {
	ID       string             `json:"id"`       // lower-case letters, digits and dashes
	Name     string             `json:"name"`     // for staff at headquarters
	Audience string             `json:"audience"` // CEL over Facts; "true" is everybody: a public campaign
	Starts   time.Time          `json:"starts"`
	Ends     time.Time          `json:"ends"`              // mandatory, after Starts
	Stores   []string           `json:"stores,omitempty"`  // none is all
	Priority int                `json:"priority"`          // higher wins; ties go to the smaller ID
	PerDay   int                `json:"per_day,omitempty"` // at most in so many visits of a member and day; 0 is 1
	Art      string             `json:"art"`               // one of Arts
	Content  map[string]Content `json:"content"`
}

// Content is a campaign in one language. Public texts (Title, Text) may carry {name} and nothing else of a person.
type Content struct {
	Title string `json:"title"`           // at most 24 runes: the offer's headline on kiosk and wall
	Text  string `json:"text"`            // at most 80 runes: one or two lines below it
	Hello string `json:"hello,omitempty"` // replaces the greeting's second line at the kiosk, at most 40 runes
	Talk  string `json:"talk"`            // what reception may say, at most 160 runes
}

// Arts are the motifs that the screens can draw for an offer.
var Arts = []string{"phone", "data", "gift", "music", "video", "home", "star", "cup"}
