package main

import (
	"errors"
	"fmt"

	"foyer/reader/tag"
	"foyer/reader/tag/epc"
)

// gs1 is an EPC in the forms of GS1. Its fields are described in tagHelp; they are stable.
type gs1 struct {
	GSRN        string    `json:"gsrn,omitempty"`
	Element     string    `json:"element,omitempty"`
	DLPath      string    `json:"dl_path,omitempty"`
	DigitalLink string    `json:"digital_link,omitempty"`
	URI         string    `json:"uri,omitempty"`
	TagURI      string    `json:"tag_uri,omitempty"`
	Filter      *uint8    `json:"filter,omitempty"`
	Hostname    string    `json:"hostname,omitempty"`
	CheckDigit  *int      `json:"check_digit,omitempty"`
	Parts       *epcParts `json:"parts,omitempty"`
	Note        string    `json:"note,omitempty"`
}

// epcParts are texts: leading zeros count.
type epcParts struct {
	Prefix    string `json:"company_prefix"`
	Reference string `json:"reference"`
	Serial    string `json:"serial,omitempty"`
}

// gs1Forms gives the forms of an EPC; raw may be nil, then those of a member's GSRN.
func gs1Forms(n tag.Number, raw []byte) gs1 {
	var g gs1
	g.GSRN, _ = n.GSRN()
	e, err := epc.Decode(raw)
	switch {
	case err == nil:
		g.fill(e)
		return g
	case len(raw) == 0:
		if e, err = epc.Parse(n.DigitalLink(), 0); err == nil {
			g.Element, g.DLPath, g.DigitalLink = e.Element(), e.Path(), e.DigitalLink()
		}
		return g
	case errors.Is(err, epc.ErrRaw) && raw[0] == unprogrammed:
		g.Note = "header E2: a chip's own number or a tag that nobody has written, no EPC of GS1"
	default:
		g.Note = fmt.Sprint(err)
	}
	g.Element, g.DLPath = n.Element(), n.DigitalLink()
	return g
}

// brief keeps what fits a line of profile play.
func (g gs1) brief() gs1 {
	g.DigitalLink, g.CheckDigit, g.Parts, g.Note = "", nil, nil, ""
	return g
}

// unprogrammed is the first byte of a TID (ISO/IEC 15963 class E2), which some tags carry as their EPC too.
const unprogrammed = 0xE2

func (g *gs1) fill(e epc.EPC) {
	g.Element, g.DLPath, g.DigitalLink = e.Element(), e.Path(), e.DigitalLink()
	g.URI, g.TagURI, g.Hostname = e.URI(), e.TagURI(), e.Host
	if e.Scheme != epc.GID96 {
		g.Filter = new(e.Filter)
	}
	if e.Prefix != "" {
		g.Parts = &epcParts{e.Prefix, e.Reference, e.Serial}
	}
	if digit, ok := e.CheckDigit(); ok {
		g.CheckDigit = new(int(digit - '0'))
	}
	if e.More {
		g.Note = "other data follows the EPC on the tag, and is not shown"
	}
}
