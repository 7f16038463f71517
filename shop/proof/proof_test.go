package proof

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"foyer/shop/member"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 6, 14, 12, 0, 0, 0, time.UTC)

// one secret for all tests: making one takes a while, which is its purpose.
var right = func() Secret {
	s, err := NewSecret("4711")
	if err != nil {
		panic(err)
	}
	return s
}()

func say(said string) Attempt {
	return Attempt{Member: "anna", Place: "kiosk-1", Method: PIN, Secret: right, Said: said}
}

func why(err error) Why {
	if r, ok := errors.AsType[*Refused](err); ok {
		return r.Why
	}
	return ""
}

func TestSecret(t *testing.T) {
	for said, want := range map[string]bool{"4711": true, "4712": false, "": false, "04711": false, "471": false, "47110": false, "４７１１": false} {
		if right.Matches(said) != want {
			t.Errorf("%q matches: %v", said, !want)
		}
	}
	if (Secret{}).Matches("0000") || (Secret{Salt: right.Salt}).Matches("4711") {
		t.Error("no secret matches something")
	}
	text, err := json.Marshal(right)
	var back Secret
	if err != nil || strings.Contains(string(text), "4711") || json.Unmarshal(text, &back) != nil || !back.Matches("4711") {
		t.Errorf("%s does not come back: %v", text, err)
	}
	for _, digits := range []string{"", "123", "123456789", "12a4"} {
		if _, err := NewSecret(digits); !errors.Is(err, ErrDigits) {
			t.Errorf("a secret of %q: %v", digits, err)
		}
	}
}

func TestAProofIsOneMembersAndFresh(t *testing.T) {
	g := NewGate(Limits{}, nil)
	p, err := g.Try(say("4711"), noon)
	if err != nil || p.Method() != PIN || p.By() != "" {
		t.Fatalf("%+v, %v", p, err)
	}
	staff, err := g.Vouch("anna", "counter", "小李", noon)
	if err != nil || staff.Method() != Staff || staff.By() != "小李" {
		t.Fatalf("%+v, %v", staff, err)
	}
	for _, c := range []struct {
		p    Proof
		m    member.ID
		at   time.Time
		want error
	}{
		{p, "anna", noon, nil},
		{p, "anna", noon.Add(Valid), nil},
		{p, "anna", noon.Add(Valid + 1), ErrOld},
		{p, "anna", noon.Add(-1), ErrOld},
		{p, "bo", noon, ErrOther},
		{staff, "anna", noon, nil},
		{Proof{}, "anna", noon, ErrNone},
		{Proof{}, "", noon, ErrNone},
	} {
		if err := c.p.Of(c.m, c.at); !errors.Is(err, c.want) {
			t.Errorf("%+v of %s at %s: %v, want %v", c.p, c.m, c.at, err, c.want)
		}
	}
}

func TestGuessingIsLockedOut(t *testing.T) {
	g := NewGate(Limits{}, nil)
	for i, want := range []Why{Wrong, Wrong, Wrong, MemberLocked} {
		_, err := g.Try(say(fmt.Sprintf("000%d", i)), noon)
		if why(err) != want {
			t.Errorf("try %d: %v, want %s", i+1, err, want)
		}
	}
	if _, err := g.Try(say("4711"), noon.Add(DefaultWindow-1)); why(err) != MemberLocked {
		t.Errorf("the right digits open a lock: %v", err)
	}
	elsewhere := say("4711")
	elsewhere.Place = "kiosk-2"
	if _, err := g.Try(elsewhere, noon); why(err) != MemberLocked {
		t.Errorf("another kiosk opens a lock: %v", err)
	}
	if _, err := g.Try(say("4711"), noon.Add(DefaultWindow)); err != nil {
		t.Errorf("after the window: %v", err)
	}
	if p, err := g.Vouch("anna", "counter", "小李", noon); err != nil || p.Of("anna", noon) != nil {
		t.Errorf("staff cannot vouch for who is locked: %v", err)
	}
}

func TestAPlaceIsLockedOverAllMembers(t *testing.T) {
	g := NewGate(Limits{}, nil)
	for i := range DefaultPerPlace {
		a := say("0000")
		a.Member = member.ID(fmt.Sprintf("m-%d", i))
		if _, err := g.Try(a, noon); why(err) != Wrong {
			t.Fatalf("try %d: %v", i+1, err)
		}
		if i == 4 { // a guesser's own card does not clear the place
			if _, err := g.Try(say("4711"), noon); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := g.Try(say("4711"), noon); why(err) != PlaceLocked {
		t.Errorf("%v, want %s", err, PlaceLocked)
	}
	other := say("4711")
	other.Place = "kiosk-2"
	if _, err := g.Try(other, noon); err != nil {
		t.Errorf("the kiosk beside it: %v", err)
	}
}

func TestWhatIsNoTry(t *testing.T) {
	var told []Tried
	g := NewGate(Limits{}, func(t Tried) { told = append(told, t) })
	none := say("4711")
	none.Secret = Secret{}
	staff := say("4711")
	staff.Method = Staff
	for _, c := range []struct {
		a    Attempt
		want Why
	}{{say("47"), NotDigits}, {say("abcd"), NotDigits}, {none, NoSecret}, {staff, NotStaff}} {
		if _, err := g.Try(c.a, noon); why(err) != c.want || err.Error() == "" {
			t.Errorf("%+v: %v, want %s", c.a, err, c.want)
		}
	}
	if _, err := g.Vouch("anna", "counter", "", noon); why(err) != NoName {
		t.Errorf("nobody vouches: %v", err)
	}
	if p, err := g.Try(say("4711"), noon); err != nil {
		t.Errorf("%+v, %v: none of these count against the member", p, err)
	}
	var whys []Why
	for _, x := range told {
		whys = append(whys, x.Why)
	}
	if want := "[not_digits not_digits no_secret not_staff no_name ]"; fmt.Sprint(whys) != want {
		t.Errorf("told %v, want %s", whys, want)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	g := NewGate(Limits{PerMember: 2, PerPlace: 100, Most: 5}, nil)
	g.wrong[key{member: "old"}] = count{1, noon.Add(-DefaultWindow)}
	busy := 0
	for i := range 8 {
		a := say("0000")
		a.Member, a.Secret = member.ID(fmt.Sprintf("m-%d", i)), right
		if _, err := g.Try(a, noon); why(err) == Busy {
			busy++
		}
	}
	if len(g.wrong) > 5 || busy == 0 {
		t.Errorf("%d counted, %d refused", len(g.wrong), busy)
	}
	if _, err := g.Try(say("0000"), noon.Add(DefaultWindow)); why(err) != Wrong {
		t.Errorf("after the window: %v", err)
	}
}

// However tries are spread, nobody gets more wrong ones for a member in a window than are allowed.
func TestNoScheduleGivesMoreTries(t *testing.T) {
	wrong := Secret{Salt: make([]byte, saltBytes+1), Hash: []byte{1}} // matches nothing, at once
	rapid.Check(t, func(t *rapid.T) {
		g := NewGate(Limits{}, nil)
		now := noon
		var taken []time.Time
		for range rapid.IntRange(1, 60).Draw(t, "tries") {
			now = now.Add(rapid.SampledFrom([]time.Duration{0, time.Second, time.Minute, DefaultWindow / 2, DefaultWindow - 1, DefaultWindow}).Draw(t, "wait"))
			a := Attempt{Member: "anna", Place: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "place"), Method: PIN, Secret: wrong, Said: "0000"}
			if _, err := g.Try(a, now); why(err) != Wrong {
				continue
			}
			taken = append(taken, now)
			if n := len(taken); n > 2*DefaultPerMember-1 && now.Sub(taken[n-2*DefaultPerMember]) < DefaultWindow {
				t.Fatalf("%d tries within %s", 2*DefaultPerMember, now.Sub(taken[n-2*DefaultPerMember]))
			}
		}
	})
}

// BenchmarkMatches: a person does not notice it, who tries all digits does.
func BenchmarkMatches(b *testing.B) {
	for b.Loop() {
		right.Matches("4712")
	}
}
