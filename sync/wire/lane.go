package wire

import "strings"

// The lanes, each a log of its own with its own contiguous sequence. What concerns one visit stays in one lane, where its order
// is kept; between lanes there is no order.
const (
	CaseLane  = "cases" // what somebody was given or is owed, and what an operator waits for
	MainLane  = "main"  // visits and what was said and done in them; before there were lanes, everything
	CountLane = "count" // numbers for reports
)

// Lanes lists them in the order in which they go first.
var Lanes = []string{CaseLane, MainLane, CountLane}

// Worth says what a record is worth to a store that has no room for all. The zero value is worth most.
type Worth uint8

// The worths, most valuable first.
const (
	WorthKeeping Worth = iota // is never given up
	AVisit                    // the oldest go once there are no statistics left
	AStatistic                // something about a moment: the oldest go first
)

// place is where a kind travels and what it is worth.
type place struct {
	lane  string
	worth Worth
}

// places says it by a kind's first word. What is not here goes with the visits, and is kept.
var places = map[string]place{
	"redemption": {CaseLane, WorthKeeping}, "coupon": {CaseLane, WorthKeeping}, "draw": {CaseLane, WorthKeeping},
	"prize": {CaseLane, WorthKeeping}, "reward": {CaseLane, WorthKeeping}, "signup": {CaseLane, WorthKeeping},
	"consent": {CaseLane, WorthKeeping}, "member": {CaseLane, WorthKeeping}, "tag": {CaseLane, WorthKeeping},
	"case": {CaseLane, WorthKeeping}, "survey": {CaseLane, WorthKeeping}, "answer": {CaseLane, WorthKeeping},
	"snapshot": {CaseLane, WorthKeeping}, "pack": {CaseLane, WorthKeeping}, "command": {CaseLane, WorthKeeping},
	"memory": {CaseLane, WorthKeeping},

	"visit": {MainLane, AVisit}, "reception": {MainLane, AVisit}, "greeting": {MainLane, AStatistic},

	"kiosk": {CountLane, AVisit}, "demo": {CountLane, AVisit}, "strangers": {CountLane, AStatistic}, "reader": {CountLane, AStatistic},
}

// LaneOf is the lane that a kind of record travels in. A RecordLost travels in that of the record it stands for.
func LaneOf(k Kind) string {
	if p := placeOf(k); p.lane != "" {
		return p.lane
	}
	return MainLane
}

// WorthOf is what a kind of record is worth.
func WorthOf(k Kind) Worth { return placeOf(k).worth }

func placeOf(k Kind) place {
	noun, _, _ := strings.Cut(string(k), ".")
	return places[noun]
}
