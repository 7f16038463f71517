package llrp

import (
	"encoding/binary"
	"fmt"
)

// Type is what a message is (LLRP 1.1, section 17.1).
type Type uint16

// The messages that we send or understand.
const (
	SetReaderConfig         Type = 3
	CloseConnectionResponse Type = 4
	SetReaderConfigResponse Type = 13
	CloseConnection         Type = 14
	AddROSpec               Type = 20
	DeleteROSpec            Type = 21
	StartROSpec             Type = 22
	EnableROSpec            Type = 24
	AddROSpecResponse       Type = 30
	DeleteROSpecResponse    Type = 31
	StartROSpecResponse     Type = 32
	EnableROSpecResponse    Type = 34
	ROAccessReport          Type = 61
	KeepAlive               Type = 62
	ReaderEvent             Type = 63
	KeepAliveAck            Type = 72
	ErrorMessage            Type = 100
)

var typeNames = map[Type]string{
	SetReaderConfig: "SET_READER_CONFIG", SetReaderConfigResponse: "SET_READER_CONFIG_RESPONSE",
	CloseConnection: "CLOSE_CONNECTION", CloseConnectionResponse: "CLOSE_CONNECTION_RESPONSE",
	AddROSpec: "ADD_ROSPEC", AddROSpecResponse: "ADD_ROSPEC_RESPONSE",
	DeleteROSpec: "DELETE_ROSPEC", DeleteROSpecResponse: "DELETE_ROSPEC_RESPONSE",
	StartROSpec: "START_ROSPEC", StartROSpecResponse: "START_ROSPEC_RESPONSE",
	EnableROSpec: "ENABLE_ROSPEC", EnableROSpecResponse: "ENABLE_ROSPEC_RESPONSE",
	ROAccessReport: "RO_ACCESS_REPORT", KeepAlive: "KEEPALIVE", KeepAliveAck: "KEEPALIVE_ACK",
	ReaderEvent: "READER_EVENT_NOTIFICATION", ErrorMessage: "ERROR_MESSAGE",
}

// String is the name in the standard.
func (t Type) String() string {
	if name, ok := typeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("MESSAGE_%d", uint16(t))
}

// Sizes of a message. The longest that is believed holds some 10,000 tags; a length beyond it means that the stream is lost.
const (
	headerSize = 10
	MaxMessage = 512 << 10
)

// Message is one whole message. Body is valid until the call that gave it returns.
type Message struct {
	Version uint8 // 1 is LLRP 1.0.1, 2 is LLRP 1.1
	Type    Type
	ID      uint32
	Body    []byte
}

// Fault is why bytes are not LLRP.
type Fault string

// Error implements error.
func (f Fault) Error() string { return string(f) }

// The faults. The first two lose the stream, the others a parameter.
const (
	ErrHeader    Fault = "not the header of an LLRP message"
	ErrLength    Fault = "a message of a length that is not believed"
	ErrCut       Fault = "a parameter longer than what holds it"
	ErrParameter Fault = "a parameter of an unknown kind and length"
	ErrNoEPC     Fault = "a tag without an EPC"
	ErrBits      Fault = "an EPC with fewer bytes than bits"
	ErrWords     Fault = "an EPC that is not of whole 16-bit words"
)

// header reads the head of a message; b has at least headerSize bytes.
func header(b []byte) (m Message, length int, err error) {
	word := binary.BigEndian.Uint16(b)
	size := binary.BigEndian.Uint32(b[2:])
	m = Message{Version: uint8(word >> 10 & 7), Type: Type(word & 0x3FF), ID: binary.BigEndian.Uint32(b[6:])}
	switch {
	case word>>13 != 0 || m.Version < 1 || m.Version > 2:
		return Message{}, 0, ErrHeader
	case size < headerSize || size > MaxMessage:
		return Message{}, 0, ErrLength
	}
	return m, int(size), nil
}

// Parse reads one message that is all of b.
func Parse(b []byte) (Message, error) {
	if len(b) < headerSize {
		return Message{}, ErrHeader
	}
	m, length, err := header(b)
	if err != nil {
		return Message{}, err
	}
	if length != len(b) {
		return Message{}, ErrLength
	}
	m.Body = b[headerSize:]
	return m, nil
}

// Splitter cuts a stream into messages. The zero value is ready. It keeps at most one message.
type Splitter struct {
	held []byte // the beginning of a message whose rest is still to come
	lost error
}

// Feed takes the next bytes and gives each message that they complete. After an error the stream is lost for good: there
// is nothing in LLRP by which to find it again.
func (s *Splitter) Feed(p []byte, each func(Message)) error {
	for len(p) > 0 && s.lost == nil {
		if len(s.held) == 0 {
			p = s.whole(p, each)
			continue
		}
		n := min(s.missing(), len(p))
		s.held, p = append(s.held, p[:n]...), p[n:]
		if s.missing() == 0 && s.lost == nil {
			m, _, _ := header(s.held)
			m.Body = s.held[headerSize:]
			s.held = s.held[:0]
			each(m)
		}
	}
	return s.lost
}

// whole gives the messages that lie in p as a whole, without a copy, and keeps what is left.
func (s *Splitter) whole(p []byte, each func(Message)) []byte {
	for len(p) >= headerSize {
		m, length, err := header(p)
		if err != nil {
			s.lost = err
			return nil
		}
		if length > len(p) {
			break
		}
		m.Body = p[headerSize:length]
		p = p[length:]
		each(m)
	}
	s.held = append(s.held, p...)
	return nil
}

// missing is how many bytes are wanted next: the rest of the header, then the rest of the message.
func (s *Splitter) missing() int {
	if len(s.held) < headerSize {
		return headerSize - len(s.held)
	}
	_, length, err := header(s.held)
	if err != nil {
		s.lost = err
		return 0
	}
	return length - len(s.held)
}

// Held is how many bytes of an unfinished message wait.
func (s *Splitter) Held() int { return len(s.held) }
