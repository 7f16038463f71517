package api

import (
	"fmt"
	"net/http"
)

// Code is the reason of a Problem in one word: a face translates it, a program branches on it.
type Code string

// The codes. Each has one HTTP status.
const (
	CodeInvalid     Code = "invalid"      // 400: the request itself is wrong
	CodeSignIn      Code = "sign_in"      // 401: no token, or a wrong one
	CodeForbidden   Code = "forbidden"    // 403: this token may not see this face
	CodeNotFound    Code = "not_found"    // 404: no such visit, face or page
	CodeWrongMethod Code = "wrong_method" // 405
	CodeTaken       Code = "taken"        // 409: somebody else claimed the card first
	CodeOver        Code = "over"         // 409: the visit is served or has left
	CodeNotYours    Code = "not_yours"    // 409: claimed by somebody else, so not yours to release or finish
	CodeNoMember    Code = "no_member"    // 404: no such member, or they do not want to be recognised
	CodeUnproved    Code = "unproved"     // 409: a card is handed out only to who was shown to be the member
	CodeNotShown    Code = "not_shown"    // 409: the card was not shown in the last half minute
	CodeCardTaken   Code = "card_taken"   // 409: another member has the card
	CodeCardTheirs  Code = "card_theirs"  // 409: the member has it already
	CodeCardLost    Code = "card_lost"    // 409: it is reported lost; only its member gets it back
	CodeCardClashes Code = "card_clashes" // 409: several members claim it; headquarters must settle that
	CodeCardMany    Code = "card_many"    // 409: the member has as many as one may
	CodeCardGone    Code = "card_gone"    // 409: the member does not have it any more
	CodeCardSame    Code = "card_same"    // 409: a card cannot take its own place
	CodeWrongCode   Code = "wrong_code"   // 409: the kiosk shows another code
	CodeTooLarge    Code = "too_large"    // 413
	CodeNotJSON     Code = "not_json"     // 415
	CodeSlowDown    Code = "slow_down"    // 429: too many wrong tokens from one address
	CodeInternal    Code = "internal"     // 500: our fault; the log says more
	CodeBusy        Code = "busy"         // 503: cannot be done now; try again
)

var statuses = map[Code]int{
	CodeInvalid:     http.StatusBadRequest,
	CodeSignIn:      http.StatusUnauthorized,
	CodeForbidden:   http.StatusForbidden,
	CodeNotFound:    http.StatusNotFound,
	CodeWrongMethod: http.StatusMethodNotAllowed,
	CodeTaken:       http.StatusConflict,
	CodeOver:        http.StatusConflict,
	CodeNotYours:    http.StatusConflict,
	CodeNoMember:    http.StatusNotFound,
	CodeUnproved:    http.StatusConflict,
	CodeNotShown:    http.StatusConflict,
	CodeCardTaken:   http.StatusConflict,
	CodeCardTheirs:  http.StatusConflict,
	CodeCardLost:    http.StatusConflict,
	CodeCardClashes: http.StatusConflict,
	CodeCardMany:    http.StatusConflict,
	CodeCardGone:    http.StatusConflict,
	CodeCardSame:    http.StatusConflict,
	CodeWrongCode:   http.StatusConflict,
	CodeTooLarge:    http.StatusRequestEntityTooLarge,
	CodeNotJSON:     http.StatusUnsupportedMediaType,
	CodeSlowDown:    http.StatusTooManyRequests,
	CodeInternal:    http.StatusInternalServerError,
	CodeBusy:        http.StatusServiceUnavailable,
}

// NewProblem makes a Problem from its code; the detail says what, where and what to do. A code that is not in the
// list counts as CodeInternal.
func NewProblem(code Code, detail string) *Problem {
	status, ok := statuses[code]
	if !ok {
		code, status = CodeInternal, http.StatusInternalServerError
	}
	return &Problem{Status: status, Title: http.StatusText(status), Code: code, Detail: detail}
}

// Error makes a Problem an error: the same value travels from whoever refuses, over the wire, to whoever asked.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return fmt.Sprintf("%d %s", p.Status, p.Title)
	}
	return fmt.Sprintf("%d %s: %s", p.Status, p.Title, p.Detail)
}
