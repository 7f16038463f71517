package wire

// SignUp is somebody who became a member at a kiosk. It is the one record that names a person: headquarters makes them a
// member by it, and no other store learns more than their name.
type SignUp struct {
	Signup   string   `json:"signup"` // names it
	Member   string   `json:"member"` // what the store calls them
	Phone    string   `json:"phone"`
	Family   string   `json:"family,omitempty"`
	Given    string   `json:"given,omitempty"`
	Title    string   `json:"title,omitempty"`
	Language string   `json:"language"`
	Consents []string `json:"consents"` // of shop/member's purposes: those given; all others are refused
	Text     string   `json:"text"`     // version of the words that were agreed to
}

// Confirmed says that staff made sure that a newcomer's number is theirs.
type Confirmed struct {
	Member string `json:"member"`
	By     string `json:"by"` // of staff
}

// StaffCall is somebody at a kiosk who asked for help, or who of staff went.
type StaffCall struct {
	Visit         string `json:"visit,omitempty"` // none for a walk-in
	Language      string `json:"language,omitempty"`
	By            string `json:"by,omitempty"`
	WaitedSeconds int    `json:"waited_seconds,omitempty"`
}
