package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"foyer/sync/line/linetest"
)

// crowd is a file of so many members; the first changed ones have another tier.
func crowd(n, changed int) string {
	r := rand.New(rand.NewPCG(1, 2))
	families := []rune("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗")
	var b strings.Builder
	b.WriteString("id,family,given,title,tier,birthday,tags,consents\n")
	for i := range n {
		family, given := families[r.IntN(len(families))], families[r.IntN(len(families))]
		tier := []string{"silver", "gold"}[r.IntN(2)]
		day := fmt.Sprintf("%02d-%02d", 1+r.IntN(12), 1+r.IntN(28))
		if i < changed {
			tier = "diamond"
		}
		fmt.Fprintf(&b, "m-%06d,%c,%c,ms,%s,%s,uid:04%06X%06X,recognise|greet_by_name\n", i, family, given, tier, day, r.IntN(1<<24), i)
	}
	return b.String()
}

// members waits until the console shows the store at that version of the members.
func (c *chain) members(version int) {
	c.t.Helper()
	got := ""
	for limit := time.Now().Add(generous); time.Now().Before(limit); time.Sleep(20 * time.Millisecond) {
		var stores []struct {
			Applied []struct {
				Snapshot, State string
				Version         int
			}
		}
		c.ask("GET", "/api/stores", "", &stores)
		for _, a := range stores[0].Applied {
			if a.Snapshot != "members" {
				continue
			}
			if got = fmt.Sprint(a.Version, " ", a.State); got == fmt.Sprint(version, " applied") {
				return
			}
		}
	}
	c.t.Fatalf("the console shows the members at %q, want version %d", got, version)
}

// 10,000 members, 100 of them changed: what that costs on the line, once the whole, then the change, then a new connection.
func TestMembersTravelAsChanges(t *testing.T) {
	c := newChain(t)
	meter := linetest.NewCutter(t, c.up.MQTT, 0)
	c.broker = meter.Address()
	cost := func(what string, do func()) int64 {
		t.Helper()
		before, _, _ := meter.Carried()
		do()
		after, _, _ := meter.Carried()
		t.Logf("%s: %d bytes towards the store", what, after-before)
		return after - before
	}
	load := func(changed int) {
		t.Helper()
		if status := c.ask("POST", "/api/members/import", crowd(10_000, changed), nil); status != 200 {
			t.Fatalf("import: %d", status)
		}
	}
	var stop func()
	load(0)
	whole := cost("all 10,000 members", func() { stop = c.store("{}"); c.members(2) })
	change := cost("100 changes of them", func() { load(100); c.members(3) })
	stop()
	load(150) // while the store is away
	missed := cost("a connection after 50 changes", func() { stop = c.store("{}"); c.members(4) })
	stop()
	again := cost("a connection without any", func() {
		stop = c.store("{}")
		c.ask("POST", "/api/packs/art", zipOf(t, "a", "b"), nil) // a pack comes after the head on the same line: then the head was there
		c.want("art 1 of 1 applied")
	})
	if whole < 200_000 || change > whole/20 || missed > whole/20 || again > 8_000 {
		t.Errorf("%d bytes for all, %d for 100 changes, %d after 50, %d for none", whole, change, missed, again)
	}
	c.members(4)
}
