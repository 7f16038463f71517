//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"foyer/reader/link"
)

// serial keeps a port open through n plugs. It says "OPEN k", "HEARD text" (and answers it), and "LOST why".
func serial(s settings) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	opened, lost := 0, 0
	use := func(ctx context.Context, l link.Link) error {
		opened++
		fmt.Printf("OPEN %d as %s, files %d\n", opened, strings.Join(ports(), " "), openFiles())
		return echo(ctx, l)
	}
	err := link.Dial(s.port, link.Settings{}).Run(ctx, use, func(err error) {
		if errors.Is(err, link.ErrNoDevice) {
			return
		}
		lost++
		fmt.Printf("LOST %d unplugged=%v %v\n", lost, errors.Is(err, link.ErrUnplugged), err)
		if lost == s.cards {
			cancel()
		}
	})
	fmt.Printf("RESULT serial opened=%d lost=%d files=%d\n", opened, lost, openFiles())
	return err
}

// echo answers each line that comes.
func echo(ctx context.Context, l link.Link) error {
	var text []byte
	p := make([]byte, 256)
	for ctx.Err() == nil {
		n, err := l.Receive(p, time.Second)
		if err != nil {
			return err
		}
		text = append(text, p[:n]...)
		for line, rest, ok := bytes.Cut(text, []byte("\n")); ok; line, rest, ok = bytes.Cut(text, []byte("\n")) {
			fmt.Printf("HEARD %s\n", line)
			text = rest
			if err := l.Send([]byte("ack " + string(line) + "\n")); err != nil {
				return err
			}
		}
	}
	return nil
}

func ports() []string {
	usb, _ := filepath.Glob("/dev/ttyUSB*")
	acm, _ := filepath.Glob("/dev/ttyACM*")
	return append(usb, acm...)
}

func openFiles() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(entries)
}

// stuck writes to a device that takes nothing until the link gives up, and closes it.
func stuck(s settings) error {
	l, err := link.Open(context.Background(), s.port, link.Settings{})
	if err != nil {
		return err
	}
	sent := 0
	chunk := make([]byte, 256)
	begun := time.Now()
	for err == nil && time.Since(begun) < time.Minute {
		begun = time.Now()
		if err = l.Send(chunk); err == nil {
			sent += len(chunk)
		}
	}
	gaveUp := time.Since(begun)
	closing := time.Now()
	closeErr := l.Close()
	fmt.Printf("RESULT stuck sent=%d stuck=%v after=%v closed=%v %v\n", sent, errors.Is(err, link.ErrStuck),
		gaveUp.Round(time.Millisecond), time.Since(closing).Round(time.Millisecond), closeErr)
	return nil
}
