package scenario

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"foyer/shop"
	"foyer/shop/campaign"
	"foyer/shop/member"
)

const opened = "showcase: "

func tea(audience string) campaign.Campaign {
	return campaign.Campaign{ID: "tea", Name: "Tea", Audience: audience, Starts: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), Ends: time.Date(2000, 1, 1, 18, 0, 0, 0, time.UTC), Art: "cup",
		Content: map[string]campaign.Content{"en": {Title: "Tea", Text: "Tea for {name}"}, "zh-CN": {Title: "茶", Text: "{name}，请喝茶"}}}
}

func TestATapAtTheKiosk(t *testing.T) {
	play(t, func(d *Day) {
		d.At(9, 0).Reads("anna", "pad")
		d.Want(opened,
			"wall: Good morning, Ms Wang", "kiosk: Good morning, Ms Wang", "card v1: Ms Wang, new",
			"record: v1 anna started, no. 1", `record: v1 decided in desk, named true, offer ""`)
		// Another tap, after the card was taken away: the kiosk greets again; no second card, no second visit.
		d.At(9, 5).Reads("anna", "pad")
		d.Want("kiosk: Good morning, Ms Wang", `record: v1 decided in desk, named false, offer ""`)
		d.At(9, 40)
		d.Want("screens: v1 leaves", "card v1: Ms Wang, left", "record: v1 anna ended after 5m0s")
	})
}

func TestAnArrivalAtTheDoor(t *testing.T) {
	play(t, func(d *Day) {
		d.At(14, 0)
		d.Want(opened)
		d.read("anna", "door", -50, true)
		d.read("anna", "door", -66, true) // too far away to count
		d.read("anna", "door", -50, true)
		d.Want()
		d.read("anna", "door", -50, true)
		d.Want("wall: Good afternoon, Ms Wang", "card v1: Ms Wang, new", "record: v1 anna started, no. 1", `record: v1 decided in door, named true, offer ""`)
		d.At(14, 0.1).Reads("anna's fob", "door") // the second tag in the same pocket
		d.Want()
		d.At(14, 10).Reads("anna", "pad")
		d.Want("kiosk: Good afternoon, Ms Wang", `record: v1 decided in desk, named false, offer ""`)
	})
}

func TestAStrangerPasses(t *testing.T) {
	play(t, func(d *Day) {
		d.At(9, 0)
		d.Want(opened)
		d.read("a stranger", "door", -50, true) // walks past
		d.read("someone far", "door", -85, true)
		d.Reads("a guest", "door") // comes in
		d.Reads("a wallet", "pad") // taps some card
		d.Reads("anna", "out")     // a member who is first noticed on the way out is no arrival
		d.At(9, 2)
		d.Want("record: 3 strangers at the door", "record: 1 strangers at the desk", "screens: 4 strangers")
		d.At(9, 10)
		d.Want()
		for who, data := range d.stored {
			d.t.Errorf("something is stored of %s: %s", who, data)
		}
	})
}

func TestAnnaTwiceWithinTheGap(t *testing.T) {
	play(t, func(d *Day) {
		d.At(9, 0).Reads("anna", "door")
		d.Want(opened, "wall: Good morning, Ms Wang", "card v1: Ms Wang, new", "record: v1 anna started, no. 1", `record: v1 decided in door, named true, offer ""`)
		d.At(9, 25).Reads("anna", "door")
		d.Want()
		d.At(9, 56)
		d.Want("screens: v1 leaves", "card v1: Ms Wang, left", "record: v1 anna ended after 25m0s")
		d.At(11, 30).Reads("anna", "door")
		d.Want("wall: Hello, Ms Wang", "card v2: Ms Wang, new", "record: v2 anna started, no. 2", `record: v2 decided in door, named true, offer ""`)
	})
}

func TestOutByTheExitAndBack(t *testing.T) {
	play(t, func(d *Day) {
		d.At(9, 0).Reads("anna", "door")
		d.Want(opened, "wall: Good morning, Ms Wang", "card v1: Ms Wang, new", "record: v1 anna started, no. 1", `record: v1 decided in door, named true, offer ""`)
		d.At(9, 10).Reads("anna", "out")
		d.Want()
		d.At(9, 11)
		d.Want("screens: v1 leaves", "card v1: Ms Wang, left")
		d.At(9, 15).Reads("anna", "door") // forgot the umbrella
		d.Want("card v1: Ms Wang, new")
	})
}

func TestAnOfflineReaderFreezes(t *testing.T) {
	play(t, func(d *Day) {
		d.At(9, 0).Reads("anna", "door")
		d.Want(opened, "wall: Good morning, Ms Wang", "card v1: Ms Wang, new", "record: v1 anna started, no. 1", `record: v1 decided in door, named true, offer ""`)
		d.Reader("door", false)
		d.Want("record: reader door online false")
		d.Reader("door", false)
		d.At(11, 0)
		d.Want() // hours later she is still here
		d.Reader("door", true)
		d.Want("record: reader door online true")
		d.At(11, 0.4).Reads("anna", "door") // within the fresh grace
		d.At(11, 0.8)
		d.Want()
		d.At(11, 40)
		d.Want("screens: v1 leaves", "card v1: Ms Wang, left", "record: v1 anna ended after 2h0m24s")
	})
}

func TestWithoutThePublicConsent(t *testing.T) {
	play(t, func(d *Day) {
		d.At(9, 0).Reads("bob", "pad")
		d.Want(opened, "wall: Good morning, and welcome", "kiosk: Good morning, Mr Smith", "card v1: Mr Smith, new",
			"record: v1 bob started, no. 1", `record: v1 decided in desk, named false, offer ""`)
		d.At(9, 1).Reads("quiet", "pad")
		d.Want("kiosk: Good morning, and welcome", "card v2: Mr Li, new", "record: v2 quiet started, no. 1", `record: v2 decided in desk, named false, offer ""`)
	})
}

func TestABrokenCampaignKeepsTheOldOne(t *testing.T) {
	play(t, func(d *Day) {
		d.At(9, 0)
		if err := d.Campaigns(tea("true")); err != nil {
			d.t.Fatal(err)
		}
		d.Want(opened, "showcase: tea")
		if err := d.Campaigns(tea(`member.teir == "gold"`)); err == nil || !strings.Contains(err.Error(), "undefined field 'teir'") {
			d.t.Errorf("the broken campaign: %v", err)
		}
		d.Reads("anna", "pad")
		d.Want("wall: Good morning, Ms Wang", "kiosk: Good morning, Ms Wang", "card v1: Ms Wang, new",
			"record: v1 anna started, no. 1", `record: v1 decided in desk, named true, offer "tea"`)
		if err := d.Campaigns(tea(`member.tier == "gold"`)); err != nil {
			d.t.Fatal(err)
		}
		d.Want("showcase: ")
	})
}

func TestCampaignsComeAndGoByThemselves(t *testing.T) {
	play(t, func(d *Day) {
		late := tea("true")
		late.ID, late.Starts = "late", time.Date(2000, 1, 1, 16, 0, 0, 0, time.UTC)
		if err := d.Campaigns(tea("true"), late); err != nil {
			d.t.Fatal(err)
		}
		d.Want(opened, "showcase: tea")
		d.At(15, 59.9)
		d.Want()
		d.At(16, 0.1)
		d.Want("showcase: late tea")
		d.At(19, 0)
		d.Want("showcase: ")
	})
}

func TestAnOfferOnceADay(t *testing.T) {
	play(t, func(d *Day) {
		if err := d.Campaigns(tea("member.nth_visit > 0")); err != nil {
			d.t.Fatal(err)
		}
		for i, tc := range []struct {
			at    float64
			offer string
		}{{9 * 60, "tea"}, {9*60 + 10, "tea"}, {11 * 60, ""}, {24*60 + 60, ""}} {
			d.At(0, tc.at).Reads("anna", "pad")
			last := d.Last()
			if want := `offer "` + tc.offer + `"`; !strings.HasSuffix(last, want) {
				d.t.Errorf("read %d: %s, want %s", i+1, last, want) // the second is the same visit; the last is after the campaign's end
			}
		}
	})
}

func TestKilledAndStartedAgain(t *testing.T) {
	play(t, func(d *Day) {
		d.At(9, 0).Reads("anna", "door")
		d.Want(opened, "wall: Good morning, Ms Wang", "card v1: Ms Wang, new", "record: v1 anna started, no. 1", `record: v1 decided in door, named true, offer ""`)
		if err := d.shop.Claim(d.t.Context(), "v1", "Li"); err != nil {
			d.t.Fatal(err)
		}
		d.Want("record: v1 claimed by Li after 0s", "card v1: Ms Wang, claimed by Li")
		for m := range 60 { // she stands at the door for an hour
			d.At(9, float64(m)).Reads("anna", "door")
		}
		d.Want()
		d.Killed()
		d.At(10, 5)
		d.Starts()
		d.Want(opened, "card v1: Ms Wang, claimed by Li")
		d.Reads("anna", "door") // no second arrival
		d.Want()
		if err := d.shop.Claim(d.t.Context(), "v1", "Zhao"); err == nil || err.Error() != "already claimed by Li" {
			d.t.Errorf("claimed after the restart: %v", err)
		}
		d.Killed()
		d.At(12, 0)
		d.Starts()
		d.At(12, 1).Reads("anna", "door") // hours later it is another visit, and the count is right
		d.Want(opened, "card v1: Ms Wang, claimed by Li", "screens: v1 leaves", "card v1: Ms Wang, claimed by Li", "record: v1 anna ended after 1h5m0s",
			"wall: Hello, Ms Wang", "card v2: Ms Wang, new", "record: v2 anna started, no. 2", `record: v2 decided in door, named true, offer ""`)
	})
}

// Whose card lies at the kiosk while the program is started anew is greeted once, and the visit goes on until the card is
// taken away.
func TestACardLiesThroughARestart(t *testing.T) {
	play(t, func(d *Day) {
		d.At(9, 0).Reads("anna", "pad")
		if !strings.Contains(strings.Join(d.lines, "\n"), "kiosk: ") {
			d.t.Error("she is not greeted")
		}
		for second := range 120 {
			d.At(9, float64(second)/60).Reads("anna", "pad")
		}
		d.Forgets()
		d.Killed()
		d.At(9, 3)
		d.Starts()
		d.Reader("pad", true)
		for second := range 120 {
			d.At(9, 3+float64(second+1)/60).Reads("anna", "pad")
		}
		d.Want(opened, "card v1: Ms Wang, new", "record: reader pad online true")
		d.At(9, 50)
		d.Want("screens: v1 leaves", "card v1: Ms Wang, left", "record: v1 anna ended after 5m0s")
	})
}

func TestWhoWithdrawsIsForgottenAtOnce(t *testing.T) {
	play(t, func(d *Day) {
		d.At(9, 0).Reads("anna", "door")
		d.Want(opened, "wall: Good morning, Ms Wang", "card v1: Ms Wang, new", "record: v1 anna started, no. 1", `record: v1 decided in door, named true, offer ""`)
		d.Members(people(func(m *member.Member) { m.Consents = []member.Purpose{member.Recognise} })...)
		d.Want("screens: v1 leaves", "card v1: A member, new")
		d.Members(people(func(m *member.Member) { m.Consents = nil })...)
		d.Want("screens: v1 leaves", "card v1: A member, left", "record: v1 anna ended after 0s")
		d.Reads("anna", "door")
		d.Want()
	})
}

func TestReceptionists(t *testing.T) {
	play(t, func(d *Day) {
		d.At(9, 0).Reads("anna", "pad")
		d.Forgets()
		ctx := d.t.Context()
		check := func(err error, want string) {
			d.t.Helper()
			switch {
			case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
				d.t.Errorf("%v, want %q", err, want)
			}
		}
		check(d.shop.Claim(ctx, "v9", "Li"), "no such card")
		check(d.shop.Claim(ctx, "v1", ""), "by: want the name")
		check(d.shop.Release(ctx, "v1", "Li"), "nobody has claimed")
		d.Want()

		d.Answers(errors.New("disk full"))
		check(d.shop.Claim(ctx, "v1", "Li"), "disk full")
		d.Answers(nil)
		d.Want() // what is not durable is not shown
		check(d.shop.Claim(ctx, "v1", "Li"), "")
		check(d.shop.Claim(ctx, "v1", "Li"), "") // the same again, as after a lost answer
		check(d.shop.Claim(ctx, "v1", "Zhao"), "already claimed by Li")
		check(d.shop.Release(ctx, "v1", "Zhao"), "already claimed by Li")
		check(d.shop.Serve(ctx, "v1", "Zhao"), "already claimed by Li")
		check(d.shop.Release(ctx, "v1", "Li"), "")
		check(d.shop.Serve(ctx, "v1", "Zhao"), "")
		check(d.shop.Serve(ctx, "v1", "Zhao"), "")
		check(d.shop.Claim(ctx, "v1", "Li"), "already served by Zhao")
		check(d.shop.Release(ctx, "v1", "Zhao"), "already served by Zhao")
		d.Want("record: v1 claimed by Li after 0s", "card v1: Ms Wang, claimed by Li", "record: v1 released by Li", "card v1: Ms Wang, new",
			"record: v1 served by Zhao", "card v1: Ms Wang, served by Zhao")

		d.At(9, 30).Reads("bob", "pad")
		d.At(10, 30)
		d.Forgets()
		check(d.shop.Claim(ctx, "v2", "Li"), "left before anybody claimed")
		check(d.shop.Serve(ctx, "v2", "Li"), "left before anybody claimed")
	})
}

func TestManyClaimOneWins(t *testing.T) {
	play(t, func(d *Day) {
		d.At(9, 0).Reads("anna", "pad")
		won := make(chan error, 20)
		for i := range 20 {
			go func() { won <- d.shop.Claim(d.t.Context(), "v1", string(rune('A'+i))) }()
		}
		wins := 0
		for range 20 {
			err := <-won
			if _, lost := errors.AsType[*shop.AlreadyClaimed](err); err == nil {
				wins++
			} else if !lost {
				d.t.Error(err)
			}
		}
		if wins != 1 {
			d.t.Errorf("%d won, want 1", wins)
		}
	})
}

func TestTheKioskIsUsed(t *testing.T) {
	play(t, func(d *Day) {
		d.At(9, 0)
		d.Want(opened)
		good := shop.Session{Language: "en", Started: time.Now().Add(-time.Minute), Ended: time.Now(), Taps: 7, End: "idle"}
		if err := d.shop.KioskUsed(d.t.Context(), good); err != nil {
			d.t.Fatal(err)
		}
		d.Want("record: kiosk used for 1m0s, 7 taps")
		for name, change := range map[string]func(*shop.Session){
			"language": func(s *shop.Session) { s.Language = "tlh" },
			"times":    func(s *shop.Session) { s.Ended = s.Started.Add(-1) },
			"taps":     func(s *shop.Session) { s.Taps = -1 },
			"end":      func(s *shop.Session) { s.End = "crash" },
			"visit":    func(s *shop.Session) { s.Visit = strings.Repeat("v", 65) },
		} {
			bad := good
			change(&bad)
			if err := d.shop.KioskUsed(d.t.Context(), bad); !errors.Is(err, shop.ErrSession) {
				d.t.Errorf("%s: %v", name, err)
			}
		}
		d.Answers(errors.New("disk full"))
		if err := d.shop.KioskUsed(d.t.Context(), good); err == nil || !strings.Contains(err.Error(), "disk full") {
			d.t.Errorf("with a full disk: %v", err)
		}
		d.Want()
	})
}

func TestAfterTheEndNobodyWaits(t *testing.T) {
	play(t, func(d *Day) {
		d.At(9, 0).Reads("anna", "pad")
		d.Stops()
		if err := d.shop.Claim(d.t.Context(), "v1", "Li"); !errors.Is(err, shop.ErrStopped) {
			d.t.Errorf("claimed after the end: %v", err)
		}
		for range 100 {
			d.shop.ReaderOnline("pad", false, "", time.Now())
		}
		d.Starts()
		ctx, cancel := context.WithCancel(d.t.Context())
		cancel()
		if err := d.shop.Claim(ctx, "v1", "Li"); err != nil && !errors.Is(err, context.Canceled) {
			d.t.Errorf("claimed by who did not wait: %v", err)
		}
	})
}
