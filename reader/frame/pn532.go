package frame

// pn532Framing is the framing of a PN532 on its serial line (user manual 6.2.1): 00, 00 FF, length, its complement, data,
// check, 00. The leading 00 may be lost without harm. Three frames have no data: acknowledged, not acknowledged, and the
// extended frame has its length in two bytes more.
func pn532Framing(b []byte, last bool) attempt {
	zeros := 0
	for zeros < 2 && zeros < len(b) && b[zeros] == 0 {
		zeros++
	}
	if zeros == len(b) {
		return attempt{noStart: last}
	}
	if b[zeros] != 0xFF {
		return attempt{noStart: true}
	}
	at := zeros + 1 // of the length
	body := b[at:]
	if len(body) < 2 {
		return attempt{noStart: last}
	}
	from, n := 2, int(body[0])
	switch {
	case body[0] == 0 && body[1] == 0xFF, body[0] == 0xFF && body[1] == 0: // acknowledged or not
		return pn532End(b, at, at+2, at+2, last)
	case body[0] == 0xFF && body[1] == 0xFF:
		if len(body) < 5 {
			return attempt{noStart: last}
		}
		from, n = 5, int(body[2])<<8|int(body[3])
		if body[2]+body[3]+body[4] != 0 {
			return attempt{size: at + 5, bad: Length}
		}
	case body[0]+body[1] != 0:
		return attempt{size: at + 2, bad: Length}
	}
	if n == 0 || n > pn532Data {
		return attempt{size: at + from, bad: Length}
	}
	return pn532End(b, at+from, at+from+n, at+from+n+1, last)
}

// pn532Data is the most data of a frame: a byte of direction and 264 more.
const pn532Data = 265

// pn532End proves b[from:to]. The check, if there is one, stands before size; then comes 00.
func pn532End(b []byte, from, to, size int, last bool) attempt {
	switch {
	case len(b) <= size && last:
		return attempt{size: len(b), bad: Cut}
	case len(b) <= size:
		return attempt{}
	}
	if size > to {
		sum := byte(0)
		for _, x := range b[from:size] {
			sum += x
		}
		if sum != 0 {
			return attempt{size: size + 1, bad: Checksum}
		}
	}
	if b[size] != 0 {
		return attempt{size: size + 1, bad: End}
	}
	return attempt{size: size + 1, payload: b[from:to]}
}

// pn532Count: the records of InListPassiveTarget begin with their count.
func pn532Count(b []byte, _ *uint8) (n, size int, ok bool) {
	if len(b) == 0 || b[0] > 2 { // the chip handles two at most (user manual 7.3.5)
		return 0, 0, false
	}
	return int(b[0]), 1, true
}

// pn532Target reads one target of type A: its number, SENS_RES, SEL_RES, and its UID behind its length. A target that
// speaks ISO/IEC 14443-4 adds its answer to select, which begins with its own length.
func pn532Target(b []byte, r *Record) (int, bool) {
	if len(b) < 5 {
		return 0, false
	}
	n := int(b[4])
	size := 5 + n
	if n != 4 && n != 7 && n != 10 || len(b) < size {
		return 0, false
	}
	r.UID = b[5:size]
	r.Random = isRandom(r.UID)
	r.hex("atqa", b[1:3])
	r.hex("sak", b[3:4])
	r.hex("uid", r.UID)
	if sak := b[3]; sak&0x20 != 0 && len(b) > size {
		ats := int(b[size])
		if ats == 0 || len(b)-size < ats {
			return 0, false
		}
		r.hex("ats", b[size:size+ats])
		size += ats
	}
	return size, true
}
