package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// MaxInstances is how many headquarters may work with one database.
const MaxInstances = 8

// ErrTaken is returned where another headquarters has the number already.
var ErrTaken = errors.New("another foyer-hq has this number")

// Words that headquarters tell each other.
const (
	Changed = "changed" // pages show something else
	Publish = "publish" // look what is to be published
)

const (
	beat      = time.Second            // how often a headquarters looks whether it leads, or may
	beatLimit = 5 * time.Second        // a leader that does not reach the database for so long leads no more
	hush      = 200 * time.Millisecond // between two words of the same kind
)

// Company is how a headquarters knows of others at the same database: one of them leads, and they tell each other that
// something has changed. With SQLite there are no others, and it always leads.
//
// The lead, and each one's number, are advisory locks of one connection that does nothing else: they end with it, so that the
// lead moves within a second or two of a leader's death.
type Company struct {
	db     *DB
	number int
	self   string // what its words are signed with
	conn   *pgx.Conn
	leads  atomic.Bool
	said   map[string]chan struct{}
}

// Join makes this headquarters the one of a number, from 1 on: ErrTaken if that is at work already.
func (d *DB) Join(ctx context.Context, number int) (*Company, error) {
	c := &Company{db: d, number: number, said: map[string]chan struct{}{Changed: make(chan struct{}, 1), Publish: make(chan struct{}, 1)}}
	if !d.Shared() {
		c.leads.Store(true)
		return c, nil
	}
	if number < 1 || number > MaxInstances {
		return nil, fmt.Errorf("instance %d: want 1 to %d", number, MaxInstances)
	}
	return c, c.connect(ctx)
}

// Leads reports whether this one does what only one may do.
func (c *Company) Leads() bool { return c.leads.Load() }

// Tell tells the others a word, soon; the same one told again meanwhile is one.
func (c *Company) Tell(word string) {
	select {
	case c.said[word] <- struct{}{}:
	default:
	}
}

// Leave gives up number and lead. Run must have returned.
func (c *Company) Leave() {
	c.leads.Store(false)
	c.disconnect()
}

func (c *Company) connect(ctx context.Context) (err error) {
	config := c.db.config.Copy()
	// a machine that vanished gives up the lead within half a minute
	maps.Copy(config.RuntimeParams, map[string]string{"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"})
	ctx, cancel := context.WithTimeout(ctx, beatLimit)
	defer cancel()
	if c.conn, err = pgx.ConnectConfig(ctx, config); err != nil {
		return fmt.Errorf("connect to the database: %w", hidePassword(err))
	}
	c.self = fmt.Sprint(c.conn.PgConn().PID())
	var mine bool
	err = c.conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", c.db.lock+1+int64(c.number)).Scan(&mine)
	if err == nil && !mine {
		err = fmt.Errorf("instance %d: %w: give each its own with --instance", c.number, ErrTaken)
	}
	if err == nil {
		_, err = c.conn.Exec(ctx, "LISTEN "+c.channel())
	}
	if err != nil {
		c.disconnect()
	}
	return err
}

func (c *Company) disconnect() {
	if c.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), beat)
	defer cancel()
	c.conn.Close(ctx)
	c.conn = nil
}

func (c *Company) channel() string { return fmt.Sprintf("foyer_%d", c.db.lock) }

// Run keeps company until ctx ends. lead is called when this one begins or ceases to lead, heard for each word of another.
// trouble is called with what is wrong with the connection, and nil when it is mended.
func (c *Company) Run(ctx context.Context, lead func(bool), heard func(word string), trouble func(error)) {
	if !c.db.Shared() {
		lead(true)
		<-ctx.Done()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.speak(ctx)
	}()
	for ctx.Err() == nil {
		err := c.keep(ctx, lead, heard)
		if c.leads.Swap(false) {
			lead(false)
		}
		c.disconnect()
		for err != nil && ctx.Err() == nil {
			trouble(err)
			select {
			case <-time.After(beat):
			case <-ctx.Done():
			}
			if err = c.connect(ctx); err == nil {
				trouble(nil)
			}
		}
	}
	<-done
}

// keep listens, and once a beat makes sure of the lead. It returns when the connection is no good any more.
func (c *Company) keep(ctx context.Context, lead func(bool), heard func(string)) error {
	for ctx.Err() == nil {
		if err := c.look(ctx, lead); err != nil {
			return err
		}
		for next := time.Now().Add(beat); time.Now().Before(next) && ctx.Err() == nil; {
			limit, cancel := context.WithDeadline(ctx, next)
			n, err := c.conn.WaitForNotification(limit)
			cancel()
			if err != nil {
				break // the beat is over, or the connection: look tells
			}
			if from, word, ok := strings.Cut(n.Payload, " "); ok && from != c.self {
				heard(word)
			}
		}
	}
	return nil
}

func (c *Company) look(ctx context.Context, lead func(bool)) error {
	limit, cancel := context.WithTimeout(ctx, beatLimit)
	defer cancel()
	if c.leads.Load() {
		return c.conn.Ping(limit)
	}
	var mine bool
	err := c.conn.QueryRow(limit, "SELECT pg_try_advisory_lock($1)", c.db.lock+1).Scan(&mine)
	if err == nil && mine {
		c.leads.Store(true)
		lead(true)
	}
	return err
}

// speak sends what was told: others that do not hear it look by themselves within a quarter of a minute.
func (c *Company) speak(ctx context.Context) {
	for ctx.Err() == nil {
		word := ""
		select {
		case <-ctx.Done():
			return
		case <-c.said[Publish]:
			word = Publish
		case <-c.said[Changed]:
			word = Changed
		}
		c.db.reader.db.ExecContext(ctx, "SELECT pg_notify($1, $2)", c.channel(), c.self+" "+word)
		if word == Publish {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(hush):
		}
	}
}
