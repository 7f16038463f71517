package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"foyer/reader/tag"

	"github.com/google/go-cmp/cmp"

	"foyer/internal/words"
)

var noon = time.Date(2026, 6, 14, 12, 0, 0, 0, time.UTC)

func goodBatch() Batch {
	return Batch{V: 1, Epoch: "EPOCH7", Lane: MainLane, First: 41, SentAt: noon,
		Records: []json.RawMessage{[]byte(`{"k":"visit.started"}`), []byte(`7`)}}
}

func TestBatchTravelsInEveryVersion(t *testing.T) {
	for _, version := range []int{BatchJSON, BatchCompact} {
		want := goodBatch()
		want.V, want.Head, want.SkewMS, want.Floor, want.From, want.Schema = version, 99, -7, true, "EPOCH6", Schema
		want.Base = 40
		travels(t, want)
		want.Records = nil // nothing is left of what came before First
		travels(t, want)
	}
	if b, err := DecodeBatch(must(EncodeBatch(Batch{Epoch: "E", Lane: "main", First: 1, SentAt: noon, Records: goodBatch().Records}))(t)); err != nil || b.V != BatchCompact {
		t.Errorf("without a version: %+v, %v", b, err)
	}
}

func travels(t *testing.T, want Batch) {
	t.Helper()
	data, err := EncodeBatch(want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeBatch(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if last := want.First + uint64(len(want.Records)) - 1; got.Last() != last {
		t.Errorf("last is %d, want %d", got.Last(), last)
	}
}

// What was written once is readable for good. The files are never made anew.
func TestOldVersionsStayReadable(t *testing.T) {
	for file, version := range map[string]int{"testdata/batch-v1.json": BatchJSON, "testdata/batch-v2.bin": BatchCompact} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecodeBatch(data)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		want := goodBatch()
		want.V = version
		want.Records[0] = []byte(`{"k":"visit.started","at":"2026-06-14T11:59:30.5Z","b":{"visit":"T7NAOGEMLS6WSPF2GRASSIR5BE","member":"m-2c5be07411c359e0","zone":"door","nth":2}}`)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

// compactOf is a payload of version 2 as somebody else might make one.
func compactOf(t *testing.T, says int, text string) []byte {
	return append(binary.AppendUvarint([]byte{BatchCompact, dictionaryNumber}, uint64(says)), deflated(t, []byte(text), dictionary1)...)
}

func TestCompactRefusals(t *testing.T) {
	good := compactOf(t, len(goodHead)+4, goodHead+"\n{ }")
	if b, err := DecodeBatch(good); err != nil || string(b.Records[0]) != "{ }" {
		t.Fatalf("%+v, %v", b, err)
	}
	bomb := goodHead + "\n\"" + strings.Repeat("x", 64*MaxBatch) + "\""
	other := bytes.Clone(good)
	other[1] = 9
	for name, tc := range map[string]struct {
		data []byte
		want string
	}{
		"cut short":             {good[:len(good)-3], "unexpected EOF"},
		"something follows":     {append(bytes.Clone(good), 0), "another number"},
		"it says less":          {compactOf(t, len(goodHead)+3, goodHead+"\n{ }"), "another number"},
		"it says more":          {compactOf(t, len(goodHead)+5, goodHead+"\n{ }"), "another number"},
		"a bomb":                {compactOf(t, len(bomb), bomb), "at most 1048576"},
		"a bomb that lies":      {compactOf(t, 100, bomb), "another number"},
		"unknown dictionary":    {other, "dictionary 9"},
		"no head":               {compactOf(t, 4, "[1]\n"), "cannot unmarshal"},
		"records in the head":   {compactOf(t, len(headWithRecords)+2, headWithRecords+"\n1"), "with 1 records"},
		"head of another":       {compactOf(t, len(headOfVersion1)+2, headOfVersion1+"\n1"), "version 1"},
		"a broken record":       {compactOf(t, len(goodHead)+2, goodHead+"\n{"), "no JSON"},
		"an empty record":       {compactOf(t, len(goodHead)+3, goodHead+"\n\n1"), "no JSON"},
		"too many records":      {compactOf(t, len(goodHead)+2*MaxRecords+2, goodHead+strings.Repeat("\n1", MaxRecords+1)), "more than"},
		"nothing":               {[]byte{BatchCompact}, "1 bytes"},
		"a length of 70 bits":   {append([]byte{BatchCompact, dictionaryNumber}, bytes.Repeat([]byte{0xff}, 12)...), "holds 0 bytes"},
		"no record and no sign": {compactOf(t, len(goodHead), goodHead), "0 records"},
	} {
		if _, err := DecodeBatch(tc.data); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
	}
}

const (
	goodHead        = `{"v":2,"epoch":"e","lane":"main","first":1,"sent_at":"2026-06-14T12:00:00Z"}`
	headWithRecords = `{"v":2,"epoch":"e","lane":"main","first":1,"sent_at":"2026-06-14T12:00:00Z","records":[1]}`
	headOfVersion1  = `{"v":1,"epoch":"e","lane":"main","first":1,"sent_at":"2026-06-14T12:00:00Z"}`
)

// A bomb is refused before it has grown.
func TestABombTakesNoMemory(t *testing.T) {
	bomb := compactOf(t, 100, strings.Repeat("x", 256<<20/1000*100))
	n := testing.AllocsPerRun(3, func() {
		if _, err := DecodeBatch(bomb); err == nil {
			t.Error("accepted")
		}
	})
	if n > 1000 {
		t.Errorf("%v allocations", n)
	}
}

func TestEachKindHasItsPlace(t *testing.T) {
	for kind, want := range map[Kind]string{
		VisitStarted: MainLane, GreetingDecided: MainLane, CardServed: MainLane, KioskUsed: CountLane, StrangersPassed: CountLane,
		DemoFinished: CountLane, RewardEarned: CaseLane, ReaderChanged: CountLane, SnapshotRefused: CaseLane, "coupon.redeemed": CaseLane, "of.the.future": MainLane, "": MainLane,
	} {
		if got := LaneOf(kind); got != want {
			t.Errorf("%s goes to %s, want %s", kind, got, want)
		}
	}
	for kind := range bodies {
		if placeOf(kind).lane == "" && kind != RecordLost {
			t.Errorf("nobody has said in which lane %s travels", kind)
		}
	}
	for noun, p := range places {
		if !slices.Contains(Lanes, p.lane) {
			t.Errorf("%s travels in %q, which is no lane", noun, p.lane)
		}
	}
	for kind, want := range map[Kind]Worth{
		VisitStarted: AVisit, VisitEnded: AVisit, CardClaimed: AVisit, CardReleased: AVisit, CardServed: AVisit, KioskUsed: AVisit, DemoFinished: AVisit, RewardEarned: WorthKeeping,
		GreetingDecided: AStatistic, StrangersPassed: AStatistic, ReaderChanged: AStatistic,
		TagChanged: WorthKeeping, BlockedSeen: WorthKeeping, MemoryThinned: WorthKeeping, SnapshotRefused: WorthKeeping, "of.the.future": WorthKeeping,
	} {
		if got := WorthOf(kind); got != want {
			t.Errorf("%s is worth %d, want %d", kind, got, want)
		}
	}
}

func TestBatchKeepsTheTextOfItsRecords(t *testing.T) {
	b := goodBatch()
	b.Records = []json.RawMessage{[]byte(`{"name":"陈 & 李 <3"}`)}
	data, err := EncodeBatch(b)
	if err != nil || !bytes.Contains(data, b.Records[0]) {
		t.Errorf("got %s, %v", data, err)
	}
}

func TestBatchRefusals(t *testing.T) {
	for name, spoil := range map[string]func(*Batch){
		"epoch empty":      func(b *Batch) { b.Epoch = "" },
		"epoch long":       func(b *Batch) { b.Epoch = strings.Repeat("x", 65) },
		"epoch odd":        func(b *Batch) { b.Epoch = "a/b" },
		"lane odd":         func(b *Batch) { b.Lane = "Main" },
		"first zero":       func(b *Batch) { b.First = 0 },
		"first overflows":  func(b *Batch) { b.First = math.MaxUint64 },
		"no records":       func(b *Batch) { b.Records = nil },
		"version":          func(b *Batch) { b.V = 3 },
		"epoch before odd": func(b *Batch) { b.From = "a/b" },
		"head overflows":   func(b *Batch) { b.Head = math.MaxUint64 },
		"too many records": func(b *Batch) { b.Records = make([]json.RawMessage, MaxRecords+1) },
		"empty record":     func(b *Batch) { b.Records[1] = nil },
		"long record":      func(b *Batch) { b.Records[1] = []byte(`"` + strings.Repeat("x", MaxRecord) + `"`) },
		"no time":          func(b *Batch) { b.SentAt = time.Time{} },
		"year 10000":       func(b *Batch) { b.SentAt = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"broken record":    func(b *Batch) { b.Records[0] = []byte(`{`) },
	} {
		b := goodBatch()
		spoil(&b)
		if data, err := EncodeBatch(b); err == nil {
			t.Errorf("%s: encodes as %.100s", name, data)
		}
	}
	big := goodBatch()
	big.Records = nil
	for range 20 {
		big.Records = append(big.Records, []byte(`"`+strings.Repeat("x", MaxRecord-2)+`"`))
	}
	if _, err := EncodeBatch(big); err == nil {
		t.Error("a batch over MaxBatch is encoded")
	}
}

func TestDecodersRefuseWithAReason(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"empty", ``, "EOF"},
		{"no object", `[]`, "cannot unmarshal"},
		{"version", `{"v":2,"epoch":"e","lane":"main","first":1,"sent_at":"2026-06-14T12:00:00Z","records":[1]}`, "protocol version 2"},
		{"version missing", `{"epoch":"e","lane":"main","first":1,"records":[1]}`, "protocol version 0"},
		{"negative", `{"v":1,"epoch":"e","lane":"main","first":-1,"records":[1]}`, "cannot unmarshal"},
		{"trailing", `{"v":1,"epoch":"e","lane":"main","first":1,"sent_at":"2026-06-14T12:00:00Z","records":[1]} {}`, "follows its end"},
		{"too long", strings.Repeat(" ", MaxBatch+1), "at most"},
	} {
		if _, err := DecodeBatch([]byte(tc.text)); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.want)
		}
	}
	if _, err := DecodeAck([]byte(`{"v":1,"epoch":"e","lane":"main","upto":1}`)); !errors.Is(err, ErrFormat) {
		t.Errorf("an acknowledgement without a time: %v", err)
	}
	if _, err := DecodeAck(bytes.Repeat([]byte(" "), maxShort+1)); !errors.Is(err, ErrFormat) {
		t.Errorf("a long acknowledgement: %v", err)
	}
	if _, err := DecodeState([]byte(`{"v":1,"online":true}`)); !errors.Is(err, ErrFormat) {
		t.Errorf("a state without a time: %v", err)
	}
}

// A field given twice cannot smuggle anything past the checks: they see what is used.
func TestOfTwoFieldsWithOneNameTheCheckedOneIsUsed(t *testing.T) {
	b, err := DecodeBatch([]byte(`{"v":1,"epoch":"e","lane":"main","first":9,"first":3,"sent_at":"2026-06-14T12:00:00Z","records":[1,2,3],"records":[4]}`))
	if err != nil || b.First != 3 || len(b.Records) != 1 || string(b.Records[0]) != "4" {
		t.Errorf("got %+v, %v", b, err)
	}
	if _, err := DecodeBatch([]byte(`{"v":1,"epoch":"e","lane":"main","lane":"../x","first":3,"sent_at":"2026-06-14T12:00:00Z","records":[1]}`)); err == nil {
		t.Error("the second lane was not checked")
	}
}

func TestAckAndStateTravel(t *testing.T) {
	ack := Ack{V: 1, Epoch: "E-1", Lane: "main", Upto: 12, HQTime: noon}
	data, err := EncodeAck(ack)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := DecodeAck(data); err != nil || got != ack || got.Watermark() != 12 {
		t.Errorf("got %+v, %v", got, err)
	}
	ack.Have, ack.Takes, ack.Fork = new(uint64(40)), BatchCompact, true
	if data, err = EncodeAck(ack); err != nil {
		t.Fatal(err)
	}
	if got, err := DecodeAck(data); err != nil || !cmp.Equal(got, ack) || got.Watermark() != 40 {
		t.Errorf("got %+v, %v", got, err)
	}
	state := State{V: 1, Online: true, At: noon, Version: "1.2.3", Epoch: "E", SkewMS: new(int64(-4)), Budget: 20 << 20, Spent: 7,
		Lanes: []LaneState{{Lane: MainLane, Last: 9, Acked: 4, Oldest: noon, LastAck: noon, Lost: 2, Waits: true}}}
	if data, err = EncodeState(state); err != nil {
		t.Fatal(err)
	}
	if got, err := DecodeState(data); err != nil || !cmp.Equal(got, state) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := EncodeAck(Ack{Epoch: "E", Lane: "main"}); err == nil {
		t.Error("an acknowledgement without a time is encoded")
	}
	for name, bad := range map[string]State{
		"a long program version": {At: noon, Version: strings.Repeat("v", 65)},
		"an odd epoch":           {At: noon, Epoch: "a/b"},
		"a lane beyond its end":  {At: noon, Lanes: []LaneState{{Lane: MainLane, Last: 3, Acked: 4}}},
		"a lane without a name":  {At: noon, Lanes: []LaneState{{}}},
		"too many lanes":         {At: noon, Lanes: make([]LaneState, maxLanes+1)},
		"a negative budget":      {At: noon, Budget: -1},
	} {
		if _, err := EncodeState(bad); err == nil {
			t.Errorf("%s is encoded", name)
		}
	}
}

func TestEveryKindOpensToItsBody(t *testing.T) {
	for kind, body := range map[Kind]any{
		VisitStarted:    &Visit{Visit: "v", Member: "m-1", Zone: "door", Nth: 3},
		VisitEnded:      &Visit{Visit: "v", Member: "m-1", Nth: 3, Seconds: 90},
		GreetingDecided: &Greeting{Visit: "v", Reasons: []Reason{{true, "consent.ok", ""}}},
		CardClaimed:     &Reception{Visit: "v", By: "LX", WaitedSeconds: 8},
		CardServed:      &Reception{Visit: "v", By: "LX"},
		KioskUsed:       &Session{Language: "zh-CN", Seconds: 30, Taps: 4, End: "idle"},
		DemoFinished:    &Tried{Language: "en", Pack: "race", Version: 2, Seconds: 41, End: "done"},
		RewardEarned:    &Tried{Visit: "v", Language: "en", Pack: "catch", Version: 1, Seconds: 60, Score: 120, End: "won", Reward: "catch-star"},
		StrangersPassed: &Strangers{Zone: "door", Count: 17},
		TagChanged: &TagChange{Kind: "replaced", Member: "m-1", Reason: "lost", By: "Li", Proved: "staff", Clash: true,
			Marks: []TagMark{{Tag: tag.ID{1}, State: "bound", Found: true}, {Tag: tag.ID{2}, State: "bound", Of: tag.ID{1}}, {Tag: tag.ID{3}, State: "blocked"}}},
		BlockedSeen:     &BlockedTag{Member: "m-1", Zone: "door"},
		BlockedHandled:  &BlockedTag{Member: "m-1", By: "Li", WaitedSeconds: 60},
		ReaderChanged:   &Reader{Reader: "door", Why: "unplugged"},
		SnapshotApplied: &Applied{Snapshot: Members, Version: 5},
		RecordLost:      &Lost{Why: LostGivenUp},
		MemoryThinned:   &GivenUp{Visits: 3, Statistics: 40},
		SnapshotRefused: &Applied{Snapshot: Members, Version: 5, Code: RefusedOlder, Why: "older"},
		CommandDone: &Done{ID: "C1", Do: DoScreenshot, Outcome: IsFailed, Code: NotUploaded, Why: "the line", Settings: map[string]string{"log_level": "debug"},
			Results: []Result{{Name: "wall-1.png", Size: 3, Digest: Digest{7}}}},
	} {
		data, err := EncodeRecord(NewRecord(kind, noon, body))
		if err != nil {
			t.Fatal(err)
		}
		r, err := DecodeRecord(data)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Open()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(body, got); diff != "" || r.Kind != kind || !kind.Known() {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}

func TestAKindOfTheFutureIsKeptAsItIs(t *testing.T) {
	r, err := DecodeRecord([]byte(`{"k":"coupon.redeemed","at":"2026-06-14T12:00:00Z","b":{"code":"x"},"extra":1}`))
	if err != nil {
		t.Fatal(err)
	}
	body, err := r.Open()
	if raw, ok := body.(json.RawMessage); !ok || err != nil || string(raw) != `{"code":"x"}` {
		t.Errorf("got %v, %v", body, err)
	}
}

func TestRecordRefusals(t *testing.T) {
	for name, text := range map[string]string{
		"no kind":   `{"at":"2026-06-14T12:00:00Z","b":{}}`,
		"odd kind":  `{"k":"Visit Started","at":"2026-06-14T12:00:00Z","b":{}}`,
		"no time":   `{"k":"visit.started","b":{}}`,
		"no body":   `{"k":"visit.started","at":"2026-06-14T12:00:00Z"}`,
		"not JSON":  `visit`,
		"a bad day": `{"k":"visit.started","at":"2026-02-30T12:00:00Z","b":{}}`,
	} {
		if r, err := DecodeRecord([]byte(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %+v, %v", name, r, err)
		}
	}
	if _, err := EncodeRecord(NewRecord("x y", noon, 1)); err == nil {
		t.Error("an odd kind is encoded")
	}
	if _, err := EncodeRecord(NewRecord(KioskUsed, noon, Session{Language: strings.Repeat("x", MaxRecord)})); err == nil {
		t.Error("a record over MaxRecord is encoded")
	}
	if body, err := (Record{Kind: VisitStarted, At: noon, Body: []byte(`[]`)}).Open(); !errors.Is(err, ErrFormat) {
		t.Errorf("a body of the wrong shape: %v, %v", body, err)
	}
}

func TestTopics(t *testing.T) {
	p := Place{"wanlian", "fuxing-road"}
	for topic, rest := range map[string]string{
		p.Up(MainLane): "up/main", p.Ack(): "ack", p.Down(Members): "down/members", p.State(): "state",
	} {
		if got, gotRest, err := ParseTopic(topic); err != nil || got != p || gotRest != rest {
			t.Errorf("%s: got %v, %q, %v", topic, got, gotRest, err)
		}
	}
	for _, bad := range []string{"", "edge/v1/a/b", "edge/v1/a/b/", "edge/v2/a/b/c", "edge/v1/+/b/ack", "edge/v1/a/B/ack", "x/v1/a/b/ack"} {
		if p, rest, err := ParseTopic(bad); err == nil {
			t.Errorf("%q: got %v %q", bad, p, rest)
		}
	}
}

func TestEveryRefusalHasItsWords(t *testing.T) {
	for _, lang := range words.Load().Languages() {
		for _, code := range Codes {
			if key := "sync.refused." + string(code); !words.Load().Has(lang, key) {
				t.Errorf("%s has no %s", lang, key)
			}
		}
	}
}
