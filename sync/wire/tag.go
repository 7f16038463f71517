package wire

import "foyer/reader/tag"

// TagChange is what staff did with a member's tags: the audit's line, and what it makes of each form of a tag's number.
// Tags are hashes under the chain's key. The words are those of shop/binding.
type TagChange struct {
	Kind   string    `json:"kind"` // "bound", "replaced", "blocked", "unbound"
	Member string    `json:"member"`
	Reason string    `json:"reason"`
	By     string    `json:"by"`               // of staff
	Proved string    `json:"proved,omitempty"` // how it was made sure who this is; none where nothing was handed out
	Clash  bool      `json:"clash,omitempty"`  // a shorter form is another member's too
	Marks  []TagMark `json:"marks"`
}

// TagMark is what a change makes of one tag.
type TagMark struct {
	Tag   tag.ID `json:"tag"`
	State string `json:"state"`           // "bound", "blocked", "unbound", "shared"
	Of    tag.ID `json:"of,omitzero"`     // Tag is a shorter form of this one
	Found bool   `json:"found,omitempty"` // bound again after it was blocked
}

// BlockedTag is a lost or stolen tag that turned up.
type BlockedTag struct {
	Member        string `json:"member,omitempty"`
	Zone          string `json:"zone,omitempty"`
	By            string `json:"by,omitempty"` // who of staff dealt with it
	WaitedSeconds int    `json:"waited_seconds,omitempty"`
}
