package serve

import (
	"context"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"foyer/api"
)

// patience is how long one write to one listener may take before the listener counts as gone.
const patience = 10 * time.Second

type rolesKey struct{}

func withRoles(ctx context.Context, r roles) context.Context {
	return context.WithValue(ctx, rolesKey{}, r)
}

func rolesOf(r *http.Request) roles {
	got, _ := r.Context().Value(rolesKey{}).(roles)
	return got
}

// gate lets a bounded number through.
type gate struct {
	free atomic.Int64
}

func newGate(n int) *gate {
	g := &gate{}
	g.free.Store(int64(n))
	return g
}

func (g *gate) enter() bool {
	if g.free.Add(-1) >= 0 {
		return true
	}
	g.free.Add(1)
	return false
}

func (g *gate) leave() { g.free.Add(1) }

func (s *Server) snapshot(w http.ResponseWriter, r *http.Request) *api.Problem {
	snap, ok := s.hub.Snapshot(api.Face(r.PathValue("face")))
	if !ok {
		return api.NewProblem(api.CodeNotFound, "there is no such face; the faces are wall, kiosk and reception")
	}
	w.Header().Set(pageHeader, s.page.version)
	s.answer(w, r, http.StatusOK, "application/json", snap)
	return nil
}

func (s *Server) events(streams *gate) handler {
	return func(w http.ResponseWriter, r *http.Request) *api.Problem {
		epoch, after, p := position(r)
		if p != nil {
			return p
		}
		if !streams.enter() {
			return api.NewProblem(api.CodeBusy, "too many screens listen already; close a page that nobody looks at")
		}
		defer streams.leave()
		st := &stream{hub: s.hub, face: api.Face(r.PathValue("face")), epoch: epoch, last: after,
			w: w, control: http.NewResponseController(w)}
		if err := st.run(r.Context()); err != nil {
			s.log.Debug("a stream of events ended", "face", st.face, "err", err)
		}
		return nil
	}
}

// position reads where a listener stands. A browser that reconnects by itself repeats its first address and says in
// Last-Event-ID how far it came.
func position(r *http.Request) (epoch string, after uint64, p *api.Problem) {
	q := r.URL.Query()
	epoch = q.Get("epoch")
	text := q.Get("after")
	if id := r.Header.Get("Last-Event-ID"); id != "" {
		text = id
	}
	after, err := strconv.ParseUint(text, 10, 64)
	if err != nil || epoch == "" {
		return "", 0, api.NewProblem(api.CodeInvalid,
			"events need ?after=NUMBER&epoch=EPOCH, both from the snapshot (its last and epoch); ask for the snapshot first")
	}
	return epoch, after, nil
}

// stream feeds one listener from the hub's ring. It holds nothing that grows: a listener that is too slow for the ring
// is told to resync.
type stream struct {
	hub     *Hub
	face    api.Face
	epoch   string
	last    uint64
	w       http.ResponseWriter
	control *http.ResponseController
}

func (st *stream) run(ctx context.Context) error {
	st.hub.listen(st.face, 1)
	defer st.hub.listen(st.face, -1)
	h := st.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	beat := time.NewTicker(api.Heartbeat)
	defer beat.Stop()
	if err := st.send([]byte(": hello\n\n")); err != nil {
		return err
	}
	for {
		missed, last, changed, ok := st.hub.since(st.face, st.epoch, st.last)
		if !ok {
			return st.send(encodeMessage(0, "resync", []byte("{}")))
		}
		if err := st.send(missed...); err != nil {
			return err
		}
		st.last = last
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-beat.C:
			if err := st.send([]byte(": alive\n\n")); err != nil {
				return err
			}
		}
	}
}

func (st *stream) send(parts ...[]byte) error {
	if len(parts) == 0 {
		return nil
	}
	if err := st.control.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	for _, p := range parts {
		if _, err := st.w.Write(p); err != nil {
			return err
		}
	}
	return st.control.Flush()
}
