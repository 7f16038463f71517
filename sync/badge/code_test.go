package badge

import (
	"errors"
	"strings"
	"testing"
)

func TestCodeThereAndBack(t *testing.T) {
	pin := [pinBytes]byte{1, 2, 3, 4, 5, 250, 251, 252, 253, 254}
	c := NewCode(pin)
	for _, typed := range []string{c.String(), strings.ToLower(c.String()), strings.ReplaceAll(c.String(), "-", ""), strings.ReplaceAll(c.String(), "-", " "),
		strings.NewReplacer("0", "O", "1", "l").Replace(c.String())} {
		if got, err := ParseCode(typed); err != nil || got != c {
			t.Errorf("%s reads as %v, %v: want %v", typed, got, err, c)
		}
	}
	if other := NewCode(pin); other.Secret == c.Secret {
		t.Error("two codes have one secret")
	}
}

// Of one mistyped letter nothing may reach headquarters, or hardly anything: 2 letters of check let 1 in 1,024 through.
func TestMistypedCode(t *testing.T) {
	text := NewCode([pinBytes]byte{9}).String()
	missed, all := 0, 0
	for i := range text {
		for _, wrong := range letters {
			if text[i] == '-' || byte(wrong) == text[i] {
				continue
			}
			all++
			if _, err := ParseCode(text[:i] + string(wrong) + text[i+1:]); err == nil {
				missed++
			} else if !errors.Is(err, ErrMistyped) {
				t.Fatalf("the error is %v: want ErrMistyped", err)
			}
		}
	}
	if missed > all/100 {
		t.Errorf("%d of %d mistyped codes pass", missed, all)
	}
	for _, text := range []string{"", "ABC", text + "A", text[:len(text)-1] + "U", strings.Repeat("A", 500), text[:29] + "é"} {
		if _, err := ParseCode(text); !errors.Is(err, ErrMistyped) {
			t.Errorf("%.40q reads as a code: %v", text, err)
		}
	}
}

func TestParseTicket(t *testing.T) {
	c := NewCode([pinBytes]byte{7})
	for _, address := range []string{"hq.example.net:8444", "10.0.0.1:8444", "[::1]:8444"} {
		want := Ticket{address, c}
		for _, text := range []string{want.String(), "https://" + want.String(), " " + want.String() + "\n"} {
			if got, err := ParseTicket(text); err != nil || got != want {
				t.Errorf("%q reads as %v, %v: want %v", text, got, err, want)
			}
		}
	}
	for _, text := range []string{"", c.String(), "hq.example.net/" + c.String(), ":8444/" + c.String(), "me@hq:1/" + c.String(), "hq:1/x/" + c.String(), "hq:8444/" + c.String()[1:]} {
		if _, err := ParseTicket(text); err == nil {
			t.Errorf("%q reads as a ticket", text)
		}
	}
}

// What reads as a ticket is written again as one that reads the same.
func FuzzParseTicket(f *testing.F) {
	c := NewCode([pinBytes]byte{7})
	f.Add("hq.example.net:8444/" + c.String())
	f.Add("https://[::1]:1/" + strings.ToLower(c.String()))
	f.Add("x:1/0")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ParseTicket(text)
		if err != nil {
			return
		}
		if again, err := ParseTicket(got.String()); err != nil || again != got {
			t.Errorf("%q reads as %v, and that as %v, %v", text, got, again, err)
		}
	})
}
