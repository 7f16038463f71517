package reader

import (
	"context"
	"errors"
	"fmt"
	"time"

	"foyer/firmware-profiles"
)

// start wakes the reader and starts it up. Afterwards it is online.
func (s *session) start(ctx context.Context) error {
	plan := &s.profile.Session
	s.restarted, s.turns = false, 0
	if len(plan.Wake) > 0 {
		if err := s.line.Send(plan.Wake); err != nil {
			return err
		}
	}
	for _, c := range plan.Start {
		if err := s.command(ctx, c); err != nil {
			return err
		}
	}
	now := time.Now()
	s.started, s.heard = now, now
	if s.health.Why != WhyNoise {
		s.change(true, "", "")
	}
	return nil
}

// command sends one command and waits for its answer. What comes meanwhile is handled as ever.
func (s *session) command(ctx context.Context, c profiles.Command) error {
	if err := s.settle(ctx); err != nil {
		return fmt.Errorf("wait to send %s: %w", c.Name, err)
	}
	s.reply, s.answered = c.Reply, false
	defer func() { s.reply = nil }()
	if err := s.line.Send(c.Send); err != nil {
		return fmt.Errorf("send %s: %w", c.Name, err)
	}
	for end := time.Now().Add(c.Within); len(c.Reply) > 0 && !s.answered && ctx.Err() == nil; {
		left := time.Until(end)
		if left <= 0 {
			break
		}
		if err := s.receive(min(left, s.longestWait())); err != nil {
			return fmt.Errorf("wait for the answer to %s: %w", c.Name, err)
		}
	}
	if len(c.Reply) == 0 || s.answered || c.Optional || ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("%s: %w within %v: is it the right profile and baud rate, and has the reader power?", c.Name, errNoReply, c.Within)
}

// settle waits until the line was silent for the profile's gap: a reader that talks loses what it is told. One that never
// stops is told all the same, after a second.
func (s *session) settle(ctx context.Context) error {
	gap := s.profile.Session.Gap
	for end := time.Now().Add(time.Second); gap > 0 && ctx.Err() == nil; {
		now := time.Now()
		left := gap - now.Sub(s.lastByte)
		if left <= 0 || !now.Before(end) {
			return nil
		}
		if err := s.receive(left); err != nil {
			return err
		}
	}
	return nil
}

// stop sends the last commands. ctx has ended, but a reader left polling would warm the shop all night, so they get a
// little time of their own; a line that is gone needs none.
func (s *session) stop() {
	for _, c := range s.profile.Session.Stop {
		if err := s.command(context.Background(), c); err != nil && !errors.Is(err, errNoReply) {
			return
		}
	}
}
