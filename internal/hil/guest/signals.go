//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"foyer/reader/link"
	"foyer/reader/signal"
)

// signals drives a lamp on line 2 and swings a door on line 3, which are named by number.
func signals(settings) error {
	folder, err := chipFolder()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	lamp, busy, err := shine(ctx, folder)
	if err != nil {
		return err
	}
	door, err := swing(ctx, folder)
	if err != nil {
		return err
	}
	_, err = link.OpenOut("gpio:gpiochip99/2", false)
	fmt.Printf("RESULT signals lamp=%s door=%s busy=%v numbers=%v\n", lamp, door, busy, errors.Is(err, link.ErrNoDevice))
	return nil
}

// chipName finds the kernel's name of the simulated chip in its folder's path.
func chipName(folder string) string { return folder[strings.LastIndex(folder, "/")+1:] }

// shine plays three flashes and samples the line in the middle of each part. busy says that nobody else got the line meanwhile.
func shine(ctx context.Context, folder string) (seen string, busy bool, err error) {
	port := "gpio:" + chipName(folder) + "/2"
	pattern, err := signal.ParsePattern("green 3x200ms")
	if err != nil {
		return "", false, err
	}
	lamps, err := signal.NewLamps(signal.Config{
		Outputs:  map[string]func() (signal.Switch, error){"green": func() (signal.Switch, error) { return link.OpenOut(port, false) }},
		Patterns: map[signal.Event]signal.Pattern{signal.Known: pattern},
		Log:      slog.New(slog.NewTextHandler(os.Stdout, nil)),
	})
	if err != nil {
		return "", false, err
	}
	go lamps.Run(ctx)
	time.Sleep(time.Second)
	_, err = link.OpenOut(port, false)
	busy = errors.Is(err, link.ErrHeld)
	lamps.Signal(signal.Known)
	time.Sleep(100 * time.Millisecond)
	for range 6 {
		value, err := os.ReadFile(folder + "/sim_gpio2/value")
		if err != nil {
			return "", false, err
		}
		seen += strings.TrimSpace(string(value))
		time.Sleep(200 * time.Millisecond)
	}
	return seen, busy, nil
}

// swing opens and shuts a door whose contact bounces each time, and returns what was told.
func swing(ctx context.Context, folder string) (string, error) {
	line, err := openPull(folder, 3)
	if err != nil {
		return "", err
	}
	told := make(chan signal.Door, 100)
	config := signal.DoorConfig{
		Name: "front", Port: "gpio:" + chipName(folder) + "/3", Log: slog.New(slog.NewTextHandler(os.Stdout, nil)),
	}
	go signal.WatchDoor(ctx, config, func(d signal.Door) { told <- d })
	time.Sleep(time.Second)
	for _, levels := range [][]string{{"pull-down", "pull-up", "pull-down"}, {"pull-up", "pull-down", "pull-up"}, {"pull-down"}} {
		for _, level := range levels {
			if err := line.set(level); err != nil {
				return "", err
			}
			time.Sleep(3 * time.Millisecond)
		}
		time.Sleep(time.Second)
	}
	var words []string
	for len(told) > 0 {
		words = append(words, map[bool]string{true: "open", false: "shut"}[(<-told).Open])
	}
	return strings.Join(words, ","), nil
}
