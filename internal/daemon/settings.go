package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"path/filepath"
	"sync"
	"time"

	"foyer/api"
	"foyer/sync/journal"
	"foyer/sync/setting"
)

const settingBucket = "settings" // in the journal's state: name -> value, as headquarters set it

// settings are those that headquarters may change, and where they take effect. What it has not set is as foyerd.yaml says.
type settings struct {
	config *Config
	level  *slog.LevelVar // nil: the log has a level of its own

	greet  func(wall, kiosk time.Duration)
	speak  func(language string)
	pace   func(rate int64, quiet setting.Window)
	budget func(bytes int64)

	mu  sync.Mutex
	now setting.Set
}

// newSettings reads what headquarters has set before.
func newSettings(c *Config, level *slog.LevelVar, j *journal.Journal) (*settings, error) {
	state, err := j.State(settingBucket)
	if err != nil {
		return nil, fmt.Errorf("read headquarters' settings: %w", err)
	}
	return &settings{config: c, level: level, now: soundSet(state)}, nil
}

func soundSet(state map[string][]byte) setting.Set {
	set := setting.Set{}
	for name, value := range state {
		set[name] = string(value)
	}
	return set.Sound()
}

// Now is a copy of what headquarters has set.
func (s *settings) Now() setting.Set {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.now)
}

// list is Now for the faces.
func (s *settings) list() []api.Setting { return listOf(s.Now()) }

func listOf(set setting.Set) []api.Setting {
	var all []api.Setting
	for _, name := range setting.Names {
		if v, ok := set[name]; ok {
			all = append(all, api.Setting{Name: name, Value: v})
		}
	}
	return all
}

// adopt lets a set take effect. The values were checked.
func (s *settings) adopt(set setting.Set) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = set
	if s.level != nil {
		s.level.Set(levelOf(orElse(set, setting.LogLevel, s.config.LogLevel)))
	}
	s.greet(greetingOr(set, setting.WallGreeting, s.config.Screens.WallGreeting), greetingOr(set, setting.KioskGreeting, s.config.Screens.KioskGreeting))
	s.speak(orElse(set, setting.Language, s.config.Screens.Language))
	s.adoptLine(set)
}

// adoptLine is adopt for what a store on its own does not have.
func (s *settings) adoptLine(set setting.Set) {
	hq := s.config.Headquarters
	rate, quiet, budget := hq.Packs.KBPerSecond, hq.Packs.quiet, int64(hq.Budget)
	if v, ok := set[setting.Rate]; ok {
		rate, _ = setting.ParseRate(v)
	}
	if v, ok := set[setting.Quiet]; ok {
		quiet, _ = setting.ParseWindow(v) // None is no window: the whole day
	}
	if v, ok := set[setting.Budget]; ok {
		budget, _ = setting.ParseBudget(v) // None is no budget: 0
	}
	if s.pace != nil {
		s.pace(int64(rate)*1000, quiet)
	}
	if s.budget != nil {
		s.budget(budget)
	}
}

func orElse(set setting.Set, name, otherwise string) string {
	if v, ok := set[name]; ok {
		return v
	}
	return otherwise
}

func greetingOr(set setting.Set, name string, otherwise time.Duration) time.Duration {
	if v, ok := set[name]; ok {
		otherwise, _ = setting.ParseGreeting(v)
	}
	return otherwise
}

// puts are what turns the journal's state from one set into another.
func puts(before, after setting.Set) []journal.Put {
	var all []journal.Put
	for _, name := range setting.Names {
		was, had := before[name]
		v, has := after[name]
		switch {
		case has && (!had || v != was):
			all = append(all, journal.Put{Bucket: settingBucket, Key: name, Value: []byte(v)})
		case had && !has:
			all = append(all, journal.Put{Bucket: settingBucket, Key: name})
		}
	}
	return all
}

// FromHeadquarters lists what headquarters has set at a store over what its configuration says, whether foyerd runs or not.
func FromHeadquarters(c *Config, ask func(socket string) ([]api.Setting, error)) ([]api.Setting, error) {
	state, err := journal.Peek(filepath.Join(c.Data, "journal.db"), settingBucket)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case errors.Is(err, journal.ErrLocked):
		return ask(c.Listen.Socket)
	case err != nil:
		return nil, err
	}
	return listOf(soundSet(state)), nil
}
