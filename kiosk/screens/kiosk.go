package screens

import (
	"time"

	"fyne.io/fyne/v2"

	"foyer/kiosk/look"
	"foyer/kiosk/scene"
)

// view is one scene of the kiosk.
type view interface {
	layer() layer
	draw(k scene.Kiosk, now time.Time)
}

// Kiosk draws scene.Kiosk.
type Kiosk struct {
	root   *fyne.Container
	ground *pad
	views  map[scene.Scene]view
	player *player
	notice *notice
	idle   *idle
	shown  scene.Scene
	fresh  bool
}

// NewKiosk makes all scenes for one size of screen.
func NewKiosk(c Config) *Kiosk {
	full := look.Box{W: c.Frame.W, H: c.Frame.H}
	k := &Kiosk{root: &fyne.Container{}, fresh: true}
	k.ground = newPad("anywhere", full, 0, c.touch(scene.Anywhere, ""))
	k.player = newPlayer(c)
	k.views = map[scene.Scene]view{
		scene.Waiting: newWaiting(c), scene.Attract: newAttract(c), scene.Greet: newGreet(c),
		scene.Home: newHome(c), scene.Detail: newDetail(c), scene.Shelf: newShelf(c), scene.Demo: k.player, scene.Menu: newMenu(c), scene.Helping: newHelping(c),
		scene.Notes: newNotes(c), scene.Joining: newJoining(c),
	}
	k.notice, k.idle = newNotice(c), newIdle(c)
	k.root.Objects = append(k.root.Objects, k.ground)
	for s := scene.Waiting; s <= scene.Last; s++ {
		l := k.views[s].layer()
		l.Hide()
		k.root.Objects = append(k.root.Objects, l.Container)
	}
	k.root.Objects = append(k.root.Objects, k.notice.at.Container, k.idle.at.Container)
	k.root.Resize(fyne.NewSize(full.W, full.H))
	return k
}

// Root is what the window holds.
func (k *Kiosk) Root() fyne.CanvasObject { return k.root }

// Show draws a state.
func (k *Kiosk) Show(s scene.Kiosk, now time.Time) {
	if k.fresh || s.Scene != k.shown {
		k.change(s.Scene)
	}
	k.views[s.Scene].draw(s, now)
	k.notice.draw(s)
	k.idle.draw(s, now)
}

// change brings another scene on, and has the one that goes forget whom it spoke to.
func (k *Kiosk) change(to scene.Scene) {
	if !k.fresh {
		k.views[k.shown].layer().show(false)
		k.views[k.shown].draw(scene.Kiosk{Language: k.notice.cfg.Languages[0]}, time.Time{})
	}
	k.fresh, k.shown = false, to
	k.views[to].layer().show(true)
}
