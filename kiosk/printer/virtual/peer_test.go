package virtual

import (
	"context"
	"encoding/json"
	"errors"
	"image/png"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	profiles "foyer/firmware-profiles"
)

// node runs a script beside npm's packages. FOYER_NPM is a folder with their node_modules.
func node(t *testing.T, args ...string) string {
	t.Helper()
	modules := os.Getenv("FOYER_NPM")
	if modules == "" {
		t.Skip("FOYER_NPM names no folder with receiptio; the stage printing-peers of make test has one")
	}
	cmd := exec.CommandContext(t.Context(), "node", args...)
	cmd.Env = append(os.Environ(), "NODE_PATH="+filepath.Join(modules, "node_modules"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func some(t *testing.T) *Printer {
	t.Helper()
	m, ok := profiles.FindPrinter("epson-tm-t70ii-ch")
	if !ok {
		t.Fatal("no such printer")
	}
	return New(m)
}

func listening(t *testing.T, s *Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(ctx, l) }()
	t.Cleanup(func() { cancel(); <-done })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// A host that is not ours takes it for a printer, and understands how it is.
func TestReceiptioPrintsHere(t *testing.T) {
	for fault, want := range map[Fault]string{0: "success", NoPaper: "paperempty", Cover: "coveropen", Cutter: "error"} {
		for _, options := range []string{"-p escpos", ""} {
			s := &Server{Printer: some(t)}
			s.Printer.Set(fault)
			if got := node(t, "testdata/receiptio.js", listening(t, s), options); got != want {
				t.Errorf("fault %d, %q: receiptio says %q, want %q", fault, options, got, want)
			}
			if fault == 0 && !(strings.Contains(s.Printer.Text(), "TOTAL") && strings.Contains(s.Printer.Text(), "优惠券")) {
				t.Errorf("%q: printed %q", options, s.Printer.Text())
			}
		}
	}
}

// Documents of encoders that are not ours come out with the same words and codes.
func TestOtherEncodersAreUnderstood(t *testing.T) {
	var jobs map[string][]byte
	if err := json.Unmarshal([]byte(node(t, "testdata/encoders.js")), &jobs); err != nil {
		t.Fatal(err)
	}
	for name, job := range jobs {
		p := some(t)
		p.Receive(job)
		words := []string{"FOYER", "Coupon", "10.00", "TOTAL"}
		if strings.HasPrefix(name, "receiptline") {
			words = append(words, "优惠券", "拾元")
		}
		for _, w := range words {
			if !strings.Contains(p.Text(), w) {
				t.Errorf("%s: %q is missing in\n%s", name, w, p.Text())
			}
		}
		for _, e := range p.Events() {
			if e.Kind == "unknown" {
				t.Errorf("%s: not understood: %s", name, e.Detail)
			}
		}
		codes := seen(t, p)
		for _, c := range []string{"EAN-13:9912345678909", "QR-Code:HTTPS://C.EXAMPLE/7K3M"} {
			if !strings.Contains(codes, c) {
				t.Errorf("%s: the code %s is missing in\n%s", name, c, codes)
			}
		}
	}
}

// seen is what zbar reads off the paper.
func seen(t *testing.T, p *Printer) string {
	t.Helper()
	path := filepath.Join(t.ArtifactDir(), "paper.png")
	f, err := os.Create(path)
	if err == nil {
		err = errors.Join(png.Encode(f, p.Paper().Image(16)), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "zbarimg", "--quiet", path).CombinedOutput()
	if err != nil {
		t.Logf("zbarimg: %v", err)
	}
	return string(out)
}
