package wire

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Packs is the kind of snapshot whose body is PacksBody.
const Packs = "packs"

// Limits of packs. A pack is checked against them at headquarters and again at the store.
const (
	MaxReleases  = 64
	MaxPackFiles = 2000      // of one release
	MaxPackFile  = 256 << 20 // bytes of one file
	MaxPackBytes = 1 << 30   // bytes of one release
	MaxPackPath  = 200       // bytes
)

// Digest is a file's SHA-256, in text as 64 hex digits.
type Digest [sha256.Size]byte

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// PackPath is where headquarters serves a file over HTTP, before its digest.
const PackPath = "/packs/v1/files/"

// ETag is the strong entity tag of a file over HTTP: RFC 9110 section 8.8.3.
func (d Digest) ETag() string { return `"` + d.String() + `"` }

// ContentDigest is the digest as a header field of HTTP: RFC 9530 section 2.
func (d Digest) ContentDigest() string {
	return "sha-256=:" + base64.StdEncoding.EncodeToString(d[:]) + ":"
}

// MarshalText writes hex digits.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads 64 lower-case hex digits: one file has one name.
func (d *Digest) UnmarshalText(text []byte) error {
	var out Digest
	if n, err := hex.Decode(out[:], text[:min(len(text), 2*len(out))]); err != nil || n != len(out) || out.String() != string(text) {
		return fmt.Errorf("digest %.70q: want %d lower-case hex digits", text, 2*len(out))
	}
	*d = out
	return nil
}

// PacksBody is the body of Packs: of each pack the newest release, and the older ones that some stores are still to have.
type PacksBody struct {
	Releases []Release `json:"releases"`
}

// Release is one version of a pack, and who is to have it: the stores named, and a share of all others.
type Release struct {
	Pack    string     `json:"pack"`    // a name as of stores
	Version uint64     `json:"version"` // counts from 1
	Percent int        `json:"percent"` // 0 to 100 of the stores
	Stores  []string   `json:"stores,omitempty"`
	Now     bool       `json:"now,omitempty"` // do not wait for the quiet hours
	Files   []PackFile `json:"files"`
}

// PackFile is one file of a pack.
type PackFile struct {
	Path   string `json:"path"` // relative, with slashes
	Size   int64  `json:"size"` // bytes
	Digest Digest `json:"sha256"`
}

// PackReport is what Applied calls a pack when a store tells of it; the version is then the release's, 0 for "it is gone".
func PackReport(pack string) string { return "pack." + pack }

// Packs decodes the body of a Packs snapshot and checks it.
func (s Snapshot) Packs() (PacksBody, error) {
	var b PacksBody
	if err := s.body(Packs, &b); err != nil {
		return PacksBody{}, err
	}
	return b, b.Check()
}

// For returns the release of each pack that a store is to have, sorted by pack: the newest that it is chosen for.
func (b PacksBody) For(store string) []Release {
	best := map[string]Release{}
	for _, r := range b.Releases {
		if r.Version > best[r.Pack].Version && r.For(store) {
			best[r.Pack] = r
		}
	}
	all := make([]Release, 0, len(best))
	for _, r := range best {
		all = append(all, r)
	}
	slices.SortFunc(all, func(x, y Release) int { return cmp.Compare(x.Pack, y.Pack) })
	return all
}

// For reports whether a store is to have the release. A store's place among the hundred depends on pack, version and its
// name alone: a higher percentage takes more in and puts nobody out, and another release begins with other stores.
func (r Release) For(store string) bool {
	if slices.Contains(r.Stores, store) || r.Percent >= 100 {
		return true
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d\x00%s", r.Pack, r.Version, store))
	return binary.BigEndian.Uint64(sum[:])%100 < uint64(max(0, r.Percent))
}

// Bytes is the size of all its files.
func (r Release) Bytes() int64 {
	n := int64(0)
	for _, f := range r.Files {
		n += f.Size
	}
	return n
}

// Check tells what breaks a rule.
func (b PacksBody) Check() error {
	if len(b.Releases) > MaxReleases {
		return fmt.Errorf("%w: %d releases, at most %d", ErrTooLarge, len(b.Releases), MaxReleases)
	}
	type key struct {
		pack    string
		version uint64
	}
	seen := map[key]bool{}
	for _, r := range b.Releases {
		if err := r.Check(); err != nil {
			return err
		}
		if k := (key{r.Pack, r.Version}); seen[k] {
			return fmt.Errorf("pack %s: version %d is there twice", r.Pack, r.Version)
		} else {
			seen[k] = true
		}
	}
	return nil
}

// Check tells what breaks a rule.
func (r Release) Check() error {
	if !validName(r.Pack) {
		return fmt.Errorf("pack %.40q: want 1 to 32 lower-case letters, digits or dashes", r.Pack)
	}
	if err := r.check(); err != nil {
		return fmt.Errorf("pack %s version %d: %w", r.Pack, r.Version, err)
	}
	return nil
}

func (r Release) check() error {
	if r.Version < 1 || r.Version > 1<<53 {
		return errors.New("want a version of 1 or more")
	}
	if r.Percent < 0 || r.Percent > 100 {
		return fmt.Errorf("%d percent: want 0 to 100", r.Percent)
	}
	for _, s := range r.Stores {
		if !validName(s) {
			return fmt.Errorf("store %.40q: want 1 to 32 lower-case letters, digits or dashes", s)
		}
	}
	return checkFiles(r.Files)
}

func checkFiles(files []PackFile) error {
	if len(files) < 1 || len(files) > MaxPackFiles {
		return fmt.Errorf("%d files: want 1 to %d", len(files), MaxPackFiles)
	}
	total := int64(0)
	seen := map[string]string{}
	for _, f := range files {
		if err := CheckPackPath(f.Path); err != nil {
			return err
		}
		low := strings.ToLower(f.Path)
		if other, twice := seen[low]; twice {
			return fmt.Errorf("files %q and %q have one name", other, f.Path)
		}
		seen[low] = f.Path
		if f.Size < 0 || f.Size > MaxPackFile {
			return fmt.Errorf("file %q of %d bytes: want at most %d", f.Path, f.Size, int64(MaxPackFile))
		}
		if total += f.Size; total > MaxPackBytes {
			return fmt.Errorf("%w: all files together are above %d bytes", ErrTooLarge, int64(MaxPackBytes))
		}
	}
	return nil
}

// CheckPackPath reports a file's name that leads outside a pack or that not every system can write.
func CheckPackPath(path string) error {
	odd := func(r rune) bool { return !unicode.IsPrint(r) || strings.ContainsRune(`\:*?"<>|`, r) }
	if len(path) > MaxPackPath || !utf8.ValidString(path) || !fs.ValidPath(path) || path == "." || strings.ContainsFunc(path, odd) {
		return fmt.Errorf("file %.80q: want a relative name with slashes, without .. and odd characters, of at most %d bytes", path, MaxPackPath)
	}
	return nil
}

// MaxChunk is how many bytes of a file one Chunk carries at most.
const MaxChunk = 64 << 10

// ChunkAsk asks headquarters, on Place.Ask(ChunkTopic), for a part of a file where only the broker can be reached.
type ChunkAsk struct {
	V      int    `json:"v"`
	Digest Digest `json:"sha256"`
	Offset int64  `json:"offset"`
	Length int    `json:"length"` // at most MaxChunk
}

// Chunk is the answer, on Place.Down(ChunkTopic), never retained. Nothing vouches for it: the whole file's digest will.
type Chunk struct {
	Digest Digest
	Offset int64
	Total  int64 // size of the file; -1: headquarters has no such file
	Data   []byte
}

// ChunkTopic is what asks for chunks and their answers are called in topics.
const ChunkTopic = "chunk"

// Ask is where a store asks headquarters for something that it needs no record of.
func (p Place) Ask(what string) string { return p.topic("ask/" + what) }

// EncodeChunkAsk encodes a request.
func EncodeChunkAsk(a ChunkAsk) ([]byte, error) {
	a.V = Version
	if err := a.check(); err != nil {
		return nil, fmt.Errorf("encode chunk request: %w", err)
	}
	return encode(a)
}

// DecodeChunkAsk decodes a request.
func DecodeChunkAsk(data []byte) (ChunkAsk, error) {
	var a ChunkAsk
	if err := decode(data, maxShort, &a); err != nil {
		return ChunkAsk{}, fmt.Errorf("decode chunk request: %w: %w", ErrFormat, err)
	}
	if err := a.check(); err != nil {
		return ChunkAsk{}, fmt.Errorf("decode chunk request: %w: %w", ErrFormat, err)
	}
	return a, nil
}

func (a ChunkAsk) check() error {
	if a.V != Version {
		return fmt.Errorf("protocol version %d: want %d", a.V, Version)
	}
	if a.Offset < 0 || a.Offset > MaxPackFile || a.Length < 1 || a.Length > MaxChunk {
		return fmt.Errorf("%d bytes at %d: want 1 to %d within a file", a.Length, a.Offset, MaxChunk)
	}
	return nil
}

// A chunk on the wire: magic 4, format 1, digest 32, offset 8, total 8 (both big-endian), then the bytes.
const (
	chunkMagic  = "FYCH"
	chunkFormat = 1
	chunkHead   = len(chunkMagic) + 1 + sha256.Size + 16
)

// EncodeChunk encodes an answer.
func EncodeChunk(c Chunk) ([]byte, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("encode chunk: %w", err)
	}
	data := append(make([]byte, 0, chunkHead+len(c.Data)), chunkMagic...)
	data = append(append(data, chunkFormat), c.Digest[:]...)
	data = binary.BigEndian.AppendUint64(data, uint64(c.Offset))
	data = binary.BigEndian.AppendUint64(data, uint64(c.Total))
	return append(data, c.Data...), nil
}

// DecodeChunk decodes an answer. Its data shares memory with the argument.
func DecodeChunk(data []byte) (Chunk, error) {
	if len(data) < chunkHead || string(data[:len(chunkMagic)]) != chunkMagic || data[len(chunkMagic)] != chunkFormat {
		return Chunk{}, fmt.Errorf("decode chunk: %w: %d bytes without its head", ErrFormat, len(data))
	}
	var c Chunk
	rest := data[len(chunkMagic)+1:]
	rest = rest[copy(c.Digest[:], rest):]
	c.Offset, c.Total, c.Data = int64(binary.BigEndian.Uint64(rest)), int64(binary.BigEndian.Uint64(rest[8:])), rest[16:]
	if err := c.check(); err != nil {
		return Chunk{}, fmt.Errorf("decode chunk: %w: %w", ErrFormat, err)
	}
	return c, nil
}

func (c Chunk) check() error {
	n := int64(len(c.Data))
	if c.Total == -1 && n == 0 && c.Offset >= 0 {
		return nil
	}
	if c.Total < 0 || c.Total > MaxPackFile || c.Offset < 0 || n > MaxChunk || c.Offset > c.Total || n > c.Total-c.Offset {
		return fmt.Errorf("%d bytes at %d of %d: want a part of a file", n, c.Offset, c.Total)
	}
	return nil
}
