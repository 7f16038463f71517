// Package clip plays MPEG-1 clips: .mpg files with one video stream, decoded without any C.
//
// In: a clip's bytes, and how far the clock has come. Out: the picture that is due as RGBA, or the clip's measures. Pictures
// that are late are decoded but not painted. Sound in a clip is not played: the shop is loud enough, and captions are fair.
// It never shows anything and starts no goroutine; a broken clip is an error and never a panic.
// Called by kiosk/glass for what is on the stage, and by whoever checks packs.
package clip

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"io"
	"time"

	"github.com/gen2brain/mpeg"
)

// The measures that a clip may have. A picture costs memory before it is looked at.
const (
	maxSide    = 1920
	maxSeconds = 600
)

// buffers is how many pictures are in turn: one on the glass, one on its way, one being painted.
const buffers = 3

// Clip is an open clip.
type Clip struct {
	data   []byte
	stream *mpeg.MPEG
	w, h   int
	fps    float64
	ring   [buffers]*image.RGBA
	next   int
	shown  int64 // pictures decoded since the beginning
	over   bool
}

// decode gives the next picture, nil at the end. The library tells of an end by a channel with room for one word, and stands
// still for ever where nobody takes it: so it is taken, and nothing is asked after the end.
func (c *Clip) decode() *mpeg.Frame {
	if c.over {
		return nil
	}
	select {
	case <-c.stream.Done():
	default:
	}
	f := c.stream.DecodeVideo()
	c.over = f == nil
	return f
}

// Open reads a clip's headers.
func Open(data []byte) (c *Clip, err error) {
	defer rescue(&err)
	c = &Clip{data: data}
	if err := c.rewind(); err != nil {
		return nil, err
	}
	return c, nil
}

// rescue turns a panic of the decoder into an error: a file can be torn anywhere.
func rescue(err *error) {
	if broken := recover(); broken != nil {
		*err = fmt.Errorf("read clip: it is damaged (%v)", broken)
	}
}

func (c *Clip) rewind() error {
	if len(c.data) < 32 {
		return errors.New("read clip: too short for MPEG-1")
	}
	s, err := mpeg.New(bytes.NewReader(c.data))
	if err != nil {
		return fmt.Errorf("read clip: %w: want an MPEG-1 program stream, as ffmpeg -c:v mpeg1video -f mpeg writes it", err)
	}
	s.SetAudioEnabled(false)
	c.stream, c.shown, c.over = s, 0, false
	if !s.HasHeaders() || s.NumVideoStreams() == 0 {
		return errors.New("read clip: there is no video in it")
	}
	c.w, c.h, c.fps = s.Width(), s.Height(), s.Framerate()
	if c.w < 16 || c.h < 16 || c.w > maxSide || c.h > maxSide || !(c.fps > 1 && c.fps <= 120) {
		return fmt.Errorf("read clip: %d x %d at %.2f pictures a second, want 16 to %d each way", c.w, c.h, c.fps, maxSide)
	}
	return nil
}

// Size and Rate are the clip's measures.
func (c *Clip) Size() (w, h int) { return c.w, c.h }

// Rate is how many pictures it has in a second.
func (c *Clip) Rate() float64 { return c.fps }

// Probe decodes a clip whole and tells its measures.
func Probe(data []byte) (w, h int, fps, seconds float64, err error) {
	defer rescue(&err)
	c, err := Open(data)
	if err != nil {
		return 0, 0, 0, 0, err
	}
	for c.decode() != nil {
		if c.shown++; float64(c.shown) > maxSeconds*c.fps {
			return 0, 0, 0, 0, fmt.Errorf("read clip: longer than %d seconds", maxSeconds)
		}
	}
	if c.shown == 0 {
		return 0, 0, 0, 0, errors.New("read clip: not one picture can be decoded")
	}
	return c.w, c.h, c.fps, float64(c.shown) / c.fps, nil
}

// At decodes up to the picture that is due at a time since the clip began, and paints it. It is nil where the picture that
// was given last is still right. After its end the clip begins again. A picture stays as it is until two more were given.
func (c *Clip) At(now time.Duration) (img *image.RGBA, dropped int, err error) {
	defer rescue(&err)
	due := int64(now.Seconds()*c.fps) + 1
	var frame *mpeg.Frame
	for c.shown < due {
		f := c.decode()
		if f == nil {
			if c.shown == 0 {
				return nil, dropped, io.ErrUnexpectedEOF
			}
			break
		}
		if frame != nil {
			dropped++
		}
		frame = f
		c.shown++
	}
	if frame == nil {
		return nil, dropped, nil
	}
	img = c.ring[c.next]
	if img == nil {
		img = image.NewRGBA(image.Rect(0, 0, c.w, c.h))
		c.ring[c.next] = img
	}
	c.next = (c.next + 1) % buffers
	draw.Draw(img, img.Rect, frame.YCbCr(), image.Point{}, draw.Src)
	return img, dropped, nil
}

// Over reports whether every picture was given.
func (c *Clip) Over() bool { return c.over }

// Again begins anew.
func (c *Clip) Again() (err error) {
	defer rescue(&err)
	return c.rewind()
}
