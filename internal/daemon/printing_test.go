package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	profiles "foyer/firmware-profiles"
	"foyer/internal/strictyaml"
	"foyer/kiosk/printer/spool"
	"foyer/kiosk/printer/virtual"
	"foyer/sync/journal"
)

// played puts a virtual printer on a port, until the test ends.
func played(t *testing.T, model string) (s *virtual.Server, port string) {
	t.Helper()
	m, ok := profiles.FindPrinter(model)
	if !ok {
		t.Fatal("no such printer")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s = &virtual.Server{Printer: virtual.New(m)}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Serve(ctx, l) }()
	t.Cleanup(func() { cancel(); <-done })
	return s, "tcp://" + l.Addr().String()
}

// asks posts to the store as the reception page does, and returns the status.
func (s *shopfront) asks(path, body string) int {
	s.t.Helper()
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", filepath.Join(s.dir, "foyerd.sock"))
	}}}
	defer client.CloseIdleConnections()
	r, err := client.Post("http://foyerd/v1/reception/printers/"+path, "application/json", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Body.Close()
	return r.StatusCode
}

func TestTheStorePrints(t *testing.T) {
	dir := room(t)
	paper, port := played(t, "epson-tm-t70ii-ch")
	config := good + "printers:\n  - {name: front, model: epson-tm-t70ii-ch, port: \"" + port + "\"}\n"
	s := opens(t, dir, config)
	if code := s.asks("front/print", `{"what":"report","language":"zh-CN","by":"Lin"}`); code != http.StatusNoContent {
		t.Fatalf("answered %d", code)
	}
	s.until("the report is on paper", func() bool {
		return strings.Contains(paper.Printer.Text(), "日报") && s.status().Printers[0].Waiting == 0
	})
	if got := paper.Printer.Text(); !strings.Contains(got, "到店会员") || !strings.Contains(got, "门店") {
		t.Errorf("printed %q", got)
	}
	paper.Printer.Set(virtual.NoPaper)
	s.asks("front/print", `{"what":"test","language":"en","by":"Lin"}`)
	s.until("the page tells of the roll", func() bool {
		p := s.status().Printers[0]
		return p.Waiting == 1 && strings.Contains(p.Problem["en"], "roll is out") && strings.Contains(p.Problem["zh-CN"], "缺纸")
	})
	paper.Printer.Set(0)
	s.until("what waited is printed", func() bool { p := s.status().Printers[0]; return p.Waiting == 0 && p.Problem == nil })
	if n := strings.Count(paper.Printer.Text(), "Test page"); n != 1 {
		t.Errorf("the test page came out %d times", n)
	}
	for path, want := range map[string]int{"back/print": http.StatusNotFound, "front/jobs/none/came": http.StatusNotFound, "front/jobs/none/burn": http.StatusNotFound} {
		body := `{"by":"Lin"}`
		if strings.HasSuffix(path, "/print") {
			body = `{"what":"test","by":"Lin"}`
		}
		if code := s.asks(path, body); code != want {
			t.Errorf("%s: answered %d, want %d", path, code, want)
		}
	}
	for _, body := range []string{`{"what":"money","by":"Lin"}`, `{"what":"test"}`, `nonsense`, ``} {
		if code := s.asks("front/print", body); code < 400 || code > 499 {
			t.Errorf("%s: answered %d", body, code)
		}
	}
}

// A job that was on its way when the power went: nobody knows, so a person is asked, and what comes out again says COPY.
func TestAPersonIsAskedAfterACrash(t *testing.T) {
	dir := room(t)
	paper, port := played(t, "generic-80")
	config := good + "printers:\n  - {name: front, model: epson-tm-t70ii-ch, port: \"" + port + "\"}\n"
	leave(t, filepath.Join(dir, "data"), spool.Job{Serial: "S1", What: "report", Data: []byte("\x1b@the report\n"), State: spool.Sending})
	s := opens(t, dir, config)
	s.until("the page asks", func() bool { p := s.status().Printers[0]; return len(p.Ask) == 1 && p.Ask[0].Serial == "S1" })
	if paper.Printer.Text() != "" {
		t.Fatalf("printed %q without being asked to", paper.Printer.Text())
	}
	if code := s.asks("front/jobs/S1/again", `{"by":"Lin"}`); code != http.StatusNoContent {
		t.Errorf("answered %d", code)
	}
	s.until("the copy is printed", func() bool { p := s.status().Printers[0]; return len(p.Ask) == 0 && p.Waiting == 0 })
	if got := paper.Printer.Text(); !strings.Contains(got, "COPY 1") || !strings.Contains(got, "the report") {
		t.Errorf("printed %q", got)
	}
}

// leave puts a job into a journal as a store that was cut off leaves it.
func leave(t *testing.T, data string, job spool.Job) {
	t.Helper()
	value, err := json.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(data, "journal.db"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- j.Run(ctx) }()
	_, err = j.Append(t.Context(), journal.Entry{Puts: []journal.Put{{Bucket: printBucket, Key: "front/" + job.Serial, Value: value}}})
	stop()
	if err := errors.Join(err, <-done, j.Close()); err != nil {
		t.Fatal(err)
	}
}

// Above a copy stands that it is one, on every printer.
func TestCopiesSayItEverywhere(t *testing.T) {
	for _, m := range profiles.Printers() {
		p := virtual.New(m)
		p.Receive(copyMark(m)(3))
		if got := p.Text(); m.CJK != profiles.NoCJK && !strings.Contains(got, "3") || p.Paper().White() {
			t.Errorf("%s: %q", m.ID, got)
		}
	}
}

func TestPrintersOfTheConfiguration(t *testing.T) {
	for text, want := range map[string]string{
		"{name: a, model: nothing, port: /dev/usb/lp0}":                                                          "no printer \"nothing\"",
		"{name: a, model: generic-58, port: \"cups:-x\"}":                                                        "want cups:QUEUE",
		"{name: a/b, model: generic-58, port: /dev/usb/lp0}":                                                     "without /",
		"{name: a, model: generic-58, port: /dev/usb/lp0}\n  - {name: a, model: generic-58, port: /dev/usb/lp1}": "a second printer is called",
		"{name: a, model: generic-58, port: /dev/usb/lp0}\n  - {name: b, model: generic-58, port: /dev/usb/lp0}": "is the port of printer",
	} {
		c := &Config{}
		doc := strictyaml.Decode("foyerd.yaml", []byte(good+"printers:\n  - "+text+"\n"), c)
		c.checkPrinters(doc)
		if err := doc.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
