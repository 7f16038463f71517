package screens

import (
	"time"

	"foyer/api"
	"foyer/kiosk/keyboard"
	"foyer/kiosk/scene"
)

// noon is the time at which every story stands still.
var noon = time.Date(2026, 6, 14, 10, 24, 0, 0, time.UTC)

func text(zh, en string) api.Text { return api.Text{"zh-CN": zh, "en": en} }

var shopName = text("滨江路旗舰店", "Riverside Flagship Store")

var samples = []api.Offer{
	{Campaign: "phone", Art: "phone", Title: text("新机以旧换新，最高抵千元", "Trade in, save up to 1,000"), Text: text("带上旧手机，现场评估，当场抵扣，数据由我们帮您搬到新机。", "Bring your old phone. We value it on the spot and move your data for you.")},
	{Campaign: "data", Art: "data", Title: text("周末流量翻倍", "Double data all weekend"), Text: text("本周六、周日套餐内流量自动翻倍，无需办理。", "On Saturday and Sunday your plan's data doubles by itself.")},
	{Campaign: "cup", Art: "cup", Title: text("来店请您喝咖啡", "Coffee is on us"), Text: text("会员到店，凭卡领取手冲咖啡一杯。", "Show your card and enjoy a fresh cup while you look around.")},
	{Campaign: "gift", Art: "gift", Title: text("生日礼遇", "A gift for your day"), Text: text("生日当月到店，领取专属礼物一份。", "Come by in your birthday month and take your present home.")},
	{Campaign: "music", Art: "music", Title: text("畅听音乐季卡", "Three months of music"), Text: text("开通家庭套餐，送三个月无损音乐会员。", "Join a family plan and listen for three months, lossless.")},
	{Campaign: "video", Art: "video", Title: text("客厅影院体验日", "A cinema at home"), Text: text("到体验区试一试 4K 点播，选片不限。", "Try 4K films on demand in our living room corner.")},
	{Campaign: "home", Art: "home", Title: text("全屋无线，免费测速", "Wireless in every room"), Text: text("预约上门测速，覆盖不好不收费。", "Book a free check at home. No signal, no charge.")},
	{Campaign: "star", Art: "star", Title: text("老友推荐有礼", "Bring a friend"), Text: text("推荐好友入网，您和好友各得一份好礼。", "Recommend us, and a present waits for both of you.")},
}

func pick(n ...int) []api.Offer {
	var out []api.Offer
	for _, i := range n {
		out = append(out, samples[i])
	}
	return out
}

func person(visit, lang, zh, en string, offers ...int) api.Greeting {
	return api.Greeting{
		Visit: visit, At: noon, Until: noon.Add(20 * time.Second), Language: lang,
		Headline: text(zh, en), Line: text("很高兴再次见到您，祝您今天愉快", "Lovely to see you again. Enjoy your visit!"), Offers: pick(offers...),
	}
}

var (
	wang    = person("v1", "zh-CN", "上午好，王女士", "Good morning, Ms Wang", 0, 3)
	anna    = person("v2", "en", "上午好，Lindqvist 女士", "Good morning, Ms Lindqvist", 2)
	ouyang  = person("v3", "zh-CN", "上午好，欧阳修远先生", "Good morning, Mr Ouyang", 1)
	neutral = api.Greeting{Visit: "v4", At: noon, Until: noon.Add(20 * time.Second), Language: "zh-CN", Neutral: true,
		Headline: text("上午好，欢迎光临", "Good morning and welcome"), Line: text("今天的推荐，总有一款适合您", "There is something here for everybody today"), Offers: pick(5)}
	long = person("v5", "en", "上午好，阿卜杜热西提·买买提江先生", "Good afternoon, Professor Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh", 4)
	rare = person("v6", "zh-CN", "上午好，诸葛亶喆先生", "Good morning, Mr Zhuge", 6)
)

// script is a state reached by real inputs, so that a picture never shows what cannot happen.
type script struct {
	name string
	lang string
	in   []any // scene.Input, or time.Duration to let pass
}

func (s script) kiosk() (scene.Kiosk, time.Time) {
	var k scene.Kiosk
	now := noon
	rules := scene.Rules{Languages: []string{"zh-CN", "en"}, Language: s.lang}
	k, _ = rules.Next(k, scene.Packs{Packs: shipped()}, now)
	for _, in := range s.in {
		switch in := in.(type) {
		case time.Duration:
			now = now.Add(in)
			k, _ = rules.Next(k, scene.Tick{}, now)
		case keys:
			for _, r := range string(in) {
				k, _ = rules.Next(k, press(keyboard.Key(r)), now)
			}
		case scene.Input:
			k, _ = rules.Next(k, in, now)
		}
	}
	return k, now
}

func (s script) wall() (scene.Wall, time.Time) {
	var w scene.Wall
	now := noon
	rules := scene.Rules{Languages: []string{"zh-CN", "en"}, Language: s.lang}
	for _, in := range s.in {
		switch in := in.(type) {
		case time.Duration:
			now = now.Add(in)
			w = rules.NextWall(w, scene.Tick{}, now)
		case scene.Input:
			w = rules.NextWall(w, in, now)
		}
	}
	return w, now
}

func opened(showcase ...int) scene.Snapshot {
	return scene.Snapshot{Snapshot: api.Snapshot{Epoch: "e", Now: noon, Store: shopName, Showcase: pick(showcase...)}}
}

func speaking(g api.Greeting, lang string) scene.Greeted {
	g.Language = lang
	return scene.Greeted{Greeting: g}
}

func birthday(lang string) scene.Greeted {
	g := speaking(wang, lang)
	g.Festive = true
	g.Headline = text("王女士，生日快乐", "Happy birthday, Ms Wang")
	g.Line = text("愿新的一岁，事事如意", "May your new year bring you everything you wish for")
	return g
}

func tap(act scene.Act, arg string) scene.Touch { return scene.Touch{Act: act, Arg: arg} }

func kioskStories(lang string) []script {
	enter := tap(scene.Enter, "")
	return []script{
		{"waiting", lang, []any{opened(0, 1, 2), scene.Lost{}, 4 * time.Second}},
		{"attract", lang, []any{opened(0, 1, 2)}},
		{"attract-empty", lang, []any{opened()}},
		{"greet", lang, []any{opened(0, 1, 2), speaking(wang, lang)}},
		{"greet-birthday", lang, []any{opened(0, 1, 2), birthday(lang)}},
		{"greet-long", lang, []any{opened(0, 1, 2), speaking(long, lang)}},
		{"home", lang, []any{opened(1, 2), speaking(wang, lang), enter}},
		{"home-many", lang, []any{opened(0, 1, 2, 3, 4, 5), enter, tap(scene.Turn, "")}},
		{"home-one", lang, []any{opened(5), enter}},
		{"home-three", lang, []any{opened(5, 6, 7), enter}},
		{"home-empty", lang, []any{opened(), enter}},
		{"shelf", lang, []any{opened(0, 1, 2), enter, tap(scene.Try, "")}},
		{"detail", lang, []any{opened(0, 1, 2), speaking(wang, lang), enter, tap(scene.Open, "phone")}},
		{"menu", lang, []any{opened(0, 1), enter, tap(scene.Services, "")}},
		{"menu-member", lang, []any{opened(0, 1), speaking(wang, lang), enter, tap(scene.Services, "")}},
		{"help", lang, []any{opened(0, 1), tap(scene.Help, "")}},
		{"help-coming", lang, []any{opened(0, 1), tap(scene.Call, ""), scene.Answered{N: 1}}},
		{"privacy", lang, []any{opened(0, 1), tap(scene.Privacy, "")}},
		{"join-age", lang, begun()},
		{"join-young", lang, begun(tap(scene.No, ""))},
		{"join-phone", lang, begun(tap(scene.Yes, ""), keys("1381234567"))},
		{"join-name-pinyin", lang, begun(tap(scene.Yes, ""), keys("13812345678"), tap(scene.Next, ""), pinyinKeys(lang), keys("zhang"))},
		{"join-name-latin", lang, begun(tap(scene.Yes, ""), keys("13812345678"), tap(scene.Next, ""), latinKeys(lang), keys("anna lindqvist"))},
		{"join-title", lang, named()},
		{"join-consents", lang, named(title)},
		{"join-consents-given", lang, named(title, toggle("recognise"), toggle("greet_by_name"), toggle("marketing"))},
		{"join-unsent", lang, named(title, tap(scene.Next, ""), scene.Answered{N: 2, Failed: true})},
		{"join-welcome", lang, named(title, toggle("recognise"), tap(scene.Next, ""), taken)},
		{"join-carded", lang, named(title, toggle("recognise"), tap(scene.Next, ""), taken, carded(lang))},
		{"notice", lang, []any{opened(0, 1), speaking(wang, lang), enter, scene.Greeted{Greeting: rare}}},
		{"idle", lang, []any{opened(0, 1, 2), speaking(wang, lang), enter, 60 * time.Second, 6 * time.Second}},
	}
}

func wallStories(lang string) []script {
	return []script{
		{"calm", lang, []any{opened(0, 1, 2), 9 * time.Second}},
		{"calm-empty", lang, []any{opened()}},
		{"one", lang, []any{opened(0, 1, 2), speaking(wang, lang)}},
		{"one-long", lang, []any{opened(0), speaking(long, lang)}},
		{"two", lang, []any{opened(0), scene.Greeted{Greeting: wang}, scene.Greeted{Greeting: anna}}},
		{"three", lang, []any{opened(0), scene.Greeted{Greeting: wang}, scene.Greeted{Greeting: anna}, scene.Greeted{Greeting: ouyang}}},
		{"six", lang, []any{opened(0), scene.Greeted{Greeting: rare}, scene.Greeted{Greeting: neutral}, scene.Greeted{Greeting: wang}, scene.Greeted{Greeting: anna}, scene.Greeted{Greeting: ouyang}, scene.Greeted{Greeting: long}}},
	}
}

// keys are characters of the keyboard, pressed one after the other.
type keys string

var (
	title = tap(scene.Choose, "ms")
	taken = scene.Answered{N: 2, Joined: api.Joined{Signup: "s1", Code: "4821", Name: text("王女士", "Ms Wang"), Card: true}}
)

func toggle(purpose string) scene.Touch { return tap(scene.Toggle, purpose) }

func press(k keyboard.Key) scene.Touch { return scene.Touch{Act: scene.Press, Key: k} }

// pinyinKeys and latinKeys switch the keyboard of a language to these keys.
func pinyinKeys(lang string) any {
	if lang == "en" {
		return press(keyboard.Switch)
	}
	return nil
}

func latinKeys(lang string) any {
	if lang == "en" {
		return nil
	}
	return press(keyboard.Switch)
}

func begun(steps ...any) []any {
	return append([]any{opened(0, 1), tap(scene.Join, "")}, steps...)
}

// named is a form that is filled in as far as the title.
func named(steps ...any) []any {
	return begun(append([]any{tap(scene.Yes, ""), keys("13812345678"), tap(scene.Next, ""), keys("wang "), tap(scene.Next, "")}, steps...)...)
}

func carded(lang string) scene.Greeted {
	g := speaking(wang, lang)
	g.Signup = "s1"
	return g
}
