package scene

import (
	"hash/fnv"
	"slices"
	"time"

	"foyer/api"
	"foyer/kiosk/demo"
)

// Packs is an input: the demo packs that may be tried from now on, in the order of the shelf.
type Packs struct{ Packs []*demo.Pack }

// Finger is an input: a gesture on the stage of the demo that is being played.
type Finger struct{ demo.Finger }

// Scored is an input: what a cartridge said of its game.
type Scored struct {
	File  string
	Score int
	Over  bool
}

// Kept is an input: the store has written down how a demo ended.
type Kept struct{ api.Tried }

func (Packs) input()  {}
func (Finger) input() {}
func (Scored) input() {}
func (Kept) input()   {}

// Play is a demo being played. The zero value is none.
type Play struct {
	demo.State
	Started time.Time
	At      time.Time // how far the state has come
}

// OnShelf is how many packs a page of the shelf holds.
const OnShelf = 6

// Shelf is the page of the shelf that stands, and how many pages there are.
func (k Kiosk) ShelfPage() (packs []*demo.Pack, page, pages int) {
	all := k.Shop.Packs
	pages = max(1, (len(all)+OnShelf-1)/OnShelf)
	page = k.Use.Page % pages
	return all[page*OnShelf : min(len(all), (page+1)*OnShelf)], page, pages
}

// playing handles the inputs that concern demos.
func (r Rules) playing(k Kiosk, in Input, now time.Time) Kiosk {
	k.Play = k.Play.until(now)
	switch in := in.(type) {
	case Packs:
		k.Shop.Packs = in.Packs
	case Finger:
		if k.Scene == Demo {
			k = touchedAt(k, now)
			if k.Warning() {
				k.Use.Warned = time.Time{}
				return k
			}
			k.Play.State = k.Play.Touch(in.Finger)
		}
	case Scored:
		if k.Scene == Demo && k.Play.Pack.File(in.File) != nil {
			k.Play.State = k.Play.Report(in.Score, in.Over)
		}
	case Kept:
		if k.Scene == Demo && k.Play.Started.Equal(in.Started) && k.Play.Pack.ID == in.Pack && k.Play.Result().Score == in.Score {
			k.Play.State = k.Play.State.Kept()
		}
	}
	return k
}

// touchedAt notes a touch.
func touchedAt(k Kiosk, now time.Time) Kiosk {
	if k.Use.Taps == 0 {
		k.Use.Started = now
	}
	k.Use.Taps++
	k.Use.Touched = now
	return k
}

// play begins a pack.
func (k Kiosk) play(id string, now time.Time) Kiosk {
	i := slices.IndexFunc(k.Shop.Packs, func(p *demo.Pack) bool { return p.ID == id })
	if i < 0 {
		return k
	}
	k.Scene = Demo
	k.Play = Play{State: demo.Start(k.Shop.Packs[i], seed(id, now)), Started: now, At: now}
	return k
}

// seed decides what chance gives: another play, another game.
func seed(id string, now time.Time) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	return h.Sum64() ^ uint64(now.UnixNano())
}

// until lets a play's time pass.
func (p Play) until(now time.Time) Play {
	if !p.Active() || !now.After(p.At) {
		return p
	}
	p.State, p.At = p.Advance(now.Sub(p.At).Seconds()), now
	return p
}

// Tried tells how a play ended between two states, if one did: by itself, or because it was left.
func Tried(before, after Kiosk, now time.Time) (api.Tried, bool) {
	b, a := before.Play, after.Play
	same := a.Active() && a.Pack == b.Pack && a.Started.Equal(b.Started)
	switch {
	case !b.Active() || b.End != "":
		return api.Tried{}, false
	case same && a.End == "", !same && b.Round > 0: // who leaves after a whole round has not broken off
		return api.Tried{}, false
	}
	how := b
	if same {
		how = a
	}
	r := how.Result()
	end := r.End
	if end == "" {
		end = "left"
	}
	return api.Tried{Visit: before.Guest.Visit, Language: before.Language, Pack: b.Pack.ID, Version: b.Pack.Version, Started: b.Started, Ended: now,
		Score: r.Score, End: end, Reward: r.Reward}, true
}
