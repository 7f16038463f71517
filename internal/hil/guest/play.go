//go:build linux

package main

import (
	"fmt"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// pull is one simulated line, driven from outside as a wire would.
type pull int

// chipFolder finds the simulated chip in sysfs.
func chipFolder() (string, error) {
	found, err := filepath.Glob("/sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio0")
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("%d simulated chips: %w", len(found), err)
	}
	return filepath.Dir(found[0]), nil
}

func openPull(folder string, line int) (pull, error) {
	fd, err := unix.Open(fmt.Sprintf("%s/sim_gpio%d/pull", folder, line), unix.O_WRONLY|unix.O_CLOEXEC, 0)
	return pull(fd), err
}

func (p pull) set(level string) error {
	_, err := unix.Pwrite(int(p), []byte(level), 0)
	return err
}

// play sends cards: the clock is the kernel's, and a late pulse shifts the rest, as in a reader.
func play(s settings) error {
	all, err := deck(s.profile, s.cards, s.seed)
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0); err != nil {
		return err
	}
	folder, err := chipFolder()
	if err != nil {
		return err
	}
	var lines [2]pull
	for i := range lines {
		if lines[i], err = openPull(folder, i); err != nil {
			return err
		}
		if err := lines[i].set("pull-up"); err != nil {
			return err
		}
	}
	at := monotonic() + 100*time.Millisecond
	for _, c := range all {
		for _, bit := range c.wire {
			if at, err = pulse(lines[bit-'0'], at, s); err != nil {
				return err
			}
		}
		at += s.pause
	}
	return nil
}

// pulse pulls one line at a time, and returns when the next pulse is due.
func pulse(line pull, at time.Duration, s settings) (time.Duration, error) {
	sleepUntil(at)
	begun := monotonic()
	if err := line.set("pull-down"); err != nil {
		return 0, err
	}
	sleepUntil(begun + s.width)
	if err := line.set("pull-up"); err != nil {
		return 0, err
	}
	return max(at+s.spacing, monotonic()+s.spacing/2), nil
}

func monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}

func sleepUntil(at time.Duration) {
	ts := unix.NsecToTimespec(int64(at))
	for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &ts, nil) == unix.EINTR {
	}
}
