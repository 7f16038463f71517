package epc

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// peer runs epc-tds over lines of {hex, uri}: what it makes of the bytes, and what it makes of the tag URI.
const peer = `const tds = require('epc-tds');
const attempt = f => { try { return f(); } catch (e) { return 'error: ' + e.message; } };
const lines = require('fs').readFileSync(0, 'utf8').trim().split('\n').map(JSON.parse);
process.stdout.write(JSON.stringify(lines.map(l => ({
  tag: attempt(() => tds.valueOf(l.hex).toTagURI()),
  id: attempt(() => tds.valueOf(l.hex).toIdURI()),
  hex: attempt(() => tds.fromTagURI(l.uri).toHexString()),
}))));
`

type peerLine struct {
	Tag string `json:"tag"`
	ID  string `json:"id"`
	Hex string `json:"hex"`
}

// An independent reader of EPCs agrees with this one, but for its own known faults.
func TestPeerAgrees(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIP: the comparison with npm's epc-tds fetches it; not in -short")
	}
	dir := peerDir(t)
	const wanted = 4000
	var all []EPC
	gen := rapid.Custom(drawn)
	for seed := 0; len(all) < wanted; seed++ {
		if e := gen.Example(seed); peerReads(e) {
			all = append(all, e)
		}
	}
	bytesAgree, textsAgree := 0, 0
	for i, got := range askPeer(t, dir, all) {
		e := all[i]
		raw, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		tagURI, _ := unescape(e.TagURI()) // it does not escape
		id, _ := unescape(e.URI())
		if got.Tag != tagURI || got.ID != id {
			t.Errorf("%X: epc-tds has %s and %s, want %s and %s", raw, got.Tag, got.ID, tagURI, id)
		}
		bytesAgree++
		if !peerParses(e) {
			continue
		}
		textsAgree++
		if want := strings.ToUpper(hex.EncodeToString(raw)); got.Hex == "" || !strings.HasPrefix(want, got.Hex) || strings.Trim(want[len(got.Hex):], "0") != "" {
			t.Errorf("%s: epc-tds has %s, want %s", e.TagURI(), got.Hex, want)
		}
	}
	t.Logf("%d EPCs read alike, %d tag URIs written alike", bytesAgree, textsAgree)
	if bytesAgree < 2000 || textsAgree < 2000 {
		t.Error("too few compared")
	}
}

// peerReads leaves out what epc-tds 1.4.1 does not know, and where it breaks the standard: it writes a 0 for a reference
// without digits (company prefix of 12), and drops the leading zeros of a GSRN's reference.
func peerReads(e EPC) bool {
	return layouts[e.Scheme].shape != plain && layouts[e.Scheme].shape != variable && e.Scheme != GSRNP96 && e.Reference != "" &&
		(e.Scheme != GSRN96 || e.Reference[0] != '0')
}

// peerParses leaves out the URIs that epc-tds 1.4.1 breaks: it escapes nothing, takes a URI apart at every dot and colon,
// and writes an SGCN's serial without the 1 that keeps its zeros.
func peerParses(e EPC) bool {
	serial := e.Serial
	if e.Scheme == GIAI202 {
		serial = e.Reference
	}
	return e.Scheme != SGCN96 && !strings.ContainsAny(serial, ".:"+escapedInURI)
}

// peerDir installs the peer in a folder of the test's own.
func peerDir(t *testing.T) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("SKIP: the comparison with npm's epc-tds needs %s: %v", program, err)
		}
	}
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", dir, "epc-tds@1.4.1")
	if out, err := install.CombinedOutput(); err != nil {
		t.Skipf("SKIP: npm's epc-tds 1.4.1 cannot be had here: %v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "peer.js"), []byte(peer), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func askPeer(t *testing.T, dir string, all []EPC) []peerLine {
	t.Helper()
	var in bytes.Buffer
	lines := json.NewEncoder(&in)
	for _, e := range all {
		raw, err := e.Encode()
		if err != nil {
			t.Fatalf("%+v: %v", e, err)
		}
		if err := lines.Encode(map[string]string{"hex": strings.ToUpper(hex.EncodeToString(raw)), "uri": e.TagURI()}); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "node", "peer.js")
	cmd.Dir, cmd.Stdin = dir, &in
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node peer.js: %v", err)
	}
	var got []peerLine
	if err := json.Unmarshal(out, &got); err != nil || len(got) != len(all) {
		t.Fatalf("%d answers for %d EPCs: %v", len(got), len(all), err)
	}
	return got
}
