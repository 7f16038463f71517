package wiegand

// Counted makes seq the count of the edge before the next, for the tests of package wiegand_test.
func (d *Decoder) Counted(seq uint32) { d.seq = seq }
