package wire

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"foyer/reader/tag"
)

func TestCloudEvent(t *testing.T) {
	r := NewRecord(VisitStarted, noon, Visit{Visit: "v", Member: "m-1", Zone: "door", Nth: 3})
	got := Outside{Chain: "wanlian", Prefix: "cn.wanlian.stores"}.Event("fuxing-road", "E1", MainLane, 7, r)
	want := CloudEvent{SpecVersion: "1.0", ID: "E1/main/7", Source: "/chains/wanlian/stores/fuxing-road", Type: "cn.wanlian.stores.visit.started", Time: noon,
		DataSchema: "urn:foyer:record:1:visit.started", ContentType: "application/json", Sequence: "00000000000000000007", Partition: "E1/main",
		Data: json.RawMessage(`{"nth":3,"visit":"v","zone":"door"}`)}
	if diff := cmp.Diff(want, got, compacted); diff != "" {
		t.Error(diff)
	}
	if got = (Outside{Chain: "wanlian", Members: true}).Event("fuxing-road", "E1", MainLane, 7, r); !strings.Contains(string(got.Data), `"member":"m-1"`) || got.Type != "com.foyer.visit.started" {
		t.Errorf("with members: %+v", got)
	}
	for name, r := range map[string]Record{
		"a tag":            NewRecord(TagChanged, noon, TagChange{Kind: "bound", Member: "m-1", By: "Li", Marks: []TagMark{{Tag: tag.ID{1}, State: "bound"}}}),
		"a future kind":    {Kind: "member.joined", At: noon, Body: json.RawMessage(`{"name":"Li","phone":"13800138000","member":"m-1","deep":[{"by":"Li","count":3}]}`)},
		"a reception card": NewRecord(CardServed, noon, Reception{Visit: "v", By: "Li"}),
		"no object":        {Kind: "unreadable", At: noon, Body: json.RawMessage(`"Li m-1"`)},
		"no JSON":          {Kind: "unreadable", At: noon, Body: json.RawMessage(`Li m-1`)},
	} {
		text, err := json.Marshal(Outside{Chain: "c"}.Event("s", "E", "main", 1, r))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"Li", "138", "m-1", "marks"} {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s tells %s: %s", name, secret, text)
			}
		}
	}
	for _, bad := range []string{"", ".x", "x.", "a..b", "Com.x", "a b"} {
		if CheckPrefix(bad) == nil {
			t.Errorf("prefix %q is taken", bad)
		}
	}
}

// FuzzCloudEvent: any body gives an event that is JSON, and tells nobody's name.
func FuzzCloudEvent(f *testing.F) {
	f.Add([]byte(`{"visit":"v","member":"SECRET"}`))
	f.Add([]byte(`{"reasons":[{"member":"SECRET","code":"x"}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e := Outside{Chain: "c"}.Event("s", "E", "main", 1, Record{Kind: "visit.started", At: noon, Body: body})
		text, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		var back struct {
			Data map[string]any `json:"data"`
		}
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		for key := range back.Data {
			if !openKeys[key] {
				t.Fatalf("%q tells %q", body, key)
			}
		}
	})
}
