package linktest

import (
	"errors"
	"testing"
	"time"

	"foyer/reader/link"
)

// Puller is the far end of two lines.
type Puller struct {
	Pull   func(line int) // one pulse
	Vanish func()         // the chip goes away
}

// OpenEdges opens a source of edges.
type OpenEdges func(t *testing.T) (link.Edges, Puller)

// RunEdges tests one source of edges.
func RunEdges(t *testing.T, open OpenEdges) {
	t.Run("each pulse is one edge of its line", func(t *testing.T) { eachPulse(t, open) })
	t.Run("no pulse, no edge", func(t *testing.T) { noPulse(t, open) })
	t.Run("a chip that vanishes is noticed", func(t *testing.T) { vanish(t, open) })
	t.Run("our close ends a wait", func(t *testing.T) { closeEdges(t, open) })
}

// nextEdge waits for one edge.
func nextEdge(t *testing.T, source link.Edges) (link.Edge, error) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if e, ok, err := source.Next(time.Second); ok || err != nil {
			return e, err
		}
	}
	t.Fatal("no edge came")
	return link.Edge{}, nil
}

func eachPulse(t *testing.T, open OpenEdges) {
	source, far := open(t)
	var last link.Edge
	for i, line := range []int{0, 1, 1, 0, 0, 1} {
		far.Pull(line)
		e, err := nextEdge(t, source)
		if err != nil {
			t.Fatal(err)
		}
		if e.Line != line {
			t.Errorf("pulse %d: got line %d, want %d", i, e.Line, line)
		}
		if i > 0 && e.At <= last.At {
			t.Errorf("pulse %d: at %v, not after %v", i, e.At, last.At)
		}
		if e.Seq != 0 && e.Seq != last.Seq+1 { // the first is 1
			t.Errorf("pulse %d: count %d after %d", i, e.Seq, last.Seq)
		}
		last = e
	}
}

func noPulse(t *testing.T, open OpenEdges) {
	source, _ := open(t)
	if e, ok, err := source.Next(20 * time.Millisecond); ok || err != nil {
		t.Errorf("got %+v %v %v", e, ok, err)
	}
}

func vanish(t *testing.T, open OpenEdges) {
	source, far := open(t)
	far.Vanish()
	if e, err := nextEdge(t, source); !errors.Is(err, link.ErrUnplugged) {
		t.Errorf("got %+v, %v, want %v", e, err, link.ErrUnplugged)
	}
}

func closeEdges(t *testing.T, open OpenEdges) {
	source, _ := open(t)
	closed := make(chan error, 1)
	go func() { closed <- source.Close() }()
	if _, err := nextEdge(t, source); !errors.Is(err, link.ErrClosed) {
		t.Errorf("got %v, want %v", err, link.ErrClosed)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}
