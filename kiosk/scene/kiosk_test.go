package scene

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"foyer/api"
	"foyer/kiosk/keyboard"
)

var (
	start = time.Date(2026, 6, 14, 10, 0, 0, 0, time.UTC)
	rules = Rules{}
)

func offer(id string) api.Offer {
	return api.Offer{Campaign: id, Title: api.Text{"en": id}, Art: "gift"}
}

func anna() api.Greeting {
	return api.Greeting{Visit: "anna", Until: start.Add(20 * time.Second), Language: "en",
		Headline: api.Text{"en": "Good morning, Anna"}, Offers: []api.Offer{offer("hers"), offer("both")}}
}

func wang() api.Greeting {
	return api.Greeting{Visit: "wang", Until: start.Add(2 * time.Minute), Language: "zh-CN", Headline: api.Text{"zh-CN": "上午好，王女士"}}
}

func whole(greetings ...api.Greeting) Snapshot {
	return Snapshot{api.Snapshot{Epoch: "e", Now: start, Store: api.Text{"en": "Shop"}, Showcase: []api.Offer{offer("both"), offer("all")}, Greetings: greetings}}
}

// play runs inputs; a time.Duration lets time pass with a tick at its end.
func play(r Rules, steps ...any) (k Kiosk, ended []api.Session) {
	now := start
	for _, s := range steps {
		var in Input = Tick{}
		switch s := s.(type) {
		case time.Duration:
			now = now.Add(s)
		case Input:
			in = s
		}
		var e *api.Session
		if k, e = r.Next(k, in, now); e != nil {
			ended = append(ended, *e)
		}
	}
	return k, ended
}

func touch(a Act) Touch { return Touch{Act: a} }

func TestKioskFlows(t *testing.T) {
	enter, finish := touch(Enter), touch(Finish)
	gone := wang()
	gone.Until = start.Add(-time.Second)
	for _, tc := range []struct {
		name  string
		steps []any
		scene Scene
		guest string
		lang  string
		ends  []string
	}{
		{"nothing known yet", nil, 0, "", "", nil},
		{"foyerd speaks", []any{whole()}, Attract, "", "zh-CN", nil},
		{"foyerd away, within the grace", []any{whole(), Lost{}, 2 * time.Second}, Attract, "", "zh-CN", nil},
		{"foyerd away", []any{whole(), Lost{}, 3 * time.Second}, Waiting, "", "zh-CN", nil},
		{"foyerd back", []any{whole(), Lost{}, 3 * time.Second, Found{}}, Attract, "", "zh-CN", nil},
		{"away during a session: the session goes on", []any{whole(anna()), enter, Lost{}, 30 * time.Second}, Home, "anna", "en", nil},
		{"and after it one moment", []any{whole(anna()), enter, Lost{}, 30 * time.Second, finish}, Waiting, "", "zh-CN", []string{"closed"}},
		{"greeted in their own language", []any{whole(), Greeted{anna()}}, Greet, "anna", "en", nil},
		{"a greeting from the snapshot", []any{whole(wang())}, Greet, "wang", "zh-CN", nil},
		{"a greeting of the past is not shown", []any{whole(), Greeted{gone}}, Attract, "", "zh-CN", nil},
		{"the greeting goes at its time", []any{whole(), Greeted{anna()}, 20 * time.Second}, Attract, "", "zh-CN", nil},
		{"a greeting without end goes too", []any{whole(), Greeted{wang()}, 60 * time.Second}, Attract, "", "zh-CN", nil},
		{"left before touching", []any{whole(), Greeted{anna()}, Departed{"anna"}}, Attract, "", "zh-CN", nil},
		{"somebody else left", []any{whole(), Greeted{anna()}, Departed{"wang"}}, Greet, "anna", "en", nil},
		{"a resync without the greeting", []any{whole(), Greeted{anna()}, whole()}, Attract, "", "zh-CN", nil},
		{"two arrive: the first is held", []any{whole(), Greeted{anna()}, Greeted{wang()}, 4 * time.Second}, Greet, "anna", "en", nil},
		{"then the second has the glass", []any{whole(), Greeted{anna()}, Greeted{wang()}, 5 * time.Second}, Greet, "wang", "zh-CN", nil},
		{"enter", []any{whole(), Greeted{anna()}, enter}, Home, "anna", "en", nil},
		{"enter by touching anywhere while nobody is greeted", []any{whole(), touch(Anywhere)}, Home, "", "zh-CN", nil},
		{"a touch beside the buttons does not skip a greeting", []any{whole(), Greeted{anna()}, touch(Anywhere)}, Greet, "anna", "en", nil},
		{"not now", []any{whole(), Greeted{anna()}, finish}, Attract, "", "zh-CN", []string{"closed"}},
		{"an offer", []any{whole(), Greeted{anna()}, enter, Touch{Act: Open, Arg: "hers"}}, Detail, "anna", "en", nil},
		{"an offer that is none", []any{whole(), Greeted{anna()}, enter, Touch{Act: Open, Arg: "nothing"}}, Home, "anna", "en", nil},
		{"an offer straight from the invitation", []any{whole(), Touch{Act: Open, Arg: "all"}}, Detail, "", "zh-CN", nil},
		{"the offer is withdrawn while it is shown", []any{whole(), Touch{Act: Open, Arg: "all"}, Showcase{}}, Home, "", "zh-CN", nil},
		{"back from the offer", []any{whole(), Touch{Act: Open, Arg: "all"}, touch(Back)}, Home, "", "zh-CN", nil},
		{"back from home", []any{whole(), enter, touch(Back)}, Attract, "", "zh-CN", []string{"closed"}},
		{"language", []any{whole(), enter, Touch{Act: Speak, Arg: "en"}}, Home, "", "en", nil},
		{"an unknown language", []any{whole(), enter, Touch{Act: Speak, Arg: "xx"}}, Home, "", "zh-CN", nil},
		{"the language of one is not that of the next", []any{whole(), enter, Touch{Act: Speak, Arg: "en"}, finish}, Attract, "", "zh-CN", []string{"closed"}},
		{"idle on the invitation: back to its language, unwarned", []any{whole(), Touch{Act: Speak, Arg: "en"}, 60 * time.Second}, Attract, "", "zh-CN", []string{"idle"}},
		{"idle to the end", []any{whole(), Greeted{anna()}, enter, 60 * time.Second, 20 * time.Second}, Attract, "", "zh-CN", []string{"idle"}},
		{"more time", []any{whole(), Greeted{anna()}, enter, 60 * time.Second, touch(More), 59 * time.Second}, Home, "anna", "en", nil},
		{"a touch anywhere is more time too", []any{whole(), Greeted{anna()}, enter, 60 * time.Second, touch(Anywhere), 59 * time.Second}, Home, "anna", "en", nil},
		{"a touched greeting outlives its time", []any{whole(), Greeted{anna()}, Touch{Act: Speak, Arg: "zh-CN"}, 30 * time.Second}, Greet, "anna", "zh-CN", nil},
		{"left in the middle: the countdown, then gone", []any{whole(), Greeted{anna()}, enter, Departed{"anna"}, 20 * time.Second}, Attract, "", "zh-CN", []string{"idle"}},
		{"another card never swaps the person", []any{whole(), Greeted{anna()}, enter, Greeted{wang()}}, Home, "anna", "en", nil},
		{"and is greeted afterwards", []any{whole(), Greeted{anna()}, enter, Greeted{wang()}, 10 * time.Second, finish}, Greet, "wang", "zh-CN", []string{"closed"}},
		{"unless it has become too late", []any{whole(), Greeted{wang()}, enter, Greeted{anna()}, 30 * time.Second, finish}, Attract, "", "zh-CN", []string{"closed"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k, ended := play(rules, tc.steps...)
			var ends []string
			for _, e := range ended {
				ends = append(ends, e.End)
			}
			if k.Scene != tc.scene || k.Guest.Visit != tc.guest || k.Language != tc.lang {
				t.Errorf("got %v with guest %q in %q", k.Scene, k.Guest.Visit, k.Language)
			}
			if diff := cmp.Diff(tc.ends, ends); diff != "" {
				t.Errorf("sessions ended (-want +got):\n%s", diff)
			}
		})
	}
}

func TestKioskReportsTheSession(t *testing.T) {
	_, ended := play(rules, whole(), Greeted{anna()}, 2*time.Second, touch(Enter), 3*time.Second, Touch{Act: Open, Arg: "hers"}, time.Second, touch(Finish))
	want := []api.Session{{Visit: "anna", Language: "en", Started: start.Add(2 * time.Second), Ended: start.Add(6 * time.Second), Taps: 3, End: "closed"}}
	if diff := cmp.Diff(want, ended); diff != "" {
		t.Error(diff)
	}
}

func TestKioskNotices(t *testing.T) {
	next, _ := play(rules, whole(), Greeted{anna()}, touch(Enter), Greeted{wang()})
	if next.Notice != NextInLine {
		t.Errorf("during a person's session: notice %d", next.Notice)
	}
	free, _ := play(rules, whole(), touch(Enter), Greeted{wang()})
	if free.Notice != FinishHere {
		t.Errorf("while somebody looks around: notice %d", free.Notice)
	}
	over, _ := play(rules, whole(), touch(Enter), Greeted{wang()}, 6*time.Second)
	if over.Notice != NoNotice {
		t.Errorf("after its time: notice %d", over.Notice)
	}
	again, _ := play(rules, whole(), touch(Enter), Greeted{wang()}, 6*time.Second, Greeted{wang()})
	if again.Notice != NoNotice {
		t.Errorf("news of the same visit is no second notice: %d", again.Notice)
	}
}

func TestKioskCountdown(t *testing.T) {
	k, _ := play(rules, whole(), touch(Enter), 60*time.Second)
	for passed, want := range map[time.Duration]time.Duration{0: 20, 5 * time.Second: 15, 25 * time.Second: 0} {
		if got := k.Countdown(rules, start.Add(60*time.Second+passed)); got != want*time.Second {
			t.Errorf("%v into the warning: %v left, want %ds", passed, got, want)
		}
	}
}

func TestOffersChosenForThePersonComeFirst(t *testing.T) {
	k, _ := play(rules, whole(anna()))
	var ids []string
	for _, o := range k.Offers() {
		ids = append(ids, o.Campaign)
	}
	if diff := cmp.Diff([]string{"hers", "both", "all"}, ids); diff != "" {
		t.Error(diff)
	}
}

// foyerd's clock runs ahead or behind; a greeting lasts as long as it should by ours.
func TestClockSkew(t *testing.T) {
	for _, skew := range []time.Duration{-time.Hour, 0, time.Hour} {
		s, g := whole(), anna()
		s.Now, g.Until = s.Now.Add(skew), g.Until.Add(skew)
		before, _ := play(rules, s, Greeted{g}, 19*time.Second)
		after, _ := play(rules, s, Greeted{g}, 20*time.Second)
		if before.Scene != Greet || after.Scene != Attract {
			t.Errorf("skew %v: %v then %v", skew, before.Scene, after.Scene)
		}
	}
}

// personal lists the fields of a Kiosk that hold a person, a visit or what one person did.
func personal(k Kiosk) Kiosk {
	k.Scene, k.Language, k.Shop, k.Line, k.Asked = 0, "", Shop{}, nil, 0
	return k
}

// inputs makes any input that a screen may get.
func inputs() *rapid.Generator[Input] {
	return rapid.Custom(func(t *rapid.T) Input {
		person := func() api.Greeting {
			return api.Greeting{
				Visit: rapid.SampledFrom([]string{"a", "b", "c", ""}).Draw(t, "visit"), Language: rapid.SampledFrom([]string{"en", "zh-CN", "fr"}).Draw(t, "language"),
				Until: start.Add(time.Duration(rapid.IntRange(-10, 400).Draw(t, "until")) * time.Second), Headline: api.Text{"en": "name"}, Offers: []api.Offer{offer("hers")},
			}
		}
		switch rapid.IntRange(0, 12).Draw(t, "kind") {
		case 0:
			return whole()
		case 1:
			return whole(person(), person())
		case 2, 3:
			return Greeted{person()}
		case 4:
			return Departed{rapid.SampledFrom([]string{"a", "b", "c", ""}).Draw(t, "visit")}
		case 5:
			return rapid.SampledFrom([]Input{Lost{}, Found{}, Showcase{[]api.Offer{offer("x")}}, Status{}}).Draw(t, "shop")
		case 6:
			return Tick{}
		case 7:
			return Answered{N: rapid.Uint64Range(0, 8).Draw(t, "n"), Failed: rapid.Bool().Draw(t, "failed"), Joined: api.Joined{Signup: "s", Code: "1234"}}
		case 8:
			return Typed{rapid.SampledFrom([]keyboard.Key{'1', 'a', '王', keyboard.Erase, EnterKey}).Draw(t, "key")}
		}
		return Touch{Act: Act(rapid.IntRange(0, int(Finish)).Draw(t, "act")), Arg: rapid.SampledFrom([]string{"hers", "all", "en", "ms", api.Recognise, "marketing", ""}).Draw(t, "arg"),
			Key: rapid.SampledFrom([]keyboard.Key{'1', 'w', keyboard.Choose}).Draw(t, "key")}
	})
}

func TestKioskProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var k Kiosk
		now := start
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 90_000).Draw(t, "ms")) * time.Millisecond)
			in := inputs().Draw(t, "input")
			kept := k
			kept.Line = append([]api.Greeting(nil), k.Line...)
			next, ended := rules.Next(k, in, now)
			if !reflect.DeepEqual(k.Line, kept.Line) && len(k.Line)+len(kept.Line) > 0 {
				t.Fatal("the reducer changed what it was given")
			}
			holds(t, k, next, ended, now)
			k = next
		}
	})
}

// holds are the promises of every step.
func holds(t *rapid.T, before, k Kiosk, ended *api.Session, now time.Time) {
	switch {
	case (k.Scene == Attract || k.Scene == Waiting) && !k.Use.Active() && !reflect.DeepEqual(personal(k), Kiosk{}):
		t.Fatalf("%v holds something personal: %+v", k.Scene, k)
	case k.Scene == Waiting && len(k.Line) > 0:
		t.Fatal("somebody waits in line while nobody can be served")
	case ended == nil && before.Use.Active() && before.Scene != Attract && before.Guest.Visit != k.Guest.Visit:
		t.Fatalf("in a session %q was swapped for %q", before.Guest.Visit, k.Guest.Visit)
	case k.Warning() && !k.Use.Active():
		t.Fatal("warned without a session")
	case k.Use.Active() && now.Sub(k.Use.Touched) >= rules.defaults().patience(k) && !k.Warning():
		t.Fatal("a session outlived its idle limit without a warning")
	case k.Warning() && now.Sub(k.Use.Warned) >= 20*time.Second:
		t.Fatal("a session outlived its warning")
	case ended != nil && (ended.Taps < 1 || ended.Ended.Before(ended.Started)):
		t.Fatalf("session %+v", *ended)
	case k.Language != "en" && k.Language != "zh-CN":
		t.Fatalf("speaks %q", k.Language)
	case len(k.Line) > waiting:
		t.Fatal("the line grows without bound")
	}
	if _, ok := k.Chosen(); k.Scene == Detail && !ok {
		t.Fatal("shows an offer that is none")
	}
}
