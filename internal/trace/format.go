package trace

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"foyer/reader/tag"
)

// Limits of what is read.
const (
	MaxEntries = 5_000_000 // a busy door for a day
	maxWord    = 64
	maxSeconds = 40 * 24 * 3600
)

// header is a trace's first line.
const header = "foyer trace 1"

// Write writes a trace.
func Write(w io.Writer, t Trace) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, header)
	for _, e := range t {
		fmt.Fprintf(out, "%.3f %s", e.At.Seconds(), e.Kind)
		switch {
		case e.Kind == Arrived || e.Kind == Left:
			fmt.Fprintf(out, " %s %s\n", e.Zone, e.Tag)
		case e.Kind != Read:
			fmt.Fprintf(out, " %s\n", e.Reader)
		case e.HasRSSI:
			fmt.Fprintf(out, " %s %d %s %d\n", e.Reader, e.Antenna, e.Tag, e.RSSI)
		default:
			fmt.Fprintf(out, " %s %d %s -\n", e.Reader, e.Antenna, e.Tag)
		}
	}
	return out.Flush()
}

// Parse reads a trace. An error tells the line.
func Parse(r io.Reader) (Trace, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 4096)
	var t Trace
	n, headed := 0, false
	for lines.Scan() {
		n++
		text, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(text)
		switch {
		case len(fields) == 0:
			continue
		case !headed:
			if strings.Join(fields, " ") != header {
				return nil, fmt.Errorf("line %d: %.40q: want %q before anything else", n, text, header)
			}
			headed = true
			continue
		case len(t) == MaxEntries:
			return nil, fmt.Errorf("line %d: more than %d entries: cut the trace into pieces", n, MaxEntries)
		}
		e, err := entry(fields)
		if err == nil && len(t) > 0 && e.At < t[len(t)-1].At {
			err = fmt.Errorf("time %s is before the line above: want lines in order of time", fields[0])
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		t = append(t, e)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", n+1, err)
	}
	if !headed {
		return nil, fmt.Errorf("nothing in it: want %q in the first line", header)
	}
	return t, nil
}

// shapes is how many fields a line has, and an example.
var shapes = map[Kind]struct {
	fields  int
	example string
}{
	Read: {6, "0.250 read door 1 anna -58"}, Arrived: {4, "0.100 arrived shop anna"}, Left: {4, "9.700 left shop anna"},
	Offline: {3, "3.000 offline door"}, Online: {3, "5.000 online door"},
}

func entry(fields []string) (e Entry, err error) {
	seconds, err := strconv.ParseFloat(fields[0], 64)
	if err != nil || !(seconds >= 0 && seconds <= maxSeconds) {
		return e, fmt.Errorf("time %.20q: want seconds since the beginning, up to %d", fields[0], maxSeconds)
	}
	e.At = time.Duration(math.Round(seconds*1e6)) * time.Microsecond
	if len(fields) > 1 {
		e.Kind = Kind(fields[1])
	}
	shape, known := shapes[e.Kind]
	if !known {
		return e, fmt.Errorf("%.20q: want read, arrived, left, offline or online after the time", e.Kind)
	}
	if len(fields) != shape.fields {
		return e, fmt.Errorf("%d fields: want a line like %q", len(fields), shape.example)
	}
	for _, word := range fields[2:] {
		if !plain(word) {
			return e, fmt.Errorf("%.20q: want up to %d letters, digits, dots and dashes", word, maxWord)
		}
	}
	switch e.Kind {
	case Arrived, Left:
		e.Zone, e.Tag = fields[2], fields[3]
	case Offline, Online:
		e.Reader = fields[2]
	default:
		return e.read(fields[2:])
	}
	return e, nil
}

func (e Entry) read(fields []string) (Entry, error) {
	e.Reader, e.Tag = fields[0], fields[2]
	antenna, err := strconv.ParseUint(fields[1], 10, 8)
	if err != nil {
		return e, fmt.Errorf("antenna %.20q: want a number from 0 to 255", fields[1])
	}
	e.Antenna = uint8(antenna)
	if fields[3] == "-" {
		return e, nil
	}
	rssi, err := strconv.ParseInt(fields[3], 10, 16)
	if err != nil || rssi < -200 || rssi > 100 {
		return e, fmt.Errorf("signal strength %.20q: want whole dBm from -200 to 100, or -", fields[3])
	}
	e.RSSI, e.HasRSSI = tag.RSSI(rssi), true
	return e, nil
}

func plain(word string) bool {
	for _, r := range word {
		if !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(".-_", r)) {
			return false
		}
	}
	return len(word) <= maxWord
}
