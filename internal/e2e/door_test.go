package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"foyer/internal/demo"
)

// Frames as real fobs sent them (reader logs on public forums; each checksum recomputed).
const (
	annasFrame = "0236463030374233393732354603"     // 6F 007B3972, printed 0008075634
	lisFrame   = "0236324533303836434544303803"     // 62 E3086CED
	chensFrame = "023035303032303742333236430d0a03" // 05 00207B32, by an ID-20LA: CR LF before the end
)

// The whole chain, on real input: bytes on a wire become a greeting on the glass, a card at reception and one record at
// headquarters; a campaign written in the browser changes the next greeting; and all of it again after headquarters was
// away and foyerd was killed.
func TestDoorOpens(t *testing.T) {
	for _, variant := range []struct {
		name   string
		broker func(*testing.T) *demo.Broker
	}{
		{"embedded", func(*testing.T) *demo.Broker { return nil }},
		{"mosquitto", mosquitto},
	} {
		t.Run(variant.name, func(t *testing.T) {
			house := open(t, demo.Config{Broker: variant.broker(t), Greeting: greetingTime})
			doorOpens(t, house)
		})
	}
}

func doorOpens(t *testing.T, house *demo.House) {
	kiosk := house.Display("kiosk")
	waitToRead(t, kiosk, "1-attract", "示范店")
	reception := browse(t, 1100, 900)
	do(t, reception, "open reception", chromedp.Navigate(house.ReceptionLogin()), chromedp.WaitReady(chromedp.CSS("body")))

	tapBytes(t, house, annasFrame)
	waitToRead(t, kiosk, "2-greeting", "王女士")
	waitToRead(t, house.Display("wall"), "3-wall", "示范店")
	do(t, reception, "the card at reception", hasText("王女士"))
	keepPage(t, reception, "4-reception")
	once(t, house, "m-demo-1", 1)

	writeCampaign(t, house)
	waitUntil(t, "the store applies the campaign", func() error { return applied(house, "Door test") })
	waitToRead(t, kiosk, "5-attract-again", "示范店")
	tapBytes(t, house, annasFrame)
	waitToRead(t, kiosk, "6-greeting-with-campaign", "王女士", "今天有新机可试")

	awayAndKilled(t, house, reception, kiosk)
	commandsWork(t, house, kiosk)
}

// writeCampaign writes a campaign in the console as a marketer would, first with a broken rule.
func writeCampaign(t *testing.T, house *demo.House) {
	t.Helper()
	tab := browse(t, 1400, 1000)
	set := func(name, value string) step {
		return chromedp.SetValue(chromedp.CSS(fmt.Sprintf(`[name="%s"]`, name)), value)
	}
	do(t, tab, "open the console", chromedp.Navigate(house.ConsoleLogin()), chromedp.Navigate(house.ConsolePage("/campaigns/new")), chromedp.WaitReady(chromedp.CSS("#editor")))
	do(t, tab, "write the campaign",
		set("name", "Door test"), set("audience", `member.teir == "gold"`), set("priority", "90"), set("per_day", "9"),
		set("zh-CN.title", "新机到店"), set("zh-CN.text", "三款新手机今天到店，先到先试。"), set("zh-CN.hello", "今天有新机可试"), set("zh-CN.talk", "请客人试一试新手机。"),
		set("en.title", "New phones are in"), set("en.text", "Three new phones came in today."), set("en.hello", "New phones to try today"), set("en.talk", "Offer a look at the new phones."),
		chromedp.Click(chromedp.CSS("#push")), hasText("teir"))
	keepPage(t, tab, "console-broken-rule")
	if err := applied(house, "Door test"); err == nil {
		t.Fatal("a campaign with a broken rule was applied")
	}
	do(t, tab, "mend the rule and push", set("audience", `member.tier == "gold"`), chromedp.Click(chromedp.CSS("#push")),
		chromedp.WaitVisible(chromedp.CSS("#flash")))
	keepPage(t, tab, "console-pushed")
}

// awayAndKilled switches headquarters off, kills foyerd while cards are tapped, and wants all of it at headquarters, each
// once and in order, after headquarters is back.
func awayAndKilled(t *testing.T, house *demo.House, reception context.Context, kiosk string) {
	t.Helper()
	must(t, house.Do("hq-down/on"))
	waitToRead(t, kiosk, "7-attract-without-hq", "示范店")
	tapBytes(t, house, lisFrame)
	do(t, reception, "a card without headquarters", hasText("李先生"))
	waitUntil(t, "Mr Li's visit is on the disk", func() error {
		s := house.Status()
		if s.Journal.Last == s.Journal.Acked {
			return errors.New("nothing waits for headquarters")
		}
		return nil
	})
	must(t, house.Do("kill/store"))
	waitUntil(t, "foyerd hears again", func() error {
		for _, r := range house.Status().Readers {
			if r.Name == "kiosk-card" && r.Online {
				return nil
			}
		}
		return errors.New("the card reader is not online")
	})
	waitToRead(t, kiosk, "8-attract-after-kill", "示范店")
	tapBytes(t, house, chensFrame)
	waitToRead(t, kiosk, "9-greeting-after-kill", "MsChen") // the eyes misread the Chinese headline in its size
	do(t, reception, "the page came back by itself", hasText("陈女士"), hasText("李先生"))
	keepPage(t, reception, "10-reception-after-kill")
	must(t, house.Do("hq-down/off"))
	waitUntil(t, "headquarters has caught up", func() error {
		s := house.Status()
		if s.Journal.Last == 0 || s.Journal.Acked < s.Journal.Last {
			return fmt.Errorf("acknowledged %d of %d", s.Journal.Acked, s.Journal.Last)
		}
		return nil
	})
	once(t, house, "m-demo-1", 1)
	once(t, house, "m-demo-2", 1)
	once(t, house, "m-demo-5", 1)
	contiguous(t, house)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// record is a row as headquarters stores it.
type record struct {
	Lane string          `json:"lane"`
	Seq  uint64          `json:"seq"`
	Kind string          `json:"kind"`
	Body json.RawMessage `json:"body"`
}

func records(t *testing.T, house *demo.House) []record {
	t.Helper()
	var all []record
	must(t, house.Ask(t.Context(), "GET", "/api/records?store="+demo.StoreName+"&limit=1000", "", nil, &all))
	return all
}

// once wants exactly so many visits of a member at headquarters.
func once(t *testing.T, house *demo.House, who string, want int) {
	t.Helper()
	waitUntil(t, "the visit of "+who+" at headquarters", func() error {
		n := 0
		for _, r := range records(t, house) {
			var body struct{ Member string }
			if json.Unmarshal(r.Body, &body); r.Kind == "visit.started" && body.Member == who {
				n++
			}
		}
		if n != want {
			return fmt.Errorf("%d visits began, want %d", n, want)
		}
		return nil
	})
}

// contiguous wants every sequence of each lane from 1 to the last, each once.
func contiguous(t *testing.T, house *demo.House) {
	t.Helper()
	last := house.Status().Journal.Last
	waitUntil(t, "every record once, in order", func() error {
		all := records(t, house)
		lanes := map[string]uint64{}
		for i, r := range all {
			if lanes[r.Lane]++; r.Seq != lanes[r.Lane] {
				return fmt.Errorf("record %d is number %d of lane %s, want %d", i+1, r.Seq, r.Lane, lanes[r.Lane])
			}
		}
		if uint64(len(all)) < last {
			return fmt.Errorf("%d of %d records", len(all), last)
		}
		return nil
	})
}

// applied is nil once the demo's store has applied a snapshot that holds the campaign.
func applied(house *demo.House, campaign string) error {
	ctx, stop := context.WithTimeout(context.Background(), 5*time.Second)
	defer stop()
	var answer []struct {
		Campaign struct {
			Name string `json:"name"`
		} `json:"campaign"`
		Stores []struct {
			State string `json:"state"`
		} `json:"stores"`
	}
	if err := house.Ask(ctx, "GET", "/api/campaigns", "", nil, &answer); err != nil {
		return err
	}
	for _, c := range answer {
		if c.Campaign.Name != campaign {
			continue
		}
		for _, s := range c.Stores {
			if s.State == "applied" {
				return nil
			}
		}
		return fmt.Errorf("no store has applied %s", campaign)
	}
	return fmt.Errorf("headquarters has no campaign %s", campaign)
}
