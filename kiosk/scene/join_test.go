package scene

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"foyer/api"
	"foyer/kiosk/keyboard"
)

func keys(text string) (steps []any) {
	for _, r := range text {
		steps = append(steps, Touch{Act: Press, Key: keyboard.Key(r)})
	}
	return steps
}

func choice(n int) Touch { return Touch{Act: Press, Key: keyboard.Choose + keyboard.Key(n)} }

// untilConsents fills in the form as far as the consents.
func untilConsents() []any {
	steps := []any{whole(), touch(Join), touch(Yes)}
	steps = append(steps, keys("13812345678")...)
	steps = append(steps, touch(Next))
	steps = append(steps, keys("wangwei")...)
	return append(steps, choice(0), choice(0), touch(Next), Touch{Act: Choose, Arg: "ms"})
}

func TestSomebodyBecomesAMember(t *testing.T) {
	steps := append(untilConsents(), Touch{Act: Toggle, Arg: api.Recognise}, Touch{Act: Toggle, Arg: "greet_by_name"}, touch(Next))
	k, _ := play(rules, steps...)
	if k.Use.Form.Step != Sending {
		t.Fatalf("step %d", k.Use.Form.Step)
	}
	want := &api.SignUp{Key: "1", Language: "zh-CN", Fourteen: true, Phone: "13812345678", Name: "王伟", Title: "ms", Consents: []string{"recognise", "greet_by_name"}}
	if d := cmp.Diff(want, k.Use.Ask.SignUp); d != "" {
		t.Error(d)
	}
	done := Answered{N: k.Use.Ask.N, Joined: api.Joined{Signup: "s1", Code: "4821", Card: true}}
	k, _ = play(rules, append(steps, done)...)
	if k.Use.Form.Step != Welcome || k.Use.Form.Phone.Text != "" || k.Use.Form.Name.Text != "" || k.Use.Ask.N != 0 {
		t.Errorf("after the answer: %+v", k.Use)
	}
	card := anna()
	card.Signup = "s1"
	k, _ = play(rules, append(steps, done, Greeted{card})...)
	if k.Guest.Visit != "anna" || k.Notice != NoNotice || len(k.Line) != 0 {
		t.Errorf("their own card makes the glass theirs: %+v", k)
	}
	k, _ = play(rules, append(steps, done, Carded{"another"})...)
	if other := k.Use.Form.Carded; other {
		t.Error("another's card is not theirs")
	}
	k, _ = play(rules, append(steps, done, Carded{"s1"})...)
	if !k.Use.Form.Carded {
		t.Error("where no kiosk greets, they are told that the card works all the same")
	}
	card.Signup = "another"
	k, _ = play(rules, append(steps, done, Greeted{card})...)
	if k.Guest.Visit != "" || k.Notice == NoNotice {
		t.Errorf("another's card does not: %+v", k)
	}
}

func TestJoiningStepByStep(t *testing.T) {
	form := func(steps ...any) Form {
		k, _ := play(rules, append([]any{whole(), touch(Join)}, steps...)...)
		return k.Use.Form
	}
	phone := keys("13812345678")
	for _, tc := range []struct {
		about string
		steps []any
		want  Step
	}{
		{"the age first", nil, AskAge},
		{"too young", []any{touch(No)}, TooYoung},
		{"a mistake", []any{touch(No), touch(Back)}, AskAge},
		{"a number too short", append([]any{touch(Yes)}, append(keys("1381234"), touch(Next))...), AskPhone},
		{"no mobile number", append([]any{touch(Yes)}, append(keys("12345678901"), touch(Next))...), AskPhone},
		{"a number", append([]any{touch(Yes)}, append(phone, touch(Next))...), AskName},
		{"another country's", append([]any{touch(Yes)}, append(keys("0046701234567"), touch(Next))...), AskName},
		{"no name", append([]any{touch(Yes)}, append(phone, touch(Next), touch(Next))...), AskName},
		{"back to the number", append([]any{touch(Yes)}, append(phone, touch(Next), touch(Back))...), AskPhone},
		{"consents cannot be given before they are asked", []any{Touch{Act: Toggle, Arg: api.Recognise}}, AskAge},
	} {
		if f := form(tc.steps...); f.Step != tc.want || len(f.Consents) > 0 {
			t.Errorf("%s: step %d, consents %v", tc.about, f.Step, f.Consents)
		}
	}
	if f := form(append([]any{touch(Yes)}, append(keys("12345678901"), touch(Next))...)...); !f.Wrong {
		t.Error("it is not said that the number cannot be one")
	}
}

func TestConsentsAreEachTheirOwn(t *testing.T) {
	toggle := func(purposes ...string) []string {
		steps := untilConsents()
		for _, p := range purposes {
			steps = append(steps, Touch{Act: Toggle, Arg: p})
		}
		k, _ := play(rules, steps...)
		return k.Use.Form.Consents
	}
	for _, tc := range []struct{ touched, want []string }{
		{nil, nil},
		{[]string{"marketing"}, nil},
		{[]string{"recognise"}, []string{"recognise"}},
		{[]string{"recognise", "marketing", "marketing"}, []string{"recognise"}},
		{[]string{"recognise", "marketing", "recognise"}, nil},
		{[]string{"recognise", "everything"}, []string{"recognise"}},
	} {
		if d := cmp.Diff(tc.want, toggle(tc.touched...)); d != "" {
			t.Errorf("%v: %s", tc.touched, d)
		}
	}
}

func TestTheLanguageChangesAndWhatIsWrittenStays(t *testing.T) {
	k, _ := play(rules, append(untilConsents(), Touch{Act: Speak, Arg: "en"})...)
	if f := k.Use.Form; k.Language != "en" || f.Phone.Text != "13812345678" || f.Name.Text != "王伟" || f.Step != AskConsents {
		t.Errorf("%+v", f)
	}
	k, _ = play(rules, whole(), touch(Join), touch(Yes), Touch{Act: Speak, Arg: "en"})
	if f := k.Use.Form; f.Name.Layout != keyboard.Latin {
		t.Errorf("nothing was written: the keys are those of the language, not %d", f.Name.Layout)
	}
}

func TestTheStoreCannotTakeIt(t *testing.T) {
	steps := append(untilConsents(), touch(Next))
	k, _ := play(rules, steps...)
	no := Answered{N: k.Use.Ask.N, Failed: true}
	steps = append(steps, no)
	k, _ = play(rules, steps...)
	if f := k.Use.Form; f.Step != Unsent || f.Phone.Text != "13812345678" {
		t.Fatalf("what was written is lost: %+v", f)
	}
	again, _ := play(rules, append(steps, touch(Next))...)
	if again.Use.Form.Step != Sending || again.Use.Ask.N == no.N || again.Use.Ask.SignUp.Key != "1" {
		t.Errorf("once more, as the same form: %+v", again.Use.Ask)
	}
	late, _ := play(rules, append(steps, Answered{N: no.N, Joined: api.Joined{Code: "1"}})...)
	if late.Use.Form.Step != Unsent {
		t.Errorf("an answer to a question that was answered: %+v", late.Use.Form)
	}
}

// Nobody touches any more: everything that was written is gone, and the answer to it is nobody's.
func TestWhatWasWrittenIsWiped(t *testing.T) {
	steps := append(untilConsents(), touch(Next))
	k, _ := play(rules, steps...)
	n := k.Use.Ask.N
	k, ended := play(rules, append(steps, 120*time.Second, 20*time.Second, Answered{N: n, Joined: api.Joined{Signup: "s", Code: "4821"}})...)
	if all := fmt.Sprintf("%+v", k); strings.Contains(all, "138") || strings.Contains(all, "王伟") || strings.Contains(all, "4821") {
		t.Errorf("still there: %s", all)
	}
	if len(ended) != 1 || ended[0].End != "idle" {
		t.Errorf("%+v", ended)
	}
}

func TestAHardwareKeyboardWrites(t *testing.T) {
	steps := []any{whole(), Typed{'9'}, touch(Join), Typed{'9'}, touch(Yes)}
	for _, r := range "13812345678" {
		steps = append(steps, Typed{keyboard.Key(r)})
	}
	k, _ := play(rules, append(steps, Typed{EnterKey})...)
	if k.Use.Form.Step != AskName || k.Use.Form.Phone.Text != "13812345678" {
		t.Errorf("%+v", k.Use.Form)
	}
	k, _ = play(rules, whole(), Typed{'9'})
	if k.Use.Active() {
		t.Error("keys where nothing is written begin no session")
	}
}

func TestCallingStaff(t *testing.T) {
	k, _ := play(rules, whole(anna()), touch(Enter), touch(Services), touch(Help), touch(Call), touch(Call))
	if k.Use.Called != Calling || k.Use.Ask.N != 1 || *k.Use.Ask.Help != (api.Help{Language: "en", Visit: "anna"}) {
		t.Errorf("%+v", k.Use)
	}
	for failed, want := range map[bool]Called{false: Coming, true: CallFailed} {
		k, _ := play(rules, whole(), touch(Services), touch(Call), Answered{N: 1, Failed: failed})
		if k.Use.Called != want {
			t.Errorf("failed %v: %d", failed, k.Use.Called)
		}
	}
	again, _ := play(rules, whole(), touch(Call), Answered{N: 1, Failed: true}, touch(Call))
	if again.Use.Ask.N != 2 {
		t.Error("after a failure it may be tried again")
	}
}
