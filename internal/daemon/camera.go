package daemon

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"image/png"
	"slices"
	"sync"
	"time"

	"foyer/api"
	"foyer/api/serve"
)

const (
	shutter    = 30 * time.Second // for the screens to send what they were asked for
	maxScreens = 8                // pictures of one order
	maxSide    = 16384            // pixels
)

// camera asks the screens for pictures of themselves. It is serve.Pictures. The screens leave a person out before they draw: nothing
// personal reaches it.
type camera struct {
	hub *serve.Hub

	mu    sync.Mutex
	order string // that is open; empty: none
	came  chan shot
}

// shot is one screen's picture.
type shot struct {
	face api.Face
	png  []byte
}

// Take implements serve.Pictures.
func (c *camera) Take(face api.Face, order string, data []byte) bool {
	size, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil || size.Width < 1 || size.Height < 1 || size.Width > maxSide || size.Height > maxSide {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if order == "" || order != c.order {
		return false
	}
	select {
	case c.came <- shot{face, data}:
		return true
	default:
		return false
	}
}

// shoot returns the pictures of the screens of some faces that came in time, in an order of their faces.
func (c *camera) shoot(ctx context.Context, faces []api.Face) (shots []shot, want int) {
	order := api.Order{ID: rand.Text(), Do: api.SendPicture}
	came := make(chan shot, maxScreens)
	c.mu.Lock()
	c.order, c.came = order.ID, came
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.order = ""
		c.mu.Unlock()
	}()
	for _, f := range faces {
		want += c.hub.Listeners(f)
		c.hub.Order(f, order)
	}
	want = min(want, maxScreens)
	late := time.NewTimer(shutter)
	defer late.Stop()
	for len(shots) < want {
		select {
		case s := <-came:
			shots = append(shots, s)
		case <-late.C:
			return sorted(shots), want
		case <-ctx.Done():
			return sorted(shots), want
		}
	}
	return sorted(shots), want
}

func sorted(shots []shot) []shot {
	slices.SortStableFunc(shots, func(a, b shot) int { return bytes.Compare([]byte(a.face), []byte(b.face)) })
	return shots
}

// names are the files that pictures are sent as: kiosk-1.png, wall-1.png.
func names(shots []shot) []string {
	var all []string
	count := map[api.Face]int{}
	for _, s := range shots {
		count[s.face]++
		all = append(all, fmt.Sprintf("%s-%d.png", s.face, count[s.face]))
	}
	return all
}
