//go:build linux

package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"foyer/api"
	"foyer/internal/daemon"
	"foyer/reader/tag"
)

// houseConfig is a store with a Wiegand reader, a lamp and a door on the simulated chip.
const houseConfig = `chain: demo
store: store-1
name: {en: "Store", zh-CN: "门店"}
data: data
tag_key_file: tag.key
listen: {socket: foyerd.sock}
readers: [{name: gate, profile: wiegand26, port: "gpio:WG_D0,WG_D1"}]
zones: [{id: gate, name: {en: "Gate", zh-CN: "入口"}, role: entrance, readers: [gate], tap: true}]
signals: [{name: lamp, outputs: {red: {line: "gpio:CHIP/2"}}, unknown: red 3x200ms}]
doors: [{name: front, line: "gpio:CHIP/3"}]
`

// house runs foyerd itself: a stranger's card flashes the lamp, and the door is counted.
func house(s settings) error {
	folder, err := chipFolder()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	client, err := openHouse(ctx, chipName(folder))
	if err != nil {
		return err
	}
	door, err := openPull(folder, 3)
	if err != nil {
		return err
	}
	// Asking for the line sets its pull. So the contact is shut only when foyerd has the line.
	if err := looks(ctx, client, func(st api.Status) bool { return st.Readers[0].Online && st.Doors[0].Known }); err != nil {
		return err
	}
	if err := door.set("pull-down"); err != nil {
		return err
	}
	if err := looks(ctx, client, func(st api.Status) bool { return !st.Doors[0].Open }); err != nil {
		return err
	}
	flashes := make(chan int, 1)
	go func() { flashes <- countFlashes(folder+"/sim_gpio2/value", 10*time.Second) }()
	s.cards = 1
	if err := playApart(s); err != nil {
		return err
	}
	lit := <-flashes
	if err := door.set("pull-up"); err != nil {
		return err
	}
	err = looks(ctx, client, func(st api.Status) bool { return st.Doors[0].Open && st.Doors[0].Opened == 1 })
	fmt.Printf("RESULT house flashes=%d opened=%v\n", lit, err == nil)
	return nil
}

// openHouse starts foyerd and waits until it serves.
func openHouse(ctx context.Context, chip string) (*api.Client, error) {
	dir, err := os.MkdirTemp("/", "house")
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "foyerd.yaml")
	for path, text := range map[string]string{config: strings.ReplaceAll(houseConfig, "CHIP", chip), filepath.Join(dir, "tag.key"): tag.NewSecret()} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	c, err := daemon.LoadToRun(config)
	if err != nil {
		return nil, err
	}
	ended := make(chan error, 1)
	ready := filepath.Join(dir, "ready")
	go func() {
		ended <- daemon.Run(ctx, c, daemon.Options{ReadyFile: ready, Log: slog.New(slog.NewTextHandler(os.Stdout, nil))})
	}()
	for {
		if _, err := os.Stat(ready); err == nil {
			return api.NewClient("unix://"+c.Listen.Socket, "")
		}
		select {
		case err := <-ended:
			return nil, fmt.Errorf("foyerd ends: %w", err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// looks waits until the status is so.
func looks(ctx context.Context, client *api.Client, so func(api.Status) bool) error {
	var last api.Status
	for range 200 {
		snapshot, err := client.Snapshot(ctx, api.Reception)
		if err != nil {
			return err
		}
		if last = snapshot.Status; len(last.Readers) > 0 && so(last) { // the first moment shows nothing yet
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("the status is never as it should be: %+v", last)
}

// countFlashes counts how often a line goes up in so long.
func countFlashes(value string, so time.Duration) (n int) {
	was := "0"
	for end := time.Now().Add(so); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		text, err := os.ReadFile(value)
		if err != nil {
			return -1
		}
		is := strings.TrimSpace(string(text))
		if is == "1" && was == "0" {
			n++
		}
		was = is
	}
	return n
}
