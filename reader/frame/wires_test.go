package frame

import "pgregory.net/rapid"

// The frames of the other protocols, encoded by hand from their manuals, checks bit by bit or as the manual draws them.

func makePN532(t *rapid.T) []byte {
	if rapid.Bool().Draw(t, "acknowledged") {
		return []byte{0, 0, 0xFF, 0, 0xFF, 0}
	}
	uid := make([]byte, rapid.SampledFrom([]int{4, 7, 10}).Draw(t, "uid bytes"))
	copy(uid, rapid.SliceOfN(rapid.Byte(), len(uid), len(uid)).Draw(t, "uid"))
	body := append([]byte{0xD5, 0x4B, 1, 1, 0, 4, 8, byte(len(uid))}, uid...)
	sum := 0
	for _, b := range body {
		sum += int(b)
	}
	frame := append([]byte{0, 0, 0xFF, byte(len(body)), byte(256 - len(body))}, body...)
	return append(frame, byte(256-sum%256), 0)
}

func makeUHFReader(antenna bool) func(t *rapid.T) []byte {
	return func(t *rapid.T) []byte {
		tags := rapid.IntRange(0, 3).Draw(t, "tags")
		body := []byte{0, 1, 1}
		if antenna {
			body = append(body, 1)
		}
		body = append(body, byte(tags))
		for range tags {
			words := rapid.IntRange(1, 8).Draw(t, "words")
			body = append(body, byte(2*words))
			body = append(body, rapid.SliceOfN(rapid.Byte(), 2*words, 2*words).Draw(t, "epc")...)
			if antenna {
				body = append(body, rapid.Byte().Draw(t, "rssi"))
			}
		}
		frame := append([]byte{byte(len(body) + 2)}, body...)
		crc := slowMCRF(frame)
		return append(frame, byte(crc), byte(crc>>8))
	}
}

// slowMCRF is the loop that the CF-RU5102 manual prints.
func slowMCRF(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, x := range b {
		crc ^= uint16(x)
		for range 8 {
			if crc&1 == 1 {
				crc = crc>>1 ^ 0x8408
			} else {
				crc >>= 1
			}
		}
	}
	return crc
}

func makeR2000(t *rapid.T) []byte {
	words := rapid.IntRange(1, 16).Draw(t, "words")
	body := append([]byte{1, 0x89, rapid.Byte().Draw(t, "channel"), byte(words << 3), 0}, rapid.SliceOfN(rapid.Byte(), 2*words, 2*words).Draw(t, "epc")...)
	body = append(body, rapid.Byte().Draw(t, "rssi"))
	frame := append([]byte{0xA0, byte(len(body) + 1)}, body...)
	sum := 0
	for _, b := range frame {
		sum += int(b)
	}
	return append(frame, byte(256-sum%256))
}

func makeThingMagic(t *rapid.T) []byte {
	if rapid.Bool().Draw(t, "keep-alive") {
		return thingMagicFrame(0x22, []byte{4, 0})
	}
	words := rapid.IntRange(1, 8).Draw(t, "words")
	tag := append([]byte{byte(words << 3), 0}, rapid.SliceOfN(rapid.Byte(), 2*words, 2*words).Draw(t, "epc")...)
	crc := slowCRC(tag)
	tag = append(tag, byte(crc>>8), byte(crc))
	bits := 8 * len(tag)
	return thingMagicFrame(0x22, append([]byte{0, 0, 0x10, 0, 0x1B, 0, 6, 1, 0xC8, 0x11, byte(bits >> 8), byte(bits)}, tag...))
}

// thingMagicFrame has status and data; the CRC goes nibble by nibble, as the vendor's sources have it.
func thingMagicFrame(op byte, statusAndData []byte) []byte {
	frame := append([]byte{byte(len(statusAndData) - 2), op}, statusAndData...)
	crc := uint32(0xFFFF)
	for _, b := range frame {
		for _, nibble := range []byte{b >> 4, b & 15} {
			top := crc >> 12
			crc = crc<<4&0xFFFF | uint32(nibble)
			crc ^= top * 0x1021 & 0xFFFF
		}
	}
	return append(append([]byte{0xFF}, frame...), byte(crc>>8), byte(crc))
}

func makeSSI(t *rapid.T) []byte {
	text := rapid.SliceOfN(rapid.ByteRange(' ', '~'), 1, 40).Draw(t, "text")
	frame := append([]byte{byte(5 + len(text)), 0xF3, 0, 0, 0xF1}, text...)
	sum := 0
	for _, b := range frame {
		sum += int(b)
	}
	return append(frame, byte((0x10000-sum)>>8), byte(0x10000-sum))
}

func make7941E(t *rapid.T) []byte {
	number := rapid.SliceOfN(rapid.Byte(), 5, 5).Draw(t, "number")
	frame := append([]byte{0x0A, 0x02}, number...)
	check := byte(0)
	for _, b := range frame {
		check ^= b
	}
	return append(append([]byte{2}, frame...), check, 3)
}
