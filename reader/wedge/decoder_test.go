package wedge

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = time.Millisecond

// play feeds events and tells the scans.
func play(d *Decoder, events []Event) string {
	var got []string
	for _, e := range events {
		s, ok := d.Feed(e)
		switch {
		case ok && s.Fault == Good:
			got = append(got, string(s.Text))
		case ok:
			got = append(got, "!"+s.Fault.String())
		}
	}
	return strings.Join(got, " ")
}

// hand writes events in short: "1" a key, "+1" only pressed, "-1" only released, "=1" repeated, "~60" a pause in ms, "#105" a
// key by its code, "LOST" an overflow, "\n" and "\t" as ever. 3 ms pass after each press.
func hand(t testing.TB, script string) (events []Event) {
	t.Helper()
	at := time.Hour
	for word := range strings.FieldsSeq(strings.ReplaceAll(script, "\n", " ENTER ")) {
		values := map[byte][]int32{'+': {1}, '-': {0}, '=': {2}}[word[0]]
		rest := word[1:]
		var code uint16
		switch {
		case word == "LOST":
			events = append(events, Event{At: at, Type: 0, Code: 3})
			continue
		case word[0] == '~':
			var pause int
			if _, err := fmt.Sscan(rest, &pause); err != nil {
				t.Fatal(err)
			}
			at += time.Duration(pause) * ms
			continue
		case word == "ENTER":
			code, values = 28, []int32{1, 0}
		case word == "KPENTER":
			code, values = 96, []int32{1, 0}
		case word == "TAB":
			code, values = 15, []int32{1, 0}
		case word[0] == '#':
			if _, err := fmt.Sscan(rest, &code); err != nil {
				t.Fatal(err)
			}
			values = []int32{1, 0}
		case values != nil && rest == "SHIFT":
			code = 54
		case values != nil:
			code, _, _ = keyOf(rest[0])
		default:
			code, _, _ = keyOf(word[0])
			values = []int32{1, 0}
		}
		for _, v := range values {
			events = append(events, Event{At: at, Type: 4, Code: 4, Value: 458756}, Event{At: at, Type: 1, Code: code, Value: v}, Event{At: at})
		}
		at += 3 * ms
	}
	return events
}

func TestScans(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"a scan", "1 2 3 4 \n", "1234"},
		{"Tab ends it too", "1 2 3 4 TAB", "1234"},
		{"the key pad", "#79 #80 #81 #75 KPENTER", "1234"},
		{"keys held: the kernel repeats", "+1 =1 =1 =1 -1 2 3 4 \n", "1234"},
		{"rollover: a key pressed before the last is released", "+1 +2 -1 +3 -2 +4 -3 -4 \n", "1234"},
		{"Shift held over two letters", "+SHIFT a b -SHIFT c d \n", "ABcd"},
		{"Shift repeated by the kernel", "+SHIFT =SHIFT a -SHIFT b c d \n", "Abcd"},
		{"Num Lock around it", "#69 1 2 3 4 #69 \n", "1234"},
		{"two scans", "1 2 3 4 \n 5 6 7 8 \n", "1234 5678"},
		{"CR LF, as two Enters", "1 2 3 4 \n \n", "1234"},
		{"Enter alone", "\n \n TAB", ""},
		{"a pause of 50 ms", "1 2 ~47 3 4 \n", "1234"},
		{"a pause of 51 ms", "1 2 ~48 3 4 \n", "!too slow for a scanner: somebody types"},
		{"a pause before Enter", "1 2 3 4 ~48 \n", "!too slow for a scanner: somebody types"},
		{"the tail after a pause is not a scan", "1 2 3 4 ~60 5 6 7 8 \n 9 8 7 6 \n", "!too slow for a scanner: somebody types 9876"},
		{"a person, a second, then a scan", "1 ~200 2 ~1000 1 2 3 4 \n", "1234"},
		{"a long pause between scans", "1 2 3 4 \n ~60000 5 6 7 8 \n", "1234 5678"},
		{"too short", "1 2 3 \n", "!too short"},
		{"as long as may be", "1 2 3 4 5 6 7 8 \n", "12345678"},
		{"too long", "1 2 3 4 5 6 7 8 9 \n 1 2 3 4 \n", "!too long 1234"},
		{"an arrow key inside", "1 2 #105 3 4 \n", "!a key without a character"},
		{"Ctrl held", "+1 -1 #29 2 3 4 \n", "!a key without a character"},
		{"a key beyond the table", "1 2 #240 3 4 5 \n", "!a key without a character"},
		{"lost events", "1 2 LOST 3 4 5 6 \n 1 2 3 4 \n", "!events were lost 1234"},
		{"lost before the first key", "LOST 1 2 3 4 \n 5 6 7 8 \n", "!events were lost 5678"},
		{"Shift released while events were lost", "+SHIFT LOST ~2000 a b c d \n", "abcd"},
		{"no Enter yet", "1 2 3 4", ""},
	} {
		if got := play(New(Rule{Shortest: 4, Longest: 8}), hand(t, c.script)); got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestAClockThatGoesBack(t *testing.T) {
	events := append(Keys("12", time.Hour, ms), Keys("34\n56\n", time.Minute, ms)...)
	if got := play(New(Rule{}), events); got != "!too slow for a scanner: somebody types 56" {
		t.Errorf("got %q", got)
	}
}

// Every character of a US keyboard comes out as it was typed.
func TestLayout(t *testing.T) {
	var all []byte
	for c := byte(' '); c <= '~'; c++ {
		all = append(all, c)
	}
	if got := play(New(Rule{}), Keys(string(all)+"\n", 0, 5*ms)); got != string(all) {
		t.Errorf("got %q", got)
	}
}

// Whatever is typed fast enough comes out; one pause anywhere inside, and nothing of it does.
func TestTypedIsHeard(t *testing.T) {
	ascii := rapid.StringOfN(rapid.RuneFrom(nil, asciiRange), 1, maxText, maxText)
	rapid.Check(t, func(t *rapid.T) {
		text := ascii.Draw(t, "text")
		pace := time.Duration(rapid.IntRange(0, 50).Draw(t, "pace")) * ms
		d := New(Rule{})
		events := Keys(text+"\n", time.Minute, pace)
		if got := play(d, events); got != text {
			t.Fatalf("got %q of %q", got, text)
		}
		at := rapid.IntRange(1, len(text)).Draw(t, "pause before")
		late := time.Duration(rapid.IntRange(51, 949).Draw(t, "pause")) * ms
		for i := range events {
			if keysBefore(events[:i+1]) > at {
				events[i].At += late
			}
		}
		if got := play(d, events); !strings.HasPrefix(got, "!") {
			t.Fatalf("with a pause of %v before key %d: %q", late, at, got)
		}
	})
}

// keysBefore counts the presses that are no Shift.
func keysBefore(events []Event) (n int) {
	for _, e := range events {
		if e.Type == typeKey && e.Value == pressed && e.Code != keyLeftShift {
			n++
		}
	}
	return n
}

// With time between people, one event that is lost, changed or too many costs one scan at most.
func TestOneBadEventCostsOneScanAtMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var events []Event
		var want, got []string
		for i := range rapid.IntRange(2, 5).Draw(t, "scans") {
			text := rapid.StringMatching(`[0-9A-Fa-f]{10}`).Draw(t, "text")
			want = append(want, text)
			events = append(events, Keys(text+"\n", time.Duration(i+1)*3*time.Second, 5*time.Millisecond)...)
		}
		at := rapid.IntRange(0, len(events)-1).Draw(t, "at")
		bad := events[at]
		bad.Code, bad.Value = uint16(rapid.IntRange(0, 130).Draw(t, "code")), int32(rapid.IntRange(0, 2).Draw(t, "value"))
		switch rapid.IntRange(0, 2).Draw(t, "how") {
		case 0:
			events[at] = bad
		case 1:
			events = slices.Delete(events, at, at+1)
		case 2:
			bad.Type = 1
			events = slices.Insert(events, at, bad)
		}
		d := New(Rule{Shortest: 10, Longest: 10})
		for _, e := range events {
			if scan, done := d.Feed(e); done && scan.Fault == Good {
				got = append(got, string(scan.Text))
			}
		}
		lost := 0
		for _, text := range want {
			if !slices.Contains(got, text) {
				lost++
			}
		}
		if lost > 1 {
			t.Fatalf("%d of %q lost: %q", lost, want, got)
		}
	})
}

func FuzzDecoder(f *testing.F) {
	f.Add([]byte{1, 2, 1, 3, 1, 3, 1, 4, 1, 3, 1, 28, 1, 3})
	f.Add([]byte{0, 3, 0, 0, 1, 42, 1, 0, 1, 30, 1, 200, 1, 28, 1, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		d := New(Rule{Shortest: 2, Longest: 20})
		at := time.Duration(0)
		for ; len(data) >= 4; data = data[4:] {
			at += time.Duration(int8(data[3])) * ms
			s, ok := d.Feed(Event{At: at, Type: uint16(data[0]), Code: uint16(data[1]), Value: int32(data[2])})
			if ok && (len(s.Text) > 20 || s.Fault == Good && len(s.Text) < 2) {
				t.Fatalf("%+v", s)
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	d, events := New(Rule{}), Keys("0008075634\n", 0, ms)
	b.ReportAllocs()
	for b.Loop() {
		for _, e := range events {
			d.Feed(e)
		}
	}
}
