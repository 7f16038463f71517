package demo

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// Do does what a button says: "tap/anna", "walk/li,bob", "stranger", "unplug-tap/on", "cut/off", "kill/kiosk". It returns
// at once; people walk on their own.
func (h *House) Do(action string) error {
	what, how, _ := strings.Cut(action, "/")
	switch what {
	case "tap":
		return h.tapCard(how)
	case "walk":
		return h.walkIn(strings.Split(how, ","))
	case "stranger":
		h.stranger()
		return nil
	case "kill":
		return h.kill(how)
	}
	if how != "on" && how != "off" {
		return fmt.Errorf("%q: want /on or /off", action)
	}
	return h.trouble(what, how == "on")
}

func (h *House) tapCard(who string) error {
	s, ok := find(who)
	if !ok {
		return fmt.Errorf("no shopper %q", who)
	}
	h.tagsAway.Go(func() { h.tap.hold(h.ctx, s.em4100()) })
	return nil
}

func (h *House) walkIn(who []string) error {
	for _, name := range who {
		s, ok := find(name)
		if !ok {
			return fmt.Errorf("no shopper %q", name)
		}
		h.tagsAway.Go(func() { h.door.walk(h.ctx, s.epc(), walkIn) })
	}
	return nil
}

// stranger lets somebody pass whose tag nobody enrolled: another chain's, and never twice the same.
func (h *House) stranger() {
	epc := make([]byte, 12)
	rand.Read(epc)
	epc[0] = 0x30 // SGTIN-96: a thing in a bag (GS1 TDS 2, table of headers)
	h.tagsAway.Go(func() { h.door.walk(h.ctx, epc, walkIn) })
	other := make([]byte, 12)
	rand.Read(other)
	other[0] = 0x30
	h.tagsAway.Go(func() { h.door.walk(h.ctx, other, passBy) })
}

func (h *House) kill(what string) error {
	switch what {
	case "store":
		h.store.Kill()
		return nil
	case "kiosk":
		for _, p := range h.screens {
			if p.Name == what {
				p.Kill()
				return nil
			}
		}
	}
	return fmt.Errorf("no program %q runs here", what)
}

func (h *House) trouble(what string, on bool) error {
	switch what {
	case "unplug-tap":
		return plug(h.tap, !on)
	case "unplug-door":
		return plug(h.door, !on)
	case "cut":
		h.wire.Cut(on)
	case "hq-down":
		if on {
			h.hq.Hold()
		} else {
			h.hq.Release()
		}
	default:
		return fmt.Errorf("no trouble is called %q", what)
	}
	return nil
}

func plug(p *played, in bool) error {
	if in {
		return p.pty.Plug()
	}
	return p.pty.Unplug()
}
