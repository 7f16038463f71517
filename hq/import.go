package hq

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"

	"foyer/hq/store"
	"foyer/reader/tag"
	"foyer/shop/member"
)

// Checked files wait a while for a person to say yes. They hold names and hashes, no raw numbers.
const (
	previewTime = 15 * time.Minute
	maxPreviews = 8
)

// ErrNoTagKey is returned by imports where headquarters was started without the chain's tag key.
var ErrNoTagKey = errors.New("members cannot be imported: headquarters was started without --tag-key-file")

// ErrGone is returned for a checked file that was applied, has waited too long, or never was.
var ErrGone = errors.New("this checked file is not there any more: check it again")

// ErrFaults is returned by an import whose file has faults. Nothing of it is stored.
var ErrFaults = errors.New("the file has faults; nothing of it was stored")

// Preview is what a file would do, or what is wrong with it.
type Preview struct {
	ID         string  `json:"id,omitempty"` // for ApplyMembers; empty if there are faults
	Rows       int     `json:"rows"`
	New        int     `json:"new"`
	Changed    int     `json:"changed"`
	Same       int     `json:"same"`
	Shared     int     `json:"shared_short_numbers"` // shorter forms of numbers that two members have: they match nobody
	FaultCount int     `json:"fault_count"`
	Faults     []Fault `json:"faults,omitempty"` // the first 200, by line

	revision int64
	put      []store.Person
	lines    map[member.ID]int // of put
	made     time.Time
}

// CheckMembers reads a CSV file (see Columns) and tells what it would do. Nothing is stored. A Preview without faults can
// be applied for 15 minutes.
func (h *HQ) CheckMembers(ctx context.Context, data []byte) (*Preview, error) {
	p, err := h.preview(ctx, data)
	if err != nil || p.FaultCount > 0 {
		return p, err
	}
	p.ID, p.made = rand.Text(), h.cfg.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.forgetPreviews()
	h.previews[p.ID] = p
	return p, nil
}

func (h *HQ) preview(ctx context.Context, data []byte) (*Preview, error) {
	if h.cfg.TagSecret == nil {
		return nil, ErrNoTagKey
	}
	key, err := tag.NewKey(h.cfg.TagSecret)
	if err != nil {
		return nil, err
	}
	revision, err := h.db.Revision(ctx, Members)
	if err != nil {
		return nil, err
	}
	people, err := h.db.Members(ctx, "", -1)
	if err != nil {
		return nil, err
	}
	p := plan(data, key, people)
	p.revision = revision
	return p, h.refuseErased(ctx, p)
}

// plan is pure: a file and the members as they are give a Preview.
func plan(data []byte, key *tag.Key, people []store.Person) *Preview {
	var f faults
	p := &Preview{}
	if s := readSheet(data, &f); s != nil {
		p.Rows = len(s.rows)
		entries := make([]entry, len(s.rows))
		for i, row := range s.rows {
			entries[i] = readEntry(s, row, key, &f)
		}
		if f.count == 0 {
			r := merge(s, entries, newKnown(people), &f)
			p.New, p.Changed, p.Same, p.Shared, p.put, p.lines = r.fresh, r.changed, r.same, r.shared, r.put, r.lines
		}
	}
	if len(p.put) == 0 && p.Rows == 0 && f.count == 0 {
		f.add(Fault{Line: 1, Code: FaultEmpty})
	}
	slices.SortStableFunc(f.list, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	p.Faults, p.FaultCount = f.list, f.count
	return p
}

// forgetPreviews drops those that waited too long, and the oldest if there are too many.
func (h *HQ) forgetPreviews() {
	var oldest *Preview
	for id, p := range h.previews {
		if h.cfg.Now().Sub(p.made) > previewTime {
			delete(h.previews, id)
		} else if oldest == nil || p.made.Before(oldest.made) {
			oldest = p
		}
	}
	if len(h.previews) >= maxPreviews {
		delete(h.previews, oldest.ID)
	}
}

// ApplyMembers stores what CheckMembers found, all or nothing, and publishes it. It works once. If members changed since
// the check it is refused with store.ErrChanged.
func (h *HQ) ApplyMembers(ctx context.Context, id string) (*Preview, error) {
	h.mu.Lock()
	h.forgetPreviews()
	p := h.previews[id]
	delete(h.previews, id)
	h.mu.Unlock()
	if p == nil {
		return nil, ErrGone
	}
	return p, h.apply(ctx, p)
}

// ImportMembers checks and applies in one step, for tools. With faults it returns the Preview that tells them and ErrFaults.
func (h *HQ) ImportMembers(ctx context.Context, data []byte) (*Preview, error) {
	p, err := h.preview(ctx, data)
	if err != nil {
		return nil, err
	}
	if p.FaultCount > 0 {
		return p, ErrFaults
	}
	return p, h.apply(ctx, p)
}

func (h *HQ) apply(ctx context.Context, p *Preview) error {
	if len(p.put) == 0 {
		return nil
	}
	if err := h.db.PutMembers(ctx, p.revision, p.put, h.cfg.Now()); err != nil {
		return err
	}
	h.cfg.Log.Info("members imported", "rows", p.Rows, "new", p.New, "changed", p.Changed, "same", p.Same)
	poke(h.kick)
	h.hub.changed()
	return nil
}
