package trace

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"foyer/reader/tag"
	"foyer/shop/presence"
)

// steady is reads of a tag ten times a second, all of one strength.
func steady(word string, from, to float64, rssi tag.RSSI) (t Trace) {
	for at := from; at < to; at += 0.1 {
		t = append(t, Entry{At: seconds(at), Kind: Read, Reader: "r", Antenna: 1, Tag: word, RSSI: rssi, HasRSSI: true})
	}
	return t
}

func door1() presence.Zone {
	return presence.Zone{ID: "door", Role: presence.Entrance, Readers: []string{"r"}}
}

// A passer-by at -60 dBm, a member at -50 who is hidden for 40 s: the settings found must lie between, and be patient.
func TestTuneFindsWhatTheRecordingShows(t *testing.T) {
	made := steady("passer", 0, 20, -60)
	made = append(made, Entry{At: seconds(30), Kind: Arrived, Zone: "door", Tag: "anna"})
	made = append(made, steady("anna", 30, 40, -50)...)
	made = append(made, steady("anna", 80, 90, -50)...)
	made = append(made, Entry{At: seconds(90), Kind: Left, Zone: "door", Tag: "anna"})
	trials, err := Tune(made, door1())
	if err != nil {
		t.Fatal(err)
	}
	best := trials[0]
	if z := best.Zone; best.Score.F1() != 1 || z.Enter <= -60 || z.Enter > -50 || z.Grace <= 40*time.Second {
		t.Errorf("%s: %v", Settings(z), best.Score)
	}
	if worst := trials[len(trials)-1]; worst.Score.F1() >= 1 {
		t.Error("nothing that was tried was bad: the grid is too small to learn from")
	}
}

// What is tuned on one day is good on another, in the same shop.
func TestTuneHoldsOnAnotherDay(t *testing.T) {
	s, _ := Find("looks-out")
	scene := s.Scene(1)
	trials, err := Tune(scene.Make(1), presence.Zone{ID: "door", Role: presence.Entrance, Readers: []string{"uhf"}})
	if err != nil {
		t.Fatal(err)
	}
	var other Score
	for seed := range uint64(4) {
		made := s.Scene(seed + 50).Make(seed + 50)
		decided, err := Play(made, []presence.Zone{trials[0].Zone})
		if err != nil {
			t.Fatal(err)
		}
		other.Add(Compare(made, decided))
	}
	if other.F1() < 0.95 {
		t.Errorf("%s: on other days %v", Settings(trials[0].Zone), other)
	}
}

func TestTuneRefuses(t *testing.T) {
	for want, made := range map[string]Trace{
		"nothing was read": {{Kind: Arrived, Zone: "door", Tag: "a"}},
		"nobody is marked": steady("a", 0, 1, -50),
	} {
		if _, err := Tune(made, door1()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// The plot is XML, and draws reads, marks, floors, arrivals, departures and the reader's absence.
func TestPlot(t *testing.T) {
	s, _ := Find("reader-resets")
	scene := s.Scene(1)
	made := scene.Make(1)
	decided, err := Play(made, scene.Zones)
	if err != nil {
		t.Fatal(err)
	}
	var svg bytes.Buffer
	if err := Plot(&svg, made, scene.Zones[0], decided); err != nil {
		t.Fatal(err)
	}
	text := svg.String()
	for d := xml.NewDecoder(&svg); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"<circle", "#cfe8cf", "#2f855a", "l-5 -9", "#c53030", "#ddd", "Zone door", ">p1<"} {
		if !strings.Contains(text, want) {
			t.Errorf("the plot has no %s", want)
		}
	}
	if strings.Contains(text, "NaN") {
		t.Error("the plot has a place that is no number")
	}
}
