package epc

import (
	"errors"
	"fmt"
	"strings"
)

const (
	tagURN = "urn:epc:tag:"
	idURN  = "urn:epc:id:"
)

// TagURI is what stands on the tag, filter and all: urn:epc:tag:sgtin-96:3.95060001343.05.123456789. It is empty for the
// schemes with a plus, for which TDS has none.
func (e EPC) TagURI() string {
	l := &layouts[e.Scheme]
	switch {
	case l.id == "":
		return ""
	case l.shape == general:
		return tagURN + l.name + ":" + e.path()
	}
	return fmt.Sprintf("%s%s:%d.%s", tagURN, l.name, e.Filter, e.path())
}

// URI is the pure identity: urn:epc:id:sgtin:95060001343.05.123456789. It is empty for the schemes with a plus, whose
// bits do not say how long the company prefix is.
func (e EPC) URI() string {
	if layouts[e.Scheme].id == "" {
		return ""
	}
	return idURN + layouts[e.Scheme].id + ":" + e.path()
}

// path is prefix, reference and serial.
func (e EPC) path() string {
	l := &layouts[e.Scheme]
	path := e.Prefix + "." + escape(e.Reference, escapedInURI)
	if l.serial.kind != absent || l.shape == general {
		path += "." + escape(e.Serial, escapedInURI)
	}
	return path
}

// ParseTagURI reads a tag URI.
func ParseTagURI(uri string) (EPC, error) {
	name, rest, ok := strings.Cut(strings.TrimPrefix(uri, tagURN), ":")
	if !ok || !strings.HasPrefix(uri, tagURN) {
		return EPC{}, errors.New("tag URI: want urn:epc:tag:SCHEME:... with its parts")
	}
	for _, s := range Schemes() {
		l := &layouts[s]
		if l.name != name || l.id == "" {
			continue
		}
		e := EPC{Scheme: s}
		if l.shape != general {
			if len(rest) < 2 || rest[0] < '0' || rest[0] > '7' || rest[1] != '.' {
				return EPC{}, fmt.Errorf("tag URI of %s: want a filter of 0 to 7 and a dot first", s)
			}
			e.Filter, rest = rest[0]-'0', rest[2:]
		}
		return e.withPath(rest)
	}
	return EPC{}, fmt.Errorf("tag URI of %.20q: there is no such scheme here", name)
}

// ParseURI reads a pure identity URI. The filter is 0, and the scheme the shortest that holds it.
func ParseURI(uri string) (EPC, error) {
	id, rest, ok := strings.Cut(strings.TrimPrefix(uri, idURN), ":")
	if !ok || !strings.HasPrefix(uri, idURN) {
		return EPC{}, errors.New("EPC URI: want urn:epc:id:SCHEME:... with its parts")
	}
	err := fmt.Errorf("EPC URI of %.20q: there is no such scheme here", id)
	for _, s := range Schemes() {
		if layouts[s].id != id {
			continue
		}
		var e EPC
		if e, err = (EPC{Scheme: s}).withPath(rest); err == nil {
			return e, nil
		}
	}
	return EPC{}, err
}

// withPath fills in prefix, reference and serial, and checks them. A serial may have dots.
func (e EPC) withPath(path string) (EPC, error) {
	l := &layouts[e.Scheme]
	into := []*string{&e.Prefix, &e.Reference}
	if l.serial.kind != absent || l.shape == general {
		into = append(into, &e.Serial)
	}
	parts := strings.SplitN(path, ".", len(into))
	if len(parts) != len(into) {
		return EPC{}, fmt.Errorf("%s: want %d parts with dots between them", e.Scheme, len(into))
	}
	for i, part := range parts {
		plain, err := unescape(part)
		if err != nil {
			return EPC{}, fmt.Errorf("%s: %w", e.Scheme, err)
		}
		*into[i] = plain
	}
	_, err := e.Encode()
	if err != nil {
		return EPC{}, err
	}
	return e, nil
}
