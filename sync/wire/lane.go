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

// laneOf says by a kind's first word where it belongs. What is not here goes with the visits.
var laneOf = map[string]string{
	"redemption": CaseLane, "coupon": CaseLane, "draw": CaseLane, "prize": CaseLane, "reward": CaseLane,
	"signup": CaseLane, "consent": CaseLane, "member": CaseLane, "tag": CaseLane, "case": CaseLane,
	"survey": CaseLane, "answer": CaseLane, "snapshot": CaseLane, "pack": CaseLane, "command": CaseLane,

	"visit": MainLane, "greeting": MainLane, "reception": MainLane,

	"kiosk": CountLane, "strangers": CountLane, "reader": CountLane,
}

// LaneOf is the lane that a kind of record travels in.
func LaneOf(k Kind) string {
	noun, _, _ := strings.Cut(string(k), ".")
	if lane := laneOf[noun]; lane != "" {
		return lane
	}
	return MainLane
}
