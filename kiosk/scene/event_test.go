package scene

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"foyer/api"
)

func TestDecode(t *testing.T) {
	for _, tc := range []struct {
		name string
		kind api.Kind
		data string
		want Input
		err  string
	}{
		{"greeted", api.Greeted, `{"visit":"v","language":"en"}`, Greeted{api.Greeting{Visit: "v", Language: "en"}}, ""},
		{"departed", api.Departed, `{"visit":"v"}`, Departed{"v"}, ""},
		{"showcase", api.Showcase, `[{"campaign":"c"}]`, Showcase{[]api.Offer{{Campaign: "c"}}}, ""},
		{"status", api.StatusIs, `{"hq":{"online":true}}`, Status{api.Status{HQ: api.Link{Online: true}}}, ""},
		{"a card is not for screens", api.CardSet, `{}`, nil, ""},
		{"a newer foyerd", "future", `{}`, nil, ""},
		{"torn", api.Greeted, `{"visit":`, nil, "read event 7 (greeted)"},
		{"another shape", api.Showcase, `{}`, nil, "read event 7 (showcase)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Decode(api.Event{ID: 7, Kind: tc.kind, Data: json.RawMessage(tc.data)})
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Fatalf("error %v, want %q", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	for _, k := range []api.Kind{api.Greeted, api.Departed, api.Showcase, api.StatusIs, "x"} {
		f.Add(string(k), []byte(`{"visit":"v","until":"2026-06-14T10:00:00Z","headline":{"en":"x"}}`))
	}
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		in, err := Decode(api.Event{ID: 1, Kind: api.Kind(kind), Data: data})
		if err != nil || in == nil {
			return
		}
		k, _ := rules.Next(Kiosk{}, whole(), start)
		rules.Next(k, in, start)
		rules.NextWall(Wall{}, in, start)
	})
}
