package content

import (
	"context"
	"errors"
	"io"
	"time"

	"foyer/sync/wire"
)

// chunkPatience is how long one chunk may take: 64 KiB in the slowest line's good minute.
const chunkPatience = 30 * time.Second

// Pipe is the line to the broker as Chunks needs it.
type Pipe interface {
	Subscribe(filter string, fn func(topic string, payload []byte))
	Publish(topic string, retained bool, payload []byte) error
}

// Chunks is files through the broker, one question and one answer at a time: for stores that reach nothing else.
type Chunks struct {
	place   wire.Place
	pipe    Pipe
	answers chan wire.Chunk
}

// NewChunks returns the source and subscribes it to its answers: call it before the line runs.
func NewChunks(place wire.Place, pipe Pipe) *Chunks {
	c := &Chunks{place, pipe, make(chan wire.Chunk, 1)}
	pipe.Subscribe(place.Down(wire.ChunkTopic), func(_ string, payload []byte) {
		chunk, err := wire.DecodeChunk(payload)
		if err != nil {
			return // it will be asked for again
		}
		select {
		case c.answers <- chunk:
		default: // nobody asked
		}
	})
	return c
}

func (c *Chunks) String() string { return "the broker" }

// Fetch asks for chunk after chunk.
func (c *Chunks) Fetch(ctx context.Context, f wire.PackFile, offset, n int64, w io.Writer) error {
	for end := offset + n; offset < end; {
		chunk, err := c.ask(ctx, wire.ChunkAsk{Digest: f.Digest, Offset: offset, Length: int(min(wire.MaxChunk, end-offset))})
		if err != nil {
			return err
		}
		if chunk.Total == -1 {
			return ErrAbsent
		}
		if chunk.Total != f.Size {
			return ErrAltered
		}
		if len(chunk.Data) == 0 {
			return io.ErrUnexpectedEOF
		}
		if _, err := w.Write(chunk.Data); err != nil {
			return err
		}
		offset += int64(len(chunk.Data))
	}
	return nil
}

func (c *Chunks) ask(ctx context.Context, a wire.ChunkAsk) (wire.Chunk, error) {
	payload, err := wire.EncodeChunkAsk(a)
	if err != nil {
		return wire.Chunk{}, err
	}
	if err := c.pipe.Publish(c.place.Ask(wire.ChunkTopic), false, payload); err != nil {
		return wire.Chunk{}, err
	}
	late := time.NewTimer(chunkPatience)
	defer late.Stop()
	for {
		select {
		case chunk := <-c.answers:
			if chunk.Digest == a.Digest && chunk.Offset == a.Offset && len(chunk.Data) <= a.Length {
				return chunk, nil
			} // else the answer to a question that was given up
		case <-late.C:
			return wire.Chunk{}, errors.New("headquarters does not answer through the broker")
		case <-ctx.Done():
			return wire.Chunk{}, ctx.Err()
		}
	}
}
