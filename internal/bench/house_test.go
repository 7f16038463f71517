package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"foyer/reader/tag"
)

const chain = "harbour"

// patience is only ever waited out by a benchmark that fails.
const patience = 20 * time.Minute

func program(t testing.TB, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("../../bin", name))
	must(t, err)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("SKIP: %v: run make plain first", err)
	}
	return path
}

// start starts a program that ends with the benchmark. What it says is shown when the benchmark fails.
func start(t testing.TB, cmd *exec.Cmd) (stop func()) {
	t.Helper()
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, cmd.Start())
	ended := false
	stop = func() {
		if ended {
			return
		}
		ended = true
		cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s ended with %v", filepath.Base(cmd.Path), err)
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(cmd.Path), said.Bytes()[max(0, said.Len()-6000):])
		}
	}
	t.Cleanup(stop)
	return stop
}

// waitFor asks until the answer is nil.
func waitFor(t testing.TB, what string, pause time.Duration, ask func() error) {
	t.Helper()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-limit.C:
			t.Fatalf("%s: %v", what, err)
		case <-tick.C:
		}
	}
}

// headquarters is the real program.
type headquarters struct {
	t       testing.TB
	dir     string
	process *os.Process
	stop    func()
	doors   struct {
		Console        string `json:"console"`
		Stores         string `json:"stores"`
		MQTTTLS        string `json:"mqtt_tls"`
		AdminTokenFile string `json:"admin_token_file"`
	}
}

// openHeadquarters starts foyer-hq with its doors for stores at an address, and further flags.
func openHeadquarters(t testing.TB, dir, address string, more ...string) *headquarters {
	t.Helper()
	h := &headquarters{t: t, dir: dir}
	key, ready := filepath.Join(dir, "tag.key"), filepath.Join(dir, "ready")
	if _, err := os.Stat(key); err != nil {
		must(t, os.WriteFile(key, []byte(tag.NewSecret()), 0o600))
	}
	os.Remove(ready)
	args := append([]string{"serve", "--data", filepath.Join(dir, "hq"), "--chain", chain, "--console", "127.0.0.1:0", "--stores", address + ":0",
		"--tag-key-file", key, "--ready-file", ready, "--log-level", "warn"}, more...)
	cmd := exec.Command(program(t, "foyer-hq"), args...)
	h.stop = start(t, cmd)
	h.process = cmd.Process
	waitFor(t, "headquarters", 10*time.Millisecond, func() error {
		data, err := os.ReadFile(ready)
		if err == nil {
			err = json.Unmarshal(data, &h.doors)
		}
		return err
	})
	return h
}

// ask calls the console's interface.
func (h *headquarters) ask(method, path string, body, out any) error {
	token, err := os.ReadFile(h.doors.AdminTokenFile)
	if err != nil {
		return err
	}
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	request, err := http.NewRequestWithContext(ctx, method, "http://"+h.doors.Console+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if data, err = io.ReadAll(answer.Body); err != nil || answer.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s %.300s: %w", method, path, answer.Status, data, err)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// ticket adds a store and gives the code that it enrols with.
func (h *headquarters) ticket(store string) string {
	h.t.Helper()
	must(h.t, h.ask("POST", "/api/stores", map[string]string{"id": store, "name_zh": store, "name_en": store}, nil))
	var out struct{ Ticket string }
	must(h.t, h.ask("POST", "/api/stores/"+store+"/enrol", nil, &out))
	return out.Ticket
}

// holds counts the records of a store, or of all ("").
func (h *headquarters) holds(store string) int {
	h.t.Helper()
	var out struct{ Count int }
	must(h.t, h.ask("GET", "/api/records/count?store="+store, nil, &out))
	return out.Count
}
