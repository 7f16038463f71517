package presence

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"foyer/reader/tag"
)

// Role is what a zone is for.
type Role string

// The roles.
const (
	Entrance Role = "entrance"
	Kiosk    Role = "kiosk"
	Counter  Role = "counter"
	Exit     Role = "exit" // being seen here alone begins no visit
)

// Roles lists all of them.
var Roles = []Role{Entrance, Kiosk, Counter, Exit}

// MaxMinReads is the largest MinReads.
const MaxMinReads = 8

// The defaults of a zone's zero fields. UHF readers see a tag 5 to 50 times a second at the door, a body in between
// costs 10 dB and some seconds; LF and HF readers repeat every 50 to 65 ms while a card is held to them.
const (
	DefaultMinReads          = 3
	DefaultWindow            = time.Second
	DefaultEnter    tag.RSSI = -65
	DefaultMargin   tag.RSSI = 10 // Leave is so much below Enter
	DefaultGrace             = 30 * time.Second
	DefaultTapGrace          = 2 * time.Second
)

// candidateSilence is how long a candidate may be silent before it has passed, unless Window is longer.
const candidateSilence = 2 * time.Second

// anyStrength is below what any receiver hears.
const anyStrength tag.RSSI = -200

// Zone is a place in the shop that one or several readers cover.
type Zone struct {
	ID       string
	Role     Role
	Readers  []string      // a reader belongs to one zone
	Tap      bool          // a card is held to it on purpose: one read is enough, of any strength
	MinReads int           // reads within Window that make an arrival; 0 is 3; at most 8
	Window   time.Duration // 0 is 1 s
	Enter    tag.RSSI      // floor of the reads that make an arrival; 0 is -65 dBm
	Leave    tag.RSSI      // floor of the reads that keep a tag present; 0 is 10 dB below Enter
	Grace    time.Duration // silence that makes a departure; 0 is 30 s, of a tap zone 2 s
}

// Config is what New needs.
type Config struct {
	Zones []Zone
}

func (z Zone) linger() time.Duration { return max(z.Window, candidateSilence) }

// settled returns the zones with their defaults filled in, or all faults.
func (c Config) settled() ([]Zone, error) {
	var faults []error
	zones, owner, seen := make([]Zone, 0, len(c.Zones)), map[string]string{}, map[string]bool{}
	for i, z := range c.Zones {
		z = z.withDefaults()
		for _, f := range z.faults() {
			faults = append(faults, fmt.Errorf("zone %d (%q): %w", i+1, z.ID, f))
		}
		if seen[z.ID] {
			faults = append(faults, fmt.Errorf("zone %d: id %q is taken by another zone", i+1, z.ID))
		}
		seen[z.ID] = true
		for _, r := range z.Readers {
			if other, taken := owner[r]; taken {
				faults = append(faults, fmt.Errorf("zone %q: reader %q is in zone %q already, and a reader belongs to one zone", z.ID, r, other))
			}
			owner[r] = z.ID
		}
		zones = append(zones, z)
	}
	return zones, errors.Join(faults...)
}

func (z Zone) withDefaults() Zone {
	if z.Tap {
		z.MinReads, z.Window, z.Enter, z.Leave = 1, DefaultWindow, anyStrength, anyStrength
		z.Grace = cmp.Or(z.Grace, DefaultTapGrace)
		return z
	}
	z.MinReads = cmp.Or(z.MinReads, DefaultMinReads)
	z.Window = cmp.Or(z.Window, DefaultWindow)
	z.Enter = cmp.Or(z.Enter, DefaultEnter)
	z.Leave = cmp.Or(z.Leave, z.Enter-DefaultMargin)
	z.Grace = cmp.Or(z.Grace, DefaultGrace)
	return z
}

func (z Zone) faults() []error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(z.ID != "", "id is empty: name the zone, like \"door\"")
	check(z.Role == Entrance || z.Role == Kiosk || z.Role == Counter || z.Role == Exit, "role %q: want one of %q", z.Role, Roles)
	check(len(z.Readers) > 0, "no readers: name at least one")
	check(z.MinReads >= 1 && z.MinReads <= MaxMinReads, "min reads %d: want 1 to %d", z.MinReads, MaxMinReads)
	check(z.Window > 0, "window %v: want more than 0", z.Window)
	check(z.Grace > 0, "grace %v: want more than 0", z.Grace)
	check(z.Leave <= z.Enter, "leave at %d dBm is above enter at %d dBm: a tag would leave while it arrives", z.Leave, z.Enter)
	return faults
}
