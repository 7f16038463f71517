package content

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"foyer/sync/wire"
)

// Why a release is left for later without being refused.
var (
	errHours = errors.New("the quiet hours are over")
	errNews  = errors.New("headquarters wants something else by now")
)

// bring fetches what a release lacks and switches to it.
func (s *Store) bring(ctx context.Context, r wire.Release) error {
	lacking := map[wire.Digest]wire.PackFile{}
	bytes := int64(0)
	for _, f := range r.Files {
		if info, err := os.Stat(s.file(f.Digest)); err == nil && info.Size() == f.Size {
			continue
		}
		if _, twice := lacking[f.Digest]; !twice {
			bytes += f.Size
		}
		lacking[f.Digest] = f
	}
	if err := s.room(bytes); err != nil {
		return err
	}
	for _, f := range r.Files { // in the order of the release
		if _, ok := lacking[f.Digest]; !ok {
			continue
		}
		delete(lacking, f.Digest)
		if err := s.fetch(ctx, f, r.Now); err != nil {
			return fmt.Errorf("file %s: %w", f.Path, err)
		}
	}
	return s.switchTo(r)
}

// fetch brings one file whole into files. What was there of it before a restart is not proven yet: if the whole is then
// not what it should be, it begins again from nothing, once.
func (s *Store) fetch(ctx context.Context, f wire.PackFile, atOnce bool) error {
	for {
		p, err := s.openPart(f)
		if err != nil {
			return err
		}
		p.ctx = ctx
		resumed := p.at > 0
		err = s.fill(ctx, p, atOnce)
		if err == nil {
			err = p.finish(s.file(f.Digest))
		}
		p.file.Close()
		switch {
		case err == nil:
			return nil
		case p.failed != nil || errors.Is(err, ErrAltered):
			os.Remove(p.file.Name()) // a full disk gets its room back
			if resumed && errors.Is(err, ErrAltered) {
				continue
			}
			return errors.Join(p.failed, err)
		}
		return err
	}
}

// fill asks the sources until the part has all its bytes.
func (s *Store) fill(ctx context.Context, p *part, atOnce bool) error {
	for p.at < p.f.Size {
		if len(s.wanted) > 0 {
			return errNews
		}
		if !atOnce && s.paceNow().quiet.Until(time.Now()) > 0 {
			return errHours
		}
		from, err := s.pick(ctx)
		if err != nil {
			return err
		}
		before := p.at
		err = from.Fetch(ctx, p.f, p.at, min(piece, p.f.Size-p.at), p)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if p.failed != nil {
			return p.failed
		}
		if err == nil && p.at == before {
			err = io.ErrUnexpectedEOF
		}
		if err := s.note(from, p.at > before, err); err != nil {
			return err
		}
	}
	return nil
}

// pick waits for the best source that is not at rest. One that broke off once or twice is waited for; one that gives nothing
// at all makes room for the next.
func (s *Store) pick(ctx context.Context) (*source, error) {
	for {
		wait := lineDead
		for _, from := range s.sources {
			rest := time.Until(from.rest)
			if rest <= 0 {
				return from, nil
			}
			if wait = min(wait, rest); from.failures < patient {
				break
			}
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if len(s.wanted) > 0 {
			return nil, errNews
		}
	}
}

// note keeps how a source did. Its error is why the release is refused: all sources say that there is no such file, or
// one says that it is another.
func (s *Store) note(from *source, progress bool, err error) error {
	if err == nil {
		from.failures, from.rest = 0, time.Time{}
		return nil
	}
	if errors.Is(err, ErrAltered) {
		return err
	}
	if errors.Is(err, ErrAbsent) && len(s.sources) == 1 || errors.Is(err, ErrAbsent) && from == s.sources[len(s.sources)-1] {
		return err
	}
	if progress {
		from.failures, from.rest = 0, time.Now().Add(s.c.Retry)
	} else {
		from.failures++
		from.rest = time.Now().Add(min(lineDead, s.c.Retry<<min(from.failures, 10)))
	}
	level := slog.LevelDebug
	if from.failures == patient {
		level = slog.LevelWarn // once in a row of failures
	}
	s.c.Log.Log(context.Background(), level, "a file of a pack was broken off", "from", from.String(), "failures", from.failures, "error", err)
	return nil
}

// part is a file on its way. It is written to by sources, at the rate that is allowed.
type part struct {
	f      wire.PackFile
	file   *os.File
	at     int64 // bytes that are there
	sum    hash.Hash
	pace   func() pace
	ctx    context.Context // of one fetch; a Writer has no other way to hear of its end
	failed error           // the disk's
}

// openPart takes up what is there of a file.
func (s *Store) openPart(f wire.PackFile) (*part, error) {
	file, err := os.OpenFile(s.part(f.Digest), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	p := &part{f: f, file: file, sum: sha256.New(), pace: s.paceNow}
	info, err := file.Stat()
	if err == nil && info.Size() > f.Size {
		err = file.Truncate(0)
	}
	if err == nil && info.Mode().IsRegular() {
		p.at, err = io.Copy(p.sum, file)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return p, nil
}

// slice is how many bytes are written between two looks at the rate.
const slice = 16 << 10

// Write takes bytes of the file. More than its size is refused: nobody may fill the disk.
func (p *part) Write(data []byte) (int, error) {
	if int64(len(data)) > p.f.Size-p.at {
		return 0, fmt.Errorf("%w: it is longer than %d bytes", ErrAltered, p.f.Size)
	}
	done := 0
	for done < len(data) {
		n, err := p.file.Write(data[done:min(done+slice, len(data))])
		p.sum.Write(data[done : done+n])
		p.at += int64(n)
		if done += n; err != nil {
			p.failed = err
			return done, err
		}
		if err := p.pause(n); err != nil {
			return done, err
		}
	}
	return done, nil
}

// pause keeps to the rate.
func (p *part) pause(n int) error {
	rate := p.pace().rate
	if rate <= 0 {
		return nil
	}
	select {
	case <-time.After(time.Duration(float64(n) / float64(rate) * float64(time.Second))):
		return nil
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}

// finish proves the whole file and gives it its name, durably.
func (p *part) finish(name string) error {
	if got := wire.Digest(p.sum.Sum(nil)); got != p.f.Digest {
		return ErrAltered
	}
	if err := p.file.Sync(); err != nil {
		p.failed = err
		return err
	}
	if err := os.Mkdir(filepath.Dir(name), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	} else if err == nil {
		if err := syncFolder(filepath.Dir(filepath.Dir(name))); err != nil {
			return err
		}
	}
	if err := os.Rename(p.file.Name(), name); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(name))
}
