package epc

import (
	"errors"
	"fmt"
	"strings"
)

// identifier is how a key stands in an element string of GS1 (GS1 General Specifications, section 3).
type identifier struct {
	ai     string // application identifier of the key
	digits int    // of the key with its check digit; 0 where there is no check digit and the length differs
	lead   bool   // the first digit of the reference stands before the company prefix
	zero   bool   // a 0 stands before all
	serial string // application identifier of the serial; empty where it follows the key, or there is none
	spare  string // the serial that means that there is none
}

var (
	gtin  = identifier{ai: "01", digits: 14, lead: true, serial: "21"}
	sscc  = identifier{ai: "00", digits: 18, lead: true}
	gln   = identifier{ai: "414", digits: 13, serial: "254", spare: "0"}
	grai  = identifier{ai: "8003", digits: 14, zero: true}
	giai  = identifier{ai: "8004"}
	gsrn  = identifier{ai: "8018", digits: keyDigits}
	gsrnp = identifier{ai: "8017", digits: keyDigits}
	gdti  = identifier{ai: "253", digits: 13}
	cpi   = identifier{ai: "8010", serial: "8011"}
	sgcn  = identifier{ai: "255", digits: 13}
)

// Resolver is the host of a Digital Link where the tag names none.
const Resolver = "id.gs1.org"

// linkUnreserved are the characters that a Digital Link writes as they are (RFC 3986, section 2.3).
const linkUnreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

// escapedInLink are all others of the characters that a key or a serial may have.
var escapedInLink = strings.Map(func(r rune) rune {
	if strings.ContainsRune(linkUnreserved, r) {
		return -1
	}
	return r
}, charset82+"#")

// key is the GS1 key with its check digit, without the serial. It is empty for a GID.
func (e EPC) key() string {
	l := &layouts[e.Scheme]
	switch {
	case l.ai == nil:
		return ""
	case l.shape == plain:
		return e.Reference
	}
	key := e.Prefix + e.Reference
	if l.ai.lead && e.Reference != "" {
		key = e.Reference[:1] + e.Prefix + e.Reference[1:]
	}
	if l.ai.zero {
		key = "0" + key
	}
	if l.ai.digits > 0 {
		key += string(CheckDigit(key))
	}
	return key
}

// CheckDigit is the check digit of the key as ASCII, and whether it has one.
func (e EPC) CheckDigit() (byte, bool) {
	key := e.key()
	if key == "" || layouts[e.Scheme].ai.digits == 0 {
		return 0, false
	}
	return key[len(key)-1], true
}

// keyAndSerial gives the key, with the serial behind it where no application identifier parts them, and the serial.
func (e EPC) keyAndSerial() (key, serial string) {
	ai := layouts[e.Scheme].ai
	if ai.serial == "" {
		return e.key() + e.Serial, ""
	}
	if e.Serial == ai.spare {
		return e.key(), ""
	}
	return e.key(), e.Serial
}

// Element is the element string: (01)09506000134352(21)123456789. It is empty for a GID.
func (e EPC) Element() string {
	ai := layouts[e.Scheme].ai
	if ai == nil {
		return ""
	}
	key, serial := e.keyAndSerial()
	element := "(" + ai.ai + ")" + key
	if serial != "" {
		element += "(" + ai.serial + ")" + serial
	}
	return element
}

// Path is the path of the GS1 Digital Link: /01/09506000134352/21/123456789. It is empty for a GID.
func (e EPC) Path() string {
	ai := layouts[e.Scheme].ai
	if ai == nil {
		return ""
	}
	key, serial := e.keyAndSerial()
	path := "/" + ai.ai + "/" + escape(key, escapedInLink)
	if serial != "" {
		path += "/" + ai.serial + "/" + escape(serial, escapedInLink)
	}
	return path
}

// DigitalLink is the whole link, at the tag's own host or at GS1's resolver. It is empty for a GID.
func (e EPC) DigitalLink() string {
	path := e.Path()
	if path == "" {
		return ""
	}
	if e.Host != "" {
		return "https://" + e.Host + path
	}
	return "https://" + Resolver + path
}

// Parse reads any text that this package writes. An element string and a link do not say how many digits the company
// prefix has: give them, 6 to 12; with 0 only a GSRN is read, as GSRN+. The filter is 0 where the text has none, and the
// scheme the shortest that holds it.
func Parse(text string, prefixDigits int) (EPC, error) {
	switch {
	case strings.HasPrefix(text, tagURN):
		return ParseTagURI(text)
	case strings.HasPrefix(text, idURN):
		return ParseURI(text)
	case strings.HasPrefix(text, "("):
		return parseElement(text, prefixDigits)
	}
	return parseLink(text, prefixDigits)
}

func parseElement(text string, prefixDigits int) (EPC, error) {
	ai, rest, ok := strings.Cut(text[1:], ")")
	if !ok {
		return EPC{}, errors.New("element string: want (01)...: a bracket is not closed")
	}
	id := identifierOf(ai)
	if id == nil {
		return EPC{}, fmt.Errorf("element string: no EPC begins with application identifier %.6q", ai)
	}
	key, serial := rest, ""
	if id.serial != "" {
		at := id.digits // a serial may have brackets: the key is cut off by its length
		if at == 0 {
			at = strings.Index(rest, "(")
		}
		if at < 0 || at > len(rest) {
			return EPC{}, fmt.Errorf("element string (%s): want %d digits", ai, id.digits)
		}
		key = rest[:at]
		if at < len(rest) {
			if serial, ok = strings.CutPrefix(rest[at:], "("+id.serial+")"); !ok {
				return EPC{}, fmt.Errorf("element string (%s): want the key, then (%s)", ai, id.serial)
			}
		}
	}
	return fromKey(id, key, serial, "", prefixDigits)
}

// parseLink reads https://host/01/.../21/... or its path.
func parseLink(text string, prefixDigits int) (EPC, error) {
	host, path := "", text
	if rest, ok := strings.CutPrefix(text, "https://"); ok {
		var found bool
		if host, path, found = strings.Cut(rest, "/"); !found {
			return EPC{}, errors.New("digital link: there is no path")
		}
	}
	path, _, _ = strings.Cut(path, "?")
	path, _, _ = strings.Cut(path, "#")
	parts := strings.Split(strings.Trim(path, "/"), "/")
	if len(parts) != 2 && len(parts) != 4 {
		return EPC{}, errors.New("digital link: want /01/.../21/..., with application identifiers of GS1")
	}
	id := identifierOf(parts[0])
	if id == nil || len(parts) == 4 && (id.serial == "" || parts[2] != id.serial) {
		return EPC{}, errors.New("digital link: these application identifiers make no EPC")
	}
	key, err := unescape(parts[1])
	if err != nil {
		return EPC{}, fmt.Errorf("digital link: %w", err)
	}
	serial, err := unescape(parts[len(parts)-1])
	if err != nil {
		return EPC{}, fmt.Errorf("digital link: %w", err)
	}
	if len(parts) == 2 {
		serial = ""
	}
	if host == Resolver {
		host = ""
	}
	return fromKey(id, key, serial, host, prefixDigits)
}

func identifierOf(ai string) *identifier {
	for i := range layouts {
		if id := layouts[i].ai; id != nil && id.ai == ai {
			return id
		}
	}
	return nil
}

// fromKey takes a key apart and finds the shortest scheme that holds it.
func fromKey(id *identifier, key, serial, host string, prefixDigits int) (EPC, error) {
	if id.digits > 0 && id.serial == "" && len(key) > id.digits {
		key, serial = key[:id.digits], key[id.digits:]
	}
	if id.digits > 0 {
		if err := VerifyKey(key, id.digits); err != nil {
			return EPC{}, fmt.Errorf("key of (%s): %w", id.ai, err)
		}
	}
	if serial == "" {
		serial = id.spare
	}
	if prefixDigits == 0 {
		return plainKey(id, key, serial, host)
	}
	e, err := cutKey(id, key, serial, prefixDigits)
	if err != nil {
		return EPC{}, err
	}
	return e.fit(id)
}

// plainKey keeps a key as it is printed.
func plainKey(id *identifier, key, serial, host string) (EPC, error) {
	err := fmt.Errorf("key of (%s): say how many digits the company prefix has, 6 to 12", id.ai)
	for _, s := range Schemes() {
		l := &layouts[s]
		if l.ai != id || l.shape != plain || l.host != (host != "") {
			continue
		}
		e := EPC{Scheme: s, Reference: key, Serial: serial, Host: host}
		if _, err = e.Encode(); err == nil {
			return e, nil
		}
	}
	return EPC{}, err
}

// cutKey parts company prefix and reference.
func cutKey(id *identifier, key, serial string, prefixDigits int) (EPC, error) {
	if id.digits > 0 {
		key = key[:len(key)-1]
	}
	if id.zero {
		if key[0] != '0' {
			return EPC{}, fmt.Errorf("key of (%s): want a 0 first", id.ai)
		}
		key = key[1:]
	}
	lead := ""
	if id.lead {
		lead, key = key[:1], key[1:]
	}
	if prefixDigits < 6 || prefixDigits > 12 || prefixDigits > len(key) {
		return EPC{}, fmt.Errorf("key of (%s): a company prefix of %d digits, want 6 to 12", id.ai, prefixDigits)
	}
	return EPC{Prefix: key[:prefixDigits], Reference: lead + key[prefixDigits:], Serial: serial}, nil
}

// fit finds the shortest scheme that holds e.
func (e EPC) fit(id *identifier) (EPC, error) {
	err := fmt.Errorf("key of (%s): no scheme holds it", id.ai)
	for _, s := range Schemes() {
		if l := &layouts[s]; l.ai != id || l.shape != parted && l.shape != variable {
			continue
		}
		e.Scheme = s
		if _, err = e.Encode(); err == nil {
			return e, nil
		}
	}
	return EPC{}, err
}
