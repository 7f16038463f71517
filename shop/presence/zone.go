package presence

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
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

// Report is what a zone's readers tell while a tag stays near them. Its values are those of reader profiles.
type Report string

// The kinds of report.
const (
	Continuous Report = "continuous" // again and again: silence means gone
	Once       Report = "once"       // one read a presentation, as with Gen2 sessions 2 and 3: silence means little
	Polled     Report = "polled"     // an answer to each poll of ours, some times a second: a missed answer means nothing yet
)

// Reports lists all of them.
var Reports = []Report{Continuous, Once, Polled}

// MaxMinReads is the largest MinReads.
const MaxMinReads = 8

// maxAntennas is more than LLRP readers and antenna hubs for them have.
const maxAntennas = 65

// The defaults of a zone's zero fields. UHF readers see a tag 5 to 50 times a second at the door, a body in between
// costs 10 dB and some seconds; LF and HF readers repeat every 50 to 65 ms while a card is held to them. Where a reader
// tells of a tag once, one read must do, and only time tells that the tag is gone.
const (
	DefaultMinReads              = 3
	DefaultWindow                = time.Second
	DefaultPolledWindow          = 3 * time.Second
	DefaultAverage               = 1
	DefaultEnter        tag.RSSI = -65
	DefaultMargin       tag.RSSI = 10 // Leave is so much below Enter
	DefaultGrace                 = 30 * time.Second
	DefaultOnceGrace             = 10 * time.Minute
	DefaultTapGrace              = 2 * time.Second
	DefaultPolledTap             = 3 * time.Second
	DefaultHoldOff               = 2 * time.Second
	DefaultResistance   tag.RSSI = 6 // dB: the offset of the readers' tables is 6 too (EdgeX, Intel RSP)
)

// candidateSilence is how long a candidate may be silent before it has passed, unless Window is longer.
const candidateSilence = 2 * time.Second

// anyStrength is below what any receiver hears.
const anyStrength tag.RSSI = -200

// Zone is a place in the shop that one or several readers, or some of their antennas, cover.
type Zone struct {
	ID         string
	Role       Role
	Readers    []string
	Antennas   map[string][]uint8 // by reader, 1-based: only these are this zone's; none named: all. An antenna belongs to one zone
	Group      string             // zones of one group cover one place: a tag is in one of them at a time. Empty: it stands alone
	Report     Report             // of its readers; empty is Continuous
	Tap        bool               // a card is held to it on purpose: one read is enough, of any strength
	MinReads   int                // reads within Window that make an arrival; 0 is 3, where tags are reported once 1; at most 8
	Window     time.Duration      // 0 is 1 s, of polled readers 3 s
	Dwell      time.Duration      // strong reads must go on for so long to make an arrival; 0 is none
	Average    int                // the strength is the mean power of so many reads; 0 is 1; at most 8
	Enter      tag.RSSI           // floor of the strength that makes an arrival; 0 is -65 dBm
	Leave      tag.RSSI           // floor of the strength that keeps a tag present; 0 is 10 dB below Enter
	Grace      time.Duration      // silence that makes a departure; 0 is 30 s, once 10 min, of a tap zone 2 s, polled 3 s
	HoldOff    time.Duration      // of moves to this zone: a tag stays where it came to for so long; 0 is 2 s
	Resistance tag.RSSI           // of moves to this zone: how much stronger it must be here, in dB; 0 is 6 dB
}

// Config is what New needs.
type Config struct {
	Zones []Zone
}

func (z Zone) linger() time.Duration { return max(z.Window, candidateSilence) }

func ratio(dB tag.RSSI) float64 { return math.Pow(10, float64(dB)/10) }

// settled returns the zones with their defaults filled in, or all faults.
func (c Config) settled() ([]Zone, error) {
	var faults []error
	zones, seen, taken := make([]Zone, 0, len(c.Zones)), map[string]bool{}, claims{}
	if len(c.Zones) > math.MaxInt16 {
		return nil, fmt.Errorf("%d zones: want at most %d", len(c.Zones), math.MaxInt16)
	}
	for i, z := range c.Zones {
		z = z.WithDefaults()
		for _, f := range z.faults() {
			faults = append(faults, fmt.Errorf("zone %d (%q): %w", i+1, z.ID, f))
		}
		if seen[z.ID] {
			faults = append(faults, fmt.Errorf("zone %d: id %q is taken by another zone", i+1, z.ID))
		}
		seen[z.ID] = true
		faults = append(faults, taken.add(z)...)
		zones = append(zones, z)
	}
	return zones, errors.Join(faults...)
}

// claims is which zone a reader's antenna belongs to; antenna 0 stands for all of them.
type claims map[string]map[uint8]string

func (c claims) add(z Zone) (faults []error) {
	for _, r := range z.Readers {
		owner := c[r]
		if owner == nil {
			owner = map[uint8]string{}
			c[r] = owner
		}
		antennas := z.Antennas[r]
		if other, all := owner[0]; all {
			faults = append(faults, fmt.Errorf("zone %q: reader %q is in zone %q already, and a reader's antenna belongs to one zone", z.ID, r, other))
		} else if len(antennas) == 0 && len(owner) > 0 {
			faults = append(faults, fmt.Errorf("zone %q: antennas of reader %q are in another zone already: name its antennas here too", z.ID, r))
		}
		for _, a := range antennas {
			if other, taken := owner[a]; taken {
				faults = append(faults, fmt.Errorf("zone %q: antenna %d of reader %q is in zone %q already", z.ID, a, r, other))
			}
			owner[a] = z.ID
		}
		if len(antennas) == 0 {
			owner[0] = z.ID
		}
	}
	return faults
}

// WithDefaults returns the zone as New takes it.
func (z Zone) WithDefaults() Zone {
	z.Report = cmp.Or(z.Report, Continuous)
	z.HoldOff = cmp.Or(z.HoldOff, DefaultHoldOff)
	z.Resistance = cmp.Or(z.Resistance, DefaultResistance)
	z.Average = cmp.Or(z.Average, DefaultAverage)
	minReads, window, grace, tapGrace := DefaultMinReads, DefaultWindow, DefaultGrace, DefaultTapGrace
	switch z.Report {
	case Once:
		minReads, grace = 1, DefaultOnceGrace
	case Polled:
		window, tapGrace = DefaultPolledWindow, DefaultPolledTap
	}
	z.Window = cmp.Or(z.Window, window)
	if z.Tap {
		z.MinReads, z.Dwell, z.Enter, z.Leave = 1, 0, anyStrength, anyStrength
		z.Grace = cmp.Or(z.Grace, tapGrace)
		return z
	}
	z.MinReads = cmp.Or(z.MinReads, minReads)
	z.Enter = cmp.Or(z.Enter, DefaultEnter)
	z.Leave = cmp.Or(z.Leave, z.Enter-DefaultMargin)
	z.Grace = cmp.Or(z.Grace, grace)
	return z
}

func (z Zone) faults() []error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(z.ID != "" && len(z.ID) <= maxName, "id is empty or over %d bytes: name the zone, like \"door\"", maxName)
	check(slices.Contains(Roles, z.Role), "role %q: want one of %q", z.Role, Roles)
	check(slices.Contains(Reports, z.Report), "report %q: want one of %q", z.Report, Reports)
	check(len(z.Readers) > 0, "no readers: name at least one")
	check(z.MinReads >= 1 && z.MinReads <= MaxMinReads, "min reads %d: want 1 to %d", z.MinReads, MaxMinReads)
	check(z.Average >= 1 && z.Average <= MaxAverage, "average %d: want 1 to %d reads", z.Average, MaxAverage)
	check(z.Window > 0, "window %v: want more than 0", z.Window)
	check(z.Dwell >= 0, "dwell %v: want 0 or more", z.Dwell)
	check(z.Grace > 0, "grace %v: want more than 0", z.Grace)
	check(z.HoldOff > 0 && z.Resistance > 0, "hold-off %v and resistance %d dB: want more than 0", z.HoldOff, z.Resistance)
	check(z.Leave <= z.Enter, "leave at %d dBm is above enter at %d dBm: a tag would leave while it arrives", z.Leave, z.Enter)
	check(z.Report != Once || z.MinReads == 1 && z.Dwell == 0, "min reads %d and dwell %v: a tag that is reported once would never arrive", z.MinReads, z.Dwell)
	for _, r := range slices.Sorted(maps.Keys(z.Antennas)) {
		check(slices.Contains(z.Readers, r), "antennas of reader %q: it is none of the zone's readers", r)
		for _, a := range z.Antennas[r] {
			check(a >= 1 && a < maxAntennas, "antenna %d of reader %q: want 1 to %d", a, r, maxAntennas-1)
		}
	}
	for _, r := range z.Readers {
		check(len(r) <= maxName, "reader %.20q...: want at most %d bytes", r, maxName)
	}
	return faults
}
