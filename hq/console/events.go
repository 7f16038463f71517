package console

import (
	"fmt"
	"net/http"
	"time"
)

// Changes within calm are one event: a page need not be fetched again for each of a hundred visits.
const (
	calm      = 250 * time.Millisecond
	heartbeat = 20 * time.Second // so that a dead connection is noticed by both ends
)

// events streams "change" whenever a page may differ.
func (c *Console) events(w http.ResponseWriter, r *http.Request) {
	changed, stop := c.hq.Watch()
	defer stop()
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	send := func(text string) bool {
		if err := out.SetWriteDeadline(time.Now().Add(heartbeat)); err != nil {
			return false
		}
		_, err := fmt.Fprint(w, text)
		return err == nil && out.Flush() == nil
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	text := "retry: 2000\nevent: hello\ndata: {}\n\n"
	for send(text) {
		select {
		case <-r.Context().Done():
			return
		case <-c.cfg.Stop.Done():
			return
		case <-beat.C:
			text = ": still here\n\n"
		case <-changed:
			text = "event: change\ndata: {}\n\n"
			select {
			case <-time.After(calm):
			case <-r.Context().Done():
				return
			}
		}
	}
}
