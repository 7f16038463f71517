package cart

import (
	"slices"

	"github.com/tetratelabs/wazero/api"
)

// call is a function of the machine that a cartridge may use.
type call struct {
	params int // all are 32 bit whole numbers
	result bool
	do     func(m *Machine, stack []uint64)
}

func (c call) takes() []api.ValueType {
	return slices.Repeat([]api.ValueType{api.ValueTypeI32}, c.params)
}

func (c call) gives() []api.ValueType {
	if c.result {
		return []api.ValueType{api.ValueTypeI32}
	}
	return nil
}

// shim is a small program that owns the memory and hands the machine's functions on: the module "env" that cartridges
// import both from. The binary format is that of the WebAssembly core specification 1.0, section 5.5.
func shim() []byte {
	names := make([]string, 0, len(calls))
	for n := range calls {
		names = append(names, n)
	}
	slices.Sort(names)
	var types, imports, exports []byte
	for i, n := range names {
		c := calls[n]
		types = append(types, 0x60)
		types = number(types, c.params)
		types = append(types, slices.Repeat([]byte{0x7F}, c.params)...)
		if c.result {
			types = append(types, 1, 0x7F)
		} else {
			types = append(types, 0)
		}
		imports = word(word(imports, "machine"), n)
		imports = number(append(imports, 0x00), i)
		exports = number(append(word(exports, n), 0x00), i)
	}
	exports = append(word(exports, "memory"), 0x02, 0)
	out := []byte{0x00, 'a', 's', 'm', 1, 0, 0, 0}
	out = section(out, 1, len(names), types)
	out = section(out, 2, len(names), imports)
	out = section(out, 5, 1, []byte{1, 1, 1}) // one page, and never more
	return section(out, 7, len(names)+1, exports)
}

func section(out []byte, id byte, count int, body []byte) []byte {
	body = append(number(nil, count), body...)
	return append(number(append(out, id), len(body)), body...)
}

func word(out []byte, s string) []byte { return append(number(out, len(s)), s...) }

// number is unsigned LEB128.
func number(out []byte, n int) []byte {
	for n >= 0x80 {
		out = append(out, byte(n)|0x80)
		n >>= 7
	}
	return append(out, byte(n))
}
