package daemon

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"foyer/api"
	"foyer/sync/command"
	"foyer/sync/setting"
	"foyer/sync/wire"
)

// ErrRestart is what Run returns when headquarters asked for a restart: the supervisor is to start it again.
var ErrRestart = errors.New("headquarters asked for a restart")

// screensGo is how long the screens have to hear that they are to start again, before foyerd goes.
const screensGo = 500 * time.Millisecond

// orders does what headquarters asks of this store.
type orders struct {
	house *house
	log   *slog.Logger
	end   func() // has Run end with ErrRestart
}

// doers are what can be asked.
func (o *orders) doers() map[wire.Do]func(context.Context, wire.Command) command.Answer {
	return map[wire.Do]func(context.Context, wire.Command) command.Answer{
		wire.DoConfig: o.config, wire.DoResync: o.resync, wire.DoRestart: o.restart, wire.DoDiagnostics: o.diagnostics, wire.DoScreenshot: o.screenshot,
	}
}

// config changes settings. They are in force once they are on the disk, and headquarters hears all that it has set.
func (o *orders) config(_ context.Context, c wire.Command) command.Answer {
	s := o.house.settings
	before := s.Now()
	next, err := before.Change(c.Set, c.Reset)
	if err != nil {
		return command.Refused(wire.NotAllowed, err)
	}
	return command.Answer{Outcome: wire.IsDone, Settings: next, Puts: puts(before, next), After: func() { s.adopt(next) }}
}

// resync asks for everything anew and proves what is kept.
func (o *orders) resync(ctx context.Context, _ wire.Command) command.Answer {
	s := o.house.supply
	s.down.Doubt()
	s.line.SubscribeAgain()
	why := fmt.Sprintf("members %d, campaigns %d", s.down.InForce(wire.Members), s.down.InForce(wire.Campaigns))
	if s.packs == nil {
		return command.Answer{Outcome: wire.IsDone, Why: why}
	}
	p, err := s.packs.Prove(ctx)
	if err != nil {
		return command.Failed(wire.NotProven, err)
	}
	a := command.Answer{Outcome: wire.IsDone, Why: fmt.Sprintf("%s; %d packs, %d files, %d bytes proven", why, p.Releases, p.Files, p.Bytes)}
	if p.Damaged > 0 {
		a.Code, a.Why = wire.NotProven, fmt.Sprintf("%s; %d of them damaged, fetched again", a.Why, p.Damaged)
	}
	return a
}

// restart is answered first: the answer travels with the foyerd that comes after.
func (o *orders) restart(ctx context.Context, _ wire.Command) command.Answer {
	return command.Answer{Outcome: wire.IsDone, After: func() {
		hub := o.house.state.hub
		for _, face := range []api.Face{api.Wall, api.Kiosk} {
			hub.Order(face, api.Order{ID: "restart", Do: api.StartAgain})
		}
		wait := time.NewTimer(screensGo)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-ctx.Done():
		}
		o.end()
	}}
}

func (o *orders) diagnostics(ctx context.Context, c wire.Command) command.Answer {
	data, err := o.house.bundle()
	if err != nil {
		return command.Failed(wire.NotMade, err)
	}
	return o.bring(ctx, c, []string{"diagnostics.tar.gz"}, [][]byte{data})
}

func (o *orders) screenshot(ctx context.Context, c wire.Command) command.Answer {
	faces := []api.Face{api.Kiosk, api.Wall}
	if c.Screen != "" {
		faces = []api.Face{api.Face(c.Screen)}
	}
	shots, want := o.house.camera.shoot(ctx, faces)
	if len(shots) == 0 {
		return command.Failed(wire.NoScreen, fmt.Errorf("%d screens are connected and none sent a picture", want))
	}
	var files [][]byte
	for _, s := range shots {
		files = append(files, s.png)
	}
	a := o.bring(ctx, c, names(shots), files)
	if a.Outcome == wire.IsDone && len(shots) < want {
		a.Code, a.Why = wire.NoScreen, fmt.Sprintf("%d of %d screens sent a picture", len(shots), want)
	}
	return a
}

// bring takes files to headquarters and tells of those that arrived.
func (o *orders) bring(ctx context.Context, c wire.Command, names []string, files [][]byte) command.Answer {
	a := command.Answer{Outcome: wire.IsDone}
	for i, data := range files {
		r := wire.Result{Name: names[i], Size: int64(len(data)), Digest: sha256.Sum256(data)}
		err := r.Check()
		if err == nil {
			err = o.house.supply.uploads.Put(ctx, c.ID, r, data)
		}
		if err != nil {
			o.log.Warn("a result is not brought to headquarters", "command", c.ID, "err", err)
			a.Outcome, a.Code, a.Why = wire.IsFailed, wire.NotUploaded, err.Error()
			continue
		}
		a.Results = append(a.Results, r)
	}
	return a
}

// levelOf reads a level that was checked before.
func levelOf(text string) slog.Level {
	var l slog.Level
	l.UnmarshalText([]byte(text))
	return l
}

// soundLanguage reports whether screens speak a language.
func soundLanguage(text string) error { return setting.Check(setting.Language, text) }
