package hq

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"foyer/sync/wire"
)

// Files in the data folder.
const (
	DatabaseFile   = "hq.db"
	signingFile    = "signing.key" // Ed25519, as wire.FormatPrivateKey writes it; mode 0600
	publicFile     = "signing.pub" // as wire.FormatPublicKey writes them, for the stores: two while the key is being changed
	adminTokenFile = "admin.token" // what opens the console; mode 0600
)

// signer is the key that headquarters signs snapshots with.
type signer struct {
	id  string
	key ed25519.PrivateKey
}

// openSigner reads the signing key, or makes one at the first start, and sees that its public half is among those for stores.
func openSigner(dir string) (signer, error) {
	path := filepath.Join(dir, signingFile)
	text, err := secretFile(path, func() string {
		_, key, _ := ed25519.GenerateKey(nil) // the system's randomness never fails
		return wire.FormatPrivateKey(key)
	})
	if err != nil {
		return signer{}, fmt.Errorf("signing key: %w", err)
	}
	key, err := wire.ParsePrivateKey(text)
	if err != nil {
		return signer{}, fmt.Errorf("%s: %w; stores trust this key, so restore it from a backup", path, err)
	}
	public := key.Public().(ed25519.PublicKey)
	return signer{wire.KeyID(public), key}, trust(dir, public)
}

// secretFile returns the text of a file that only its owner may read, made by fresh at the first start.
func secretFile(path string, fresh func() string) (string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		made := fresh()
		return strings.TrimSpace(made), ReplaceFile(path, strings.TrimSpace(made)+"\n", 0o600)
	}
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("%s may be read by others (mode %04o): chmod 600 it, and make a new one if they did", path, info.Mode().Perm())
	}
	return strings.TrimSpace(string(text)), err
}

// ReplaceFile writes a file so that it is there whole or not at all.
func ReplaceFile(path, text string, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // no effect after the rename
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
