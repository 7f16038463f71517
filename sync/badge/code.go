package badge

import (
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"strings"
)

// A code is 30 characters in six groups: 12 of secret (60 bits, good once and for some hours), 16 of pin (80 bits of the
// hash of the authority's key: whoever else answers at that address is found out before the secret is told), and 2 that
// tell a mistyped code before anything is sent. The letters are Crockford's: no I, L, O, U.
const (
	letters    = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	pinBytes   = 10
	secretLen  = 12
	pinLen     = 16
	checkLen   = 2
	codeLen    = secretLen + pinLen + checkLen
	groupLen   = 5
	maxTicket  = 400
	checkLabel = "foyer enrolment code 1:"
)

// Code is a one-time code taken apart.
type Code struct {
	Secret string // 12 letters: what headquarters keeps a hash of
	Pin    [pinBytes]byte
}

// ErrMistyped is a code whose letters do not belong together.
var ErrMistyped = errors.New("the code is mistyped")

// NewCode makes a code with a fresh secret.
func NewCode(pin [pinBytes]byte) Code {
	b := make([]byte, secretLen)
	rand.Read(b) // never fails
	for i := range b {
		b[i] = letters[b[i]%32]
	}
	return Code{string(b), pin}
}

// String is the code as people read it: XXXXX-XXXXX-XXXXX-XXXXX-XXXXX-XXXXX.
func (c Code) String() string {
	body := c.Secret + spell(c.Pin[:])
	body += check(body)
	var groups []string
	for i := 0; i < len(body); i += groupLen {
		groups = append(groups, body[i:i+groupLen])
	}
	return strings.Join(groups, "-")
}

// ParseCode reads a code as people type it: in any case, with or without dashes and spaces, with O for 0 and I or L for 1.
func ParseCode(text string) (Code, error) {
	if len(text) > maxTicket {
		return Code{}, fmt.Errorf("%w: it is too long", ErrMistyped)
	}
	body := strings.NewReplacer("-", "", " ", "", "O", "0", "I", "1", "L", "1").Replace(strings.ToUpper(text))
	if len(body) != codeLen {
		return Code{}, fmt.Errorf("%w: want %d letters and digits, got %d", ErrMistyped, codeLen, len(body))
	}
	for i := range len(body) {
		if strings.IndexByte(letters, body[i]) < 0 {
			return Code{}, fmt.Errorf("%w: %q is in no code", ErrMistyped, body[i])
		}
	}
	body, sum := body[:codeLen-checkLen], body[codeLen-checkLen:]
	if check(body) != sum {
		return Code{}, fmt.Errorf("%w: compare it letter by letter", ErrMistyped)
	}
	return Code{body[:secretLen], [pinBytes]byte(unspell(body[secretLen:]))}, nil
}

// check is two letters of a hash: it misses one mistyped code in a thousand, which headquarters then refuses.
func check(body string) string {
	sum := sha256.Sum256([]byte(checkLabel + body))
	return string([]byte{letters[sum[0]%32], letters[sum[1]%32]})
}

// spell writes bytes, five at a time, as eight letters each.
func spell(b []byte) string {
	var out []byte
	for ; len(b) >= 5; b = b[5:] {
		n := uint64(b[0])<<32 | uint64(b[1])<<24 | uint64(b[2])<<16 | uint64(b[3])<<8 | uint64(b[4])
		for shift := 35; shift >= 0; shift -= 5 {
			out = append(out, letters[n>>shift&31])
		}
	}
	return string(out)
}

// unspell is the way back; text is checked letters, a multiple of eight.
func unspell(text string) []byte {
	var out []byte
	for ; len(text) >= 8; text = text[8:] {
		var n uint64
		for i := range 8 {
			n = n<<5 | uint64(strings.IndexByte(letters, text[i]))
		}
		out = append(out, byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return out
}

// Ticket is what a technician is given: where headquarters' door is, and a code.
type Ticket struct {
	Address string // host:port
	Code    Code
}

// String is host:port/CODE.
func (t Ticket) String() string { return t.Address + "/" + t.Code.String() }

// ParseTicket reads host:port/CODE, with or without https:// before it.
func ParseTicket(text string) (Ticket, error) {
	if len(text) > maxTicket {
		return Ticket{}, fmt.Errorf("ticket: %w: it is too long", ErrMistyped)
	}
	address, code, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(text), "https://"), "/")
	if !ok {
		return Ticket{}, errors.New("ticket: want HOST:PORT/CODE, as headquarters printed it")
	}
	if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" || strings.ContainsAny(address, " @?#%") {
		return Ticket{}, fmt.Errorf("ticket: %.80q is no address: want HOST:PORT/CODE, as headquarters printed it", address)
	}
	c, err := ParseCode(code)
	if err != nil {
		return Ticket{}, fmt.Errorf("ticket: %w", err)
	}
	return Ticket{address, c}, nil
}
