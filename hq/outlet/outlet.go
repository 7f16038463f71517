// Package outlet tells integrators what happened in the stores, as CloudEvents 1.0: by a pull with a cursor, and by a webhook.
//
// In: records as headquarters has stored them. Out: batches and streams of events over HTTP, in one order that never changes,
// nothing missed and nothing twice for who keeps the cursor; POSTs to one address, each batch until it is taken.
// It never tells a member's pseudonym, a tag or a name of staff unless Outside.Members says so, and never what a record of an
// unknown kind holds under names that are not known to be harmless (wire.Outside).
// Called by cmd/foyer-hq.
//
//	GET /v1/events?after=CURSOR&limit=100&wait=30s
//
// with "Authorization: Bearer TOKEN". after is the Foyer-Cursor of the answer before, nothing for the very first record, or
// "now". The answer is a JSON array in batch mode, or one event in structured mode for who accepts
// application/cloudevents+json alone (204: there is none), or Server-Sent Events for text/event-stream, whose ids are cursors.
// wait holds an empty answer back until there is something, at most 60s. A cursor that this headquarters never gave, since it was
// restored from a backup, is answered with 410: begin again, ids tell what was had before.
//
// The webhook gets the same batches by POST, with its own token, one at a time; any 2xx moves on, all else is sent again with
// growing pauses, for good. How far it got is in headquarters' database.
package outlet

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"foyer/api"
	"foyer/hq/store"
	"foyer/sync/wire"
)

// Path is where events are.
const Path = "/v1/events"

// CursorHeader carries the cursor after the last event of an answer.
const CursorHeader = "Foyer-Cursor"

const (
	maxLimit     = 1000
	defaultLimit = 100
	maxWait      = time.Minute
	look         = 2 * time.Second // between two looks while nothing is told to have changed: another headquarters may store too
	heartbeat    = 20 * time.Second
	minToken     = 16
)

// Feed is headquarters' memory as this needs it. hq/store has it.
type Feed interface {
	NumberFeed(ctx context.Context) error
	Feed(ctx context.Context, after uint64, most int) (all []store.Told, upto uint64, err error)
	FeedPlace(ctx context.Context, number uint64) (place string, head uint64, err error)
	Outlet(ctx context.Context, name string) (uint64, error)
	MoveOutlet(ctx context.Context, name string, upto uint64, now time.Time) error
}

// Config of an Outlet. Feed and Outside must be there.
type Config struct {
	Feed    Feed
	Outside wire.Outside
	Token   string                           // of whoever pulls; none: nobody may
	Watch   func() (<-chan struct{}, func()) // tells that something changed; nil: it looks by itself
	Stop    context.Context                  // ends what waits; nil never does
	Log     *slog.Logger                     // nil discards
}

// Outlet is an http.Handler for Path.
type Outlet struct{ c Config }

// New returns an outlet.
func New(c Config) (*Outlet, error) {
	if c.Token != "" && len(c.Token) < minToken {
		return nil, fmt.Errorf("the token for events has %d characters: want at least %d", len(c.Token), minToken)
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Watch == nil {
		c.Watch = func() (<-chan struct{}, func()) { return nil, func() {} }
	}
	if c.Stop == nil {
		c.Stop = context.Background()
	}
	return &Outlet{c}, nil
}

func (o *Outlet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		problem(w, http.StatusMethodNotAllowed, "events are read with GET")
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if o.c.Token == "" || subtle.ConstantTimeCompare([]byte(token), []byte(o.c.Token)) != 1 {
		w.Header().Set("WWW-Authenticate", `Bearer realm="events"`)
		problem(w, http.StatusUnauthorized, "send the token for events as Authorization: Bearer TOKEN")
		return
	}
	q, err := o.question(r)
	switch {
	case errors.Is(err, errGone):
		problem(w, http.StatusGone, err.Error())
	case err != nil && q.wrong:
		problem(w, http.StatusBadRequest, err.Error())
	case err != nil:
		o.fail(w, r, err)
	case q.stream:
		o.stream(w, r, q)
	default:
		o.batch(w, r, q)
	}
}

func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(api.Problem{Status: status, Title: http.StatusText(status), Detail: detail})
}

func (o *Outlet) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() == nil {
		o.c.Log.Error("events were not told", "err", err)
	}
	problem(w, http.StatusInternalServerError, "this did not work at headquarters; its log says why")
}

// question is what somebody asks for.
type question struct {
	after  uint64
	limit  int
	wait   time.Duration
	single bool // structured mode
	stream bool
	wrong  bool // the question itself
}

var errGone = errors.New("this headquarters did not give this cursor, or was restored from a backup since: begin again without one, and pass over the ids that you have")

func (o *Outlet) question(r *http.Request) (question, error) {
	q := question{limit: defaultLimit, wrong: true}
	in, accept := r.URL.Query(), r.Header.Get("Accept")
	q.stream = strings.HasPrefix(accept, "text/event-stream")
	q.single = strings.HasPrefix(accept, wire.CloudEventType) && !strings.Contains(accept, wire.CloudEventBatchType)
	if text := in.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxLimit {
			return q, fmt.Errorf("limit %.20q: want 1 to %d", text, maxLimit)
		}
		q.limit = n
	}
	if text := in.Get("wait"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 || d > maxWait {
			return q, fmt.Errorf("wait %.20q: want 0s to %v", text, maxWait)
		}
		q.wait = d
	}
	if q.single {
		q.limit = 1
	}
	cursor := in.Get("after")
	if id := r.Header.Get("Last-Event-ID"); q.stream && id != "" {
		cursor = id
	}
	var err error
	q.after, q.wrong, err = o.place(r.Context(), cursor)
	return q, err
}

// place is the number that a cursor stands for.
func (o *Outlet) place(ctx context.Context, cursor string) (after uint64, wrong bool, err error) {
	if cursor == "" || cursor == "0" {
		return 0, false, nil
	}
	if cursor == "now" {
		if err := o.c.Feed.NumberFeed(ctx); err != nil {
			return 0, false, err
		}
		_, head, err := o.c.Feed.FeedPlace(ctx, 0)
		return head, false, err
	}
	text, check, ok := strings.Cut(cursor, "-")
	n, err := strconv.ParseUint(text, 10, 53)
	if err != nil || !ok {
		return 0, true, fmt.Errorf("after=%.40q: want a %s of an answer before, now, or nothing", cursor, CursorHeader)
	}
	place, _, err := o.c.Feed.FeedPlace(ctx, n)
	if err == nil && checkOf(place) != check {
		err = errGone
	}
	return n, false, err
}

// cursor names a number so that it is known again, and that it is another one after a restore from a backup.
func (o *Outlet) cursor(ctx context.Context, n uint64) (string, error) {
	if n == 0 {
		return "0", nil
	}
	place, _, err := o.c.Feed.FeedPlace(ctx, n)
	return strconv.FormatUint(n, 10) + "-" + checkOf(place), err
}

func checkOf(place string) string {
	sum := sha256.Sum256([]byte(place))
	return hex.EncodeToString(sum[:6])
}

// next returns what follows a number, or nothing where nothing has come within a while.
func (o *Outlet) next(ctx context.Context, after uint64, most int, wait time.Duration) ([]store.Told, uint64, error) {
	changed, stop := o.c.Watch()
	defer stop()
	end := time.NewTimer(wait)
	defer end.Stop()
	for {
		if err := o.c.Feed.NumberFeed(ctx); err != nil {
			return nil, after, err
		}
		all, upto, err := o.c.Feed.Feed(ctx, after, most)
		if err != nil || len(all) > 0 || wait <= 0 {
			return all, upto, err
		}
		if after = upto; ctx.Err() != nil {
			return nil, after, ctx.Err()
		}
		again := time.NewTimer(look)
		select {
		case <-changed:
		case <-again.C:
		case <-end.C:
			wait = 0
		case <-o.c.Stop.Done():
			wait = 0
		case <-ctx.Done():
		}
		again.Stop()
	}
}

func (o *Outlet) events(told []store.Told) []wire.CloudEvent {
	all := make([]wire.CloudEvent, 0, len(told))
	for _, t := range told {
		all = append(all, o.c.Outside.Event(t.Store, t.Epoch, t.Lane, t.Seq, t.Record))
	}
	return all
}

func (o *Outlet) batch(w http.ResponseWriter, r *http.Request, q question) {
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(q.wait + heartbeat)) // a server's own is for answers that do not wait
	told, upto, err := o.next(r.Context(), q.after, q.limit, q.wait)
	var cursor string
	if err == nil {
		cursor, err = o.cursor(r.Context(), upto)
	}
	var body any = o.events(told)
	kind := wire.CloudEventBatchType
	if q.single && len(told) > 0 {
		body, kind = o.events(told)[0], wire.CloudEventType
	}
	var data []byte
	if err == nil {
		data, err = json.Marshal(body)
	}
	if err != nil {
		o.fail(w, r, err)
		return
	}
	w.Header().Set(CursorHeader, cursor)
	if q.single && len(told) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Write(append(data, '\n'))
}

// stream sends events as they come, each with its cursor as id.
func (o *Outlet) stream(w http.ResponseWriter, r *http.Request, q question) {
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	send := func(text string) bool {
		if out.SetWriteDeadline(time.Now().Add(heartbeat)) != nil {
			return false
		}
		_, err := fmt.Fprint(w, text)
		return err == nil && out.Flush() == nil
	}
	if !send(": hello\n\n") {
		return
	}
	for r.Context().Err() == nil && o.c.Stop.Err() == nil {
		told, upto, err := o.next(r.Context(), q.after, q.limit, heartbeat/2)
		if err != nil {
			if r.Context().Err() == nil {
				o.c.Log.Error("events were not told", "err", err)
			}
			return
		}
		q.after = upto
		if len(told) == 0 && !send(": still here\n\n") {
			return
		}
		for i, e := range o.events(told) {
			cursor, err := o.cursor(r.Context(), told[i].Number)
			var data []byte
			if err == nil {
				data, err = json.Marshal(e)
			}
			if err != nil || !send(fmt.Sprintf("id: %s\nevent: %s\ndata: %s\n\n", cursor, e.Type, data)) {
				return
			}
		}
	}
}
