package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"foyer/api"
	"foyer/internal/demo"
)

// The demo's page, as a newcomer uses it: every button does what it says, seen where it must show.
func TestDemoPage(t *testing.T) {
	house := open(t, demo.Config{Greeting: 3 * greetingTime}) // two screens are read one after the other
	tab := browse(t, 1920, 1500)
	press := func(action string) step {
		return chromedp.Click(chromedp.CSS(`button[data-do="` + action + `"]:not(:disabled)`))
	}
	do(t, tab, "open the page", chromedp.Navigate(house.PageURL()+"?lang=zh-CN"), hasText("与总部的线路正常"))
	do(t, tab, "Anna taps, three walk in", press("tap/anna"), press("walk/li,bob,zhang"))
	waitToRead(t, house.Display("kiosk"), "kiosk", "王女士")
	waitToRead(t, house.Display("wall"), "wall", "MrLi", "Zhang", "Miller先生")
	waitUntil(t, "the cards at reception", func() error { return cards(house, "王女士", "李先生", "张老师") })
	keepPage(t, tab, "page-zh")
	do(t, tab, "cut the line", press("cut"), hasText("线路已断开"), press("stranger"), press("tap/chen"))
	waitUntil(t, "records wait for headquarters", func() error { return waiting(house, true) })
	do(t, tab, "mend the line", press("cut"), hasText("与总部的线路正常"))
	waitUntil(t, "headquarters has them", func() error { return waiting(house, false) })
	do(t, tab, "unplug the reader", press("unplug-tap"))
	waitUntil(t, "the store says so", func() error { return online(house, "kiosk-card", false) })
	do(t, tab, "plug it in", press("unplug-tap"))
	waitUntil(t, "the store hears again", func() error { return online(house, "kiosk-card", true) })
	do(t, tab, "kill the kiosk in the middle of a greeting", press("tap/anna"))
	waitToRead(t, house.Display("kiosk"), "kiosk-before-kill", "王女士")
	do(t, tab, "kill the kiosk", press("kill/kiosk"))
	waitToRead(t, house.Display("kiosk"), "kiosk-comes-back-to-the-greeting", "王女士")
	do(t, tab, "in English", chromedp.Navigate(house.PageURL()+"?lang=en"), hasText("The line to headquarters is up"))
	keepPage(t, tab, "page-en")
}

// cards is nil once reception has a card for each of the names.
func cards(house *demo.House, names ...string) error {
	s, err := house.Snapshot(api.Reception)
	if err != nil {
		return err
	}
	have := map[string]bool{}
	for _, c := range s.Cards {
		have[c.Name.In("zh-CN")] = true
	}
	for _, n := range names {
		if !have[n] {
			return fmt.Errorf("no card for %s", n)
		}
	}
	return nil
}

func waiting(house *demo.House, want bool) error {
	s, err := house.Snapshot(api.Wall)
	if err == nil && (s.Status.Journal.Last > s.Status.Journal.Acked) != want {
		err = fmt.Errorf("acknowledged %d of %d", s.Status.Journal.Acked, s.Status.Journal.Last)
	}
	return err
}

func online(house *demo.House, reader string, want bool) error {
	s, err := house.Snapshot(api.Wall)
	if err != nil {
		return err
	}
	for _, r := range s.Status.Readers {
		if r.Name == reader && r.Online == want {
			return nil
		}
	}
	return fmt.Errorf("reader %s: %+v", reader, s.Status.Readers)
}

// demoRecords asks the demo's page how many records the store has; it fails while the store is not up.
func demoRecords(page string) (int, error) {
	resp, err := http.Get(page + "state")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var state struct{ Last int }
	if err := json.NewDecoder(resp.Body).Decode(&state); err != nil {
		return 0, err
	}
	if state.Last == 0 {
		return 0, errors.New("the store has no records yet")
	}
	return state.Last, nil
}

// foyer demo, as make demo runs it: it prints the page's address, ends within five seconds of Ctrl-C, leaves no process
// behind, and a second start keeps what the first recorded.
func TestDemoEndsCleanly(t *testing.T) {
	dir := t.TempDir()
	first := playDemo(t, dir)
	if first == 0 {
		t.Fatal("the first start recorded nothing")
	}
	if second := playDemo(t, dir); second < first {
		t.Errorf("the second start knows %d records, the first had %d", second, first)
	}
}

var pageLine = regexp.MustCompile(`http://127\.0\.0\.1:\d+/`)

// playDemo starts the demo, waits for its page, ends it with Ctrl-C and returns how many records its store had.
func playDemo(t *testing.T, dir string) int {
	t.Helper()
	bin, err := filepath.Abs("../../bin/foyer")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "demo", "--dir", dir, "--page", "127.0.0.1:0", "--hidden")
	cmd.Stderr = t.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() { syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	page := ""
	for lines := bufio.NewScanner(out); page == "" && lines.Scan(); {
		page = pageLine.FindString(lines.Text())
	}
	if page == "" {
		t.Fatal("the demo printed no address")
	}
	last := 0
	waitUntil(t, "the demo's store", func() (err error) { last, err = demoRecords(page); return err })
	asked := time.Now()
	must(t, cmd.Process.Signal(os.Interrupt))
	if err := cmd.Wait(); err != nil {
		t.Errorf("the demo ended with %v", err)
	}
	if took := time.Since(asked); took > 5*time.Second {
		t.Errorf("the demo took %v to end", took)
	}
	if left := processesOf(t, dir); len(left) > 0 {
		t.Errorf("left running: %v", left)
	}
	return last
}

// processesOf lists the processes whose command line or environment names the demo's folder.
func processesOf(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	entries, err := os.ReadDir("/proc")
	must(t, err)
	for _, e := range entries {
		if _, err := strconv.Atoi(e.Name()); err != nil {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
		if err == nil && strings.Contains(string(line), dir) {
			found = append(found, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return found
}
