package daemon

import (
	"context"
	"errors"

	"foyer/api"
	"foyer/shop"
	"foyer/sync/journal"
)

// desk takes what people ask of the shop. It is serve.Desk.
type desk struct{ shop *shop.Shop }

func (d desk) Claim(ctx context.Context, visit, by string) error {
	return problemOf(d.shop.Claim(ctx, visit, by))
}

func (d desk) Release(ctx context.Context, visit, by string) error {
	return problemOf(d.shop.Release(ctx, visit, by))
}

func (d desk) Serve(ctx context.Context, visit, by string) error {
	return problemOf(d.shop.Serve(ctx, visit, by))
}

func (d desk) KioskUsed(ctx context.Context, s api.Session) error {
	return problemOf(d.shop.KioskUsed(ctx, shop.Session{Visit: s.Visit, Language: s.Language, Started: s.Started, Ended: s.Ended,
		Taps: s.Taps, End: s.End}))
}

func (d desk) DemoTried(ctx context.Context, t api.Tried) error {
	return problemOf(d.shop.DemoTried(ctx, shop.DemoTried{Visit: t.Visit, Language: t.Language, Pack: t.Pack, Version: t.Version,
		Took: t.Ended.Sub(t.Started), Score: t.Score, End: t.End, Reward: t.Reward}))
}

// problemOf gives the shop's errors the code that a face can act on.
func problemOf(err error) error {
	if err == nil {
		return nil
	}
	for _, c := range []struct {
		is   error
		code api.Code
	}{
		{shop.ErrNoCard, api.CodeNotFound},
		{shop.ErrGone, api.CodeOver},
		{shop.ErrNotClaimed, api.CodeOver},
		{shop.ErrBy, api.CodeInvalid},
		{shop.ErrSession, api.CodeInvalid},
		{shop.ErrStopped, api.CodeBusy},
		{journal.ErrFull, api.CodeBusy},
		{journal.ErrStopped, api.CodeBusy},
	} {
		if errors.Is(err, c.is) {
			return api.NewProblem(c.code, err.Error())
		}
	}
	if taken, ok := errors.AsType[*shop.AlreadyClaimed](err); ok {
		return api.NewProblem(api.CodeTaken, taken.Error())
	}
	if served, ok := errors.AsType[*shop.AlreadyServed](err); ok {
		return api.NewProblem(api.CodeOver, served.Error())
	}
	return err
}
