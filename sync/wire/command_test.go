package wire

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"foyer/internal/words"
)

func goodCommand() Command {
	return Command{ID: "C7", Do: DoConfig, Number: 7, MadeAt: noon, Expires: noon.Add(time.Hour), Set: map[string]string{"log_level": "debug"}, Reset: []string{"headquarters.budget"}}
}

func goodPart() ResultPart {
	return ResultPart{V: Version, ID: "C7", Result: Result{Name: "kiosk-1.png", Size: 9, Digest: Digest{1}}, Offset: 4, Data: []byte("12345")}
}

func TestCommandIsForOneStore(t *testing.T) {
	id, private, trusted := key(1)
	p := Place{"wanlian", "fuxing-road"}
	data, err := goodCommand().Seal(p, id, private)
	if err != nil {
		t.Fatal(err)
	}
	got, err := OpenCommand(data, p, trusted)
	if diff := cmp.Diff(goodCommand(), got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	if _, err := OpenCommand(data, Place{"wanlian", "north"}, trusted); !errors.Is(err, ErrElsewhere) {
		t.Errorf("at another store: %v", err)
	}
	if _, err := OpenCommand(data, p, nil); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("without the key: %v", err)
	}
	for name, change := range map[string]func(*Command){
		"no id": func(c *Command) { c.ID = "" }, "odd do": func(c *Command) { c.Do = "Restart now" }, "no end": func(c *Command) { c.Expires = c.MadeAt },
		"too long": func(c *Command) { c.Expires = c.MadeAt.Add(MaxLife + 1) }, "odd setting": func(c *Command) { c.Set = map[string]string{"a b": "c"} },
		"long value": func(c *Command) { c.Set["log_level"] = strings.Repeat("x", maxSetting+1) }, "odd screen": func(c *Command) { c.Screen = "../x" },
	} {
		c := goodCommand()
		if change(&c); c.check() == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestEveryWhyOfACommandHasItsWords(t *testing.T) {
	for _, lang := range words.Load().Languages() {
		for _, code := range DoneCodes {
			if key := "console.command.why." + string(code); !words.Load().Has(lang, key) {
				t.Errorf("%s has no %s", lang, key)
			}
		}
		for _, do := range Dos {
			if key := "console.command.do." + string(do); !words.Load().Has(lang, key) {
				t.Errorf("%s has no %s", lang, key)
			}
		}
	}
}

// FuzzCommand goes behind the signature: whatever headquarters signs as a command is one within the limits, or refused.
func FuzzCommand(f *testing.F) {
	body, _ := encode(goodCommand())
	f.Add(body)
	f.Add([]byte(`{"id":"x","do":"dance","expires":"2026-06-14T12:00:01Z"}`))
	id, private, trusted := key(1)
	p := Place{"wanlian", "fuxing-road"}
	f.Fuzz(func(t *testing.T, body []byte) {
		data, err := Seal(Snapshot{Kind: Commands, Chain: p.Chain, Store: p.Store, Version: 7, MadeAt: noon, Body: body}, id, private)
		if err != nil {
			return
		}
		c, err := OpenCommand(data, p, trusted)
		if err != nil {
			if !errors.Is(err, ErrFormat) && !errors.Is(err, ErrTooLarge) {
				t.Fatalf("error is %v", err)
			}
			return
		}
		again, err := c.Seal(p, id, private)
		if err != nil {
			t.Fatalf("%+v was opened and cannot be sealed: %v", c, err)
		}
		if back, err := OpenCommand(again, p, trusted); err != nil || !cmp.Equal(c, back) {
			t.Fatalf("%v: %s", err, cmp.Diff(c, back))
		}
	})
}

func FuzzResultPart(f *testing.F) {
	data, _ := EncodeResultPart(goodPart())
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) { decodesToItself(t, data, DecodeResultPart, EncodeResultPart) })
}

func FuzzResultTaken(f *testing.F) {
	data, _ := EncodeResultTaken(ResultTaken{ID: "C7", Name: "kiosk-1.png", Have: 9, No: "no"})
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) { decodesToItself(t, data, DecodeResultTaken, EncodeResultTaken) })
}
