package demo

import (
	"time"

	"foyer/shop/campaign"
)

// firstCampaigns are what the demo's headquarters says before anybody writes a campaign of their own.
func firstCampaigns(now time.Time) []campaign.Campaign {
	starts, ends := now.Add(-time.Hour).UTC().Truncate(time.Second), now.AddDate(0, 3, 0).UTC().Truncate(time.Second)
	return []campaign.Campaign{
		{ID: "mobile-tv", Name: "Mobile TV for everybody", Audience: "true", Starts: starts, Ends: ends, Priority: 10, PerDay: 5, Art: "video",
			Content: map[string]campaign.Content{
				"zh-CN": {Title: "掌上电视，试看三天", Text: "三十多个频道随身看，今天在店里就能试。", Talk: "可以请客人在触摸屏上试看掌上电视，三天免费。"},
				"en":    {Title: "Three days of mobile TV", Text: "Over thirty channels in your pocket. Try it here today.", Talk: "Offer a look at mobile TV on the kiosk; three days are free."},
			}},
		{ID: "renew-early", Name: "Renew before the contract ends", Audience: "member.days_to_contract_end >= 0 && member.days_to_contract_end <= 30",
			Starts: starts, Ends: ends, Priority: 50, PerDay: 5, Art: "phone",
			Content: map[string]campaign.Content{
				"zh-CN": {Title: "提前续约，手机先选", Text: "续约老用户可优先挑选新款 3G 手机。", Hello: "有一份续约礼遇为您留着", Talk: "合约即将到期：先问用得怎么样，再介绍提前续约可优先选机。"},
				"en":    {Title: "Renew now, choose first", Text: "Members who renew now choose first among the new 3G phones.", Hello: "We kept a renewal offer for you", Talk: "The contract ends soon: ask how it is going first, then mention choosing a phone before others."},
			}},
		{ID: "music-pack", Name: "Music for members", Audience: `member.tier in ["gold", "silver"]`, Starts: starts, Ends: ends, Priority: 20, PerDay: 5, Art: "music",
			Content: map[string]campaign.Content{
				"zh-CN": {Title: "一个月畅听音乐", Text: "会员开通音乐包，首月畅听。", Talk: "音乐包首月畅听，触摸屏上可以试听。"},
				"en":    {Title: "A month of music", Text: "Members listen free for the first month.", Talk: "The first month of the music pack is free; it can be heard on the kiosk."},
			}},
	}
}
