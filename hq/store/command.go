package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"foyer/sync/wire"
)

// The states of a command: those of wire.Outcome, and before it is answered:
const (
	CommandWaiting = "waiting" // for the store to be there
	CommandSent    = "sent"    // at least once
)

// ErrNoResult is returned for a part of a file that nobody waits for, or that does not go on where the one before ended.
var ErrNoResult = errors.New("nobody waits for this result")

// Command is one thing that a store was asked to do.
type Command struct {
	wire.Command
	Store    string
	By       string // who asked
	State    string
	Sent     time.Time // first; zero: never
	Again    time.Time // last
	Answered time.Time
	Answer   wire.Done
}

// Open reports whether it is still to be answered.
func (c Command) Open() bool { return c.State == CommandWaiting || c.State == CommandSent }

// AddCommand keeps a command before anybody is told of it, and gives it its number, which is above all others.
func (d *DB) AddCommand(ctx context.Context, c Command) (Command, error) {
	args, err := json.Marshal(c.Command)
	if err != nil {
		return c, fmt.Errorf("keep command: %w", err)
	}
	err = d.do(ctx, func(t *tx) error {
		var n, last int64
		if err := t.row("SELECT count(*) FROM store WHERE id = ?", []any{c.Store}, &n); err != nil {
			return err
		}
		if n == 0 {
			return ErrNotFound
		}
		if err := t.row("SELECT coalesce(max(number), 0) FROM command", nil, &last); err != nil {
			return err
		}
		// Counted by the clock, so that a headquarters restored from a backup gives no number out twice.
		c.Number, c.State = uint64(max(last+1, ms(c.MadeAt))), CommandWaiting
		return t.exec("INSERT INTO command (id, number, store, what, args, asked_by, asked, expires, state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			c.ID, int64(c.Number), c.Store, string(c.Do), string(args), c.By, ms(c.MadeAt), ms(c.Expires), c.State)
	})
	if err != nil {
		return c, fmt.Errorf("keep command for store %s: %w", c.Store, err)
	}
	return c, nil
}

// SentCommand notes that a command went out.
func (d *DB) SentCommand(ctx context.Context, id string, now time.Time) error {
	return d.do(ctx, func(t *tx) error {
		return t.exec("UPDATE command SET state = 'sent', sent = CASE WHEN sent = 0 THEN ? ELSE sent END, again = ? WHERE id = ? AND state IN ('waiting', 'sent')",
			ms(now), ms(now), id)
	})
}

// ExpireCommands ends the commands that nobody answered in time, and says how many those were. One that was sent gets a
// while to be answered: the store may have done it at the last moment.
func (d *DB) ExpireCommands(ctx context.Context, now time.Time, while time.Duration) (n int64, err error) {
	err = d.do(ctx, func(t *tx) (err error) {
		n, err = t.affect("UPDATE command SET state = 'expired' WHERE state = 'waiting' AND expires <= ? OR state = 'sent' AND expires <= ?",
			ms(now), ms(now.Add(-while)))
		return err
	})
	return n, err
}

// commandDone takes a store's answer in. A later word of the store stands: "expired" was only ours.
func commandDone(t *tx, store string, when time.Time, d wire.Done) error {
	switch d.Outcome {
	case wire.IsDone, wire.IsRefused, wire.IsFailed, wire.IsExpired:
	default:
		return nil // of a newer program
	}
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return t.exec("UPDATE command SET state = ?, answered = ?, answer = ? WHERE id = ? AND store = ?", string(d.Outcome), ms(when), string(text), d.ID, store)
}

const commandColumns = "SELECT id, number, store, args, asked_by, asked, expires, sent, again, state, answered, answer FROM command"

// OpenCommands lists what is still to be answered, oldest first.
func (d *DB) OpenCommands(ctx context.Context) ([]Command, error) {
	return list(ctx, d, commandColumns+" WHERE state IN ('waiting', 'sent') ORDER BY number", nil, scanCommand)
}

// Commands lists the newest commands of a store, newest first.
func (d *DB) Commands(ctx context.Context, store string, most int) ([]Command, error) {
	return list(ctx, d, commandColumns+" WHERE store = ? ORDER BY number DESC LIMIT ?", []any{store, most}, scanCommand)
}

// Command returns one, or ErrNotFound.
func (d *DB) Command(ctx context.Context, id string) (Command, error) {
	all, err := list(ctx, d, commandColumns+" WHERE id = ?", []any{id}, scanCommand)
	if err == nil && len(all) == 0 {
		err = fmt.Errorf("command %.40q: %w", id, ErrNotFound)
	}
	if err != nil {
		return Command{}, err
	}
	return all[0], nil
}

func scanCommand(r *sql.Rows) (Command, error) {
	var c Command
	var id, args, answer string
	var number, asked, expires, sent, again, answered int64
	if err := r.Scan(&id, &number, &c.Store, &args, &c.By, &asked, &expires, &sent, &again, &c.State, &answered, &answer); err != nil {
		return c, err
	}
	if err := json.Unmarshal([]byte(args), &c.Command); err != nil {
		return c, fmt.Errorf("read command %s: %w", id, err)
	}
	if answer != "" {
		if err := json.Unmarshal([]byte(answer), &c.Answer); err != nil {
			return c, fmt.Errorf("read command %s: %w", id, err)
		}
	}
	c.ID, c.Number, c.MadeAt, c.Expires = id, uint64(number), at(asked), at(expires)
	c.Sent, c.Again, c.Answered = at(sent), at(again), at(answered)
	return c, nil
}

// AddResult keeps a part of a file that a command brings, and says how many bytes of it are there without a gap. A part that
// was there already changes nothing; another file of the same name begins anew.
func (d *DB) AddResult(ctx context.Context, store string, p wire.ResultPart) (have int64, err error) {
	err = d.do(ctx, func(t *tx) (err error) {
		have, err = addResult(t, store, p)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("keep result %s of store %s: %w", p.Name, store, err)
	}
	return have, nil
}

func addResult(t *tx, store string, p wire.ResultPart) (have int64, err error) {
	var waits, files int64
	err = t.row("SELECT count(*) FROM command WHERE id = ? AND store = ? AND what IN ('diagnostics', 'screenshot') AND state IN ('waiting', 'sent', 'expired')",
		[]any{p.ID, store}, &waits)
	if err == nil && waits == 0 {
		err = ErrNoResult
	}
	if err != nil {
		return 0, err
	}
	if err := t.exec("DELETE FROM result WHERE command = ? AND name = ? AND (size <> ? OR sha256 <> ?)", p.ID, p.Name, p.Size, p.Digest.String()); err != nil {
		return 0, err
	}
	err = t.row("SELECT count(DISTINCT name) FROM result WHERE command = ? AND name <> ?", []any{p.ID, p.Name}, &files)
	if err == nil && files >= wire.MaxResults {
		err = ErrNoResult
	}
	if err != nil {
		return 0, err
	}
	err = t.row("SELECT coalesce(max(start + length(data)), 0) FROM result WHERE command = ? AND name = ?", []any{p.ID, p.Name}, &have)
	if err != nil || p.Offset != have {
		return have, err // it was here, or the one before it was not: the store goes back or on to what is there
	}
	err = t.exec("INSERT INTO result (command, name, start, size, sha256, data) VALUES (?, ?, ?, ?, ?, ?)",
		p.ID, p.Name, p.Offset, p.Size, p.Digest.String(), p.Data)
	return have + int64(len(p.Data)), err
}

// Result returns a file that a command's answer names, proven by its digest; ErrNotFound if it is not here whole.
func (d *DB) Result(ctx context.Context, command, name string) ([]byte, error) {
	c, err := d.Command(ctx, command)
	if err != nil {
		return nil, err
	}
	for _, r := range c.Answer.Results {
		if r.Name != name {
			continue
		}
		parts, err := list(ctx, d, "SELECT data FROM result WHERE command = ? AND name = ? ORDER BY start", []any{command, name}, func(r *sql.Rows) (data []byte, err error) {
			return data, r.Scan(&data)
		})
		if err != nil {
			return nil, err
		}
		var all []byte
		for _, part := range parts {
			all = append(all, part...)
		}
		if sha256.Sum256(all) == r.Digest {
			return all, nil
		}
	}
	return nil, fmt.Errorf("result %.80q of command %.40q: %w", name, command, ErrNotFound)
}

// ForgetResults removes files of commands asked before a time, and commands asked before another. What was asked and by whom
// stays much longer than the files.
func (d *DB) ForgetResults(ctx context.Context, files, commands time.Time) error {
	return d.do(ctx, func(t *tx) error {
		err := t.exec("DELETE FROM result WHERE command IN (SELECT id FROM command WHERE asked < ?)", ms(files))
		if err != nil {
			return err
		}
		return t.exec("DELETE FROM command WHERE asked < ? AND state NOT IN ('waiting', 'sent')", ms(commands))
	})
}
