package daemon

import (
	"bytes"
	"context"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
)

const (
	ringLines = 500
	ringLine  = 600 // bytes
)

// ring keeps the last lines of the log in memory, for technicians far away. It holds no person by construction: of a line it
// takes the time, the level, the message (which is a constant of the program), numbers, and texts under names that are known to
// be of machines; and of texts whatever is quoted, is not ASCII or looks like a number of somebody's goes.
type ring struct {
	mu    sync.Mutex
	lines [ringLines]string
	next  int
	full  bool
}

// machines are the names of attributes whose texts tell of machines.
var machines = []string{"reader", "profile", "port", "broker", "client", "filter", "snapshot", "version", "code", "lane", "epoch", "pack", "file", "files", "why",
	"err", "error", "name", "signal", "line", "zone", "path", "from", "into", "old", "command", "do", "outcome", "face", "key", "pattern", "was", "state", "topic"}

func (r *ring) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

func (r *ring) Handle(_ context.Context, rec slog.Record) error {
	var b bytes.Buffer
	b.WriteString(rec.Time.UTC().Format(time.RFC3339Nano) + " " + rec.Level.String() + " " + scrub(rec.Message))
	rec.Attrs(func(a slog.Attr) bool {
		b.WriteString(attrText(a))
		return true
	})
	r.add(b.String())
	return nil
}

// attrText is one attribute as the ring may keep it.
func attrText(a slog.Attr) string {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindBool, slog.KindDuration, slog.KindInt64, slog.KindUint64, slog.KindFloat64, slog.KindTime:
		return " " + a.Key + "=" + v.String()
	case slog.KindGroup:
		return ""
	}
	if !slices.Contains(machines, a.Key) {
		return " " + a.Key + "=(left out)"
	}
	return " " + a.Key + "=" + scrub(v.String())
}

var (
	quoted = regexp.MustCompile("\"[^\"]*\"|'[^']*'|`[^`]*`|“[^”]*”")
	digits = regexp.MustCompile(`[0-9][0-9 -]{5,}[0-9]`) // telephones and printed card numbers
	hexes  = regexp.MustCompile(`\b[0-9A-Fa-f]{8,16}\b`) // tags: digests are longer, and stay
)

// scrub leaves of a text what cannot be somebody's.
func scrub(text string) string {
	text = quoted.ReplaceAllString(text, "(...)")
	text = hexes.ReplaceAllString(text, "(number)")
	text = digits.ReplaceAllString(text, "(number)")
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || r < ' ' {
			return '.'
		}
		return r
	}, text)
}

func (r *ring) add(line string) {
	if len(line) > ringLine {
		line = line[:ringLine]
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines[r.next] = line
	r.next = (r.next + 1) % ringLines
	r.full = r.full || r.next == 0
}

// WithAttrs keeps nothing: what a part adds to all its lines is known from the message.
func (r *ring) WithAttrs([]slog.Attr) slog.Handler { return r }

// WithGroup likewise.
func (r *ring) WithGroup(string) slog.Handler { return r }

// text is all lines, oldest first.
func (r *ring) text() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b bytes.Buffer
	first, n := 0, r.next
	if r.full {
		first, n = r.next, ringLines
	}
	for i := range n {
		b.WriteString(r.lines[(first+i)%ringLines] + "\n")
	}
	return b.Bytes()
}
