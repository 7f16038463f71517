package uplink

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"foyer/sync/wire"
)

var noon = time.Date(2026, 6, 14, 12, 0, 0, 0, time.UTC)

func ack(upto uint64) wire.Ack { return wire.Ack{Epoch: "e", Lane: "main", Upto: upto, HQTime: noon} }

func testFlow(acked uint64) *flow { return newFlow(acked, 2*time.Second, 30*time.Second) }

// fill sends batches of ten records until there is no room, and returns the last records of each.
func fill(f *flow, last uint64, now time.Time) (lasts []uint64) {
	for {
		limit, ok := f.room(last)
		if !ok {
			return lasts
		}
		to := min(f.next+uint64(min(limit, 10))-1, last)
		f.wentOut(to, now)
		lasts = append(lasts, to)
	}
}

func wantLasts(t *testing.T, got []uint64, want ...uint64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("sent up to %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("sent up to %v, want %v", got, want)
		}
	}
}

func TestWindowOpensWithTheLineAndMovesWithTheAnswers(t *testing.T) {
	f := testFlow(5)
	wantLasts(t, fill(f, 1000, noon))
	f.cameUp(false)
	wantLasts(t, fill(f, 1000, noon), 15, 25, 35, 45, 55, 65, 75, 85)
	if v, answered := f.heard(ack(25), "e", 1000, noon); v != progress || answered == nil || answered.last != 25 {
		t.Errorf("got %v, %v", v, answered)
	}
	wantLasts(t, fill(f, 1000, noon), 95, 105)
	f.heard(ack(105), "e", 1000, noon)
	wantLasts(t, fill(f, 110, noon), 110)
	if v, answered := f.heard(ack(107), "e", 110, noon); v != progress || answered != nil || f.acked != 107 {
		t.Errorf("an answer in the middle of a batch: %v, %v, at %d", v, answered, f.acked)
	}
	f.heard(ack(110), "e", 110, noon)
	if _, waits := f.deadline(110); waits {
		t.Error("it waits for something though all is acknowledged")
	}
}

func TestASlowLineIsNotTakenForASilentOne(t *testing.T) {
	f := testFlow(0)
	f.cameUp(false)
	if f.carried() {
		t.Error("nothing was sent, and it is to be waited for")
	}
	fill(f, 1000, noon)
	for want := 4 * time.Second; want <= 30*time.Second; want += 2 * time.Second {
		if at, ok := f.deadline(1000); !f.carried() || !ok || at.Sub(noon) != want-2*time.Second {
			t.Fatalf("at %v it waits until %v", want-2*time.Second, at.Sub(noon))
		}
	}
	if f.carried() {
		t.Error("it is waited for ever")
	}
	f.heard(ack(10), "e", 1000, noon.Add(time.Minute))
	if at, _ := f.deadline(1000); at.Sub(noon) != 62*time.Second {
		t.Errorf("after progress it waits until %v", at.Sub(noon))
	}
}

func TestAGapIsFilledOnceThoughItIsToldManyTimes(t *testing.T) {
	f := testFlow(0)
	f.cameUp(false)
	fill(f, 1000, noon)
	f.heard(ack(10), "e", 1000, noon)
	fill(f, 1000, noon)
	for i := range 7 {
		if v, _ := f.heard(ack(10), "e", 1000, noon); v != repeated {
			t.Fatalf("got %v", v)
		}
		switch got := fill(f, 1000, noon); i {
		case 0:
			wantLasts(t, got, 20, 30, 40, 50, 60, 70, 80, 90)
		default:
			wantLasts(t, got)
		}
	}
	f.heard(ack(20), "e", 1000, noon)
	fill(f, 1000, noon)
	f.heard(ack(20), "e", 1000, noon)
	wantLasts(t, fill(f, 1000, noon), 30, 40, 50, 60, 70, 80, 90, 100)
}

func TestSilenceIsAnsweredWithOneRecordAndMorePatience(t *testing.T) {
	f := testFlow(0)
	f.cameUp(false)
	now := noon
	fill(f, 1000, now)
	for _, want := range []time.Duration{2, 4, 8, 16, 30, 30} {
		at, ok := f.deadline(1000)
		if !ok || at.Sub(now) != want*time.Second {
			t.Errorf("patient for %v, want %ds", at.Sub(now), want)
		}
		now = at
		f.silent(now)
		wantLasts(t, fill(f, 1000, now), 1)
	}
	f.heard(ack(1), "e", 1000, now)
	if got := fill(f, 1000, now); len(got) != window {
		t.Errorf("after an answer %d batches go out, want %d", len(got), window)
	}
	if at, _ := f.deadline(1000); at.Sub(now) != 2*time.Second {
		t.Errorf("patient for %v after an answer", at.Sub(now))
	}
}

func TestWhatWasOnlyLateIsNotSentAgain(t *testing.T) {
	f := testFlow(0)
	f.cameUp(false)
	fill(f, 1000, noon)
	now := noon.Add(2 * time.Second)
	f.silent(now)
	wantLasts(t, fill(f, 1000, now), 1)
	now = now.Add(4 * time.Second)
	f.silent(now) // asked twice: what was on its way is still remembered
	wantLasts(t, fill(f, 1000, now), 1)
	f.heard(ack(20), "e", 1000, now) // the answer to the first two batches, six seconds late
	wantLasts(t, fill(f, 1000, now), 90, 100)
	if at, _ := f.deadline(1000); at.Sub(now) != 9*time.Second {
		t.Errorf("it waits %v for headquarters that took 6 s", at.Sub(now))
	}
	f.heard(ack(30), "e", 1000, now)
	if at, _ := f.deadline(1000); at.Sub(now) >= 9*time.Second {
		t.Errorf("it still waits %v though headquarters is quick again", at.Sub(now))
	}
	f.silent(now)
	fill(f, 1000, now)
	f.heard(ack(31), "e", 1000, now) // the answer to the question itself: the rest is lost
	wantLasts(t, fill(f, 1000, now), 41, 51, 61, 71, 81, 91, 101, 111)
}

func TestNewRecordsDoNotPutTheDeadlineOff(t *testing.T) {
	f := testFlow(0)
	f.cameUp(false)
	f.wentOut(1, noon)
	first, _ := f.deadline(1)
	f.wentOut(2, noon.Add(time.Second))
	if again, _ := f.deadline(2); again != first {
		t.Errorf("deadline moved from %v to %v", first, again)
	}
}

func TestALineThatTakesNothingIsTriedAgain(t *testing.T) {
	f := testFlow(0)
	f.cameUp(false)
	f.notTaken(noon)
	wantLasts(t, fill(f, 5, noon))
	if at, ok := f.deadline(5); !ok || at.Sub(noon) != 2*time.Second {
		t.Errorf("next try %v, %v", at, ok)
	}
	if _, ok := f.deadline(0); ok {
		t.Error("it waits though there is nothing to send")
	}
	f.silent(noon)
	wantLasts(t, fill(f, 5, noon), 1)
}

func TestWhatHeadquartersCannotMeanMovesNothing(t *testing.T) {
	f := testFlow(50)
	f.cameUp(false)
	fill(f, 100, noon)
	for _, tc := range []struct {
		name string
		ack  wire.Ack
		want verdict
	}{
		{"another epoch", wire.Ack{Epoch: "other", Upto: 60}, foreign},
		{"beyond the end", ack(101), forked},
		{"beyond the end, about a batch within it", wire.Ack{Epoch: "e", Upto: 60, Have: new(uint64(101)), HQTime: noon}, forked},
		{"written otherwise", wire.Ack{Epoch: "e", Upto: 60, Have: new(uint64(80)), Fork: true, HQTime: noon}, forked},
		{"less than before, while batches are on their way", ack(49), stale},
		{"about an old batch", wire.Ack{Epoch: "e", Upto: 40, Have: new(uint64(50)), HQTime: noon}, stale},
	} {
		if got, _ := f.heard(tc.ack, "e", 100, noon); got != tc.want || f.acked != 50 {
			t.Errorf("%s: %v, at %d", tc.name, got, f.acked)
		}
	}
}

func TestHeadquartersThatHasForgottenIsSentAgainWhatItLacks(t *testing.T) {
	answer := func(have uint64, after time.Duration) wire.Ack {
		return wire.Ack{Epoch: "e", Lane: "main", Upto: have, HQTime: noon.Add(after)}
	}
	f := testFlow(50)
	f.cameUp(false)
	fill(f, 100, noon)
	f.heard(answer(60, time.Second), "e", 100, noon)
	if v, _ := f.heard(answer(20, 2*time.Second), "e", 100, noon); v != stale || f.acked != 60 {
		t.Errorf("in the stream of answers: %v, at %d", v, f.acked)
	}
	f.silent(noon)
	if v, _ := f.heard(answer(20, 0), "e", 100, noon); v != stale || f.acked != 60 {
		t.Errorf("an answer from before the newest: %v, at %d", v, f.acked)
	}
	if v, _ := f.heard(answer(20, 3*time.Second), "e", 100, noon); v != forgot || f.acked != 20 {
		t.Errorf("to a question: %v, at %d", v, f.acked)
	}
	wantLasts(t, fill(f, 100, noon), 30, 40, 50, 60, 70, 80, 90, 100)
	f.heard(answer(100, 4*time.Second), "e", 100, noon)
	if v, _ := f.heard(answer(90, 5*time.Second), "e", 100, noon); v != forgot || f.acked != 90 {
		t.Errorf("unasked, when all is sent: %v, at %d", v, f.acked)
	}
	wantLasts(t, fill(f, 100, noon), 100)
	if v, _ := f.heard(answer(80, -2*time.Hour), "e", 100, noon); v != stale {
		t.Errorf("with a batch on its way: %v", v)
	}
	f.heard(answer(100, -2*time.Hour), "e", 100, noon)
	if v, _ := f.heard(answer(80, -2*time.Hour), "e", 100, noon); v != forgot {
		t.Errorf("by a headquarters whose clock was put back: %v", v)
	}
}

// Whatever the line and headquarters do, as long as headquarters takes only what follows on what it has: never does it
// miss a record, and the cursor is never beyond what it has.
func TestFlowAgainstAnHonestHeadquarters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const last = 300
		f, now := testFlow(0), noon
		has := uint64(0)
		type batch struct{ first, last uint64 }
		var pipe []batch
		var acks []wire.Ack
		step := func() {
			now = now.Add(100 * time.Millisecond)
			for {
				limit, ok := f.room(last)
				if !ok {
					return
				}
				b := batch{f.next, min(f.next+uint64(min(limit, 20))-1, last)}
				f.wentOut(b.last, now)
				pipe = append(pipe, b)
			}
		}
		deliver := func(i int) {
			if b := pipe[i]; b.first <= has+1 && b.last > has {
				has = b.last
			}
			acks = append(acks, ack(has))
		}
		hear := func(i int) {
			f.heard(acks[i], "e", last, now)
			if f.acked > has {
				t.Fatalf("cursor at %d, headquarters has %d", f.acked, has)
			}
		}
		actions := map[string]func(*rapid.T){
			"deliver": func(t *rapid.T) {
				if len(pipe) > 0 {
					deliver(0)
					pipe = pipe[1:]
				}
			},
			"deliver any, twice": func(t *rapid.T) {
				if len(pipe) > 0 {
					i := rapid.IntRange(0, len(pipe)-1).Draw(t, "which")
					deliver(i)
					deliver(i)
				}
			},
			"lose": func(t *rapid.T) {
				if len(pipe) > 0 {
					pipe = pipe[1:]
				}
			},
			"hear": func(t *rapid.T) {
				if len(acks) > 0 {
					hear(0)
					acks = acks[1:]
				}
			},
			"hear any": func(t *rapid.T) {
				if len(acks) > 0 {
					hear(rapid.IntRange(0, len(acks)-1).Draw(t, "which"))
				}
			},
			"cut":    func(t *rapid.T) { pipe, acks = nil, nil; f.cameUp(false) },
			"refuse": func(t *rapid.T) { f.notTaken(now) },
			"silence": func(t *rapid.T) {
				if at, ok := f.deadline(last); ok && !now.Before(at) {
					f.silent(now)
				}
			},
			"": func(t *rapid.T) { step() },
		}
		f.cameUp(false)
		t.Repeat(actions)
		// From here on everything works: it must come to an end.
		for range 1000 {
			step()
			for len(pipe) > 0 {
				deliver(0)
				pipe = pipe[1:]
			}
			for len(acks) > 0 {
				hear(0)
				acks = acks[1:]
			}
			if at, ok := f.deadline(last); ok {
				now = at
				f.silent(now)
			}
		}
		if has != last || f.acked != last {
			t.Fatalf("headquarters has %d, the cursor is at %d, want %d", has, f.acked, last)
		}
	})
}
