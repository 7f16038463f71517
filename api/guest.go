package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"unicode"
	"unicode/utf8"
)

// Recognise is the purpose without which none of the others means anything.
const Recognise = "recognise"

// Purposes lists what a member may allow, each by itself, in the order in which they are asked.
var Purposes = []string{Recognise, "greet_by_name", "public_screen", "marketing", "survey_link", "share_with_merchants"}

// Titles lists how somebody may be addressed; none of them is a choice too.
var Titles = []string{"ms", "mr", "teacher", "doctor"}

// Bounds of a SignUp, in characters.
const (
	MinPhone = 11
	MaxPhone = 17
	MaxName  = 40
	maxKey   = 64
)

// mobile is a number of mainland China, or any other country's after 00.
var mobile = regexp.MustCompile(`^(1[3-9][0-9]{9}|00[1-9][0-9]{8,14})$`)

// ValidPhone reports whether s can be a mobile number: eleven digits of mainland China, or 00 and another country's number.
func ValidPhone(s string) bool { return mobile.MatchString(s) }

// SignUp is the body of POST /v1/kiosk/signups: somebody becomes a member.
type SignUp struct {
	Key      string   `json:"key"` // made by the screen, one a form: sent twice, it is taken once
	Language string   `json:"language"`
	Fourteen bool     `json:"fourteen"` // who is younger comes with their parents
	Phone    string   `json:"phone"`
	Name     string   `json:"name"`            // as they write it: 王小明, Anna Lindqvist
	Title    string   `json:"title,omitempty"` // of Titles
	Consents []string `json:"consents"`        // of Purposes: those given; all others are refused
	Text     string   `json:"text"`            // version of the words that were agreed to
}

// Check tells what is wrong with a form. It repeats nothing of what was written.
func (s SignUp) Check() error {
	var faults []error
	fault := func(bad bool, text string) {
		if bad {
			faults = append(faults, errors.New(text))
		}
	}
	fault(!short(s.Key, maxKey), `"key": want 1 to 64 characters that name the form`)
	fault(!short(s.Language, 16), `"language": want a tag like en or zh-CN`)
	fault(!s.Fourteen, `"fourteen": who is younger cannot join here`)
	fault(!ValidPhone(s.Phone), `"phone": want 11 digits of mainland China, or 00 and the number with its country`)
	fault(!short(s.Name, MaxName), fmt.Sprintf(`"name": want 1 to %d characters on one line`, MaxName))
	fault(s.Title != "" && !slices.Contains(Titles, s.Title), fmt.Sprintf(`"title": want one of %q, or none`, Titles))
	fault(len(s.Consents) > len(Purposes), `"consents": want each once`)
	for i, c := range s.Consents[:min(len(s.Consents), len(Purposes))] {
		fault(!slices.Contains(Purposes, c) || slices.Contains(s.Consents[:i], c), fmt.Sprintf(`"consents": want some of %q, each once`, Purposes))
	}
	fault(!short(s.Text, 64), `"text": want the version of what was agreed to`)
	return errors.Join(faults...)
}

func short(s string, most int) bool {
	if n := utf8.RuneCountInString(s); n == 0 || n > most || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// Joined is the answer to a SignUp.
type Joined struct {
	Signup string `json:"signup"` // names it: the greeting by a new card bears it
	Code   string `json:"code"`   // staff ask for it, to be sure that the number is theirs
	Name   Text   `json:"name"`   // how the person is called
	Card   bool   `json:"card"`   // a new card that is held to a reader now becomes theirs
}

// CardedIs is the kind of event that tells a newcomer's card; kiosk only.
const CardedIs Kind = "carded" // Carded

// Carded tells that the card which a newcomer held to a reader is theirs now.
type Carded struct {
	Signup string `json:"signup"`
}

// Help is the body of POST /v1/kiosk/help: somebody at the kiosk wants somebody of the staff.
type Help struct {
	Language string `json:"language"`
	Visit    string `json:"visit,omitempty"`
}

// The kinds of a Notice.
const (
	LostCard  = ""          // a lost or stolen card turned up
	CalledFor = "called"    // somebody at the kiosk asks for help
	Newcomer  = "new_guest" // somebody has become a member, and their number is to be confirmed
)

// Confirm is the body of POST /v1/reception/newcomers/{id}/confirm: staff made sure that the number is the person's.
type Confirm struct {
	By   string `json:"by"`
	Code string `json:"code"` // as the kiosk shows it
}

// SignUp makes somebody a member. A *Problem says in its code why it is refused.
func (c *Client) SignUp(ctx context.Context, s SignUp) (Joined, error) {
	var j Joined
	if err := c.ask(ctx, http.MethodPost, "/v1/kiosk/signups", s, &j); err != nil {
		return Joined{}, fmt.Errorf("sign up: %w", err)
	}
	return j, nil
}

// CallStaff asks for somebody at the kiosk.
func (c *Client) CallStaff(ctx context.Context, h Help) error {
	if err := c.ask(ctx, http.MethodPost, "/v1/kiosk/help", h, nil); err != nil {
		return fmt.Errorf("call staff: %w", err)
	}
	return nil
}

// ConfirmNewcomer says that a new member's number is theirs. A *Problem says in its code why it is refused.
func (c *Client) ConfirmNewcomer(ctx context.Context, id string, confirm Confirm) error {
	if err := c.ask(ctx, http.MethodPost, "/v1/reception/newcomers/"+url.PathEscape(id)+"/confirm", confirm, nil); err != nil {
		return fmt.Errorf("confirm a new member's number: %w", err)
	}
	return nil
}
