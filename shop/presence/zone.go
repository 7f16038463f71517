package presence

import (
	"cmp"
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

// Fault is one thing wrong with a zone.
type Fault struct {
	Zone int    // its place in Config.Zones; -1 is all of them
	ID   string // of the zone
	Key  string // which of its fields, in the words of a configuration: "min_reads"
	Text string // what was wrong, what was expected
}

func (f Fault) Error() string {
	if f.Zone < 0 {
		return f.Text
	}
	return fmt.Sprintf("zone %d (%q): %s", f.Zone+1, f.ID, f.Text)
}

// Faults tells everything that is wrong with the zones; New refuses zones that have any.
func (c Config) Faults() []Fault {
	_, faults := c.settled()
	return faults
}

// settled returns the zones with their defaults filled in, and all faults.
func (c Config) settled() ([]Zone, []Fault) {
	var faults []Fault
	zones, seen, taken := make([]Zone, 0, len(c.Zones)), map[string]bool{}, claims{}
	if len(c.Zones) > math.MaxInt16 {
		return nil, []Fault{{Zone: -1, Text: fmt.Sprintf("%d zones: want at most %d", len(c.Zones), math.MaxInt16)}}
	}
	for i, z := range c.Zones {
		z = z.WithDefaults()
		tell := func(key, format string, args ...any) {
			faults = append(faults, Fault{i, z.ID, key, fmt.Sprintf(format, args...)})
		}
		z.check(tell)
		if seen[z.ID] {
			tell("id", "id %q is taken by another zone", z.ID)
		}
		seen[z.ID] = true
		taken.add(z, tell)
		zones = append(zones, z)
	}
	return zones, faults
}

// claims is which zone a reader's antenna belongs to; antenna 0 stands for all of them.
type claims map[string]map[uint8]string

// teller is told what is wrong with one field of a zone.
type teller func(key, format string, args ...any)

func (c claims) add(z Zone, tell teller) {
	for _, r := range z.Readers {
		owner := c[r]
		if owner == nil {
			owner = map[uint8]string{}
			c[r] = owner
		}
		antennas := z.Antennas[r]
		if other, all := owner[0]; all {
			tell("readers", "reader %q is in zone %q already, and a reader's antenna belongs to one zone: name its antennas in both", r, other)
		} else if len(antennas) == 0 && len(owner) > 0 {
			tell("readers", "antennas of reader %q are in another zone already: name its antennas here too", r)
		}
		for _, a := range antennas {
			if other, taken := owner[a]; taken {
				tell("antennas", "antenna %d of reader %q is in zone %q already", a, r, other)
			}
			owner[a] = z.ID
		}
		if len(antennas) == 0 {
			owner[0] = z.ID
		}
	}
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

func (z Zone) check(tell teller) {
	check := func(ok bool, key, format string, args ...any) {
		if !ok {
			tell(key, format, args...)
		}
	}
	check(z.ID != "" && len(z.ID) <= maxName, "id", "id is empty or over %d bytes: name the zone, like \"door\"", maxName)
	check(slices.Contains(Roles, z.Role), "role", "role %q: want one of %q", z.Role, Roles)
	check(slices.Contains(Reports, z.Report), "report", "report %q: want one of %q", z.Report, Reports)
	check(len(z.Readers) > 0, "readers", "no readers: name at least one")
	check(z.MinReads >= 1 && z.MinReads <= MaxMinReads, "min_reads", "min reads %d: want 1 to %d", z.MinReads, MaxMinReads)
	check(z.Average >= 1 && z.Average <= MaxAverage, "average", "average %d: want 1 to %d reads", z.Average, MaxAverage)
	check(z.Window > 0, "window", "window %v: want more than 0", z.Window)
	check(z.Dwell >= 0, "dwell", "dwell %v: want 0 or more", z.Dwell)
	check(z.Grace > 0, "grace", "grace %v: want more than 0", z.Grace)
	check(z.HoldOff > 0, "hold_off", "hold-off %v: want more than 0", z.HoldOff)
	check(z.Resistance > 0, "resistance", "resistance %d dB: want more than 0", z.Resistance)
	check(z.Leave <= z.Enter, "leave", "leave at %d dBm is above enter at %d dBm: a tag would leave while it arrives", z.Leave, z.Enter)
	once := "its readers tell of a tag once, so that it would never arrive: want %s"
	check(z.Report != Once || z.MinReads == 1, "min_reads", "min reads %d: "+once, z.MinReads, "1, or leave it out")
	check(z.Report != Once || z.Dwell <= 0, "dwell", "dwell %v: "+once, z.Dwell, "none")
	for _, r := range slices.Sorted(maps.Keys(z.Antennas)) {
		check(slices.Contains(z.Readers, r), "antennas", "antennas of reader %q: it is none of the zone's readers", r)
		for _, a := range z.Antennas[r] {
			check(a >= 1 && a < maxAntennas, "antennas", "antenna %d of reader %q: want 1 to %d", a, r, maxAntennas-1)
		}
	}
	for _, r := range z.Readers {
		check(len(r) <= maxName, "readers", "reader %.20q...: want at most %d bytes", r, maxName)
	}
}
