package serve_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"foyer/api"
	"foyer/api/serve"
)

// desk keeps cards by the simplest rules and publishes each change, as the daemon's real one does.
type desk struct {
	mu    sync.Mutex
	hub   *serve.Hub
	cards map[string]api.Card
	used  []api.Session
	tried []api.Tried
	fail  error
}

func newDesk(hub *serve.Hub) *desk { return &desk{hub: hub, cards: map[string]api.Card{}} }

func (d *desk) arrive(c api.Card) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cards[c.Visit] = c
	d.hub.Card(c)
}

func (d *desk) change(visit string, do func(*api.Card) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return d.fail
	}
	c, ok := d.cards[visit]
	if !ok {
		return api.NewProblem(api.CodeNotFound, "no such visit; take it from a card")
	}
	if err := do(&c); err != nil {
		return err
	}
	d.cards[visit] = c
	d.hub.Card(c)
	return nil
}

func (d *desk) Claim(_ context.Context, visit, by string) error {
	return d.change(visit, func(c *api.Card) error {
		if c.State != api.CardNew {
			return api.NewProblem(api.CodeTaken, c.By+" was quicker")
		}
		c.State, c.By, c.ClaimedAt = api.CardClaimed, by, time.Now()
		return nil
	})
}

func (d *desk) Release(_ context.Context, visit, by string) error {
	return d.change(visit, func(c *api.Card) error {
		if c.State != api.CardClaimed || c.By != by {
			return api.NewProblem(api.CodeNotYours, "only who claimed it can give it back")
		}
		c.State, c.By, c.ClaimedAt = api.CardNew, "", time.Time{}
		return nil
	})
}

func (d *desk) Serve(_ context.Context, visit, by string) error {
	return d.change(visit, func(c *api.Card) error {
		c.State, c.By, c.ServedAt = api.CardServed, by, time.Now()
		return nil
	})
}

func (d *desk) KioskUsed(_ context.Context, s api.Session) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return d.fail
	}
	d.used = append(d.used, s)
	return nil
}

func (d *desk) DemoTried(_ context.Context, t api.Tried) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fail != nil {
		return d.fail
	}
	d.tried = append(d.tried, t)
	return nil
}

// refuse makes all that follows fail; nil ends it.
func (d *desk) refuse(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = err
}

func (d *desk) card(visit string) api.Card {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.cards[visit]
}

const (
	receptionToken = "reception-token-1234567890"
	screenToken    = "screen-token-1234567890abc"
)

var tokens = []serve.Token{{Role: serve.ForReception, Secret: receptionToken}, {Role: serve.ForScreen, Secret: screenToken}}

func newServer(t *testing.T, c serve.Config) *serve.Server {
	t.Helper()
	if c.Hub == nil {
		c.Hub = serve.NewHub(serve.HubConfig{})
	}
	if c.Desk == nil {
		c.Desk = newDesk(c.Hub)
	}
	if c.Tokens == nil {
		c.Tokens = tokens
	}
	s, err := serve.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func text(zh, en string) api.Text { return api.Text{"zh-CN": zh, "en": en} }

// sampleDay is a busy moment: one key customer who waits too long, one plain, one who wants peace, two being helped,
// three that are over.
func sampleDay(now time.Time) []api.Card {
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	entrance, lounge := text("正门", "Front door"), text("体验区", "Lounge")
	gift := &api.Offer{Campaign: "spring-5g", Title: text("5G 家庭套餐，首月免费", "5G family plan, first month free"),
		Text: text("四条线路共享 100 GB，家里宽带一并提速。", "Four lines share 100 GB, and your home line gets faster too."), Art: "home"}
	cup := &api.Offer{Campaign: "tea", Title: text("请您喝一杯茶", "A cup of tea on us"), Text: text("在体验区任选一款。", "Any one you like, in the lounge."), Art: "cup"}
	return []api.Card{
		{Visit: "v-8", State: api.CardNew, Arrived: ago(132 * time.Second), Name: text("王女士", "Ms Wang"), Tier: "diamond",
			TierName: text("钻石会员", "Diamond"), Language: "zh-CN", Zone: entrance, Nth: 12, LastVisit: ago(23 * 24 * time.Hour), Priority: true,
			Why: []api.Text{text("合约12天后到期", "Contract ends in 12 days"), text("今天生日", "Birthday today")},
			Talk: []api.Text{text("王女士，生日快乐！今天给您留了一份小礼物。", "Happy birthday, Ms Wang! We have kept a small gift for you."),
				text("您的合约快到期了，我帮您看看续约能省多少。", "Your contract ends soon; let me show you what renewing saves."),
				text("家里有几位一起用？有个家庭套餐刚好合适。", "How many of you are at home? There is a family plan that fits.")},
			Offer: gift, OfferWhy: []api.Text{text("合约将到期，且同意接收推荐", "Contract ends soon, and she agreed to offers"),
				text("“请您喝一杯茶”优先级较低", "“A cup of tea on us” has a lower priority")}},
		{Visit: "v-9", State: api.CardNew, Arrived: ago(74 * time.Second), Name: text("李先生", "Mr Li"), Tier: "gold",
			TierName: text("金卡会员", "Gold"), Language: "en", Zone: entrance, Nth: 3, LastVisit: ago(26 * time.Hour),
			Why:  []api.Text{text("两天内第二次到店", "Second visit in two days")},
			Talk: []api.Text{text("李先生，欢迎回来，昨天的问题解决了吗？", "Welcome back, Mr Li. Is yesterday's question settled?")}, Offer: cup},
		{Visit: "v-10", State: api.CardNew, Arrived: ago(12 * time.Second), Name: text("欧阳老师", "Teacher Ouyang"), Language: "zh-CN", Zone: lounge, Nth: 1, Quiet: true,
			Why: []api.Text{text("首次到店", "First visit")}, Talk: []api.Text{}},
		{Visit: "v-7", State: api.CardClaimed, Arrived: ago(6 * time.Minute), ClaimedAt: ago(5 * time.Minute), By: "Lin", Name: text("陈博士", "Dr Chen"), Tier: "silver",
			TierName: text("银卡会员", "Silver"), Language: "zh-CN", Zone: lounge, Nth: 5, LastVisit: ago(200 * 24 * time.Hour),
			Why: []api.Text{text("半年多没来，今天回来了", "Back after more than half a year")}, Talk: []api.Text{text("陈博士，好久不见，新机型正好可以试用。", "Good to see you again, Dr Chen. The new phones are out to try.")}},
		{Visit: "v-6", State: api.CardClaimed, Arrived: ago(11 * time.Minute), ClaimedAt: ago(10 * time.Minute), By: "小周", Name: text("赵女士", "Ms Zhao"),
			Language: "zh-CN", Zone: entrance, Nth: 2, Why: []api.Text{}, Talk: []api.Text{}},
		{Visit: "v-5", State: api.CardServed, Arrived: ago(40 * time.Minute), ClaimedAt: ago(40*time.Minute - 35*time.Second), ServedAt: ago(25 * time.Minute), By: "Lin", Name: text("孙先生", "Mr Sun"), Zone: entrance, Language: "zh-CN", Nth: 4},
		{Visit: "v-4", State: api.CardLeft, Arrived: ago(55 * time.Minute), Gone: ago(50 * time.Minute), Name: text("周女士", "Ms Zhou"), Zone: entrance, Language: "zh-CN", Nth: 1},
		{Visit: "v-3", State: api.CardServed, Arrived: ago(80 * time.Minute), ClaimedAt: ago(78 * time.Minute), ServedAt: ago(65 * time.Minute), By: "小周", Name: text("Garcia 先生", "Mr Garcia"), Zone: entrance, Language: "es", Nth: 9},
	}
}

func sampleStatus(now time.Time, well bool) api.Status {
	s := api.Status{HQ: api.Link{Online: well, Since: now.Add(-95 * time.Minute)}, Journal: api.Journal{Last: 1840, Acked: 1840},
		Readers: []api.Reader{{Name: "front-door", Online: true, LastRead: now.Add(-12 * time.Second)}, {Name: "lounge", Online: true, LastRead: now.Add(-4 * time.Minute)}},
		Outputs: []api.Output{{Signal: "front lamp", Name: "green"}, {Signal: "front lamp", Name: "buzzer"}},
		Doors: []api.Door{{Name: "front door", Known: true, Since: now.Add(-3 * time.Minute), Opened: 153},
			{Name: "back door", Known: true, Open: true, Since: now.Add(-20 * time.Minute), Opened: 4}}}
	if !well {
		s.Journal.Acked = 1698
		s.Readers[1].Online, s.Readers[1].Problem = false, text("接线好像松了，请把它插紧。", "Its cable seems to be out. Push it in firmly.")
		s.Readers[0].Notice = text("新的设备模板没有启用，仍沿用原来的。fob.yaml:12: framing.payload: got \"five\", want a whole number",
			"Its new profile is not in use; the one before goes on. fob.yaml:12: framing.payload: got \"five\", want a whole number")
		s.Outputs[1].Problem = text("找不到引脚，请检查名称", "is not there: check the line's name")
		s.Doors[0] = api.Door{Name: "front door", Problem: s.Outputs[1].Problem}
		s.Doors[1].LeftOpen = true
	}
	return s
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// sampleReaders is the reader of the lounge with a bad cable, and a good one at the door.
func sampleReaders() []api.ReaderHealth {
	return []api.ReaderHealth{
		{Name: "front-door", Online: true, Reads: 128_406, Frames: 1_204_773, Bad: []api.BadFrames{{Kind: "tag", Name: text("标签信号不完整", "Tag heard incompletely"), Count: 41}},
			Advice: api.ReaderAdvice{Code: "well", Text: text("一切正常，无需处理。", "All is well. Nothing to do.")}},
		{Name: "lounge", Reads: 212, Frames: 640, Noise: 1_932, Resyncs: 48, Reopened: 7, Errors: 1,
			Bad: []api.BadFrames{{Kind: "checksum", Name: text("校验错误", "Checksum wrong"), Count: 57}, {Kind: "cut", Name: text("中途断开", "Broken off"), Count: 12}},
			Advice: api.ReaderAdvice{Code: "wire", Text: text("很多数据在途中损坏。请把两端插头插紧，线缆尽量短并远离电机和电源线，再对照说明书核对波特率。",
				"Much arrives damaged. Push both plugs home, keep the cable short and away from motors and mains, and compare the baud rate with the manual.")}},
	}
}
