package vault

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
)

// The file; see the package comment.
const (
	fileMagic    = "FYPK"
	fileFormat   = 1
	sector       = 512
	wrappedBytes = keyBytes + tagBytes
	headerBytes  = len(fileMagic) + 1 + 8 + nonceBytes + wrappedBytes + 4
	dueAt        = 2 * sector
	slotsAt      = 4 * sector
	slotBytes    = 256
	slotPlain    = slotBytes - nonceBytes - tagBytes

	// MaxPerson is the longest name of a person, in bytes.
	MaxPerson = slotPlain - idBytes - keyBytes - 1

	maxSlots = 1 << 22 // a gigabyte
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	slotLabel  = []byte("foyer person key 1")
	fileLabel  = []byte("foyer file key 1")
)

func newName(path string) string { return path + ".new" }
func oldName(path string) string { return path + ".old" }

// file is persons.keys, open. Its user sees to it that one writes at a time.
type file struct {
	path       string
	f          *os.File
	box        Box
	key        cipher.AEAD
	generation uint64
	slots      int // up to the last one ever used
	due        bool
	readOnly   bool                 // the disk took nothing when it was opened
	unnamed    bool                 // it was renamed, and that is not known to be durable
	syncFile   func(*os.File) error // a field so that a test can make it fail
}

// Open opens the vault at path, made when missing. The first box key is the one to use; a vault that one of the others opens is
// written anew under the first. It fails with ErrWrongBox or ErrDamaged.
func Open(path string, log *slog.Logger, boxes ...Box) (*Vault, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	v := &Vault{path: path, log: log, people: map[string]*key{}, byID: map[keyID]*key{}}
	err := clearAway(path)
	if err == nil {
		err = v.open(boxes)
	}
	if err != nil {
		return nil, fmt.Errorf("open the keys of persons %s: %w", path, err)
	}
	return v, nil
}

func (v *Vault) open(boxes []Box) error {
	if len(boxes) == 0 {
		return errors.New("there is no box key")
	}
	f, err := os.OpenFile(v.path, os.O_RDWR, 0)
	readOnly := errors.Is(err, syscall.EROFS) // what there are of keys can be used all the same
	if readOnly {
		f, err = os.Open(v.path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		if v.file, err = create(v.path, boxes[0], 1, nil); err != nil {
			return err
		}
		return publish(v.path)
	}
	if err != nil {
		return err
	}
	if err := v.load(f, boxes); err != nil {
		return errors.Join(err, f.Close())
	}
	if v.file.readOnly = readOnly; readOnly || v.file.box.From == boxes[0].From {
		return nil
	}
	v.file.box = boxes[0]
	return v.rotate()
}

// Read opens the vault at path for reading: nothing on the disk changes, and nobody is given a key.
func Read(path string, box Box) (*Vault, error) {
	v := &Vault{path: path, log: slog.New(slog.DiscardHandler), people: map[string]*key{}, byID: map[keyID]*key{}}
	f, err := os.Open(path)
	if err == nil {
		if err = v.load(f, []Box{box}); err != nil {
			f.Close()
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open the keys of persons %s: %w", path, err)
	}
	return v, nil
}

// load reads the whole file.
func (v *Vault) load(f *os.File, boxes []Box) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Size() > slotsAt+maxSlots*slotBytes {
		return fmt.Errorf("%w: %d bytes are more than it can have", ErrDamaged, info.Size())
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	c, err := parse(data, boxes)
	if err != nil {
		return err
	}
	v.file = &file{path: v.path, f: f, box: c.box, key: c.key, generation: c.generation, slots: c.slots, due: c.due, syncFile: datasync}
	v.free = c.free
	for _, k := range c.keys {
		v.people[k.person], v.byID[k.id] = k, k
	}
	if c.broken > 0 {
		v.log.Error("keys of persons are damaged: what was sealed with them cannot be read any more", "file", v.path, "keys", c.broken)
	}
	return nil
}

// contents is what a file's bytes say.
type contents struct {
	box        Box
	key        cipher.AEAD
	generation uint64
	slots      int
	due        bool
	keys       []*key
	free       []int
	broken     int // slots that hold something and cannot be opened
}

// parse reads a file's bytes.
func parse(data []byte, boxes []Box) (contents, error) {
	c, err := parseHeaders(data, boxes)
	if err != nil || len(data) <= slotsAt {
		return c, err
	}
	c.due = data[dueAt] != 0
	seen := map[string]bool{}
	for at := slotsAt; at < len(data); at += slotBytes {
		slot := data[at:min(at+slotBytes, len(data))] // a power cut may have cut the last one
		n := c.slots
		c.slots++
		k, err := c.parseSlot(slot)
		switch {
		case err == nil && k != nil && !seen[k.person]:
			seen[k.person], k.slot = true, n
			c.keys = append(c.keys, k)
			continue
		case err != nil:
			c.broken++
		}
		c.free = append(c.free, n)
	}
	return c, nil
}

func parseHeaders(data []byte, boxes []Box) (contents, error) {
	err := fmt.Errorf("%w: it has no header that is whole", ErrDamaged)
	for _, at := range []int{0, sector} {
		if len(data) < at+headerBytes {
			break
		}
		h := data[at : at+headerBytes]
		sum := h[headerBytes-4:]
		if string(h[:len(fileMagic)]) != fileMagic || crc32.Checksum(h[:headerBytes-4], castagnoli) != binary.BigEndian.Uint32(sum) {
			continue
		}
		if h[len(fileMagic)] != fileFormat {
			return contents{}, fmt.Errorf("it has format %d, this program knows %d: start a newer one", h[len(fileMagic)], fileFormat)
		}
		rest := h[len(fileMagic)+1:]
		c := contents{generation: binary.BigEndian.Uint64(rest)}
		nonce, wrapped := rest[8:8+nonceBytes], rest[8+nonceBytes:8+nonceBytes+wrappedBytes]
		for _, box := range boxes {
			if secret, err := box.wrap().Open(nil, nonce, wrapped, fileLabel); err == nil && len(secret) == keyBytes {
				c.box, c.key = box, aead(secret)
				return c, nil
			}
		}
		err = ErrWrongBox
	}
	return contents{}, err
}

// parseSlot gives nil for a free one.
func (c *contents) parseSlot(slot []byte) (*key, error) {
	if len(bytes.Trim(slot, "\x00")) == 0 {
		return nil, nil
	}
	if len(slot) < slotBytes {
		return nil, ErrDamaged
	}
	plain, err := c.key.Open(nil, slot[:nonceBytes], slot[nonceBytes:], slotLabel)
	if err != nil {
		return nil, ErrDamaged
	}
	n := int(plain[idBytes+keyBytes])
	name := plain[idBytes+keyBytes+1:]
	if n == 0 || n > len(name) {
		return nil, ErrDamaged
	}
	return &key{id: keyID(plain[:idBytes]), secret: [keyBytes]byte(plain[idBytes : idBytes+keyBytes]), person: string(name[:n])}, nil
}

// slotOf is a key as the file holds it.
func (f *file) slotOf(k *key) []byte {
	plain := make([]byte, slotPlain)
	copy(plain, k.id[:])
	copy(plain[idBytes:], k.secret[:])
	plain[idBytes+keyBytes] = byte(len(k.person))
	copy(plain[idBytes+keyBytes+1:], k.person)
	nonce := make([]byte, nonceBytes, slotBytes)
	rand.Read(nonce)
	return f.key.Seal(nonce, nonce, plain, slotLabel)
}

func slotAt(n int) int64 { return int64(slotsAt) + int64(n)*slotBytes }

// writable opens it anew for writing, where the disk was read-only and may take something by now.
func (f *file) writable() error {
	if !f.readOnly {
		return nil
	}
	again, err := os.OpenFile(f.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = f.f.Close()
	f.f, f.readOnly = again, false
	return err
}

func (f *file) put(k *key) error {
	if err := f.writable(); err != nil {
		return err
	}
	if k.slot >= maxSlots {
		return fmt.Errorf("there are %d keys, and no room for more", maxSlots)
	}
	_, err := f.f.WriteAt(f.slotOf(k), slotAt(k.slot))
	return err
}

func (f *file) clear(slot int) error {
	if err := f.writable(); err != nil {
		return err
	}
	_, err := f.f.WriteAt(make([]byte, slotBytes), slotAt(slot))
	return err
}

func (f *file) setDue() error {
	if err := f.writable(); err != nil {
		return err
	}
	_, err := f.f.WriteAt([]byte{1}, dueAt)
	f.due = f.due || err == nil
	return err
}

func (f *file) sync() error {
	if f.unnamed {
		if err := syncFolder(f.path); err != nil {
			return err
		}
		f.unnamed = false
	}
	return f.syncFile(f.f)
}

func (f *file) close() error { return f.f.Close() }

// create writes a file of keys beside path, durably, under a new file key.
func create(path string, box Box, generation uint64, keys []*key) (*file, error) {
	secret := make([]byte, keyBytes)
	rand.Read(secret)
	raw, err := os.OpenFile(newName(path), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	f := &file{path: path, f: raw, box: box, key: aead(secret), generation: generation, slots: len(keys), syncFile: datasync}
	if err := f.write(secret, keys); err != nil {
		return nil, errors.Join(err, raw.Close(), os.Remove(newName(path)))
	}
	return f, nil
}

func (f *file) write(secret []byte, keys []*key) error {
	head := make([]byte, slotsAt)
	copy(head, f.header(secret))
	copy(head[sector:], head[:headerBytes])
	if _, err := f.f.Write(head); err != nil {
		return err
	}
	buffer := make([]byte, 0, 256*slotBytes)
	for i, k := range keys {
		if buffer = append(buffer, f.slotOf(k)...); len(buffer) == cap(buffer) || i == len(keys)-1 {
			if _, err := f.f.Write(buffer); err != nil {
				return err
			}
			buffer = buffer[:0]
		}
	}
	return f.f.Sync()
}

func (f *file) header(secret []byte) []byte {
	h := append([]byte(fileMagic), fileFormat)
	h = binary.BigEndian.AppendUint64(h, f.generation)
	nonce := make([]byte, nonceBytes)
	rand.Read(nonce)
	h = append(h, nonce...)
	h = f.box.wrap().Seal(h, nonce, secret, fileLabel)
	return binary.BigEndian.AppendUint32(h, crc32.Checksum(h, castagnoli))
}

// replace puts a new file in the place of this one and clears this one away. Once the new one is returned it is the one in force.
func (f *file) replace(keys []*key) (*file, error) {
	if err := f.writable(); err != nil {
		return nil, err
	}
	next, err := create(f.path, f.box, f.generation+1, keys)
	if err != nil {
		return nil, err
	}
	err = os.Link(f.path, oldName(f.path))                                                                   // so that a crash leaves a name by which it is found
	if linked := err == nil; linked || errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EOPNOTSUPP) { // a file system may know no second names
		err = os.Rename(newName(f.path), f.path)
	}
	if err != nil {
		return nil, errors.Join(err, next.f.Close(), removeIfThere(newName(f.path)), removeIfThere(oldName(f.path)))
	}
	next.unnamed = true
	if err := next.sync(); err != nil { // the old one may come back by a power cut: it stays whole
		return next, errors.Join(err, f.f.Close())
	}
	return next, errors.Join(overwrite(f.f), f.f.Close(), removeIfThere(oldName(f.path)), syncFolder(f.path))
}

// publish gives the new file the name of the one in force.
func publish(path string) error {
	return errors.Join(os.Rename(newName(path), path), syncFolder(path))
}

// clearAway takes away what a crash left: a new file that never came into force, and the second name of one that was replaced, or
// was about to be.
func clearAway(path string) error {
	if err := removeIfThere(newName(path)); err != nil {
		return err
	}
	old, err := os.Stat(oldName(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if now, err := os.Stat(path); err == nil && os.SameFile(now, old) {
		return unlink(oldName(path))
	} else if err != nil {
		return fmt.Errorf("%s is there without it: rename that back: %w", oldName(path), err)
	}
	return EraseFile(oldName(path))
}

func removeIfThere(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil // a read-only disk would complain all the same
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func unlink(path string) error { return errors.Join(os.Remove(path), syncFolder(path)) }

// overwrite puts zeros in place of all that a file holds.
func overwrite(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	zeros := make([]byte, 64<<10)
	for at := int64(0); at < info.Size(); at += int64(len(zeros)) {
		if _, err := f.WriteAt(zeros[:min(int64(len(zeros)), info.Size()-at)], at); err != nil {
			return err
		}
	}
	return f.Sync()
}

// syncFolder makes the names in a file's folder durable.
func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
