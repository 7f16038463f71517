package wire

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Key files are text, one key a line; empty lines and lines that begin with # are left out:
//
//	foyer-ed25519-public  <44 characters of base64: 32 bytes>
//	foyer-ed25519-private <44 characters of base64: the 32-byte seed>
//
// A store's file may hold several public keys: while headquarters changes its key, both.
const (
	publicWord  = "foyer-ed25519-public"
	privateWord = "foyer-ed25519-private"
)

// KeyIDBytes is the length of a key id: enough to tell a chain's few keys apart; the signature is what proves.
const KeyIDBytes = 8

// KeyID names a public key: the first 8 bytes of its SHA-256, in hex.
func KeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:KeyIDBytes])
}

// FormatPublicKey is a line of a store's key file.
func FormatPublicKey(key ed25519.PublicKey) string {
	return publicWord + " " + base64.StdEncoding.EncodeToString(key) + "\n"
}

// FormatPrivateKey is headquarters' key file.
func FormatPrivateKey(key ed25519.PrivateKey) string {
	return privateWord + " " + base64.StdEncoding.EncodeToString(key.Seed()) + "\n"
}

// ParsePublicKeys reads a store's key file: the trusted keys by their ids, at least one.
func ParsePublicKeys(text string) (map[string]ed25519.PublicKey, error) {
	keys := map[string]ed25519.PublicKey{}
	err := eachKey(text, publicWord, ed25519.PublicKeySize, func(b []byte) { keys[KeyID(b)] = b })
	if err != nil {
		return nil, fmt.Errorf("public keys: %w", err)
	}
	return keys, nil
}

// ParsePrivateKey reads headquarters' key file, which holds exactly one key.
func ParsePrivateKey(text string) (ed25519.PrivateKey, error) {
	var seeds [][]byte
	err := eachKey(text, privateWord, ed25519.SeedSize, func(b []byte) { seeds = append(seeds, b) })
	if err == nil && len(seeds) > 1 {
		err = fmt.Errorf("%d keys: want one", len(seeds))
	}
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	return ed25519.NewKeyFromSeed(seeds[0]), nil
}

// eachKey never puts a line's contents into an error: it might be a private key in the wrong file.
func eachKey(text, word string, size int, take func([]byte)) error {
	n, found := 0, false
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		n++
		fields := strings.Fields(lines.Text())
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if fields[0] != word {
			return fmt.Errorf("line %d: want it to begin with %q%s", n, word, swapped(fields[0], word))
		}
		if len(fields) != 2 {
			return fmt.Errorf("line %d: want the key after %q, and nothing else", n, word)
		}
		b, err := base64.StdEncoding.Strict().DecodeString(fields[1])
		if err != nil || len(b) != size {
			return fmt.Errorf("line %d: want %d bytes in base64 after %q", n, size, word)
		}
		found = true
		take(b)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	if !found {
		return errors.New("there is none (make one with: foyer keys new)")
	}
	return nil
}

func swapped(found, wanted string) string {
	if found != wanted && (found == publicWord || found == privateWord) {
		return fmt.Sprintf(" (this is a file for %s)", found)
	}
	return ""
}
