package journal

import "fmt"

// Class says what a record is worth when there is no room for all. The zero value is worth most.
type Class uint8

// The classes, most valuable first.
const (
	Keep      Class = iota // never given up: the journal rather refuses new ones, and says so
	Visit                  // the oldest are given up for room, once no statistics are left
	Statistic              // the oldest are given up first
	classes   = iota
)

func (c Class) String() string {
	if c < classes {
		return [classes]string{"keep", "visit", "statistic"}[c]
	}
	return fmt.Sprintf("class %d", uint8(c))
}

// Thinned counts what was given up for room since the file was made, by class.
type Thinned [classes]uint64

func (t *Thinned) add(other Thinned) {
	for c, n := range other {
		t[c] += n
	}
}

// logName is the bucket of a lane's records of one class. Each class has its own, so that giving up the oldest of one
// empties whole pages; all classes of a lane count with the same sequence.
func logName(lane string, c Class) []byte {
	if c == Keep {
		return []byte(lane) // as in format 1, which had no classes
	}
	return append([]byte(lane), byte(c))
}

// parseLogName is its inverse: a lane's name is printable, so a last byte that is not is a class.
func parseLogName(b []byte) (lane string, c Class, err error) {
	if n := len(b); n > 0 && b[n-1] < classes {
		lane, c = string(b[:n-1]), Class(b[n-1])
	} else {
		lane = string(b)
	}
	return lane, c, checkName("lane", lane)
}

// Why says why a record is not there any more.
type Why uint8

// The reasons.
const (
	GivenUp Why = iota // for room: the disk or the quota was full
	Damaged            // the disk gave back other bytes than it was given
)

func (w Why) String() string {
	if w == Damaged {
		return "damaged"
	}
	return "given up"
}
