package profiles

// Example is a piece of wire and what it means. It is test and manual in one.
type Example struct {
	Name string `yaml:"name,required"`
	// Wire is what arrives, one item a read from the port.
	Wire []Bytes `yaml:"wire"`
	// Bits is one Wiegand frame.
	Bits string `yaml:"bits"`
	// Typed is what a wedge types, 5 ms a key; \n is Enter, \t is Tab.
	Typed  string   `yaml:"typed"`
	Expect []Expect `yaml:"expect"` // in order; empty = nothing comes out

	Line int `yaml:"-"` // where it stands in the file
}

// Expect is one thing that comes out. Exactly one of Tag, Key, Quiet, Error, Answer and Bad is set.
type Expect struct {
	Tag    string `yaml:"tag"`    // scheme and hex: "em4100:62E3086CED"
	Also   string `yaml:"also"`   // with tag: the shorter form
	RSSI   *int   `yaml:"rssi"`   // with tag: dBm
	Key    string `yaml:"key"`    // of a keypad: 0 to 9, * or #
	Quiet  string `yaml:"quiet"`  // the rule's name
	Error  string `yaml:"error"`  // the rule's name
	Answer string `yaml:"answer"` // the rule's name
	Bad    Bad    `yaml:"bad"`    // a frame refused, and why
}

// Bad is why bytes that looked like a frame are none.
type Bad string

// The reasons.
const (
	BadChecksum Bad = "checksum_mismatch"
	BadLength   Bad = "bad_length" // a length that the profile does not believe
	BadEnd      Bad = "bad_end"
	BadCharset  Bad = "bad_charset"
	BadCut      Bad = "cut_short"          // a new start, or silence, before the end
	BadEPCCRC   Bad = "epc_crc_mismatch"   // the frame is whole; what the tag sent is not
	BadPC       Bad = "pc_length_mismatch" // likewise
	BadFields   Bad = "fields_mismatch"    // too short, or too long, for its fields
	BadParity   Bad = "parity_mismatch"    // wiegand
	BadBits     Bad = "bit_count_mismatch" // wiegand
)

// Words lists the vocabulary.
func (Bad) Words() []string {
	return []string{
		string(BadChecksum), string(BadLength), string(BadEnd), string(BadCharset), string(BadCut),
		string(BadEPCCRC), string(BadPC), string(BadFields), string(BadParity), string(BadBits),
	}
}
