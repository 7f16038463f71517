package daemon

import (
	"log/slog"
	"sync"

	"foyer/reader/tag"
	"foyer/shop"
	"foyer/shop/member"
	"foyer/sync/downlink"
	"foyer/sync/wire"
)

// crowd puts members in force: those at hand, and beside them the guests of whom headquarters told when it was asked. It is
// shop.Elsewhere.
type crowd struct {
	log  *slog.Logger
	shop *shop.Shop
	down *downlink.Downlink // nil without headquarters: then nobody is asked for

	mu     sync.Mutex
	atHand *member.Book
	guests []member.Member
}

// apply puts a book of members in force, or says why it breaks a rule: then the one before stays.
func (c *crowd) apply(snapshot wire.Snapshot) error {
	body, err := snapshot.Members()
	if err != nil {
		return err
	}
	book, err := member.NewBook(body.Members)
	if err != nil {
		return err
	}
	if n := len(book.Clashes()); n > 0 {
		c.log.Warn("some tags belong to two members and are nobody's until headquarters mends that", "tags", n)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.atHand = book
	c.show()
	return nil
}

// welcome puts the guests in force as they are now.
func (c *crowd) welcome(guests []member.Member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.guests = guests
	c.show()
}

func (c *crowd) show() {
	all, err := c.atHand.With(c.guests)
	if err != nil { // a programmer's error: each of them was checked when it came
		c.log.Error("the guests are strangers", "err", err)
		all = c.atHand
	}
	c.shop.SetMembers(all)
}

// Maybe implements shop.Elsewhere.
func (c *crowd) Maybe(id, also tag.ID) bool { return c.down != nil && c.down.Maybe(id, also) }

// Ask implements shop.Elsewhere.
func (c *crowd) Ask(id, also tag.ID, done func()) bool {
	return c.down != nil && c.down.Ask(id, also, done)
}
