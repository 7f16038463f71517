package proof

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
)

// Secret is what a PIN or the last digits of a phone number are checked against. It holds no digits: who steals one must
// try them all. The zero Secret matches nothing.
type Secret struct {
	Salt []byte `json:"salt"`
	Hash []byte `json:"hash"`
}

// Digits that a secret may have.
const (
	MinDigits = 4
	MaxDigits = 8
)

const (
	saltBytes = 16
	rounds    = 100_000 // tens of milliseconds: a person does not notice, who tries all of them does
)

// ErrDigits says that what was typed cannot be a secret.
var ErrDigits = fmt.Errorf("want %d to %d decimal digits", MinDigits, MaxDigits)

// NewSecret makes the secret for some digits.
func NewSecret(digits string) (Secret, error) {
	if !isDigits(digits) {
		return Secret{}, ErrDigits
	}
	s := Secret{Salt: make([]byte, saltBytes)}
	rand.Read(s.Salt) // never fails since Go 1.24
	var err error
	s.Hash, err = s.hash(digits)
	return s, err
}

// Matches reports whether these are the digits, in the same time whether or not they are.
func (s Secret) Matches(digits string) bool {
	if len(s.Salt) != saltBytes || len(s.Hash) != sha256.Size || !isDigits(digits) {
		return false
	}
	hash, err := s.hash(digits)
	return err == nil && subtle.ConstantTimeCompare(hash, s.Hash) == 1
}

func (s Secret) hash(digits string) ([]byte, error) {
	hash, err := pbkdf2.Key(sha256.New, digits, s.Salt, rounds, sha256.Size)
	if err != nil {
		return nil, errors.New("hash a secret: this machine's cryptography refuses it")
	}
	return hash, nil
}

func isDigits(s string) bool {
	return len(s) >= MinDigits && len(s) <= MaxDigits && strings.Trim(s, "0123456789") == ""
}
