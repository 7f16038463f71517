package profiles

// FramingKind is how the end of a frame is found.
type FramingKind string

// The kinds of framing.
const (
	Delimited FramingKind = "delimited"  // fixed payload between start bytes and one of several ends
	LengthLed FramingKind = "length-led" // a length field says where the frame ends; start bytes may occur in the data
	TextLine  FramingKind = "text"       // a line of text up to one of several ends, without a check
	CodeFrame FramingKind = "codec"      // as the codec of the profile does it
)

// Words lists the vocabulary.
func (FramingKind) Words() []string {
	return []string{string(Delimited), string(LengthLed), string(TextLine), string(CodeFrame)}
}

// Framing says where a frame starts, how long it is and what proves it.
type Framing struct {
	Kind    FramingKind `yaml:"kind,required"`
	Start   Bytes       `yaml:"start"`   // delimited needs it; length-led without it: every byte may begin a frame, and the check tells
	Next    []Bytes     `yaml:"next"`    // length-led: what may stand at next_at; empty = anything
	NextAt  int         `yaml:"next_at"` // length-led: offset in the payload of the byte that next lists
	Text    TextForm    `yaml:"text"`    // delimited: payload and check are written as text; empty = binary
	Payload int         `yaml:"payload"` // delimited: payload bytes, as binary, without the check; text: the longest line
	Charset Charset     `yaml:"charset"` // text: what a line may hold; default printable
	Strip   Bytes       `yaml:"strip"`   // text: taken off the beginning of a line where it stands there
	Length  *Length     `yaml:"length"`  // length-led
	Check   CheckKind   `yaml:"check"`   // delimited and length-led need it
	Ends    []Bytes     `yaml:"ends"`    // what may stand after the check; delimited and text need one
}

// Charset is what a line of text may hold.
type Charset string

// The charsets. All of them take GS (1D), which parts the elements of a GS1 code.
const (
	Printable Charset = "printable" // ASCII 20 to 7E
	Digits    Charset = "digits"    // ASCII 0 to 9
	UTF8      Charset = "utf-8"     // whole characters, no control characters
)

// Words lists the vocabulary.
func (Charset) Words() []string { return []string{string(Printable), string(Digits), string(UTF8)} }

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
	Sent  *int  `yaml:"sent_add"`      // the same for frames that we send, where it differs
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

// Frames says what a good frame means. The first rule that matches decides, in the order quiet, reads, errors, answers.
type Frames struct {
	Head    []Field `yaml:"head"`           // fields that every frame begins with; a rule's fields follow them
	Quiet   []Rule  `yaml:"quiet"`          // normal, frequent, not logged
	Reads   []Rule  `yaml:"reads,required"` // a tag was seen
	Errors  []Rule  `yaml:"errors"`         // the reader complains
	Answers []Rule  `yaml:"answers"`        // anything else that has a meaning
	Sent    []Rule  `yaml:"sent"`           // what frames mean that we send: for tools that show a recording
}

// Rule gives a meaning to the frames whose payload meets every condition.
type Rule struct {
	Name   string            `yaml:"name,required"`
	When   []Match           `yaml:"when"` // empty = every frame
	Fields []Field           `yaml:"fields"`
	Codes  map[string]string `yaml:"codes"` // what the values of the field `code` mean, by two hex digits
	Means  string            `yaml:"means"` // one word or two that tools show as "meaning"
	Type   string            `yaml:"type"`  // what tools show as "type" where the frame has no field for it
}

// Match is one condition on a payload.
type Match struct {
	At  int   `yaml:"at"`          // offset in the payload
	Is  Bytes `yaml:"is,required"` // the bytes that stand there
	Not bool  `yaml:"not"`         // true: that do not stand there
}

// Field is the next bytes of a payload and what they are.
type Field struct {
	Is    FieldKind         `yaml:"is,required"`
	Size  Size              `yaml:"size"`  // bytes, `rest` (all but what the fields after it need) or `length` (what the field `length` said); default is the kind's own
	Less  int               `yaml:"less"`  // length: bytes that it counts and that are not the field's
	Names map[string]string `yaml:"names"` // type, cmd and number: the names of the values, by two hex digits
	As    string            `yaml:"as"`    // cmd and number: what tools call it; number needs it
	Plus  int               `yaml:"plus"`  // number: what is added before it is shown: antennas count from 1
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
	Number   FieldKind = "number"  // 1 to 4 bytes, most significant first: a value that tools show
	Records  FieldKind = "records" // the tags of a frame, as the codec reads them
	UIDBytes FieldKind = "uid"     // 4, 7 or 10 bytes: the number of an ISO/IEC 14443 card
	TextOf   FieldKind = "text"    // what was scanned; a GSRN in it is the member's
)

// Words lists the vocabulary.
func (FieldKind) Words() []string {
	return []string{"skip", "type", "cmd", "length", "rssi", "pc", "epc", "epc_crc", "em4100", "status", "code", "data", "number", "records", "uid", "text"}
}
