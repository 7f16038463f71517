package hq

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"foyer/hq/store"
	"foyer/sync/setting"
	"foyer/sync/wire"
)

const (
	// DefaultCommandLife is how long a command waits for its store.
	DefaultCommandLife = 24 * time.Hour

	commandAgain = 30 * time.Second    // until what was sent and not answered is sent again
	commandGrace = 15 * time.Minute    // an answer may come so long after a command's time
	keepResults  = 30 * 24 * time.Hour // files
	keepCommands = 400 * 24 * time.Hour
)

// CommandRefused is the error for a command that no store would do: whoever wrote it can mend it.
type CommandRefused struct{ Why error }

func (e *CommandRefused) Error() string { return e.Why.Error() }
func (e *CommandRefused) Unwrap() error { return e.Why }

// Command asks a store to do something: Do, Set, Reset and Screen of c count. by is who asks. It is sent at once where the store
// is there, else when it comes, within life.
func (h *HQ) Command(ctx context.Context, id string, c wire.Command, by string, life time.Duration) (store.Command, error) {
	out, err := AddCommand(ctx, h.db, id, c, by, life, h.cfg.Now())
	if err != nil {
		return out, err
	}
	h.cfg.Log.Info("a store is asked to do something", "store", id, "command", out.ID, "do", string(out.Do), "by", out.By)
	h.hub.changed()
	return out, h.sendCommands(ctx, false)
}

// AddCommand is Command from another process: a running headquarters sends it within two seconds.
func AddCommand(ctx context.Context, db *store.DB, id string, c wire.Command, by string, life time.Duration, now time.Time) (store.Command, error) {
	now = now.UTC().Truncate(time.Millisecond)
	c.ID, c.MadeAt, c.Expires = rand.Text(), now, now.Add(life)
	if err := checkCommand(c, life); err != nil {
		return store.Command{}, &CommandRefused{err}
	}
	return db.AddCommand(ctx, store.Command{Command: c, Store: id, By: clip(by, 60)})
}

func checkCommand(c wire.Command, life time.Duration) error {
	if life < time.Second || life > wire.MaxLife {
		return fmt.Errorf("it is good for %v: want 1s to %v", life, wire.MaxLife)
	}
	if !slices.Contains(wire.Dos, c.Do) {
		return fmt.Errorf("command %.40q: want one of %v", c.Do, wire.Dos)
	}
	if c.Do != wire.DoConfig && len(c.Set)+len(c.Reset) > 0 {
		return fmt.Errorf("%s takes no settings", c.Do)
	}
	if c.Screen != "" && (c.Do != wire.DoScreenshot || c.Screen != "kiosk" && c.Screen != "wall") {
		return fmt.Errorf("screen %.40q: a screenshot is of kiosk, wall, or every screen", c.Screen)
	}
	if c.Do == wire.DoConfig {
		_, err := setting.Set(nil).Change(c.Set, c.Reset)
		return err
	}
	return nil
}

// commandLoop sends what other processes asked for, what was not answered, and ends what is over.
func (h *HQ) commandLoop(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	swept := time.Time{}
	for {
		if err := h.sendCommands(ctx, false); err != nil && ctx.Err() == nil {
			h.cfg.Log.Error("commands are not sent; trying again", "err", err)
		}
		if now := h.cfg.Now(); now.Sub(swept) > time.Hour {
			swept = now
			if err := h.db.ForgetResults(ctx, now.Add(-keepResults), now.Add(-keepCommands)); err != nil && ctx.Err() == nil {
				h.cfg.Log.Error("old results of commands are not removed", "err", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// sendCommands sends to the stores that are there what they have not answered. came: they have just come, so that what was sent
// before is lost.
func (h *HQ) sendCommands(ctx context.Context, came bool, only ...string) error {
	if !h.leads() {
		return nil // the one that leads sends them
	}
	open, err := h.db.OpenCommands(ctx)
	if err != nil || len(open) == 0 {
		return err
	}
	now := h.cfg.Now()
	over, err := h.db.ExpireCommands(ctx, now, commandGrace)
	if err != nil {
		return err
	}
	if over > 0 {
		h.hub.changed()
	}
	for _, c := range open {
		rests := !came && !c.Again.IsZero() && now.Sub(c.Again) < commandAgain
		if rests || !now.Before(c.Expires) || len(only) > 0 && !slices.Contains(only, c.Store) || !h.here(c.Store) || h.Barred(c.Store) {
			continue
		}
		if err := h.sendCommand(ctx, c, now); err != nil {
			return err
		}
	}
	return nil
}

// sendCommand signs with the key of now: a command may have waited for days.
func (h *HQ) sendCommand(ctx context.Context, c store.Command, now time.Time) error {
	place, signs := wire.Place{Chain: h.cfg.Chain, Store: c.Store}, h.signingNow()
	sealed, err := c.Seal(place, signs.id, signs.key)
	if err != nil {
		return err
	}
	if err := h.broker.Publish(place.Down(wire.Commands), false, sealed); err != nil {
		h.cfg.Log.Debug("a command was not sent", "store", c.Store, "command", c.ID, "err", err)
		return nil
	}
	h.hub.changed()
	return h.db.SentCommand(ctx, c.ID, now)
}

// here reports whether a store has said that it is there.
func (h *HQ) here(id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.shops[id]
	return p != nil && p.online
}

// result takes a part of a file that a command brings, and says how much of it is here.
func (h *HQ) result(ctx context.Context, place wire.Place, payload []byte) error {
	p, err := wire.DecodeResultPart(payload)
	if err != nil {
		h.noteBad(place.Store, &BadBatch{err})
		return nil
	}
	taken := wire.ResultTaken{ID: p.ID, Name: p.Name}
	switch taken.Have, err = h.db.AddResult(ctx, place.Store, p); {
	case errors.Is(err, store.ErrNoResult):
		taken.Have, taken.No = 0, "nobody waits for it"
	case err != nil:
		return err
	}
	data, err := wire.EncodeResultTaken(taken)
	if err != nil {
		return err
	}
	if err := h.broker.Publish(place.Down(wire.ResultTopic), false, data); err != nil {
		h.cfg.Log.Debug("the answer to a part of a result was not sent", "store", place.Store, "err", err)
	}
	return nil
}

// ResultFiles takes results over HTTP from the store that storeOf tells: the doors that serve packs take them too.
func (h *HQ) ResultFiles(storeOf func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, data, err := readResult(w, r)
		if err == nil {
			err = h.keepResult(r.Context(), storeOf(r), p, data)
		}
		var much *http.MaxBytesError
		switch {
		case err == nil:
			w.WriteHeader(http.StatusCreated)
		case errors.Is(err, store.ErrNoResult):
			http.Error(w, "nobody waits for this result", http.StatusConflict)
		case errors.As(err, &much):
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		case errors.Is(err, errResult):
			http.Error(w, err.Error(), http.StatusBadRequest)
		default:
			if r.Context().Err() == nil {
				h.cfg.Log.Error("a result was not kept", "err", err)
			}
			http.Error(w, "something is wrong at headquarters; its log says what", http.StatusInternalServerError)
		}
	})
}

var errResult = errors.New("this is no result")

func readResult(w http.ResponseWriter, r *http.Request) (wire.ResultPart, []byte, error) {
	p := wire.ResultPart{ID: r.PathValue("command"), Result: wire.Result{Name: r.PathValue("name"), Size: r.ContentLength}}
	if err := p.Result.Check(); err != nil {
		return p, nil, fmt.Errorf("%w: %w", errResult, err)
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, wire.MaxResult))
	if err != nil {
		return p, nil, fmt.Errorf("%w: %w", errResult, err)
	}
	if p.Digest = sha256.Sum256(data); r.Header.Get("Content-Digest") != p.Digest.ContentDigest() || int64(len(data)) != p.Size {
		return p, nil, fmt.Errorf("%w: it is not what its Content-Digest says", errResult)
	}
	return p, data, nil
}

// keepResult keeps a whole file in the same pieces in which it would come through the broker.
func (h *HQ) keepResult(ctx context.Context, id string, p wire.ResultPart, data []byte) error {
	for at := int64(0); at < p.Size; {
		p.Offset, p.Data = at, data[at:min(at+wire.MaxResultPart, p.Size)]
		have, err := h.db.AddResult(ctx, id, p)
		if err != nil {
			return err
		}
		if have <= at {
			return fmt.Errorf("%d bytes are there after those at %d", have, at)
		}
		at = have
	}
	return nil
}
