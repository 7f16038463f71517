package badge

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"foyer/sync/wire"
)

// Files of the identity folder, which has mode 0700.
const (
	badgeFile     = "badge.pem"         // key, certificate, authority; one file, so that a renewal is one rename. Mode 0600
	newsFile      = "headquarters.json" // News, with the latest time that headquarters told
	authorityFile = "authority.pem"     // for tablets that are to trust the reception page; nobody here reads it
	pendingFile   = "pending.key"       // a key whose certificate has not come yet. Mode 0600
)

// ErrNotEnrolled is returned where there is no badge yet.
var ErrNotEnrolled = errors.New("this store is not enrolled")

// Badge is a key and its certificate.
type Badge struct {
	Place     wire.Place
	Leaf      *x509.Certificate
	Authority *x509.Certificate
	key       *ecdsa.PrivateKey
	pair      tls.Certificate
}

func newBadge(place wire.Place, key any, certificate, authority string) (*Badge, error) {
	leafs, err := ParseCertificates(certificate)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	roots, err := ParseCertificates(authority)
	if err != nil {
		return nil, fmt.Errorf("authority: %w", err)
	}
	k, ok := key.(*ecdsa.PrivateKey)
	if !ok || !k.PublicKey.Equal(leafs[0].PublicKey) {
		return nil, errors.New("the certificate is for another key")
	}
	if err := verifyStore(leafs[0], roots[0], place); err != nil {
		return nil, err
	}
	return &Badge{Place: place, Leaf: leafs[0], Authority: roots[0], key: k,
		pair: tls.Certificate{Certificate: [][]byte{leafs[0].Raw, roots[0].Raw}, PrivateKey: k, Leaf: leafs[0]}}, nil
}

// Folder is a store's identity folder. Safe for concurrent use.
type Folder struct {
	dir   string
	place wire.Place

	mu    sync.Mutex
	badge *Badge
	made  stamps // of the files as they were read or written
	news  News
	floor time.Time // it is not earlier than this: headquarters said so
}

// Open reads the folder of an enrolled store. The error is ErrNotEnrolled where there is no badge.
func Open(dir string, place wire.Place) (*Folder, error) {
	f := &Folder{dir: dir, place: place}
	if err := f.read(); err != nil {
		return nil, fmt.Errorf("identity folder %s: %w", dir, err)
	}
	return f, nil
}

func (f *Folder) read() error {
	path := filepath.Join(f.dir, badgeFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotEnrolled
	}
	if err != nil {
		return err
	}
	made, err := stampsOf(f.dir) // before reading: what is written meanwhile is read at the next look
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("%s may be read by others (mode %04o): enrol the store anew, its key may have been copied", badgeFile, info.Mode().Perm())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	b, err := parseBadge(f.place, text)
	if err != nil {
		return fmt.Errorf("%s: %w", badgeFile, err)
	}
	text, err = os.ReadFile(filepath.Join(f.dir, newsFile))
	if err != nil {
		return err
	}
	news, err := DecodeNews(text)
	if err != nil {
		return fmt.Errorf("%s: %w", newsFile, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.badge, f.made, f.news = b, made, news
	f.floor = latest(f.floor, news.Time, b.Leaf.NotBefore)
	return nil
}

func parseBadge(place wire.Place, text []byte) (*Badge, error) {
	key, err := parseKey(text)
	if err != nil {
		return nil, err
	}
	all, err := ParseCertificates(string(text))
	if err != nil {
		return nil, err
	}
	if len(all) != 2 {
		return nil, fmt.Errorf("%d certificates: want the store's and the authority's", len(all))
	}
	return newBadge(place, key, EncodeCertificates(all[0]), EncodeCertificates(all[1]))
}

// Reload reads the folder again if somebody has changed it: the store was enrolled anew while foyerd ran.
func (f *Folder) Reload() (changed bool, err error) {
	made, err := stampsOf(f.dir)
	if err != nil {
		return false, err
	}
	f.mu.Lock()
	same := made == f.made
	f.mu.Unlock()
	if same {
		return false, nil
	}
	return true, f.read()
}

// Badge is the badge of now.
func (f *Folder) Badge() *Badge {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.badge
}

// News is what headquarters told last.
func (f *Folder) News() News {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.news
}

// Floor is the latest moment of which headquarters has told: it is not earlier.
func (f *Folder) Floor() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.floor
}

// hear keeps news, on disk too. Time never goes back.
func (f *Folder) hear(n News) error {
	f.mu.Lock()
	f.floor = latest(f.floor, n.Time)
	n.Time = f.floor
	f.news = n
	f.mu.Unlock()
	if err := writeNews(f.dir, n); err != nil {
		return err
	}
	return f.restamp()
}

// restamp remembers the files that we wrote ourselves.
func (f *Folder) restamp() error {
	made, err := stampsOf(f.dir)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.made = made
	return err
}

// stamps tell whether somebody else has written the files: when they were made, in nanoseconds.
type stamps struct{ badge, news int64 }

func stampsOf(dir string) (stamps, error) {
	badge, err := os.Stat(filepath.Join(dir, badgeFile))
	if err != nil {
		return stamps{}, err
	}
	news, err := os.Stat(filepath.Join(dir, newsFile))
	if err != nil {
		return stamps{}, err
	}
	return stamps{badge.ModTime().UnixNano(), news.ModTime().UnixNano()}, nil
}

// put makes a badge the one of now, in one rename.
func (f *Folder) put(b *Badge) error {
	if err := writeBadge(f.dir, b); err != nil {
		return err
	}
	f.mu.Lock()
	f.badge = b
	f.floor = latest(f.floor, b.Leaf.NotBefore)
	f.mu.Unlock()
	return f.restamp()
}

func writeNews(dir string, n News) error {
	data, err := json.MarshalIndent(n, "", "  ")
	if err != nil {
		return err
	}
	return replace(filepath.Join(dir, newsFile), append(data, '\n'), 0o600)
}

func writeBadge(dir string, b *Badge) error {
	text, err := formatKey(b.key)
	if err != nil {
		return err
	}
	text = append(text, EncodeCertificates(b.Leaf, b.Authority)...)
	return errors.Join(
		replace(filepath.Join(dir, authorityFile), []byte(EncodeCertificates(b.Authority)), 0o644),
		replace(filepath.Join(dir, badgeFile), text, 0o600))
}

// pendingKey is the key that a certificate is being asked for: the one of a request whose answer was lost, or a new one. Headquarters
// answers a used code once more for the same key, so a line that broke in the wrong moment costs no second code.
func pendingKey(dir string) (*ecdsa.PrivateKey, error) {
	path := filepath.Join(dir, pendingFile)
	if text, err := os.ReadFile(path); err == nil {
		if key, err := parseKey(text); err == nil {
			return key, nil
		} // else it was not written whole
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	text, err := formatKey(key)
	if err != nil {
		return nil, err
	}
	return key, replace(path, text, 0o600)
}

func dropPendingKey(dir string) error {
	err := os.Remove(filepath.Join(dir, pendingFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func formatKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

func parseKey(text []byte) (*ecdsa.PrivateKey, error) {
	for {
		block, rest := pem.Decode(text)
		if block == nil {
			return nil, errors.New("no key in it")
		}
		if block.Type == "PRIVATE KEY" {
			any, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return nil, errors.New("its key cannot be read") // err might repeat bytes of it
			}
			if key, ok := any.(*ecdsa.PrivateKey); ok && key.Curve == elliptic.P256() {
				return key, nil
			}
			return nil, errors.New("its key is of another sort than ours")
		}
		text = rest
	}
}

// replace writes a file so that it is there whole or not at all, also after a power cut.
func replace(path string, data []byte, mode fs.FileMode) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // no effect after the rename
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func latest(first time.Time, more ...time.Time) time.Time {
	for _, t := range more {
		if t.After(first) {
			first = t
		}
	}
	return first
}
