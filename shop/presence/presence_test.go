package presence

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"foyer/reader/tag"

	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 6, 14, 9, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time {
	return start.Add(time.Duration(seconds * float64(time.Second)))
}

func tagID(n uint64) tag.ID {
	var id tag.ID
	binary.BigEndian.PutUint64(id[8:], n+1)
	return id
}

// step is what happens at a time: a read of tag 0 by a reader, or silence, or a reader's coming and going.
type step struct {
	at     float64
	reader string // "" is a tick
	rssi   tag.RSSI
	online string // "off" or "on": the reader changes instead of reading
}

// told writes an event as the tables below do.
func told(e Event) string {
	switch e := e.(type) {
	case Arrived:
		return fmt.Sprintf("%.2f arrived %s", e.At.Sub(start).Seconds(), e.Zone)
	case Left:
		return fmt.Sprintf("%.2f left %s (seen %.2f)", e.At.Sub(start).Seconds(), e.Zone, e.Seen.Sub(start).Seconds())
	case Moved:
		return fmt.Sprintf("%.2f moved %s to %s", e.At.Sub(start).Seconds(), e.From, e.To)
	case Passed:
		return fmt.Sprintf("%.2f passed %s", e.At.Sub(start).Seconds(), e.Zone)
	}
	return fmt.Sprintf("%T", e)
}

func TestRules(t *testing.T) {
	zones := []Zone{
		{ID: "door", Role: Entrance, Readers: []string{"left", "right"}, Enter: -60, Leave: -70, Grace: 10 * time.Second},
		{ID: "desk", Role: Kiosk, Readers: []string{"pad"}, Tap: true},
	}
	for _, tc := range []struct {
		name  string
		steps []step
		want  []string
	}{
		{"a tap arrives at once and leaves after two seconds",
			[]step{{at: 0, reader: "pad"}, {at: 0.06, reader: "pad"}, {at: 2.05}, {at: 2.06}},
			[]string{"0.00 arrived desk", "2.06 left desk (seen 0.06)"}},
		{"three strong reads in a second arrive",
			[]step{{at: 0, reader: "left", rssi: -60}, {at: 0.4, reader: "right", rssi: -60}, {at: 1, reader: "left", rssi: -60}},
			[]string{"1.00 arrived door"}},
		{"three strong reads in more than a second do not",
			[]step{{at: 0, reader: "left", rssi: -60}, {at: 0.6, reader: "left", rssi: -60}, {at: 1.01, reader: "left", rssi: -60}, {at: 3.01}},
			[]string{"3.01 passed door"}},
		{"a later third read within the window does",
			[]step{{at: 0, reader: "left", rssi: -60}, {at: 0.6, reader: "left", rssi: -60}, {at: 1.1, reader: "left", rssi: -60}, {at: 1.5, reader: "left", rssi: -60}},
			[]string{"1.50 arrived door"}},
		{"weak reads never arrive",
			[]step{{at: 0, reader: "left", rssi: -61}, {at: 0.1, reader: "left", rssi: -61}, {at: 0.2, reader: "left", rssi: -61}, {at: 0.3, reader: "left", rssi: -61}, {at: 2.3}},
			[]string{"2.30 passed door"}},
		{"reads between the floors keep it, weaker ones do not",
			[]step{{at: 0, reader: "left", rssi: -50}, {at: 0.1, reader: "left", rssi: -50}, {at: 0.2, reader: "left", rssi: -50},
				{at: 9, reader: "left", rssi: -70}, {at: 18, reader: "left", rssi: -71}, {at: 18.9}, {at: 19}},
			[]string{"0.20 arrived door", "19.00 left door (seen 9.00)"}},
		{"the other reader of the zone keeps it too",
			[]step{{at: 0, reader: "left", rssi: -50}, {at: 0.1, reader: "left", rssi: -50}, {at: 0.2, reader: "left", rssi: -50},
				{at: 9, reader: "right", rssi: -70}, {at: 18}, {at: 19}},
			[]string{"0.20 arrived door", "19.00 left door (seen 9.00)"}},
		{"an offline reader freezes, its return gives a fresh grace",
			[]step{{at: 0, reader: "left", rssi: -50}, {at: 0.1, reader: "left", rssi: -50}, {at: 0.2, reader: "left", rssi: -50},
				{at: 5, reader: "left", online: "off"}, {at: 600}, {at: 601, reader: "left", online: "on"}, {at: 610.9}, {at: 611}},
			[]string{"0.20 arrived door", "611.00 left door (seen 0.20)"}},
		{"it stays when read after the return",
			[]step{{at: 0, reader: "left", rssi: -50}, {at: 0.1, reader: "left", rssi: -50}, {at: 0.2, reader: "left", rssi: -50},
				{at: 5, reader: "left", online: "off"}, {at: 601, reader: "left", online: "on"}, {at: 605, reader: "left", rssi: -65}, {at: 614}},
			[]string{"0.20 arrived door"}},
		{"the other reader's absence freezes nothing",
			[]step{{at: 0, reader: "left", rssi: -50}, {at: 0.1, reader: "left", rssi: -50}, {at: 0.2, reader: "left", rssi: -50},
				{at: 5, reader: "right", online: "off"}, {at: 10.2}},
			[]string{"0.20 arrived door", "10.20 left door (seen 0.20)"}},
		{"a reader that never returns does not keep it for ever",
			[]step{{at: 0, reader: "pad"}, {at: 1, reader: "pad", online: "off"}, {at: 43199}, {at: 43200}},
			[]string{"0.00 arrived desk", "43200.00 left desk (seen 0.00)"}},
		{"a read after the grace is a new arrival even without a tick",
			[]step{{at: 0, reader: "pad"}, {at: 60, reader: "pad"}},
			[]string{"0.00 arrived desk", "60.00 left desk (seen 0.00)", "60.00 arrived desk"}},
		{"times that run backwards move nothing",
			[]step{{at: 5, reader: "pad"}, {at: 1, reader: "pad"}, {at: 6.9}, {at: 7}},
			[]string{"5.00 arrived desk", "7.00 left desk (seen 5.00)"}},
		{"a reader in no zone is not heard",
			[]step{{at: 0, reader: "attic"}, {at: 0, reader: "attic", online: "off"}, {at: 60}}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tr, err := New(Config{Zones: zones})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			emit := func(e Event) { got = append(got, told(e)) }
			for _, s := range tc.steps {
				switch {
				case s.online != "":
					tr.ReaderOnline(s.reader, s.online == "on", at(s.at))
				case s.reader == "":
					tr.Tick(at(s.at), emit)
				default:
					tr.Read(tag.Read{ID: tagID(0), At: at(s.at), Reader: s.reader, RSSI: s.rssi, HasRSSI: s.reader != "pad"}, emit)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

func (t *Tracker) entries() int { return t.candidates.index.n + t.stays.index.n }

func TestFloodOfRandomTagsIsBounded(t *testing.T) {
	tr, err := New(Config{Zones: []Zone{{ID: "door", Role: Entrance, Readers: []string{"r"}}, {ID: "desk", Role: Kiosk, Readers: []string{"pad"}, Tap: true, Grace: time.Hour}}})
	if err != nil {
		t.Fatal(err)
	}
	passed, left := 0, 0
	emit := func(e Event) {
		switch e.(type) {
		case Passed:
			passed++
		case Left:
			left++
		}
	}
	const flood = MaxPresent + 5000
	for i := range uint64(flood) {
		tr.Read(tag.Read{ID: tagID(i), At: start, Reader: "r"}, emit)
		tr.Read(tag.Read{ID: tagID(i), At: start, Reader: "pad"}, emit)
	}
	if c := tr.Counts(); c.Candidates != MaxCandidates || c.Present != MaxPresent || tr.entries() != MaxCandidates+MaxPresent {
		t.Errorf("after the flood: %+v and %d entries, want %d candidates and %d present", c, tr.entries(), MaxCandidates, MaxPresent)
	}
	if passed != flood-MaxCandidates || left != flood-MaxPresent {
		t.Errorf("%d passed and %d left, want the rest of the flood", passed, left)
	}
	tr.Tick(start.Add(2*time.Hour), emit)
	if c := tr.Counts(); c.Candidates+c.Present != 0 || tr.entries() != 0 {
		t.Errorf("an hour later: %+v, want nothing", c)
	}
}

func TestNewTellsAllFaults(t *testing.T) {
	_, err := New(Config{Zones: []Zone{
		{ID: "", Role: "attic", Readers: []string{"a"}},
		{ID: "x", Role: Entrance, Readers: []string{"a"}, MinReads: 9, Enter: -60, Leave: -50, Grace: -1},
		{ID: "x", Role: Exit},
	}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"id is empty", `role "attic"`, `reader "a" is in zone ""`, "min reads 9", "leave at -50 dBm", "grace -1ns", "taken by another", "no readers"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in:\n%v", want, err)
		}
	}
}

// A fault says which zone and which field, for whoever has the lines of a configuration.
func TestFaultsHaveAPlace(t *testing.T) {
	got := map[string]bool{}
	for _, f := range (Config{Zones: []Zone{
		{ID: "a", Role: Kiosk, Readers: []string{"r"}},
		{ID: "b", Role: Exit, Readers: []string{"o"}, Report: Once, MinReads: 2, Dwell: time.Second},
		{ID: "c", Role: Exit, Readers: []string{"r", "s"}, Antennas: map[string][]uint8{"s": {65}}},
	}}).Faults() {
		got[fmt.Sprint(f.Zone, " ", f.Key)] = true
	}
	if diff := cmp.Diff(map[string]bool{"1 min_reads": true, "1 dwell": true, "2 readers": true, "2 antennas": true}, got); diff != "" {
		t.Error(diff)
	}
}

// A reader that turns out to report once makes its zone patient at once, and back: who is present stays, whoever has begun to
// arrive begins anew, and what cannot be is refused and changes nothing.
func TestRetune(t *testing.T) {
	zone := func(r Report) Config {
		return Config{Zones: []Zone{{ID: "d", Role: Entrance, Readers: []string{"r"}, Report: r}}}
	}
	tr, err := New(zone(Continuous))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	emit := func(e Event) { got = append(got, told(e)) }
	hear := func(n byte, seconds float64) { tr.Read(tag.Read{ID: tag.ID{1, n}, Reader: "r", At: at(seconds)}, emit) }
	tell := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		got = nil
	}
	for _, s := range []float64{0, 0.1, 0.2} {
		hear(1, s)
	}
	arrived := got
	if len(arrived) != 1 {
		t.Fatalf("arrived %q", arrived)
	}
	got = nil
	hear(2, 0.3) // one of three reads
	bad := zone(Once)
	bad.Zones[0].MinReads = 2
	other := zone(Once)
	other.Zones[0].Readers = []string{"another"}
	for _, c := range []Config{bad, other} {
		if tr.Retune(c, at(0.3)) == nil {
			t.Errorf("%+v was taken", c)
		}
	}
	if err := tr.Retune(zone(Once), at(0.4)); err != nil {
		t.Fatal(err)
	}
	hear(2, 0.5)
	if len(got) != 1 { // one read is an arrival now
		t.Fatalf("got %q", got)
	}
	got = nil
	tr.Tick(at(500), emit) // half a minute is no absence any more
	tell()
	if err := tr.Retune(zone(Continuous), at(501)); err != nil {
		t.Fatal(err)
	}
	tr.Tick(at(501.5), emit)
	if len(got) != 2 {
		t.Errorf("half a minute is an absence again, and %q was told", got)
	}
	got = nil
	hear(1, 502)
	hear(1, 502.1)
	tell() // three reads are an arrival again
	hear(1, 502.2)
	if len(got) != 1 {
		t.Errorf("got %q", got)
	}
}

// flow is reads of many tags in turn, for ever: each tag is read once a second.
type flow struct {
	t     *Tracker
	reads []tag.Read
	now   time.Time
	i     int
}

func newFlow(b *testing.B, tags int) *flow {
	tr, err := New(Config{Zones: []Zone{{ID: "door", Role: Entrance, Readers: []string{"left", "right"}}}})
	if err != nil {
		b.Fatal(err)
	}
	f := &flow{t: tr, reads: make([]tag.Read, tags), now: time.Now()}
	for i := range f.reads {
		f.reads[i] = tag.Read{ID: tagID(uint64(i) * 0x9E3779B97F4A7C15), Reader: [2]string{"left", "right"}[i%2], RSSI: -50, HasRSSI: true}
		for range DefaultMinReads {
			f.reads[i].At = f.now
			tr.Read(f.reads[i], quiet)
		}
	}
	if c := tr.Counts(); c.Present != tags {
		b.Fatalf("%d present, want %d", c.Present, tags)
	}
	return f
}

func quiet(Event) {}

func (f *flow) read() {
	r := &f.reads[f.i]
	r.At = f.now
	f.t.Read(*r, quiet)
	if f.i++; f.i == len(f.reads) {
		f.i = 0
		f.now = f.now.Add(time.Second)
	}
}

func benchmarkRead(b *testing.B, tags int) {
	f := newFlow(b, tags)
	b.ReportAllocs()
	for b.Loop() {
		f.read()
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reads/s")
}

func BenchmarkRead100(b *testing.B)  { benchmarkRead(b, 100) }
func BenchmarkRead100k(b *testing.B) { benchmarkRead(b, 100_000) }

// BenchmarkReadFlat takes turns between few tags and many, so that both see the same machine: 1 is flat.
func BenchmarkReadFlat(b *testing.B) {
	few, many := newFlow(b, 100), newFlow(b, 100_000)
	var short, long time.Duration
	const turn = 20_000
	for b.Loop() {
		for _, f := range []struct {
			*flow
			took *time.Duration
		}{{few, &short}, {many, &long}} {
			began := time.Now()
			for range turn {
				f.read()
			}
			*f.took += time.Since(began)
		}
	}
	b.ReportMetric(float64(long)/float64(short), "100k/100")
	b.ReportMetric(float64(long.Nanoseconds())/float64(b.N)/turn, "ns/read-100k")
	b.ReportMetric(float64(short.Nanoseconds())/float64(b.N)/turn, "ns/read-100")
}

func TestReadDoesNotAllocate(t *testing.T) {
	tr, err := New(Config{Zones: []Zone{{ID: "door", Role: Entrance, Readers: []string{"r"}}}})
	if err != nil {
		t.Fatal(err)
	}
	emit := func(Event) {}
	now := start
	for range 3 {
		tr.Read(tag.Read{ID: tagID(1), At: now, Reader: "r"}, emit)
	}
	n := testing.AllocsPerRun(100, func() {
		now = now.Add(50 * time.Millisecond)
		tr.Read(tag.Read{ID: tagID(1), At: now, Reader: "r"}, emit)
	})
	if n != 0 {
		t.Errorf("%v allocations a read, want 0", n)
	}
}
