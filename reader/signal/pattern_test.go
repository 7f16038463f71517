package signal

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const ms = time.Millisecond

func TestParsePattern(t *testing.T) {
	for text, want := range map[string]Pattern{
		"green":                            {{"green", 1, time.Second, time.Second}},
		"green 2s, buzzer 2x100ms":         {{"green", 1, 2 * time.Second, 2 * time.Second}, {"buzzer", 2, 100 * ms, 100 * ms}},
		" red 3x200ms/50ms ,buzzer 500ms ": {{"red", 3, 200 * ms, 50 * ms}, {"buzzer", 1, 500 * ms, 500 * ms}},
	} {
		got, err := ParsePattern(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
	for text, want := range map[string]string{
		"":                       "want an output",
		"green,,":                "want an output",
		"Green 2s":               "want an output",
		"green 2x":               "want a time",
		"green 0x1s":             "want 1 to 100 times",
		"green 200x1s":           "want 1 to 100 times",
		"green 2h":               "each of 10ms to 1m0s",
		"green 1us":              "each of 10ms to 1m0s",
		"green 2parsecs":         "want a time",
		"green 2s/now":           "want a pause",
		"green, red 1s, green":   "green stands twice",
		"a,b,c,d,e,f,g,h,i":      "at most 8 outputs",
		"green 2h, red 3parsecs": "red: got \"3parsecs\"",
	} {
		if _, err := ParsePattern(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

func FuzzParsePattern(f *testing.F) {
	f.Add("green 2s, buzzer 2x100ms/50ms")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePattern(text)
		if err != nil {
			return
		}
		again, err := ParsePattern(p.String())
		if err != nil || !cmp.Equal(p, again) {
			t.Fatalf("%q is %v, and that is %v, %v", text, p, again, err)
		}
	})
}

// Whatever moment is asked for, the state holds exactly as long as is said.
func TestTrackOverTime(t *testing.T) {
	track := Track{"buzzer", 2, 100 * ms, 50 * ms}
	var story []string
	for since := time.Duration(0); ; {
		on, lasts := track.at(since)
		story = append(story, map[bool]string{true: "on ", false: "off "}[on]+lasts.String())
		if lasts == 0 {
			break
		}
		if still, left := track.at(since + lasts - 1); still != on || left != 1 {
			t.Errorf("%v before its end: %v for %v", since, still, left)
		}
		since += lasts
	}
	if got := strings.Join(story, ", "); got != "on 100ms, off 50ms, on 100ms, off 0s" {
		t.Error(got)
	}
}
