package scene

import (
	"slices"

	"foyer/api"
)

// masked stands in a picture for what is a person's.
var masked = api.Text{"en": "***"}

// Masked is the scene with nobody in it: what a picture for technicians far away is drawn from. What it keeps is listed here, and
// all else of a state is left out, so that what is added to Kiosk is left out until somebody lets it in.
func (k Kiosk) Masked() Kiosk {
	out := Kiosk{Scene: k.Scene, Language: k.Language, Shop: k.Shop, Since: k.Since, Notice: k.Notice, Until: k.Until}
	out.Use = Use{Taps: k.Use.Taps, Started: k.Use.Started, Touched: k.Use.Touched, Warned: k.Use.Warned, Page: k.Use.Page, Offer: k.Use.Offer}
	if k.Guest.Visit != "" {
		out.Guest = maskedGreeting(k.Guest, k.Shop)
	}
	return out
}

// Masked is the wall with nobody named on it.
func (w Wall) Masked() Wall {
	out := Wall{Language: w.Language, Shop: w.Shop, Offer: w.Offer, Turned: w.Turned}
	for _, g := range w.Guests {
		out.Guests = append(out.Guests, maskedGreeting(g, w.Shop))
	}
	return out
}

// maskedGreeting is somebody: when, in which language, and offers of which anybody may see the texts. Another offer's text may
// hold a name.
func maskedGreeting(g api.Greeting, s Shop) api.Greeting {
	out := api.Greeting{Visit: "masked", At: g.At, Until: g.Until, Language: g.Language, Headline: masked, Line: masked, Neutral: g.Neutral}
	for _, o := range g.Offers {
		if i := slices.IndexFunc(s.Showcase, func(x api.Offer) bool { return x.Campaign == o.Campaign }); i >= 0 {
			out.Offers = append(out.Offers, s.Showcase[i])
			continue
		}
		out.Offers = append(out.Offers, api.Offer{Campaign: o.Campaign, Art: o.Art, Title: masked, Text: masked})
	}
	return out
}
