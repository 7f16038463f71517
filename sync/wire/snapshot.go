package wire

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"foyer/shop/campaign"
	"foyer/shop/member"
)

// The kinds of snapshots.
const (
	Members   = "members"   // MembersBody
	Campaigns = "campaigns" // CampaignsBody
)

// Limits of a snapshot.
const (
	MaxSealed    = 8 << 20  // bytes on the wire
	MaxOpened    = 16 << 20 // bytes of JSON
	MaxMembers   = 100_000
	MaxCampaigns = 1000
)

// Why a snapshot cannot be opened, next to ErrFormat.
var (
	ErrForged     = errors.New("its signature is not that of its key")
	ErrUnknownKey = errors.New("it is signed with a key that this store does not trust")
	ErrTooLarge   = errors.New("it is too large")
	ErrElsewhere  = errors.New("it is meant for somebody else")
)

// Snapshot is the whole of one kind of data, as headquarters has decided it. Only MembersDelta carries a change.
type Snapshot struct {
	Kind    string          `json:"kind"`
	Chain   string          `json:"chain"`
	Store   string          `json:"store,omitempty"` // none: every store of the chain
	Version uint64          `json:"version"`         // grows by any step from 1
	MadeAt  time.Time       `json:"made_at"`
	Body    json.RawMessage `json:"body"`
}

// MembersBody is the body of Members.
type MembersBody struct {
	Members []member.Member `json:"members"`
}

// CampaignsBody is the body of Campaigns.
type CampaignsBody struct {
	Campaigns []campaign.Campaign `json:"campaigns"`
}

// NewSnapshot makes a snapshot of a body, which must be one of the structs above.
func NewSnapshot(kind, chain string, version uint64, at time.Time, body any) (Snapshot, error) {
	b, err := encode(body)
	if err != nil {
		return Snapshot{}, fmt.Errorf("make snapshot %s: %w", kind, err)
	}
	return Snapshot{Kind: kind, Chain: chain, Version: version, MadeAt: at.UTC(), Body: b}, nil
}

// The envelope: magic 4, envelope format 1, key id 8, signature 64, then the gzipped JSON of the Snapshot. The signature is over
// magic, format, key id and all that follows the signature: nothing unsigned is ever unpacked or parsed.
const (
	magic          = "FYSN"
	envelopeFormat = 1
	headLength     = len(magic) + 1 + KeyIDBytes
	bodyAt         = headLength + ed25519.SignatureSize
)

// Seal signs and packs a snapshot.
func Seal(s Snapshot, keyID string, key ed25519.PrivateKey) ([]byte, error) {
	data, err := s.seal(keyID, key)
	if err != nil {
		return nil, fmt.Errorf("seal snapshot %s: %w", s.Kind, err)
	}
	return data, nil
}

func (s Snapshot) seal(keyID string, key ed25519.PrivateKey) ([]byte, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	id, err := hex.DecodeString(keyID)
	if err != nil || len(id) != KeyIDBytes || len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("key %.40q: want an Ed25519 key and its id of %d hex digits", keyID, 2*KeyIDBytes)
	}
	text, err := encode(s)
	if err != nil {
		return nil, err
	}
	if len(text) > MaxOpened {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(text), MaxOpened)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(text); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	head := append(append([]byte(magic), envelopeFormat), id...)
	data := append(head, ed25519.Sign(key, append(bytes.Clone(head), packed.Bytes()...))...)
	if data = append(data, packed.Bytes()...); len(data) > MaxSealed {
		return nil, fmt.Errorf("%w: %d bytes packed, at most %d", ErrTooLarge, len(data), MaxSealed)
	}
	return data, nil
}

// Open verifies and unpacks a snapshot. keys are the trusted public keys by their ids. The error is ErrTooLarge, ErrFormat,
// ErrUnknownKey or ErrForged.
func Open(data []byte, keys map[string]ed25519.PublicKey) (Snapshot, error) {
	packed, err := verify(data, keys)
	if err != nil {
		return Snapshot{}, fmt.Errorf("open snapshot: %w", err)
	}
	text, err := unpack(packed)
	if err != nil {
		return Snapshot{}, fmt.Errorf("open snapshot: %w", err)
	}
	var s Snapshot
	if err := decode(text, MaxOpened, &s); err != nil {
		return Snapshot{}, fmt.Errorf("open snapshot: %w: %w", ErrFormat, err)
	}
	if err := s.check(); err != nil {
		return Snapshot{}, fmt.Errorf("open snapshot: %w: %w", ErrFormat, err)
	}
	return s, nil
}

// verify returns what was signed, still packed.
func verify(data []byte, keys map[string]ed25519.PublicKey) ([]byte, error) {
	if len(data) > MaxSealed {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(data), MaxSealed)
	}
	if len(data) < bodyAt || string(data[:len(magic)]) != magic {
		return nil, fmt.Errorf("%w: no sealed snapshot", ErrFormat)
	}
	if v := data[len(magic)]; v != envelopeFormat {
		return nil, fmt.Errorf("%w: envelope version %d, this program knows %d", ErrFormat, v, envelopeFormat)
	}
	id := hex.EncodeToString(data[len(magic)+1 : headLength])
	key, ok := keys[id]
	if !ok || len(key) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("%w (key %s)", ErrUnknownKey, id)
	}
	packed := data[bodyAt:]
	signed := append(bytes.Clone(data[:headLength]), packed...)
	if !ed25519.Verify(key, signed, data[headLength:bodyAt]) {
		return nil, fmt.Errorf("%w (key %s)", ErrForged, id)
	}
	return packed, nil
}

func unpack(packed []byte) ([]byte, error) {
	in := bytes.NewReader(packed)
	z, err := gzip.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("%w: unpack: %w", ErrFormat, err)
	}
	z.Multistream(false)
	text, err := io.ReadAll(io.LimitReader(z, MaxOpened+1))
	if err != nil {
		return nil, fmt.Errorf("%w: unpack: %w", ErrFormat, err)
	}
	if len(text) > MaxOpened {
		return nil, fmt.Errorf("%w: more than %d bytes unpacked", ErrTooLarge, MaxOpened)
	}
	if in.Len() > 0 {
		return nil, fmt.Errorf("%w: something follows its end", ErrFormat)
	}
	return text, nil
}

func (s Snapshot) check() error {
	if !validName(s.Kind) || !validName(s.Chain) || s.Store != "" && !validName(s.Store) {
		return fmt.Errorf("kind %.40q, chain %.40q, store %.40q: want 1 to 32 lower-case letters, digits or dashes", s.Kind, s.Chain, s.Store)
	}
	if s.Version < 1 || s.Version > math.MaxInt64 {
		return fmt.Errorf("version %d: want 1 or more", s.Version)
	}
	if len(s.Body) == 0 || !json.Valid(s.Body) {
		return errors.New("want a body")
	}
	return checkTime("made_at", s.MadeAt)
}

// For reports, as ErrElsewhere, a snapshot that is not meant for a place.
func (s Snapshot) For(p Place) error {
	if s.Chain != p.Chain {
		return fmt.Errorf("%w: chain %s, this is chain %s", ErrElsewhere, s.Chain, p.Chain)
	}
	if s.Store != "" && s.Store != p.Store {
		return fmt.Errorf("%w: store %s, this is store %s", ErrElsewhere, s.Store, p.Store)
	}
	return nil
}

// Members decodes the body of a Members snapshot. Whether the members make sense is member.NewBook's to say.
func (s Snapshot) Members() (MembersBody, error) {
	var b MembersBody
	if err := s.body(Members, &b); err != nil {
		return MembersBody{}, err
	}
	if len(b.Members) > MaxMembers {
		return MembersBody{}, fmt.Errorf("%w: %d members, at most %d", ErrTooLarge, len(b.Members), MaxMembers)
	}
	return b, nil
}

// Campaigns decodes the body of a Campaigns snapshot. Whether they make sense is campaign.Compile's to say.
func (s Snapshot) Campaigns() (CampaignsBody, error) {
	var b CampaignsBody
	if err := s.body(Campaigns, &b); err != nil {
		return CampaignsBody{}, err
	}
	if len(b.Campaigns) > MaxCampaigns {
		return CampaignsBody{}, fmt.Errorf("%w: %d campaigns, at most %d", ErrTooLarge, len(b.Campaigns), MaxCampaigns)
	}
	return b, nil
}

func (s Snapshot) body(kind string, into any) error {
	if s.Kind != kind {
		return fmt.Errorf("%w: a snapshot of %.40q: want %s", ErrFormat, s.Kind, kind)
	}
	if err := decode(s.Body, MaxOpened, into); err != nil {
		return fmt.Errorf("%s: %w: %w", kind, ErrFormat, err)
	}
	return nil
}
