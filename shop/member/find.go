package member

import (
	"slices"

	"foyer/reader/tag"
)

// Standing is what a tag is to the chain.
type Standing uint8

// The standings. Only Carried is somebody's who may be greeted.
const (
	Unknown  Standing = iota // a stranger's, or of who does not want to be recognised
	Carried                  // one member's
	Clashing                 // claimed by several members: nobody's, until headquarters says whose it is
	Blocked                  // lost or stolen: staff are told whose it was, and nobody is greeted
)

var standings = [...]string{"unknown", "carried", "clashing", "blocked"}

func (s Standing) String() string { return standings[s] }

// Look tells what one form of a tag's number is. The member is who carries it, or who lost it.
func (b *Book) Look(id tag.ID) (Standing, *Member) {
	if b == nil || id.IsZero() {
		return Unknown, nil
	}
	standing, m := b.look(id)
	if b.beside == nil {
		return standing, m
	}
	other, n := b.beside.Look(id)
	if n != nil && b.byID[n.ID] != nil {
		other = Unknown // of a guest, only the newer word counts
	}
	switch {
	case standing == Blocked || other == Unknown:
		return standing, m
	case standing == Unknown || other == Blocked:
		return other, n
	}
	return Clashing, nil
}

func (b *Book) look(id tag.ID) (Standing, *Member) {
	if m, ok := b.blocked[id]; ok {
		return Blocked, m
	}
	if m, ok := b.byTag[id]; ok {
		return Carried, m
	}
	if _, clash := slices.BinarySearchFunc(b.clashes, id, func(c Clash, id tag.ID) int { return slices.Compare(c.Tag[:], id[:]) }); clash {
		return Clashing, nil
	}
	return Unknown, nil
}

// Find tells whose tag was read. id is the longest form that the reader told, also the shorter one that its profile
// allows to match, or zero. The shorter form is asked only where nothing is known of the longest: a card that clashes or
// is blocked does not become somebody's by fewer digits.
func (b *Book) Find(id, also tag.ID) (Standing, *Member) {
	standing, m := b.Look(id)
	if standing == Unknown {
		return b.Look(also)
	}
	return standing, m
}
