// Package known tells whether a tag may be a member's, in nine bits a tag: a stranger's tag is answered here, without a word
// to headquarters.
//
// In: keyed hashes of tags (tag.ID). Out: bytes for the wire, and yes or no: no is certain, yes is wrong for one stranger in 256.
// It never holds a tag itself, only the fingerprints of hashes under the chain's key, and does no I/O.
// Called by hq, which builds, and by sync/downlink, which looks up.
//
// # The filter
//
// A binary fuse filter of three places a key and 8 bits a place (Graf and Lemire, "Binary Fuse Filters: Fast and Smaller Than
// Xor Filters", 2022, section 3; the sizes are those of its section 4). A place holds such a byte that the three of each key
// come to the key's fingerprint. It is written here and not taken from a library because both ends must agree for years on
// how a key is mixed: a library that bettered its mixing would make every member a stranger, and nothing would say so.
//
// The bytes: magic 4, format 1, seed 8, keys 4, segments 4, exponent of a segment's length 1 (all big-endian), the places.
//
// What joined since is a list beside it, MarkBytes a tag. What left stays in it until it is built anew, and costs a question
// that headquarters answers with no.
package known

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"foyer/reader/tag"
)

// MarkBytes is what one tag of the list of additions takes.
const MarkBytes = 8

// Limits of what Parse and With accept.
const (
	MaxBytes     = 32 << 20 // of a filter: 28 million tags
	MaxAdditions = 1 << 20  // bytes
)

const (
	magic     = "FYKT"
	format    = 1
	headBytes = len(magic) + 1 + 8 + 4 + 4 + 1
	arity     = 3
	maxLength = 18  // exponent: beyond it a segment leaves the cache for nothing
	maxTries  = 100 // one seed in ten fails
)

// ErrFormat is the error of bytes that are no filter.
var ErrFormat = errors.New("it is no filter of known tags")

// Filter is immutable, and safe for concurrent use. A nil one knows nobody.
type Filter struct {
	seed     uint64
	keys     uint32
	segments uint32
	length   uint32 // of a segment, a power of two
	places   []byte
	added    map[uint64]struct{}
}

// Build makes a filter of tags. It takes 50 bytes of memory a tag while it works.
func Build(tags []tag.ID) (*Filter, error) {
	keys := make([]uint64, len(tags))
	for i, id := range tags {
		keys[i] = mark(id)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	f := sized(len(keys))
	if len(f.places) > MaxBytes-headBytes {
		return nil, fmt.Errorf("%d tags make a filter of %d bytes: it may have at most %d", len(keys), len(f.places), MaxBytes)
	}
	for f.seed = 1; f.seed <= maxTries; f.seed++ {
		if f.fill(keys) {
			return f, nil
		}
	}
	return nil, fmt.Errorf("no filter of %d tags was found in %d tries", len(keys), maxTries)
}

// sized is an empty filter for so many keys: Graf and Lemire, section 4.
func sized(n int) *Filter {
	f := &Filter{keys: uint32(n)}
	if n == 0 {
		return f
	}
	size := float64(max(n, 2))
	f.length = 1 << min(maxLength, int(math.Log(size)/math.Log(3.33)+2.25))
	factor := max(1.125, 0.875+0.25*math.Log(1e6)/math.Log(size))
	f.segments = uint32(max(1, (int(math.Round(size*factor))+int(f.length)-1)/int(f.length)-arity+1))
	f.places = make([]byte, (f.segments+arity-1)*f.length)
	return f
}

// mark is what stands for a tag: its hash is random under the chain's key, so any eight bytes of it do.
func mark(id tag.ID) uint64 { return binary.BigEndian.Uint64(id[:]) }

// mix spreads a key by the seed: the finalizer of MurmurHash3, 64 bits.
func (f *Filter) mix(key uint64) uint64 {
	h := key + f.seed*0x9e3779b97f4a7c15
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// places3 are where a mixed key's bytes lie: in three segments that follow each other.
func (f *Filter) places3(h uint64) [arity]uint32 {
	first, _ := bits.Mul64(h, uint64(f.segments)*uint64(f.length))
	at := uint32(first)
	return [arity]uint32{at, (at + f.length) ^ uint32(h>>18)&(f.length-1), (at + 2*f.length) ^ uint32(h)&(f.length-1)}
}

func fingerprint(h uint64) byte { return byte(h ^ h>>32) }

// Has reports whether a tag may be a member's.
func (f *Filter) Has(id tag.ID) bool {
	if f == nil || id.IsZero() {
		return false
	}
	key := mark(id)
	if _, added := f.added[key]; added {
		return true
	}
	if len(f.places) == 0 {
		return false
	}
	h := f.mix(key)
	p := f.places3(h)
	return f.places[p[0]]^f.places[p[1]]^f.places[p[2]] == fingerprint(h)
}

// Len counts the tags.
func (f *Filter) Len() int {
	if f == nil {
		return 0
	}
	return int(f.keys) + len(f.added)
}

// Bytes is the filter without what was added to it.
func (f *Filter) Bytes() []byte {
	b := append(make([]byte, 0, headBytes+len(f.places)), magic...)
	b = append(b, format)
	b = binary.BigEndian.AppendUint64(b, f.seed)
	b = binary.BigEndian.AppendUint32(b, f.keys)
	b = binary.BigEndian.AppendUint32(b, f.segments)
	b = append(b, byte(bits.Len32(f.length)))
	return append(b, f.places...)
}

// Parse reads what Bytes wrote. It keeps the bytes, which must not be changed afterwards.
func Parse(b []byte) (*Filter, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrFormat, len(b), MaxBytes)
	}
	if len(b) < headBytes || string(b[:len(magic)]) != magic || b[len(magic)] != format {
		return nil, fmt.Errorf("%w: %d bytes that do not begin as one of format %d", ErrFormat, len(b), format)
	}
	rest := b[len(magic)+1:]
	f := &Filter{seed: binary.BigEndian.Uint64(rest), keys: binary.BigEndian.Uint32(rest[8:]), segments: binary.BigEndian.Uint32(rest[12:])}
	exponent := rest[16]
	if f.places = rest[17:]; exponent > 0 {
		f.length = 1 << min(exponent-1, 31)
	}
	want := uint64(0)
	if f.keys > 0 {
		want = (uint64(f.segments) + arity - 1) * uint64(f.length)
	}
	if uint64(len(f.places)) != want || exponent > maxLength+1 || f.keys > 0 && (f.segments == 0 || f.length == 0) {
		return nil, fmt.Errorf("%w: %d places for %d tags in %d segments of %d", ErrFormat, len(f.places), f.keys, f.segments, f.length)
	}
	return f, nil
}

// AppendMark writes a tag into a list of additions.
func AppendMark(list []byte, id tag.ID) []byte { return binary.BigEndian.AppendUint64(list, mark(id)) }

// With is the filter with a list of additions in place of the one that it had.
func (f *Filter) With(list []byte) (*Filter, error) {
	if len(list)%MarkBytes != 0 || len(list) > MaxAdditions {
		return nil, fmt.Errorf("%w: a list of %d bytes", ErrFormat, len(list))
	}
	more := *f
	more.added = make(map[uint64]struct{}, len(list)/MarkBytes)
	for ; len(list) > 0; list = list[MarkBytes:] {
		more.added[binary.BigEndian.Uint64(list)] = struct{}{}
	}
	return &more, nil
}
