package presence

import (
	"strings"
	"testing"
	"time"

	"foyer/reader/tag"

	"github.com/google/go-cmp/cmp"
)

// beat is tag 0 read by an antenna, or what becomes of a reader.
type beat struct {
	at      float64
	reader  string
	antenna uint8
	rssi    tag.RSSI // 0: none is told
	online  string
}

func run(t *testing.T, zones []Zone, beats []beat) (got []string) {
	t.Helper()
	tr, err := New(Config{Zones: zones})
	if err != nil {
		t.Fatal(err)
	}
	emit := func(e Event) { got = append(got, told(e)) }
	for _, b := range beats {
		switch {
		case b.online != "":
			tr.ReaderOnline(b.reader, b.online == "on", at(b.at))
		case b.reader == "":
			tr.Tick(at(b.at), emit)
		default:
			tr.Read(tag.Read{ID: tagID(0), At: at(b.at), Reader: b.reader, Antenna: b.antenna, RSSI: b.rssi, HasRSSI: b.rssi != 0}, emit)
		}
	}
	return got
}

// every returns beats like b from its time up to some time.
func every(period, until float64, b beat) (out []beat) {
	for b.at <= until+1e-9 {
		out = append(out, b)
		b.at += period
	}
	return out
}

func join(parts ...[]beat) (out []beat) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func TestRulesOfStrengthAndKind(t *testing.T) {
	zone := func(change func(*Zone)) []Zone {
		z := Zone{ID: "door", Role: Entrance, Readers: []string{"r"}, Enter: -60, Leave: -70, Grace: 10 * time.Second}
		change(&z)
		return []Zone{z}
	}
	for _, tc := range []struct {
		name  string
		zones []Zone
		beats []beat
		want  []string
	}{
		{"one peak among weak reads does not bring an averaged strength up: it arrives with the third strong mean",
			zone(func(z *Zone) { z.Average = 4 }),
			[]beat{{at: 0, reader: "r", rssi: -75}, {at: 0.1, reader: "r", rssi: -75}, {at: 0.2, reader: "r", rssi: -75}, {at: 0.3, reader: "r", rssi: -55},
				{at: 0.4, reader: "r", rssi: -60}, {at: 0.5, reader: "r", rssi: -60}, {at: 0.6, reader: "r", rssi: -60}}, // means -60.9, then -59.8, -58.8, -58.2
			[]string{"0.60 arrived door"}},
		{"the mean is of powers: a tag heard well every other time is near",
			zone(func(z *Zone) { z.Average = 2 }),
			[]beat{{at: 0, reader: "r", rssi: -57}, {at: 0.1, reader: "r", rssi: -80}, {at: 0.2, reader: "r", rssi: -57}}, // -57, -59.99, -59.99; in dB it would be -68.5
			[]string{"0.20 arrived door"}},
		{"a silence begins a new mean",
			zone(func(z *Zone) { z.Average = 8; z.MinReads = 1 }),
			[]beat{{at: 0, reader: "r", rssi: -90}, {at: 0.5, reader: "r", rssi: -90}, {at: 1.6, reader: "r", rssi: -60}},
			[]string{"1.60 arrived door"}},
		{"dwell keeps who walks by from arriving",
			zone(func(z *Zone) { z.Dwell = 2 * time.Second }),
			join(every(0.1, 1.9, beat{reader: "r", rssi: -50}), []beat{{at: 3.9}}),
			[]string{"3.90 passed door"}},
		{"and who stays arrives by it",
			zone(func(z *Zone) { z.Dwell = 2 * time.Second }),
			every(0.25, 3, beat{reader: "r", rssi: -50}),
			[]string{"2.00 arrived door"}},
		{"a pause over the window begins the dwell anew",
			zone(func(z *Zone) { z.Dwell = 2 * time.Second }),
			join(every(0.25, 1.5, beat{reader: "r", rssi: -50}), every(0.25, 5, beat{at: 2.75, reader: "r", rssi: -50})),
			[]string{"4.75 arrived door"}},
		{"a tag reported once is here by one read and for ten minutes",
			[]Zone{{ID: "door", Role: Entrance, Readers: []string{"r"}, Report: Once}},
			[]beat{{at: 1, reader: "r", rssi: -50}, {at: 600.9}, {at: 601}},
			[]string{"1.00 arrived door", "601.00 left door (seen 1.00)"}},
		{"polls may miss and be slow",
			[]Zone{{ID: "pad", Role: Kiosk, Readers: []string{"r"}, Report: Polled, Tap: true}},
			[]beat{{at: 0, reader: "r"}, {at: 2.9, reader: "r"}, {at: 5.8, reader: "r"}, {at: 8.8}},
			[]string{"0.00 arrived pad", "8.80 left pad (seen 5.80)"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, run(t, tc.zones, tc.beats)); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

// One reader with two antennas: the door and, a few steps on, the till.
func hall(change ...func(door, till *Zone)) []Zone {
	door := Zone{ID: "door", Role: Entrance, Readers: []string{"r"}, Antennas: map[string][]uint8{"r": {1}}, Group: "hall", Average: 4}
	till := Zone{ID: "till", Role: Counter, Readers: []string{"r", "pad"}, Antennas: map[string][]uint8{"r": {2, 3}}, Group: "hall", Average: 4}
	for _, f := range change {
		f(&door, &till)
	}
	return []Zone{door, till}
}

func TestMoves(t *testing.T) {
	door := func(rssi tag.RSSI) beat { return beat{reader: "r", antenna: 1, rssi: rssi} }
	till := func(rssi tag.RSSI) beat { return beat{reader: "r", antenna: 2, rssi: rssi} }
	from := func(at float64, b beat) beat { b.at = at; return b }
	both := func(begin, end float64, d, w tag.RSSI) (out []beat) {
		for at := begin; at < end; at += 0.2 {
			out = append(out, from(at, door(d)), from(at+0.1, till(w)))
		}
		return out
	}
	for _, tc := range []struct {
		name  string
		zones []Zone
		beats []beat
		want  []string
	}{
		{"who is heard stronger at the other one moves, after the hold-off",
			hall(), join(every(0.1, 0.5, door(-50)), both(0.6, 3, -62, -50)),
			[]string{"0.20 arrived door", "2.30 moved door to till"}},
		{"who is heard at both alike stays",
			hall(), join(every(0.1, 0.5, door(-55)), both(0.6, 60, -55, -50)),
			[]string{"0.20 arrived door"}},
		{"who is no longer heard here moves without being stronger",
			hall(), join(every(0.1, 3, door(-50)), every(0.1, 6, from(3.1, till(-64)))),
			[]string{"0.20 arrived door", "5.10 moved door to till"}},
		{"weak reads at the other one draw nobody, and who leaves from here did not pass there",
			hall(), join(every(0.1, 0.5, door(-50)), every(0.5, 40, from(0.6, till(-70))), []beat{{at: 45}}),
			[]string{"0.20 arrived door", "30.60 left door (seen 0.50)", "45.00 passed till"}},
		{"a silent reader that is offline draws nobody away",
			hall(func(d, w *Zone) { d.Readers, d.Antennas = []string{"x"}, nil }),
			join([]beat{{at: 0, reader: "x", rssi: -50}, {at: 0.1, reader: "x", rssi: -50}, {at: 0.2, reader: "x", rssi: -50}, {at: 0.3, reader: "x", online: "off"}},
				every(0.1, 20, from(1, till(-64)))),
			[]string{"0.20 arrived door"}},
		{"a tap moves at once",
			hall(func(d, w *Zone) { w.Tap = true }), join(every(0.1, 0.5, door(-40)), []beat{{at: 0.6, reader: "pad"}, {at: 0.7, reader: "r", antenna: 1, rssi: -40}}),
			[]string{"0.20 arrived door", "0.60 moved door to till"}},
		{"the grace is that of the zone where it went",
			hall(func(d, w *Zone) { w.Grace = 3 * time.Second }), join(every(0.1, 0.5, door(-60)), every(0.1, 4, from(0.6, till(-50))), []beat{{at: 6.99}, {at: 7}}),
			[]string{"0.20 arrived door", "2.20 moved door to till", "7.00 left till (seen 4.00)"}},
		{"an antenna of no zone is not heard, and a reader that tells none apart means its first",
			hall(), join(every(0.1, 3, beat{reader: "r", antenna: 4, rssi: -40}), every(0.1, 3.2, beat{at: 3, reader: "r", rssi: -40})),
			[]string{"3.20 arrived door"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, run(t, tc.zones, tc.beats)); diff != "" {
				t.Errorf("want (-), got (+):\n%s", diff)
			}
		})
	}
}

func TestZonesThatCannotBe(t *testing.T) {
	_, err := New(Config{Zones: []Zone{
		{ID: "a", Role: Entrance, Readers: []string{"r"}, Antennas: map[string][]uint8{"r": {1, 70}, "s": {1}}, Average: 9, Dwell: -1},
		{ID: "b", Role: Entrance, Readers: []string{"r"}, Antennas: map[string][]uint8{"r": {1}}, Report: "often", HoldOff: -1},
		{ID: "c", Role: Entrance, Readers: []string{"r"}},
		{ID: "d", Role: Entrance, Readers: []string{"t"}, Report: Once, MinReads: 2},
	}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"antenna 70", `reader "s": it is none`, "average 9", "dwell -1ns", `antenna 1 of reader "r" is in zone "a"`, `report "often"`,
		"hold-off -1ns", "name its antennas here too", "would never arrive"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("missing %q in:\n%v", want, err)
		}
	}
}
