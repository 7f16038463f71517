//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	profiles "foyer/firmware-profiles"
	"foyer/reader"
	"foyer/reader/tag"
)

// listen is a store's reader session. It prints "STATE online" or why not, and "CARD id" for each card.
func listen(s settings) error {
	p, ok := profiles.Find(s.profile)
	if !ok {
		return fmt.Errorf("no profile %q", s.profile)
	}
	r, err := reader.New(reader.Config{Name: "door", Profile: p, Port: s.port, Secret: secret, Log: slog.New(slog.NewTextHandler(os.Stdout, nil))})
	if err != nil {
		return err
	}
	reads := make(chan tag.Read, 64)
	go func() {
		for read := range reads {
			text, _ := read.ID.MarshalText()
			fmt.Printf("CARD %s\n", text)
		}
	}()
	return r.Run(context.Background(), reads, func(h reader.Health) {
		if h.Online {
			fmt.Println("STATE online")
			return
		}
		fmt.Printf("STATE %s %s\n", h.Why, h.Detail)
	})
}

// listener is a listen process and what it said.
type listener struct {
	*exec.Cmd
	states chan string
	cards  chan string
}

func startListener(s settings) (*listener, error) {
	l := &listener{
		Cmd:    exec.Command("/proc/self/exe", "listen", "-profile", s.profile, "-port", s.port),
		states: make(chan string, 1000),
		cards:  make(chan string, 10_000),
	}
	l.Stderr = os.Stderr
	out, err := l.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := l.Start(); err != nil {
		return nil, err
	}
	go l.read(out)
	return l, l.until("online")
}

func (l *listener) read(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		kind, rest, _ := strings.Cut(lines.Text(), " ")
		switch kind {
		case "CARD":
			l.cards <- rest
		case "STATE":
			l.states <- rest
		default:
			fmt.Println(lines.Text())
		}
	}
	close(l.cards)
}

// until waits for a state.
func (l *listener) until(want string) error {
	for end := time.After(20 * time.Second); ; {
		select {
		case state := <-l.states:
			if strings.HasPrefix(state, want) {
				return nil
			}
		case <-end:
			return fmt.Errorf("the listener is never %s", want)
		}
	}
}

// stop ends the listener and returns what it heard that was not taken yet.
func (l *listener) stop() (heard []string) {
	time.Sleep(2 * time.Second) // what the kernel still keeps, and the pause after the last card
	l.Process.Kill()
	for c := range l.cards {
		heard = append(heard, c)
	}
	l.Wait()
	return heard
}

// disturb stops the listener's whole process again and again until done.
func (l *listener) disturb(s settings, done <-chan struct{}) {
	for s.stall > 0 {
		select {
		case <-done:
			return
		case <-time.After(s.every):
		}
		l.Process.Signal(syscall.SIGSTOP)
		time.Sleep(s.stall)
		l.Process.Signal(syscall.SIGCONT)
	}
}
