package link

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"
)

// Chunk is what passed over a line at one moment.
type Chunk struct {
	At   time.Duration // since the recording began
	Sent bool          // from us to the reader; otherwise from the reader
	Data []byte
}

// A capture is text, one chunk a line: seconds, "<" from the reader or ">" to it, and bytes in hex. Anything after "#" is a
// remark. Time and direction may be left out: then the bytes come from the reader, right after the line before.
//
//	# RDM6300 at the till
//	0.000000 < 02 36 32 45 33
//	0.065104 > BB 00 22 00 00 22 7E

const (
	maxCaptureLine = 64 << 10
	maxCaptureTime = 366 * 24 * time.Hour
)

// ReadCapture yields the chunks of a recording. It stops after the first error, which names the line.
func ReadCapture(r io.Reader) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		scan := bufio.NewScanner(r)
		scan.Buffer(make([]byte, 0, 4096), maxCaptureLine)
		var last time.Duration
		n := 0
		for scan.Scan() {
			n++
			text, _, _ := strings.Cut(scan.Text(), "#")
			if text = strings.TrimSpace(text); text == "" {
				continue
			}
			c, err := parseChunk(text, last)
			if err != nil {
				yield(Chunk{}, fmt.Errorf("line %d: %w", n, err))
				return
			}
			last = c.At
			if !yield(c, nil) {
				return
			}
		}
		if err := scan.Err(); errors.Is(err, bufio.ErrTooLong) {
			yield(Chunk{}, fmt.Errorf("line %d: longer than %d bytes", n+1, maxCaptureLine))
		} else if err != nil {
			yield(Chunk{}, fmt.Errorf("line %d: %w", n+1, err))
		}
	}
}

func parseChunk(text string, last time.Duration) (Chunk, error) {
	c := Chunk{At: last}
	if at := strings.IndexAny(text, "<>"); at >= 0 {
		c.Sent = text[at] == '>'
		if stamp := strings.TrimSpace(text[:at]); stamp != "" {
			seconds, err := strconv.ParseFloat(stamp, 64)
			if err != nil || math.IsNaN(seconds) || seconds < 0 || seconds > maxCaptureTime.Seconds() {
				return c, fmt.Errorf("%.30q is no time: want seconds since the start, like 0.065104", stamp)
			}
			c.At = time.Duration(math.Round(seconds*1e6)) * time.Microsecond
		}
		text = text[at+1:]
	}
	if c.At < last {
		return c, fmt.Errorf("time %v is before %v of the line above", c.At, last)
	}
	data, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil || len(data) == 0 {
		return c, fmt.Errorf("want bytes in hex like \"0.065104 < BB 02 22\"")
	}
	c.Data = data
	return c, nil
}

// AppendText appends the chunk as one line of a capture, to the microsecond.
func (c Chunk) AppendText(dst []byte) ([]byte, error) {
	way := '<'
	if c.Sent {
		way = '>'
	}
	return fmt.Appendf(dst, "%.6f %c % X\n", c.At.Seconds(), way, c.Data), nil
}
