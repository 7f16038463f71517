package profiles

// FramingKind is how the end of a frame is found.
type FramingKind string

// The kinds of framing.
const (
	Delimited FramingKind = "delimited"  // fixed payload between start bytes and one of several ends
	LengthLed FramingKind = "length-led" // a length field says where the frame ends; start bytes may occur in the data
)

// Words lists the vocabulary.
func (FramingKind) Words() []string { return []string{string(Delimited), string(LengthLed)} }

// Framing says where a frame starts, how long it is and what proves it.
type Framing struct {
	Kind    FramingKind `yaml:"kind,required"`
	Start   Bytes       `yaml:"start,required"`
	Next    []Bytes     `yaml:"next"`    // length-led: what may stand right after the start; empty = anything
	Text    TextForm    `yaml:"text"`    // delimited: payload and check are written as text; empty = binary
	Payload int         `yaml:"payload"` // delimited: payload bytes, as binary, without the check
	Length  *Length     `yaml:"length"`  // length-led
	Check   CheckKind   `yaml:"check,required"`
	Ends    []Bytes     `yaml:"ends"` // what may stand after the check; delimited needs one
}

// TextForm is how a payload is written in text.
type TextForm string

// HexText is two ASCII hex digits a byte.
const HexText TextForm = "hex"

// Words lists the vocabulary.
func (TextForm) Words() []string { return []string{string(HexText)} }

// Length is the length field of a length-led frame.
type Length struct {
	At    int   `yaml:"at"`            // offset in the payload
	Size  int   `yaml:"size,required"` // 1 or 2 bytes
	Order Order `yaml:"order"`         // of 2 bytes; default big
	Add   int   `yaml:"add"`           // bytes that the whole frame has more than the field says
	Max   int   `yaml:"max,required"`  // the longest whole frame that is believed
}

// Order is the order of the bytes of a number.
type Order string

// The orders.
const (
	Big    Order = "big"
	Little Order = "little"
)

// Words lists the vocabulary.
func (Order) Words() []string { return []string{string(Big), string(Little)} }

// CheckKind is the check that follows the payload.
type CheckKind string

// The checks. All cover the payload and are one byte.
const (
	XOR  CheckKind = "xor"
	Sum8 CheckKind = "sum8"
)

// Words lists the vocabulary.
func (CheckKind) Words() []string { return []string{string(XOR), string(Sum8)} }

// Frames says what a good frame means. The first rule that matches decides, in the order quiet, reads, errors, answers.
type Frames struct {
	Head    []Field `yaml:"head"`           // fields that every frame begins with; a rule's fields follow them
	Quiet   []Rule  `yaml:"quiet"`          // normal, frequent, not logged
	Reads   []Rule  `yaml:"reads,required"` // a tag was seen
	Errors  []Rule  `yaml:"errors"`         // the reader complains
	Answers []Rule  `yaml:"answers"`        // anything else that has a meaning
}

// Rule gives a meaning to the frames whose payload meets every condition.
type Rule struct {
	Name   string            `yaml:"name,required"`
	When   []Match           `yaml:"when"` // empty = every frame
	Fields []Field           `yaml:"fields"`
	Codes  map[string]string `yaml:"codes"` // what the values of the field `code` mean, by two hex digits
}

// Match is one condition on a payload.
type Match struct {
	At int   `yaml:"at"`          // offset in the payload
	Is Bytes `yaml:"is,required"` // the bytes that stand there
}

// Field is the next bytes of a payload and what they are.
type Field struct {
	Is    FieldKind         `yaml:"is,required"`
	Size  Size              `yaml:"size"`  // bytes, `rest` (all but what the fields after it need) or `length` (what the field `length` said); default is the kind's own
	Less  int               `yaml:"less"`  // length: bytes that it counts and that are not the field's
	Names map[string]string `yaml:"names"` // type: the names of the values, by two hex digits
}

// FieldKind is what the bytes of a field are.
type FieldKind string

// The kinds of field.
const (
	Skip     FieldKind = "skip"    // ignored
	TypeByte FieldKind = "type"    // 1 byte: the frame's type
	CmdByte  FieldKind = "cmd"     // 1 byte: the command that the frame is or answers
	LengthOf FieldKind = "length"  // 1 byte: how long the field of size `length` is, plus Less
	RSSI     FieldKind = "rssi"    // 1 byte, signed: dBm
	PC       FieldKind = "pc"      // 2 bytes: the Gen2 protocol control word; its word count must agree with the EPC
	EPCBytes FieldKind = "epc"     // the EPC
	EPCCRC   FieldKind = "epc_crc" // 2 bytes: the Gen2 CRC-16 over PC and EPC; must agree
	EM       FieldKind = "em4100"  // 5 bytes: version or customer, then the 32-bit number
	Status   FieldKind = "status"  // 1 byte
	Code     FieldKind = "code"    // 1 byte: an error code
	Data     FieldKind = "data"    // anything
)

// Words lists the vocabulary.
func (FieldKind) Words() []string {
	return []string{"skip", "type", "cmd", "length", "rssi", "pc", "epc", "epc_crc", "em4100", "status", "code", "data"}
}
