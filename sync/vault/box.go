package vault

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// Limits of a file that holds a box key, in bytes.
const (
	minBox = 32
	maxBox = 4096
)

// Box is the key of the box, under which the keys of persons are kept.
type Box struct {
	From   string // the file that it is from
	secret []byte
}

// ReadBox reads a box key: any 32 to 4,096 bytes. White space at the end does not count.
func ReadBox(path string) (Box, error) {
	f, err := os.Open(path)
	if err != nil {
		return Box{}, fmt.Errorf("read the box key: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBox+1))
	if err != nil {
		return Box{}, fmt.Errorf("read the box key: %w", err)
	}
	material := bytes.TrimRight(data, " \t\r\n")
	if len(material) < minBox || len(data) > maxBox {
		return Box{}, fmt.Errorf("read the box key %s: it has %d bytes, want %d to %d (make one with: foyer keys new FILE)", path, len(data), minBox, maxBox)
	}
	secret, err := hkdf.Key(sha256.New, material, nil, "foyer box key 1", keyBytes)
	return Box{path, secret}, err
}

// MakeBox makes a box key, durably, in a file that must not be there, and reads it.
func MakeBox(path string) (Box, error) {
	secret := make([]byte, keyBytes)
	rand.Read(secret)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return Box{}, fmt.Errorf("make a box key: %w", err)
	}
	_, err = f.WriteString(hex.EncodeToString(secret) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = syncFolder(path)
	}
	if err != nil {
		return Box{}, errors.Join(fmt.Errorf("make a box key: %w", err), os.Remove(path))
	}
	return ReadBox(path)
}

func (b Box) wrap() cipher.AEAD { return aead(b.secret) }
