package llrp

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Status is an LLRPStatus: how a command went.
type Status struct {
	Code uint16 // 0 is success
	Text string // the reader's own words; may be empty
}

// Error implements error.
func (s Status) Error() string {
	if s.Text == "" {
		return fmt.Sprintf("status %d", s.Code)
	}
	return fmt.Sprintf("status %d, %q", s.Code, s.Text)
}

// maxText bounds what is kept of a reader's own words.
const maxText = 200

// ParseStatus reads the LLRPStatus of an answer or an ERROR_MESSAGE.
func ParseStatus(body []byte) (Status, error) {
	v, ok := find(body, pStatus)
	if !ok || len(v) < 4 {
		return Status{}, ErrCut
	}
	return Status{Code: binary.BigEndian.Uint16(v), Text: text(v[2:])}, nil
}

// text reads a count of bytes and the bytes, as far as they are there.
func text(v []byte) string {
	if len(v) < 2 {
		return ""
	}
	n := min(int(binary.BigEndian.Uint16(v)), len(v)-2, maxText)
	return strings.ToValidUTF8(string(v[2:2+n]), "?")
}

// EventKind is what a reader tells of itself.
type EventKind uint8

// The events that mean something to us. All others are OtherEvent.
const (
	OtherEvent    EventKind = iota
	Connected               // Code 0; otherwise why the reader refuses us, see Refusal
	Closing                 // the reader hangs up
	ROSpecEvent             // Code 0 started, 1 ended, 2 pre-empted
	AntennaEvent            // Code 0 lost, 1 found; Antenna says which
	Exception               // Text says what
	BufferWarning           // Code is the level in percent
	BufferLost              // reports were lost
)

// Event is one event of a READER_EVENT_NOTIFICATION.
type Event struct {
	Kind    EventKind
	Code    uint16
	Antenna uint16
	Text    string
}

// Refusal says in words why a ConnectionAttemptEvent is no success (LLRP 1.1, 15.2.4.4.11).
func (e Event) Refusal() string {
	switch e.Code {
	case 1:
		return "the reader has a connection of its own making"
	case 2:
		return "another program is connected to it"
	case 4:
		return "another connection was attempted at the same time"
	}
	return fmt.Sprintf("reason %d", e.Code)
}

// EachEvent gives the events of a READER_EVENT_NOTIFICATION. One that is cut short is passed over.
func EachEvent(body []byte, each func(Event)) error {
	b, ok := find(body, pEventData)
	if !ok {
		return ErrCut
	}
	for len(b) > 0 {
		kind, v, rest, err := parameter(b)
		if err != nil {
			return err
		}
		b = rest
		if e, ok := event(kind, v); ok {
			each(e)
		}
	}
	return nil
}

func event(kind uint16, v []byte) (Event, bool) {
	switch {
	case kind == pConnection && len(v) >= 2:
		return Event{Kind: Connected, Code: binary.BigEndian.Uint16(v)}, true
	case kind == pClosed:
		return Event{Kind: Closing}, true
	case kind == pROSpecEvent && len(v) >= 1:
		return Event{Kind: ROSpecEvent, Code: uint16(v[0])}, true
	case kind == pAntennaEvent && len(v) >= 3:
		return Event{Kind: AntennaEvent, Code: uint16(v[0]), Antenna: binary.BigEndian.Uint16(v[1:])}, true
	case kind == pException:
		return Event{Kind: Exception, Text: text(v)}, true
	case kind == pBufferWarning && len(v) >= 1:
		return Event{Kind: BufferWarning, Code: uint16(v[0])}, true
	case kind == pBufferLost:
		return Event{Kind: BufferLost}, true
	case kind >= 247 && kind <= pClosed:
		return Event{Kind: OtherEvent}, true
	}
	return Event{}, false
}
