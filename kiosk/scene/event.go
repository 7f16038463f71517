package scene

import (
	"encoding/json"
	"fmt"

	"foyer/api"
)

// Decode turns an event of foyerd into an input. A kind that screens do not know gives nil: a newer foyerd may say more.
func Decode(e api.Event) (Input, error) {
	switch e.Kind {
	case api.Greeted:
		g, err := data[api.Greeting](e)
		return Greeted{g}, err
	case api.Departed:
		d, err := data[api.Departure](e)
		return Departed{d.Visit}, err
	case api.Showcase:
		o, err := data[[]api.Offer](e)
		return Showcase{o}, err
	case api.CardedIs:
		c, err := data[api.Carded](e)
		return Carded{c.Signup}, err
	case api.StatusIs:
		s, err := data[api.Status](e)
		return Status{s}, err
	}
	return nil, nil
}

func data[T any](e api.Event) (T, error) {
	var v T
	if err := json.Unmarshal(e.Data, &v); err != nil {
		return v, fmt.Errorf("read event %d (%s): %w", e.ID, e.Kind, err)
	}
	return v, nil
}
