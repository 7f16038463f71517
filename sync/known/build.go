package known

// pile is what of a place is known while the order of the keys is sought: how many keys lie on it, and all of them xored. Where
// one lies alone, that is the key.
type pile struct {
	mixed uint64
	count uint32
}

// laid is a key at the place that it had to itself when its turn came.
type laid struct {
	mixed uint64
	at    uint32
}

// fill finds bytes for the places, or reports that this seed has none: keys that are alone on a place are taken off one after
// the other, and then laid back in the reverse order, each of them free to choose the byte of that place.
func (f *Filter) fill(keys []uint64) bool {
	piles := make([]pile, len(f.places))
	for _, key := range keys {
		h := f.mix(key)
		for _, at := range f.places3(h) {
			piles[at].mixed ^= h
			piles[at].count++
		}
	}
	order := f.peel(piles, len(keys))
	if len(order) < len(keys) {
		return false
	}
	clear(f.places)
	for i := len(order) - 1; i >= 0; i-- {
		b := fingerprint(order[i].mixed)
		for _, at := range f.places3(order[i].mixed) {
			b ^= f.places[at]
		}
		f.places[order[i].at] = b
	}
	return true
}

func (f *Filter) peel(piles []pile, n int) []laid {
	order := make([]laid, 0, n)
	var alone []uint32
	for at := range piles {
		if piles[at].count == 1 {
			alone = append(alone, uint32(at))
		}
	}
	for len(alone) > 0 {
		at := alone[len(alone)-1]
		alone = alone[:len(alone)-1]
		if piles[at].count != 1 {
			continue // its key went with another place
		}
		h := piles[at].mixed
		order = append(order, laid{h, at})
		for _, other := range f.places3(h) {
			piles[other].mixed ^= h
			if piles[other].count--; piles[other].count == 1 {
				alone = append(alone, other)
			}
		}
	}
	return order
}
