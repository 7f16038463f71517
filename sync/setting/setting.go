// Package setting is what headquarters may change at a running store: a small, closed set of the settings of foyerd.yaml.
//
// In: names and values as they stand in foyerd.yaml. Out: whether they are good, and what they mean; budgets in bytes a day,
// rates in 1000 bytes a second.
// It never changes anything by itself, and has no setting by which a store could be led to another headquarters or keep silent.
// Called by internal/daemon (for its configuration, and for what headquarters sends), sync/content and hq.
package setting

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The settings, by their places in foyerd.yaml.
const (
	LogLevel      = "log_level"
	WallGreeting  = "screens.wall_greeting"
	KioskGreeting = "screens.kiosk_greeting"
	Language      = "screens.language"
	Quiet         = "headquarters.packs.quiet"
	Rate          = "headquarters.packs.kb_per_second"
	Budget        = "headquarters.budget"
)

// Names lists them in the order in which pages show them.
var Names = []string{LogLevel, WallGreeting, KioskGreeting, Language, Quiet, Rate, Budget}

// checks says of each whether a value is good.
var checks = map[string]func(string) error{
	LogLevel:      oneOf("debug", "info", "warn", "error"),
	WallGreeting:  func(v string) error { _, err := ParseGreeting(v); return err },
	KioskGreeting: func(v string) error { _, err := ParseGreeting(v); return err },
	Language:      oneOf("zh-CN", "en"),
	Quiet:         orNone(func(v string) error { _, err := ParseWindow(v); return err }),
	Rate:          func(v string) error { _, err := ParseRate(v); return err },
	Budget:        orNone(func(v string) error { _, err := ParseBudget(v); return err }),
}

// None is the value by which a limit that foyerd.yaml sets is lifted.
const None = "none"

// ErrName is for a setting that headquarters may not change.
var ErrName = errors.New("headquarters may not change it")

// Check reports what is wrong with a setting.
func Check(name, value string) error {
	check, ok := checks[name]
	if !ok {
		return fmt.Errorf("setting %.80q: %w, only %s", name, ErrName, strings.Join(Names, ", "))
	}
	if err := check(value); err != nil {
		return fmt.Errorf("setting %s: %w", name, err)
	}
	return nil
}

// Set is what headquarters has set at a store, by name.
type Set map[string]string

// Change returns the set with some settings set and some as foyerd.yaml says again. All faults are told at once.
func (s Set) Change(set map[string]string, reset []string) (Set, error) {
	next := maps.Clone(s)
	if next == nil {
		next = Set{}
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(set)) {
		faults = append(faults, Check(name, set[name]))
		next[name] = set[name]
	}
	for _, name := range reset {
		if _, ok := checks[name]; !ok {
			faults = append(faults, fmt.Errorf("setting %.80q: %w", name, ErrName))
		}
		if _, both := set[name]; both {
			faults = append(faults, fmt.Errorf("setting %s is set and reset at once", name))
		}
		delete(next, name)
	}
	if len(set)+len(reset) == 0 {
		faults = append(faults, errors.New("nothing is set or reset"))
	}
	return next, errors.Join(faults...)
}

// Sound is the set without what this program does not allow: one that was kept by a newer program.
func (s Set) Sound() Set {
	out := Set{}
	for name, value := range s {
		if Check(name, value) == nil {
			out[name] = value
		}
	}
	return out
}

// orNone takes None too. Nothing at all is a slip of the pen.
func orNone(check func(string) error) func(string) error {
	return func(v string) error {
		if v == "" {
			return errors.New("there is no value")
		}
		if v == None {
			return nil
		}
		return check(v)
	}
}

func oneOf(words ...string) func(string) error {
	return func(v string) error {
		if !slices.Contains(words, v) {
			return fmt.Errorf("%.40q: want one of %s", v, strings.Join(words, ", "))
		}
		return nil
	}
}

// A greeting shorter than the least is missed, and one longer than the most is a stuck screen.
const (
	minGreeting = 2 * time.Second
	maxGreeting = time.Minute
)

// ParseGreeting reads how long a screen greets: 2s to 1m.
func ParseGreeting(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < minGreeting || d > maxGreeting {
		return 0, fmt.Errorf("%.40q: want %v to %v, like 12s", text, minGreeting, maxGreeting)
	}
	return d, nil
}

// ParseRate reads 1000 bytes a second; 0 is as fast as the line.
func ParseRate(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1_000_000 {
		return 0, fmt.Errorf("%.40q: want 0 (as fast as the line) to 1000000", text)
	}
	return n, nil
}

// A budget below the least is less than a quiet store needs to be heard at all; the most is no budget any more.
const (
	minBudget = 100_000
	maxBudget = 1e12
)

// ParseBudget reads bytes a day: a number with kB, MB or GB (powers of ten, as networks bill) and /day.
func ParseBudget(text string) (int64, error) {
	number, ok := strings.CutSuffix(text, "/day")
	unit := int64(1)
	for suffix, size := range map[string]int64{"kB": 1e3, "MB": 1e6, "GB": 1e9} {
		if cut, found := strings.CutSuffix(number, suffix); found {
			number, unit = cut, size
		}
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !ok || unit == 1 || err != nil || !(v*float64(unit) >= minBudget && v*float64(unit) <= maxBudget) {
		return 0, fmt.Errorf("%q is no budget, want something like 20MB/day, at least 100kB/day", text)
	}
	return int64(v * float64(unit)), nil
}
