// Package profiles holds what Foyer knows about readers as data: one YAML file a protocol, the products that speak it
// listed inside, with a closed vocabulary and wire examples that are its test and its manual.
//
// In: YAML bytes, the built-in ones under readers/ or a technician's own file. Out: an immutable Profile, or every fault
// at once, each with file and line. Times are time.Duration, bytes are hex in the YAML ("BB 00 22").
// It never opens a port, never decodes a frame, and never runs code from a profile.
// Called by reader/frame (which compiles a Profile into a splitter and a decoder), reader (link settings, session),
// cmd/foyer (check, list, play) and internal/daemon.
//
// All offsets in a profile count in the payload: the bytes of a frame after the start bytes and before the check, turned
// into binary first where the framing says `text: hex`.
package profiles

import "time"

// Schema is the version of the vocabulary that this package reads.
const Schema = 1

// Profile is one protocol. It is immutable once parsed; share it freely.
type Profile struct {
	Schema    int           `yaml:"schema,required"` // the vocabulary's version: 1
	ID        string        `yaml:"id,required"`     // lower case letters, digits and dashes; what a configuration names
	Kind      Kind          `yaml:"kind,required"`   // how it is wired: serial, wiegand, llrp or wedge
	About     About         `yaml:"about,required"`
	Report    Report        `yaml:"report,required"`
	Cadence   time.Duration `yaml:"cadence"`   // how often a tag in the field is reported again; 0 = not known
	Link      *Link         `yaml:"link"`      // serial: defaults of the line
	Framing   *Framing      `yaml:"framing"`   // serial: where a frame starts, how long it is, what proves it
	Codec     Codec         `yaml:"codec"`     // serial: Go code for what the vocabulary cannot say; empty for most
	Session   Session       `yaml:"session"`   // serial: what is sent to the reader; empty for one that only talks
	Frames    *Frames       `yaml:"frames"`    // serial: what a frame means
	Wiegand   *Wiegand      `yaml:"wiegand"`   // wiegand: bits, parity and timing
	LLRP      *LLRPPlan     `yaml:"llrp"`      // llrp: what the reader is asked to do
	Wedge     *WedgePlan    `yaml:"wedge"`     // wedge: how it types
	Probe     *Command      `yaml:"probe"`     // serial: a question that changes nothing in the reader, for foyer reader probe; empty = only listen
	Canonical Canonical     `yaml:"canonical"` // which identity is stored, which shorter one may match too; not for a keypad alone
	Examples  []Example     `yaml:"examples,required"`

	File string `yaml:"-"` // where it was read from, for messages
}

// Kind is how a reader is wired.
type Kind string

// The kinds.
const (
	Serial      Kind = "serial"
	WiegandGPIO Kind = "wiegand"
)

// Words lists the vocabulary.
func (Kind) Words() []string {
	return []string{string(Serial), string(WiegandGPIO), string(LLRPNetwork), string(Wedge)}
}

// Report is what a reader tells while a tag stays near it. Presence chooses its grace by it.
type Report string

// The ways to report.
const (
	Continuous Report = "continuous" // again and again, every Cadence: silence means gone
	Once       Report = "once"       // one frame a presentation: silence means nothing
	Polled     Report = "polled"     // an answer to each poll of ours: a missed answer may mean gone
)

// Words lists the vocabulary.
func (Report) Words() []string { return []string{string(Continuous), string(Once), string(Polled)} }

// About is what people read: names, products and warnings.
type About struct {
	Title    Text      `yaml:"title,required"`
	Products []Product `yaml:"products,required"`
	Caveats  []Caveat  `yaml:"caveats"`
	Captures []string  `yaml:"captures"` // other names that recorded captures use for this protocol
}

// Text is one text in every language that the product speaks.
type Text struct {
	EN   string `yaml:"en,required"`
	ZhCN string `yaml:"zh-CN,required"`
}

// In returns the text in lang, or in English where lang is not one of ours.
func (t Text) In(lang string) string {
	if lang == "zh-CN" {
		return t.ZhCN
	}
	return t.EN
}

// Product is a thing that a shop can buy.
type Product struct {
	Vendor string `yaml:"vendor,required"`
	Model  string `yaml:"model,required"`
	Note   *Text  `yaml:"note"`
}

// Caveat is what a technician must know before trusting the reader, with where that is written.
type Caveat struct {
	Text Text   `yaml:"text,required"`
	Link string `yaml:"link"` // https only
}

// Link is how the line is set unless the configuration says otherwise.
type Link struct {
	Serial      SerialLine    `yaml:"serial,required"`
	ReadTimeout time.Duration `yaml:"read_timeout"` // silence that ends a frame cut short; default 100ms
}

// SerialLine is the setting of a UART.
type SerialLine struct {
	Baud   int    `yaml:"baud,required"`
	Data   int    `yaml:"data"`   // bits a byte, 5 to 8; default 8
	Parity Parity `yaml:"parity"` // default none
	Stop   int    `yaml:"stop"`   // stop bits, 1 or 2; default 1
}

// Parity is the parity of a UART's bytes or of a group of Wiegand bits.
type Parity string

// The parities.
const (
	NoParity Parity = "none"
	Even     Parity = "even"
	Odd      Parity = "odd"
)

// Words lists the vocabulary.
func (Parity) Words() []string { return []string{string(NoParity), string(Even), string(Odd)} }

// Session is what we send to the reader. All of it is optional.
//
// The order is: Start, one command after the other; then Poll for ever, if there is one; Start again whenever Rearm says
// so; Stop when we leave.
type Session struct {
	Wake    Bytes         `yaml:"wake"` // sent before Start and thrown away by a sleeping reader
	Start   []Command     `yaml:"start"`
	Poll    *Poll         `yaml:"poll"`
	Rearm   Rearm         `yaml:"rearm"`
	Stop    []Command     `yaml:"stop"`
	Gap     time.Duration `yaml:"gap"`     // silence on the line before a command: a busy reader loses what comes sooner
	Confirm *Confirm      `yaml:"confirm"` // for readers that want each read acknowledged
}

// Confirm is a frame sent whenever one of a kind was received.
type Confirm struct {
	When []Match `yaml:"when,required"`
	Send Bytes   `yaml:"send,required"` // the whole frame
}

// Command is one whole frame to send, and the answer to wait for.
type Command struct {
	Name     string        `yaml:"name,required"`
	Send     Bytes         `yaml:"send,required"` // the whole frame, start and check included
	Reply    []Match       `yaml:"reply"`         // conditions on the payload of the answer; empty = none is expected
	Within   time.Duration `yaml:"within"`        // how long to wait for the answer; default 500ms
	Optional bool          `yaml:"optional"`      // go on without the answer
}

// Poll is a command sent for ever.
type Poll struct {
	Command Command       `yaml:"command,required"`
	Every   time.Duration `yaml:"every,required"` // from one poll to the next
	Turns   []Command     `yaml:"turns"`          // before each poll the next of these, round and round: they choose an antenna; one alone is sent after each start
}

// Rearm says when Start is run again. Zero fields mean never.
type Rearm struct {
	Every        time.Duration `yaml:"every"`         // since the last Start
	AfterSilence time.Duration `yaml:"after_silence"` // since the last good frame, quiet ones included
	On           []Match       `yaml:"on"`            // a frame that nobody asked for: the reader has restarted
}

// Canonical is the one level of identity rules. Schemes are named as in reader/tag.
type Canonical struct {
	Scheme Scheme `yaml:"scheme,required"` // what is stored
	Also   Scheme `yaml:"also"`            // the shorter form that may match too; empty = none
}

// Scheme names a kind of number as reader/tag does.
type Scheme string

// The schemes that a profile may name.
const (
	EM4100    Scheme = "em4100"     // 40 bits
	EM4100x32 Scheme = "em4100-32"  // without the version byte: the printed ten digits
	EM4100x24 Scheme = "em4100-24"  // facility and card as Wiegand-26 sends them
	EPC       Scheme = "epc"        // a GSRN-96 in it becomes the member's GSRN
	Wiegand32 Scheme = "wiegand-32" // 32 bits over Wiegand that are no EM4100 number
	WiegandN  Scheme = "wiegand"    // any other Wiegand card: the count of its bits, then its number
	UID       Scheme = "uid"        // of an ISO/IEC 14443 card; a random one is no identity
	CodeText  Scheme = "text"       // of a scanned code; a GSRN in it becomes the member's GSRN
)

// Words lists the vocabulary.
func (Scheme) Words() []string {
	return []string{string(EM4100), string(EM4100x32), string(EM4100x24), string(EPC), string(Wiegand32), string(WiegandN), string(UID),
		string(CodeText)}
}
