//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cards plays cards to a listener and counts what it heard.
func cards(s settings) error {
	l, err := startListener(s)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	go l.disturb(s, done)
	err = playApart(s)
	close(done)
	if err != nil {
		return err
	}
	right, wrong, twice, err := compare(s, l.stop())
	fmt.Printf("RESULT profile=%s spacing=%v stall=%v sent=%d right=%d wrong=%d twice=%d\n",
		s.profile, s.spacing, s.stall, s.cards, right, wrong, twice)
	return err
}

// playApart plays from a process of its own, which the listener's stalls do not touch.
func playApart(s settings) error {
	player := exec.Command("/proc/self/exe", "play", "-profile", s.profile, "-n", strconv.Itoa(s.cards),
		"-spacing", s.spacing.String(), "-width", s.width.String(), "-pause", s.pause.String(), "-seed", strconv.FormatUint(s.seed, 10))
	player.Stdout, player.Stderr = os.Stdout, os.Stderr
	return player.Run()
}

// compare counts the cards that were shown and heard, heard and never shown, and heard again.
func compare(s settings, heard []string) (right, wrong, twice int, err error) {
	all, err := deck(s.profile, s.cards, s.seed)
	if err != nil {
		return 0, 0, 0, err
	}
	times := map[string]int{}
	for _, c := range all {
		text, _ := c.id.MarshalText()
		times[string(text)] = 0
	}
	for _, id := range heard {
		n, shown := times[id]
		switch {
		case !shown:
			wrong++
		case n > 0:
			twice++
		default:
			right++
		}
		if shown {
			times[id]++
		}
	}
	return right, wrong, twice, nil
}

const live = "/sys/kernel/config/gpio-sim/wg/live"

// vanish takes the chip away under a listener and gives it back.
func vanish(s settings) error {
	l, err := startListener(s)
	if err != nil {
		return err
	}
	if err := playApart(s); err != nil {
		return err
	}
	time.Sleep(time.Second) // the last card ends with a pause
	if err := os.WriteFile(live, []byte("0"), 0o644); err != nil {
		return err
	}
	taken := time.Now()
	if err := l.until("unplugged"); err != nil {
		return err
	}
	noticed := time.Since(taken)
	before, err := cpuTime(l.Process.Pid)
	if err != nil {
		return err
	}
	time.Sleep(5 * time.Second)
	after, err := cpuTime(l.Process.Pid)
	if err != nil {
		return err
	}
	if err := os.WriteFile(live, []byte("1"), 0o644); err != nil {
		return err
	}
	given := time.Now()
	if err := l.until("online"); err != nil {
		return err
	}
	back := time.Since(given)
	time.Sleep(time.Second) // a pause, after which a card counts
	if err := playApart(s); err != nil {
		return err
	}
	right, wrong, again, err := compare(s, l.stop())
	fmt.Printf("RESULT vanish noticed=%v cpu=%v back=%v sent=%d right=%d wrong=%d\n",
		noticed.Round(time.Millisecond), after-before, back.Round(time.Millisecond), 2*s.cards, right+again, wrong)
	return err
}

// cpuTime is how long a process has run: fields 14 and 15 of /proc/PID/stat, in hundredths of a second.
func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	user, errU := strconv.Atoi(fields[11])
	system, errS := strconv.Atoi(fields[12])
	if errU != nil || errS != nil {
		return 0, fmt.Errorf("process times %q %q", fields[11], fields[12])
	}
	return time.Duration(user+system) * 10 * time.Millisecond, nil
}
