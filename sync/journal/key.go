package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
)

// The buckets and keys.
var (
	metaBucket     = []byte("meta")
	logBucket      = []byte("log")
	cursorBucket   = []byte("cursor")
	snapshotBucket = []byte("snapshot")
	stateBucket    = []byte("state")
	thinnedBucket  = []byte("thinned")
	formatKey      = []byte("format")
	epochKey       = []byte("epoch")
)

// format is the version that this code writes.
const format = 2

// salt sets the checksum of a record of format 2 apart from that of format 1, which covered the payload alone.
const salt = 0x464F5932

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// number is how all numbers are stored: big-endian, so that keys sort.
func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func parseNumber(b []byte) (uint64, error) {
	if len(b) != 8 {
		return 0, fmt.Errorf("number of %d bytes: want 8", len(b))
	}
	return binary.BigEndian.Uint64(b), nil
}

// sealRecord puts a checksum before a payload: a memory card may give back other bytes than it was given, or the right
// bytes at the wrong place. So it covers where the record belongs, too.
func sealRecord(log []byte, seq uint64, payload []byte) []byte {
	b := make([]byte, 4, 4+len(payload))
	binary.BigEndian.PutUint32(b, checksum(log, seq, payload))
	return append(b, payload...)
}

func checksum(log []byte, seq uint64, payload []byte) uint32 {
	var place [MaxName + 10]byte
	b := append(append(place[:0], log...), 0)
	sum := crc32.Checksum(binary.BigEndian.AppendUint64(b, seq), castagnoli)
	return crc32.Update(sum, castagnoli, payload) ^ salt
}

// openRecord checks a stored record. The payload shares memory with b.
func openRecord(log []byte, seq uint64, b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, fmt.Errorf("record of %d bytes: want at least 4", len(b))
	}
	stored, payload := binary.BigEndian.Uint32(b), b[4:]
	if stored != checksum(log, seq, payload) && stored != crc32.Checksum(payload, castagnoli) {
		return nil, errors.New("checksum does not match")
	}
	return payload, nil
}

func cursorKey(lane, name string) []byte { return []byte(lane + "\x00" + name) }

func parseCursorKey(b []byte) (lane, name string, err error) {
	lane, name, ok := strings.Cut(string(b), "\x00")
	if !ok || checkName("lane", lane) != nil || checkName("cursor", name) != nil {
		return "", "", fmt.Errorf("cursor key %.80q: want lane, 0, name", b)
	}
	return lane, name, nil
}

func snapshotKey(kind string, version uint64) []byte {
	return append([]byte(kind+"\x00"), number(version)...)
}

func parseSnapshotKey(b []byte) (kind string, version uint64, err error) {
	kind, rest, ok := strings.Cut(string(b), "\x00")
	if !ok || checkName("snapshot", kind) != nil || len(rest) != 8 {
		return "", 0, fmt.Errorf("snapshot key %.80q: want kind, 0, 8-byte version", b)
	}
	return kind, binary.BigEndian.Uint64([]byte(rest)), nil
}

// checkName holds names to what can be part of a key and be printed.
func checkName(what, name string) error {
	if name == "" || len(name) > MaxName {
		return fmt.Errorf("%s name of %d bytes: want 1 to %d", what, len(name), MaxName)
	}
	for i := range len(name) {
		if name[i] < 0x21 || name[i] > 0x7e {
			return fmt.Errorf("%s name %.80q: want printable ASCII without spaces", what, name)
		}
	}
	return nil
}
