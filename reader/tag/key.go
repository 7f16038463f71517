package tag

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// keyBytes is the length of a chain key: the block of HMAC-SHA-256's output, RFC 2104 section 3.
const keyBytes = 32

// Key hashes raw numbers. All stores of a chain share one, so a card enrolled in one shop is known in the next.
// A Key is not safe for concurrent use: each reader session has its own.
type Key struct {
	mac hash.Hash
	sum [sha256.Size]byte
	msg [2 + MaxBytes]byte
}

// NewKey returns a key for secret, which must be 32 bytes.
func NewKey(secret []byte) (*Key, error) {
	if len(secret) != keyBytes {
		return nil, fmt.Errorf("tag key of %d bytes: want %d", len(secret), keyBytes)
	}
	return &Key{mac: hmac.New(sha256.New, secret)}, nil
}

// ParseSecret reads a key file's text: 64 hex digits, white space around them ignored.
func ParseSecret(text string) ([]byte, error) {
	secret, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(secret) != keyBytes {
		return nil, fmt.Errorf("tag key: want %d hex digits (make one with: foyer keys new)", 2*keyBytes)
	}
	return secret, nil
}

// NewSecret makes a new chain key, as the text of a key file.
func NewSecret() string {
	b := make([]byte, keyBytes)
	rand.Read(b) // never fails since Go 1.24
	return hex.EncodeToString(b) + "\n"
}

// ID returns the keyed hash of n. A zero number gives a zero ID. It does not allocate.
func (k *Key) ID(n Number) ID {
	if n.IsZero() {
		return ID{}
	}
	k.msg[0], k.msg[1] = byte(n.scheme), n.n
	copy(k.msg[2:], n.b[:n.n])
	k.mac.Reset()
	k.mac.Write(k.msg[:2+int(n.n)])
	var id ID
	copy(id[:], k.mac.Sum(k.sum[:0]))
	return id
}
