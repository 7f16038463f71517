package wire

import "encoding/hex"

// SealedBy is the id of the key that a sealed snapshot says it is signed with; empty where it is no sealed snapshot. It
// proves nothing.
func SealedBy(data []byte) string {
	if len(data) < bodyAt || string(data[:len(magic)]) != magic {
		return ""
	}
	return hex.EncodeToString(data[len(magic)+1 : headLength])
}
