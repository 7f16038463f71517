package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	profiles "foyer/firmware-profiles"
	"foyer/reader"
	"foyer/reader/tag"
	"foyer/shop"
	"foyer/sync/journal"
)

// ErrProfile is returned when a reader has no profile that could be used.
var ErrProfile = errors.New("its profile is broken")

// lookEvery is how often the files of profiles are looked at. A change counts after two looks that found the same.
const lookEvery = time.Second

// post is a reader's place in the shop: a session with one profile, then perhaps with another.
type post struct {
	config reader.Config

	mu   sync.Mutex
	now  *reader.Reader
	next *reader.Reader // takes over when now has ended
	stop func()         // ends now; nil while none runs
	last time.Time      // the last read under an earlier profile
}

func newPost(c reader.Config) (*post, error) {
	r, err := reader.New(c)
	return &post{config: c, now: r}, err
}

// Run reads until ctx ends, with the profile of the day.
func (p *post) Run(ctx context.Context, out chan<- tag.Read, heard func(reader.Health)) error {
	for {
		inner, r := p.begin(ctx)
		if r == nil {
			return nil
		}
		if err := r.Run(inner, out, heard); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// begin gives the session that is to run, nil if the last one has ended by itself.
func (p *post) begin(ctx context.Context) (context.Context, *reader.Reader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next == nil && p.stop != nil {
		return nil, nil
	}
	if p.next != nil {
		p.last = p.now.Health().Counts.LastRead
		p.now, p.next = p.next, nil
	}
	if p.stop != nil {
		p.stop()
	}
	inner, stop := context.WithCancel(ctx)
	p.stop = stop
	return inner, p.now
}

// with makes the session that the post would have with another profile. It opens nothing.
func (p *post) with(to *profiles.Profile) (*reader.Reader, error) {
	c := p.config
	c.Profile = to
	return reader.New(c)
}

// change ends the session and begins another one.
func (p *post) change(to *reader.Reader) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = to
	if p.stop != nil {
		p.stop()
	}
}

// Health is the running session's.
func (p *post) Health() reader.Health {
	p.mu.Lock()
	defer p.mu.Unlock()
	h := p.now.Health()
	if h.Counts.LastRead.IsZero() {
		h.Counts.LastRead = p.last
	}
	return h
}

// librarian puts new and edited profiles in force while the shop is open. What is broken, or cannot be, changes nothing, and is
// told in the log and beside the reader.
type librarian struct {
	config Config // its readers have the profiles of now
	shelf  *shelf
	posts  map[string]*post
	shop   *shop.Shop
	log    *slog.Logger
	tell   func(reader, fault string) // "" is no fault any more
	told   map[string]string
	keep   func(path, text string) // for a restart: the last good form of a file
	kept   map[string]string
}

// newLibrarian takes the profiles that a configuration names, in their last good form where they are broken now.
func newLibrarian(c *Config, j *journal.Journal, log *slog.Logger) (*librarian, error) {
	kept, err := j.State(profileBucket)
	if err != nil {
		log.Warn("the last good profiles cannot be read", "err", err)
	}
	c.shelf.recall(kept)
	l := &librarian{config: *c, shelf: c.shelf, log: log, told: map[string]string{}, posts: map[string]*post{}, kept: map[string]string{}}
	for path, text := range kept {
		l.kept[path] = string(text)
	}
	l.config.Readers = slices.Clone(c.Readers) // their profiles change
	l.keep = func(path, text string) { keepProfile(j, log, path, text) }
	for i := range l.config.Readers {
		r := &l.config.Readers[i]
		if r.profile, err = c.shelf.find(r.Profile); r.profile == nil {
			return nil, fmt.Errorf("reader %s: %w, and no earlier form of it is known: %w", r.Name, ErrProfile, err)
		}
	}
	return l, nil
}

// keepProfile stores the last good form of a profile's file for a restart.
func keepProfile(j *journal.Journal, log *slog.Logger, path, text string) {
	e := journal.Entry{Puts: []journal.Put{{Bucket: profileBucket, Key: path, Value: []byte(text)}}, Done: func(_ uint64, err error) {
		if err != nil {
			log.Warn("a profile is not kept for a restart", "file", path, "err", err)
		}
	}}
	if err := j.Submit(context.Background(), e); err != nil {
		e.Done(0, err)
	}
}

// Run looks after the profiles until ctx ends.
func (l *librarian) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for news := true; ; news = l.shelf.look() {
		if news {
			l.review(ctx)
			l.store()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// store keeps what is sound, once.
func (l *librarian) store() {
	for path, text := range l.shelf.sound() {
		if l.kept[path] != text {
			l.kept[path] = text
			l.keep(path, text)
		}
	}
}

// review holds every reader against the shelf.
func (l *librarian) review(ctx context.Context) {
	for i, r := range l.config.Readers {
		p, err := l.shelf.find(r.Profile)
		if p != nil && !same(p, r.profile) {
			err = errors.Join(l.change(ctx, i, p), err)
		}
		l.say(r.Name, err)
	}
}

// same tells whether two profiles differ in their file's name at most.
func same(a, b *profiles.Profile) bool {
	x, y := *a, *b
	x.File, y.File = "", ""
	return reflect.DeepEqual(x, y)
}

// change gives a reader another profile: presence first, which may refuse it, then the session.
func (l *librarian) change(ctx context.Context, i int, p *profiles.Profile) error {
	r := &l.config.Readers[i]
	session, err := l.posts[r.Name].with(p)
	if err != nil {
		return fmt.Errorf("%s: %w", p.File, err)
	}
	before := r.profile
	r.profile = p
	if before.Report != p.Report {
		if err := l.shop.Retune(ctx, l.config.zones()); err != nil {
			r.profile = before
			return fmt.Errorf("%s: report: %s in place of %s: %w", p.File, p.Report, before.Report, err)
		}
	}
	l.posts[r.Name].change(session)
	l.log.Info("another profile is in force", "reader", r.Name, "profile", p.ID, "file", p.File, "report", p.Report)
	return nil
}

// say tells what is wrong with a reader's profile, once, and when it is well again.
func (l *librarian) say(name string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text == l.told[name] {
		return
	}
	l.told[name] = text
	if err != nil {
		l.log.Warn("the reader's new profile is not taken; the one before stays in force", "reader", name, "err", err)
	} else {
		l.log.Info("the reader's profile is sound again", "reader", name)
	}
	l.tell(name, brief(text))
}

// brief is the first fault of several, for a page: with the file's name and without its folder.
func brief(text string) string {
	lines := strings.Split(text, "\n")
	first, rest, ok := strings.Cut(lines[0], ":")
	if ok && filepath.IsAbs(first) {
		first = filepath.Base(first)
	}
	if ok {
		first += ":" + rest
	}
	if n := len(lines) - 1; n > 0 {
		first += fmt.Sprintf(" (+%d)", n)
	}
	return first
}
