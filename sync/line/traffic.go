package line

// What surrounds bytes on a metered line. RFC 8446, section 5.2: 22 bytes a TLS record of at most 16 KiB. An IPv4 and a TCP header
// with time stamps make 52 bytes a segment of some 1,400, and a handshake with one intermediate certificate some 5,000.
const (
	tlsRecord      = 22
	tlsRecordHolds = 16 << 10
	segment        = 52
	segmentHolds   = 1400
	handshakeBytes = 5000
)

// billed is about what a network counts for n bytes handed over at once.
func billed(n int, secure bool) int {
	if secure {
		n += (n + tlsRecordHolds - 1) / tlsRecordHolds * tlsRecord
	}
	return n + (n+segmentHolds-1)/segmentHolds*segment
}

// Traffic is how many bytes the line has moved in both directions since New, with an estimate of what TLS, TCP and IP add.
func (l *Line) Traffic() int64 { return l.traffic.Load() }
