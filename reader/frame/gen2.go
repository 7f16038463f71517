package frame

import "foyer/firmware-profiles"

// gen2Preset is what the CRC-16 of the Gen2 air interface begins with.
const gen2Preset = 0xFFFF

// gen2CRC is the CRC-16 that a Gen2 tag sends after PC and EPC: initial value FFFF, inverted (reader protocols 1.3).
func gen2CRC(b []byte) uint16 { return ^profiles.CRC1021(gen2Preset, b) }
