package wire

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"foyer/reader/tag"
	"foyer/sync/known"
)

// A store holds its regulars. Of anybody else it asks, with MemberAsk on Place.Ask(MemberTopic), and is answered with a sealed
// snapshot of kind MemberTopic on Place.Down(MemberTopic), made for this store and this question alone and never retained.
// So that a stranger's tag is not asked for, headquarters retains a snapshot of Known: digests of a filter of all tags, and
// of a list of those that came since. Both are fetched in parts, with ChunkAsk and Chunk on KnownParts: the list only grows
// while the filter is the same, so that a store that has its beginning asks for the rest.
const (
	MemberTopic = "member" // MemberAsk; MemberBody
	Known       = "known"  // KnownBody
	KnownParts  = "known-part"
)

// maxAskedTags is how many forms of a number one question has: the longest, and the shorter one that a profile allows.
const maxAskedTags = 2

// Nonce ties an answer to a question. In text it is 32 hex digits.
type Nonce [16]byte

// NewNonce is one that nobody can guess.
func NewNonce() (n Nonce) {
	rand.Read(n[:]) // never fails
	return n
}

func (n Nonce) String() string { return hex.EncodeToString(n[:]) }

// MarshalText writes hex digits.
func (n Nonce) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText reads 32 lower-case hex digits.
func (n *Nonce) UnmarshalText(text []byte) error {
	var out Nonce
	if k, err := hex.Decode(out[:], text[:min(len(text), 2*len(out))]); err != nil || k != len(out) || out.String() != string(text) {
		return fmt.Errorf("nonce %.40q: want %d lower-case hex digits", text, 2*len(out))
	}
	*n = out
	return nil
}

// MemberAsk asks whose a tag is: by its number's longest form first. They are hashes under the chain's key.
type MemberAsk struct {
	V     int      `json:"v"`
	Nonce Nonce    `json:"nonce"`
	Tags  []tag.ID `json:"tags"`
}

// MemberBody is the body of the answer.
type MemberBody struct {
	Nonce  Nonce           `json:"nonce"`
	Tags   []tag.ID        `json:"tags"`             // as they were asked for
	Member json.RawMessage `json:"member,omitempty"` // a member.Member; none: nobody's, or nobody's who may be recognised
}

// EncodeMemberAsk encodes a question.
func EncodeMemberAsk(a MemberAsk) ([]byte, error) {
	a.V = Version
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("encode question for a member: %w", err)
	}
	return encode(a)
}

// DecodeMemberAsk decodes a question.
func DecodeMemberAsk(data []byte) (MemberAsk, error) {
	var a MemberAsk
	if err := decode(data, maxShort, &a); err != nil {
		return MemberAsk{}, fmt.Errorf("decode question for a member: %w: %w", ErrFormat, err)
	}
	if err := a.check(); err != nil {
		return MemberAsk{}, fmt.Errorf("decode question for a member: %w: %w", ErrFormat, err)
	}
	return a, nil
}

func (a MemberAsk) check() error {
	if a.V != Version {
		return fmt.Errorf("protocol version %d: want %d", a.V, Version)
	}
	return checkAsked(a.Nonce, a.Tags)
}

func checkAsked(nonce Nonce, tags []tag.ID) error {
	if nonce == (Nonce{}) {
		return fmt.Errorf("want a nonce")
	}
	if len(tags) < 1 || len(tags) > maxAskedTags || slices.ContainsFunc(tags, tag.ID.IsZero) {
		return fmt.Errorf("%d tags: want 1 to %d, none of them zero", len(tags), maxAskedTags)
	}
	return nil
}

// Member decodes the body of an answer. Whether the member makes sense is member.NewBook's to say.
func (s Snapshot) Member() (MemberBody, error) {
	var b MemberBody
	if err := s.body(MemberTopic, &b); err != nil {
		return MemberBody{}, err
	}
	if err := checkAsked(b.Nonce, b.Tags); err != nil {
		return MemberBody{}, fmt.Errorf("%s: %w: %w", MemberTopic, ErrFormat, err)
	}
	if len(b.Member) > MaxRecord {
		return MemberBody{}, fmt.Errorf("%s: %w: a member of %d bytes", MemberTopic, ErrFormat, len(b.Member))
	}
	return b, nil
}

// Answers reports whether the body is the answer to a question.
func (b MemberBody) Answers(a MemberAsk) bool {
	return b.Nonce == a.Nonce && slices.Equal(b.Tags, a.Tags)
}

// KnownBody says which tags may be a member's: by the digests of known.Filter.Bytes, and of the list that With takes. Without a
// filter, none is asked for: a chain that sends all members to all stores has none.
type KnownBody struct {
	Tags      int    `json:"tags"` // in the filter and the list
	Filter    Digest `json:"filter"`
	FilterLen int64  `json:"filter_len"`
	List      Digest `json:"list"`
	ListLen   int64  `json:"list_len"`
}

// Known decodes the body of a Known snapshot.
func (s Snapshot) Known() (KnownBody, error) {
	var b KnownBody
	if err := s.body(Known, &b); err != nil {
		return KnownBody{}, err
	}
	if b.Tags < 0 || b.FilterLen < 0 || b.FilterLen > known.MaxBytes || b.ListLen < 0 || b.ListLen > known.MaxAdditions || b.ListLen%known.MarkBytes != 0 {
		return KnownBody{}, fmt.Errorf("%s: %w: a filter of %d bytes, a list of %d", Known, ErrFormat, b.FilterLen, b.ListLen)
	}
	return b, nil
}
