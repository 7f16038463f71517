// Package llrp speaks the Low Level Reader Protocol of EPCglobal (versions 1.0.1 and 1.1) with a fixed UHF reader.
//
// In: the bytes of a TCP or TLS connection, in pieces of any size, and a Plan. Out: tags with EPC, antenna and peak RSSI in
// dBm, what the reader complains of, and the messages to send. The reader's own times are microseconds since 1970, and are
// decoded but never believed: what counts is when a report reached us.
// The codec reads no clock, opens nothing, allocates nothing a tag and never panics; the Client owns the one goroutine of a
// session. Neither logs, and neither knows people.
// Called by reader (the session), reader/frame (a profile's examples) and cmd/foyer (profile play).
//
// The wire. A message is ten bytes of header and a body of parameters, all numbers big-endian:
//
//	04 3D | 00 00 00 37 | 40 95 89 41 | ...
//	3 bits reserved, 3 bits version, 10 bits type | length of it all | id, the same in command and answer
//
// A parameter is TLV (6 bits zero, 10 bits type, 16 bits length of it all) or TV (top bit set, 7 bits type; its length is
// known from the type). Parameters nest. A report (type 61) holds one TagReportData (240) a tag, and in it the EPC, as EPC-96
// (TV 13) or as EPCData of any length (TLV 241), and what the reader adds: antenna, RSSI, times, counts. Each of those may be
// missing. A report without tags is normal.
//
// There is no check and no start mark: a stream that does not fit is lost, and the connection with it.
package llrp
