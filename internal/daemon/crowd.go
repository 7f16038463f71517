package daemon

import (
	"log/slog"
	"slices"
	"sync"

	"foyer/reader/tag"
	"foyer/shop"
	"foyer/shop/member"
	"foyer/sync/downlink"
	"foyer/sync/wire"
)

// crowd puts members in force: those at hand, and beside them the guests of whom headquarters told when it was asked. It is
// shop.Elsewhere. Who was erased is left out: headquarters' word on that may come before its new list.
type crowd struct {
	safe    *safe
	changed func() // another list is in force
	log     *slog.Logger
	shop    *shop.Shop
	down    *downlink.Downlink // nil without headquarters: then nobody is asked for

	mu     sync.Mutex
	all    []member.Member // as headquarters listed them
	clean  bool            // none of them was erased
	atHand *member.Book
	guests []member.Member
}

// apply puts a book of members in force, or says why it breaks a rule: then the one before stays.
func (c *crowd) apply(snapshot wire.Snapshot) error {
	body, err := snapshot.Members()
	if err != nil {
		return err
	}
	book, clean, err := c.book(body.Members)
	if err != nil {
		return err
	}
	if n := len(book.Clashes()); n > 0 {
		c.log.Warn("some tags belong to two members and are nobody's until headquarters mends that", "tags", n)
	}
	c.mu.Lock()
	c.all, c.clean, c.atHand = body.Members, clean, book
	c.show()
	c.mu.Unlock()
	c.changed()
	return nil
}

// book leaves out who was erased, and reports whether nobody was.
func (c *crowd) book(all []member.Member) (book *member.Book, clean bool, err error) {
	left := c.without(all)
	book, err = member.NewBook(left)
	return book, len(left) == len(all), err
}

func (c *crowd) without(all []member.Member) []member.Member {
	gone := c.safe.whoIsBarred()
	if gone == nil {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(m member.Member) bool { return gone(string(m.ID)) })
}

// strike takes off who was erased since the list in force came, and reports whether nobody of that list was.
func (c *crowd) strike() (clean bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.atHand == nil {
		return true, nil
	}
	book, clean, err := c.book(c.all)
	if err != nil {
		return false, err
	}
	guests := c.without(c.guests)
	if !clean && c.clean || len(guests) < len(c.guests) {
		c.atHand, c.guests = book, guests
		c.show()
	}
	c.clean = clean
	return clean, nil
}

// welcome puts the guests in force as they are now.
func (c *crowd) welcome(guests []member.Member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.guests = c.without(guests)
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
