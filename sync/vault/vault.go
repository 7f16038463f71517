// Package vault keeps one key a person, so that to erase the key is to erase the person in everything that was sealed with it.
//
// In: names of persons (opaque strings), bytes to seal, bytes to open, the box key from a file. Out: sealed bytes, 38 longer than
// what they hide; names for places that tell nobody whose they are. Keys are 32 bytes, files are mode 0600.
// It never knows what the bytes mean, never gives out a key, never says that something is sealed before its key is on the disk, and
// never loses the key of one person over the erasure of another.
// Called by internal/daemon (records, state), sync/downlink (members at hand), cmd/foyer (inspection).
//
// # What is sealed
//
//	0xFE 0x01           no text and no JSON begins so
//	id 8                random, made with the key and erased with it: what is left of a person says not whose it was
//	nonce 12, AES-256-GCM of the bytes, with the purpose that Seal was given as associated data
//
// # The file
//
// All numbers are big-endian.
//
//	0     header: "FYPK", format 1, generation 8, nonce 12, the file key sealed with the box key 48, CRC-32C of it all 4
//	512   the same header again
//	1024  1 byte: 1 when keys were erased since the file was written
//	2048  slots of 256 bytes: nonce 12, then sealed with the file key: id 8, key 32, length of the name 1, the name, zeros
//
// A slot of zeros is free. No slot straddles two sectors, so that a power cut spoils none but the one being written.
//
// # How a person is erased
//
// Their slot is overwritten where it is, and synced. Flash keeps old pages for a while, so the file is then written anew under a
// new file key (Rotate): a new file, synced, renamed over the old one, which is overwritten to its last byte before it is given
// back. Since the only thing that opens a slot is in the header of the same file, one rename does all of it; a crash before it
// leaves the old file with the slot overwritten, a crash after it a second name (.old) that the next Open clears away.
// What remains for whoever reads raw flash: old pages of this file, of use only with the box key. So keep that elsewhere: as a
// credential of systemd, sealed to the box's TPM.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
)

// Errors that a caller may tell apart with errors.Is.
var (
	ErrErased   = errors.New("its key was erased")
	ErrDamaged  = errors.New("it is damaged")
	ErrWrongBox = errors.New("the box key does not open it")
	ErrName     = errors.New("a person's name has 1 to 187 bytes")
)

// The sealed form.
const (
	mark0, mark1 = 0xFE, 0x01
	idBytes      = 8
	nonceBytes   = 12
	tagBytes     = 16
	sealedHead   = 2 + idBytes + nonceBytes
	Overhead     = sealedHead + tagBytes // bytes that sealing adds
	keyBytes     = 32
)

type keyID [idBytes]byte

// key is one person's.
type key struct {
	id     keyID
	secret [keyBytes]byte
	person string
	slot   int // where it is in the file; guarded by Vault.disk
}

// Vault is safe for concurrent use.
type Vault struct {
	path string
	log  *slog.Logger

	disk sync.Mutex // held while the file is written; guards what follows
	file *file
	free []int // slots of zeros below file.slots

	mu     sync.RWMutex // guards what follows; never held while the disk works
	people map[string]*key
	byID   map[keyID]*key
}

// Sealed reports whether bytes are of the sealed form.
func Sealed(b []byte) bool { return len(b) >= Overhead && b[0] == mark0 && b[1] == mark1 }

// Seal seals bytes with a person's key, which is made, and put on the disk, when there is none. What was sealed for one purpose
// opens for no other.
func (v *Vault) Seal(person, purpose string, plain []byte) ([]byte, error) {
	k, err := v.keyOf(person)
	if err != nil {
		return nil, err
	}
	out := make([]byte, sealedHead, Overhead+len(plain))
	out[0], out[1] = mark0, mark1
	copy(out[2:], k.id[:])
	nonce := out[2+idBytes : sealedHead]
	rand.Read(nonce)
	return aead(k.secret[:]).Seal(out, nonce, plain, []byte(purpose)), nil
}

// Open opens what Seal made. It fails with ErrErased or ErrDamaged.
func (v *Vault) Open(purpose string, sealed []byte) ([]byte, error) {
	if !Sealed(sealed) {
		return nil, fmt.Errorf("open what was sealed: %w: it is not of that form", ErrDamaged)
	}
	v.mu.RLock()
	k := v.byID[keyID(sealed[2:2+idBytes])]
	v.mu.RUnlock()
	if k == nil {
		return nil, fmt.Errorf("open what was sealed: %w", ErrErased)
	}
	plain, err := aead(k.secret[:]).Open(nil, sealed[2+idBytes:sealedHead], sealed[sealedHead:], []byte(purpose))
	if err != nil {
		return nil, fmt.Errorf("open what was sealed: %w", ErrDamaged)
	}
	return plain, nil
}

// Name is what a place that belongs to a person is called: the same for the same person, purpose and thing, and nothing to whoever
// does not have the person's key.
func (v *Vault) Name(person, purpose string, thing []byte) (string, error) {
	k, err := v.keyOf(person)
	if err != nil {
		return "", err
	}
	sum := hmac.New(sha256.New, k.secret[:])
	sum.Write([]byte{byte(len(purpose))})
	sum.Write([]byte(purpose))
	sum.Write(thing)
	return hex.EncodeToString(sum.Sum(nil)[:16]), nil
}

// Has reports whether a person has a key.
func (v *Vault) Has(person string) bool {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.people[person] != nil
}

// Find lists those with a key whom match names.
func (v *Vault) Find(match func(person string) bool) []string {
	v.mu.RLock()
	defer v.mu.RUnlock()
	var found []string
	for person := range v.people {
		if match(person) {
			found = append(found, person)
		}
	}
	return found
}

// Len is how many have one.
func (v *Vault) Len() int {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return len(v.people)
}

func (v *Vault) keyOf(person string) (*key, error) {
	v.mu.RLock()
	k := v.people[person]
	v.mu.RUnlock()
	if k != nil {
		return k, nil
	}
	made, err := v.admit([]string{person})
	if err != nil {
		return nil, err
	}
	return made[0], nil
}

// Admit makes keys for whoever has none, with one sync for all.
func (v *Vault) Admit(people []string) error {
	_, err := v.admit(people)
	return err
}

// admit returns the keys of all that are named, in their order.
func (v *Vault) admit(people []string) ([]*key, error) {
	v.disk.Lock()
	defer v.disk.Unlock()
	all := make([]*key, len(people))
	fresh := map[string]*key{}
	slots := newSlots(v.free, v.file.slots)
	for i, person := range people {
		if person == "" || len(person) > MaxPerson {
			return nil, fmt.Errorf("a key for a person: %w", ErrName)
		}
		v.mu.RLock()
		k := v.people[person]
		v.mu.RUnlock()
		if k == nil {
			k = fresh[person]
		}
		if k == nil {
			k = &key{person: person, slot: slots.next()}
			rand.Read(k.id[:])
			rand.Read(k.secret[:])
			if err := v.file.put(k); err != nil {
				return nil, fmt.Errorf("keep a person's key in %s: %w", v.path, err)
			}
			fresh[person] = k
		}
		all[i] = k
	}
	if len(fresh) == 0 {
		return all, nil
	}
	if err := v.file.sync(); err != nil {
		return nil, fmt.Errorf("keep a person's key in %s: %w", v.path, err)
	}
	v.free, v.file.slots = slots.free, slots.end
	v.mu.Lock()
	defer v.mu.Unlock()
	for person, k := range fresh {
		v.people[person], v.byID[k.id] = k, k
	}
	return all, nil
}

// Erase erases the keys of all whom match names, on the disk first, and returns how many there were. After an error all of them
// are as they were, for this process; erase again. Rotate has to follow.
func (v *Vault) Erase(match func(person string) bool) (int, error) {
	v.disk.Lock()
	defer v.disk.Unlock()
	var gone []*key
	v.mu.RLock()
	for person, k := range v.people {
		if match(person) {
			gone = append(gone, k)
		}
	}
	v.mu.RUnlock()
	if len(gone) == 0 {
		return 0, nil
	}
	err := v.file.setDue()
	for _, k := range gone {
		err = errors.Join(err, v.file.clear(k.slot))
	}
	if err = errors.Join(err, v.file.sync()); err != nil {
		return 0, fmt.Errorf("erase persons in %s: %w", v.path, err)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, k := range gone {
		delete(v.people, k.person)
		delete(v.byID, k.id)
		v.free = append(v.free, k.slot)
	}
	return len(gone), nil
}

// Due reports whether keys were erased since the file was written: Rotate is to be called.
func (v *Vault) Due() bool {
	v.disk.Lock()
	defer v.disk.Unlock()
	return v.file.due
}

// Rotate writes the file anew under a new file key and overwrites the old one. An error leaves the old one in use.
func (v *Vault) Rotate() error {
	v.disk.Lock()
	defer v.disk.Unlock()
	return v.rotate()
}

func (v *Vault) rotate() error {
	v.mu.RLock()
	all := make([]*key, 0, len(v.people))
	for _, k := range v.people {
		all = append(all, k)
	}
	v.mu.RUnlock()
	was := make([]int, len(all))
	for i, k := range all {
		was[i], k.slot = k.slot, i
	}
	next, err := v.file.replace(all)
	if next == nil {
		for i, k := range all {
			k.slot = was[i]
		}
		return fmt.Errorf("write %s under a new key: %w", v.path, err)
	}
	v.file, v.free = next, nil
	if err != nil { // the new one is in force; what is left of the old one goes with the next Open
		return fmt.Errorf("clear away the old %s: %w", v.path, err)
	}
	return nil
}

// Close closes the file and forgets the keys.
func (v *Vault) Close() error {
	v.disk.Lock()
	defer v.disk.Unlock()
	v.mu.Lock()
	defer v.mu.Unlock()
	clear(v.people)
	clear(v.byID)
	return v.file.close()
}

// EraseFile removes a file of secrets: overwritten, synced, then unlinked. One that is not there is no error.
func EraseFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(overwrite(f), f.Close(), unlink(path))
}

// newSlots gives out free slots, then new ones.
func newSlots(free []int, end int) *slots { return &slots{free, end} }

type slots struct {
	free []int
	end  int
}

func (s *slots) next() int {
	if n := len(s.free); n > 0 {
		slot := s.free[n-1]
		s.free = s.free[:n-1]
		return slot
	}
	s.end++
	return s.end - 1
}

func aead(secret []byte) cipher.AEAD {
	block, err := aes.NewCipher(secret)
	if err == nil {
		var c cipher.AEAD
		if c, err = cipher.NewGCM(block); err == nil {
			return c
		}
	}
	panic(err) // a programmer's error: a key has 32 bytes
}
