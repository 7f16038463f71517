package daemon

import (
	"foyer/api"
	"foyer/api/serve"
	"foyer/shop"
	"foyer/shop/greeting"
)

// faces shows the shop's events on the hub. It is shop.Screens.
type faces struct{ hub *serve.Hub }

func (f faces) Show(e shop.Event) {
	switch e := e.(type) {
	case shop.Greeted:
		f.hub.Greeted(api.Face(e.Face), greetingOf(e))
	case shop.Left:
		f.hub.Departed(api.Wall, e.Visit)
		f.hub.Departed(api.Kiosk, e.Visit)
	case shop.CardChanged:
		f.hub.Card(cardOf(e.Card))
	case shop.ShowcaseChanged:
		f.hub.Showcase(offersOf(e.Offers))
	case shop.BlockedSeen:
		f.hub.Notice(noticeOf(e))
	case shop.CardShown:
		f.hub.Shown(shownOf(e))
	case shop.NewcomerWaits:
		f.hub.Notice(newcomerNotice(e))
	case shop.NewCardWorks:
		f.hub.Carded(e.Signup)
	case shop.CallWaits:
		f.hub.Notice(callNotice(e))
	case shop.StrangersCounted:
		// A number for headquarters; it is nothing that a face shows.
	}
}

func greetingOf(e shop.Greeted) api.Greeting {
	return api.Greeting{Visit: e.Visit, At: e.At, Until: e.Until, Language: e.Language, Headline: e.Headline, Line: e.Line,
		Neutral: e.Neutral, Festive: e.Festive, Signup: e.Signup, Offers: offersOf(e.Offers)}
}

func offersOf(offers []greeting.Offer) []api.Offer {
	var out []api.Offer
	for _, o := range offers {
		out = append(out, *offerOf(&o))
	}
	return out
}

func offerOf(o *greeting.Offer) *api.Offer {
	if o == nil {
		return nil
	}
	return &api.Offer{Campaign: o.Campaign, Title: o.Title, Text: o.Text, Art: o.Art}
}

func cardOf(c shop.Card) api.Card {
	card := api.Card{Visit: c.Visit, State: api.CardState(c.State), Arrived: c.Arrived, Gone: c.Gone, Name: c.Name, Tier: c.Tier,
		TierName: c.TierName, Language: c.Language, Zone: c.Zone, Nth: c.Nth, LastVisit: c.LastVisit, Priority: c.Priority,
		Quiet: c.Quiet, Offer: offerOf(c.Offer), By: c.By, ClaimedAt: c.ClaimedAt, ServedAt: c.ServedAt}
	for _, line := range c.Why {
		if line.Code != greeting.KeyCustomer { // Priority says it already
			card.Why = append(card.Why, line.Text)
		}
	}
	for _, line := range c.Talk {
		card.Talk = append(card.Talk, line)
	}
	for _, line := range c.OfferWhy {
		card.OfferWhy = append(card.OfferWhy, line)
	}
	return card
}
