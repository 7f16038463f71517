package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"foyer/reader/link"
)

// maxCapture bounds a recording: a day of a busy UHF reader.
const maxCapture = 64 << 20

// piece is what came at once.
type piece struct {
	data     []byte
	bits     string // of a Wiegand card
	protocol string // as the capture calls it
	line     int    // 1-based; 0 for raw bytes
	at       *float64
	sent     bool  // from us to the reader
	alone    bool  // what comes before and after it is another recording
	err      error // why it cannot be played, if it is this profile's
}

// loadCapture reads a file, or standard input for "-", in any of the forms that playHelp names.
func loadCapture(name string) ([]piece, error) {
	in := io.ReadCloser(os.Stdin)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("read capture: %w", err)
		}
		in = f
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, maxCapture+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read capture %s: %w", name, err)
	case len(data) > maxCapture:
		return nil, fmt.Errorf("read capture %s: over %d MiB, cut it into pieces", name, maxCapture>>20)
	}
	pieces, err := parseCapture(data)
	if err != nil {
		return nil, fmt.Errorf("read capture %s: %w", name, err)
	}
	return pieces, nil
}

// parseCapture tells the forms apart: text has no control characters, and JSON lines begin with a brace.
func parseCapture(data []byte) ([]piece, error) {
	if bytes.ContainsFunc(data, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == '\uFFFD' }) {
		return []piece{{data: data}}, nil
	}
	parse := textPieces
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		parse = jsonPieces
	}
	var all []piece
	line := 0
	for text := range strings.Lines(string(data)) {
		line++
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		pieces, err := parse(text)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		for _, p := range pieces {
			p.line = line
			all = append(all, p)
		}
	}
	return all, nil
}

// textPieces reads one line of the form that reader/link records. Bytes sent to the reader are left out.
func textPieces(text string) ([]piece, error) {
	var pieces []piece
	for c, err := range link.ReadCapture(strings.NewReader(text)) {
		if err != nil {
			if inner := errors.Unwrap(err); inner != nil { // its line is always the first
				err = inner
			}
			return nil, err
		}
		p := piece{data: c.Data}
		if strings.ContainsAny(text, "<>") && c.At > 0 {
			p.at = new(c.At.Seconds())
		}
		if !c.Sent {
			pieces = append(pieces, p)
		}
	}
	return pieces, nil
}

// jsonPieces reads one JSON object. A Wiegand card may be given as a number in hex with its count of bits.
func jsonPieces(text string) ([]piece, error) {
	var in struct {
		Protocol  string
		Direction string // "tx" is ours
		Hex, Bits string
		NBits     int
	}
	if err := json.Unmarshal([]byte(text), &in); err != nil {
		return nil, fmt.Errorf("not a JSON object with hex or bits: %w", err)
	}
	p := piece{protocol: in.Protocol, bits: in.Bits, alone: true, sent: in.Direction == "tx"}
	switch {
	case in.Bits != "":
	case in.NBits > 0:
		p.bits, p.err = bitsOfHex(in.Hex, in.NBits)
	case in.Hex == "":
		p.err = errors.New("has neither hex nor bits")
	default:
		p.data, p.err = hex.DecodeString(strings.Join(strings.Fields(in.Hex), ""))
	}
	return []piece{p}, nil
}

// bitsOfHex writes a number out in n bits.
func bitsOfHex(digits string, n int) (string, error) {
	v, err := strconv.ParseUint(digits, 16, 64)
	if err != nil || n > 64 || n < 64 && v>>n != 0 {
		return "", fmt.Errorf("hex %.20q does not fit into %d bits", digits, n)
	}
	return fmt.Sprintf("%0*b", n, v), nil
}
