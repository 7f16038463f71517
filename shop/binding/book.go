package binding

import (
	"slices"
	"time"

	"foyer/reader/tag"
	"foyer/shop/member"
)

// Book is the members' book with this store's marks over it. It belongs to one goroutine.
type Book struct {
	roster *member.Book
	marks  map[tag.ID]Mark
}

// New returns a book with the marks that were stored.
func New(marks []Mark) *Book {
	b := &Book{marks: map[tag.ID]Mark{}}
	for _, m := range marks {
		b.marks[m.Tag] = m
	}
	return b
}

// SetRoster puts headquarters' book in force and drops the marks that it has caught up with, and those of members who are
// in the book no longer. They are returned, so that the caller drops them from its store too.
func (b *Book) SetRoster(r *member.Book) (settled []tag.ID) {
	b.roster = r
	if r == nil {
		return nil // there is no word of headquarters yet
	}
	for id, m := range b.marks {
		if b.caughtUp(m) {
			delete(b.marks, id)
			settled = append(settled, id)
		}
	}
	for more := true; more; { // one that goes may have held another: until none goes, so that no order of going matters
		more = false
		for id, m := range b.marks {
			if !m.Of.IsZero() && m.State != IsBlocked && !b.has(m.Member, m.Of) { // the shorter form goes with its card
				delete(b.marks, id)
				settled = append(settled, id)
				more = true
			}
		}
	}
	slices.SortFunc(settled, compare)
	return settled
}

// Use puts a book in force that settles nothing: headquarters has said nothing yet.
func (b *Book) Use(r *member.Book) { b.roster = r }

// has reports whether the store or headquarters has more to say of a card than that it is not this member's.
func (b *Book) has(who member.ID, card tag.ID) bool {
	_, marked := b.marks[card]
	standing, m := b.roster.Look(card)
	return marked || standing != member.Unknown && (m == nil || m.ID == who)
}

// caughtUp reports whether headquarters says what the mark says, or something newer. While its book still has the tag with
// whoever had it before the store's first change, it has not heard yet.
func (b *Book) caughtUp(m Mark) bool {
	standing, who := b.roster.Look(m.Tag)
	if standing == member.Carried && who.ID == m.Over && (m.State != IsBound || m.Over != m.Member) {
		return false
	}
	if _, known := b.roster.ByID(m.Member); !known {
		return true
	}
	if !m.Of.IsZero() { // what becomes of a shorter form is for headquarters to say, once it has heard of the card
		if card, whose := b.roster.Look(m.Of); card == member.Carried && whose.ID == m.Member && m.State != IsBlocked && m.State != IsUnbound {
			return true
		}
	}
	switch m.State {
	case IsBound:
		return standing == member.Carried && (who.ID == m.Member || who.ID != m.Over) || standing == member.Blocked && !m.Found
	case IsBlocked:
		return standing == member.Blocked
	case IsUnbound:
		return standing == member.Unknown || standing == member.Carried && who.ID != m.Member
	}
	return standing == member.Clashing
}

// over is who has a tag in headquarters' book, or had before the store's first change.
func (b *Book) over(id tag.ID) member.ID {
	if mark, marked := b.marks[id]; marked {
		return mark.Over
	}
	if standing, who := b.roster.Look(id); standing == member.Carried {
		return who.ID
	}
	return ""
}

func compare(x, y tag.ID) int { return slices.Compare(x[:], y[:]) }

// Disown takes those named off the marks as the ones who had a tag before. It returns the marks that changed, to be stored.
func (b *Book) Disown(erased func(member.ID) bool) []Mark {
	var changed []Mark
	for id, m := range b.marks {
		if m.Over != "" && m.Over != m.Member && erased(m.Over) {
			m.Over = ""
			b.marks[id] = m
			changed = append(changed, m)
		}
	}
	return changed
}

// Marks lists the marks in order of the tag.
func (b *Book) Marks() []Mark {
	var all []Mark
	for _, m := range b.marks {
		all = append(all, m)
	}
	slices.SortFunc(all, func(x, y Mark) int { return compare(x.Tag, y.Tag) })
	return all
}

// Marked reports whether the store itself has changed a tag since headquarters' last word.
func (b *Book) Marked(id tag.ID) bool {
	_, marked := b.marks[id]
	return marked
}

// Find tells whose tag was read: see member.Book.Find. What the store changed goes before what headquarters said.
func (b *Book) Find(id, also tag.ID) (member.Standing, *member.Member) {
	standing, m := b.look(id)
	if _, marked := b.marks[id]; standing == member.Unknown && !marked {
		return b.look(also)
	}
	return standing, m
}

// look is Find for one form of a number. A tag that was taken back is a stranger's.
func (b *Book) look(id tag.ID) (member.Standing, *member.Member) {
	mark, marked := b.marks[id]
	if !marked {
		return b.roster.Look(id)
	}
	m, ok := b.roster.ByID(mark.Member)
	switch {
	case mark.State == IsShared:
		return member.Clashing, nil
	case mark.State == IsBlocked && !ok:
		return member.Blocked, nil // whose it was is not to be known any more
	case mark.State == IsBlocked:
		return member.Blocked, m
	case mark.State == IsBound && ok:
		return member.Carried, m
	}
	return member.Unknown, nil
}

// Tags lists the tags that a member has now, shorter forms included, in order.
func (b *Book) Tags(id member.ID) []tag.ID {
	var tags []tag.ID
	if m, ok := b.roster.ByID(id); ok {
		for _, t := range m.Tags {
			if _, marked := b.marks[t]; !marked {
				tags = append(tags, t)
			}
		}
	}
	for t, mark := range b.marks {
		if mark.Member == id && mark.State == IsBound {
			tags = append(tags, t)
		}
	}
	slices.SortFunc(tags, compare)
	return tags
}

// Apply puts a change in force. Call it when the change is durable.
func (b *Book) Apply(c Change) {
	for _, m := range c.Marks {
		b.marks[m.Tag] = m
	}
}

// Bind gives a tag to a member.
func (b *Book) Bind(r Request, now time.Time) (Change, error) {
	c, why := b.begin(Bound, r, now)
	if why == "" {
		why = b.give(&c, r, 0)
	}
	return c.or(why)
}

// Replace gives a tag in place of an old one. One that was lost or stolen is blocked, another is taken back.
func (b *Book) Replace(r Request, now time.Time) (Change, error) {
	c, why := b.begin(Replaced, r, now)
	if why != "" {
		return c.or(why)
	}
	if !r.Old.IsZero() && (r.Old == r.Tag || r.Old == r.Also) {
		return c.or(SameTag)
	}
	state := IsUnbound
	if r.Reason == Lost || r.Reason == Stolen {
		state = IsBlocked
	}
	if why = b.take(&c, r.Member, r.Old, tag.ID{}, state); why == "" {
		why = b.give(&c, r, len(c.Marks))
	}
	return c.or(why)
}

// Block makes a tag that was lost or stolen known as such. Without a tag, all that the member has are blocked: of a lost
// card nobody has the number, and it is all forms of it that must not be greeted.
func (b *Book) Block(r Request, now time.Time) (Change, error) {
	c, why := b.begin(Blocked, r, now)
	if why == "" {
		why = b.take(&c, r.Member, r.Tag, r.Also, IsBlocked)
	}
	return c.or(why)
}

// Unbind takes a tag back. Without a tag, all that the member has.
func (b *Book) Unbind(r Request, now time.Time) (Change, error) {
	c, why := b.begin(Unbound, r, now)
	if why == "" {
		why = b.take(&c, r.Member, r.Tag, r.Also, IsUnbound)
	}
	return c.or(why)
}

func (c Change) or(why Why) (Change, error) {
	if why != "" {
		return Change{}, &Refused{why}
	}
	return c, nil
}

// begin checks what all requests have in common.
func (b *Book) begin(k Kind, r Request, now time.Time) (Change, Why) {
	c := Change{Kind: k, Member: r.Member, Reason: r.Reason, By: r.By, At: now}
	_, known := b.roster.ByID(r.Member)
	switch {
	case r.By == "":
		return c, NoName
	case !slices.Contains(reasons[k], r.Reason):
		return c, BadReason
	case !known:
		return c, NoMember
	}
	return c, ""
}

// give marks a tag, and its shorter form, as the member's. freed is how many they lose by the same change.
func (b *Book) give(c *Change, r Request, freed int) Why {
	if r.Tag.IsZero() {
		return NoTag
	}
	if why := b.mayGive(r); why != "" {
		return why
	}
	fresh := []Mark{{Tag: r.Tag, Member: r.Member, State: IsBound, At: c.At, Over: b.over(r.Tag), Found: r.Reason == Found}}
	if !r.Also.IsZero() && r.Also != r.Tag {
		fresh = b.giveShort(c, r, fresh)
	}
	if r.Reason == Found {
		fresh = b.giveBack(c, r, fresh)
	}
	if len(b.Tags(r.Member))-freed+len(fresh) > member.MaxTags {
		return Many
	}
	for _, m := range fresh { // a form that the old tag shares with the new one is the new one's
		c.Marks = slices.DeleteFunc(c.Marks, func(old Mark) bool { return old.Tag == m.Tag })
	}
	c.Marks = append(c.Marks, fresh...)
	return ""
}

// giveShort marks the shorter form: as the member's, or as nobody's if another has it too. One that is blocked stays so.
func (b *Book) giveShort(c *Change, r Request, fresh []Mark) []Mark {
	short := Mark{Tag: r.Also, Member: r.Member, State: IsBound, At: c.At, Over: b.over(r.Also), Of: r.Tag, Found: r.Reason == Found}
	standing, who := b.look(r.Also)
	theirs := who != nil && who.ID == r.Member
	switch {
	case standing == member.Blocked && !(theirs && r.Reason == Found):
		c.Clash = true
		return fresh
	case standing == member.Clashing, standing == member.Carried && !theirs:
		short.State, c.Clash = IsShared, true
	}
	return append(fresh, short)
}

// giveBack also marks the other forms that were blocked with the card.
func (b *Book) giveBack(c *Change, r Request, fresh []Mark) []Mark {
	for _, t := range b.lost(r.Member) {
		if t != r.Also && b.cardOf(t, r.Member) == r.Tag {
			fresh = append(fresh, Mark{Tag: t, Member: r.Member, State: IsBound, At: c.At, Over: b.over(t), Of: r.Tag, Found: true})
		}
	}
	return fresh
}

func (b *Book) mayGive(r Request) Why {
	standing, who := b.look(r.Tag)
	theirs := who != nil && who.ID == r.Member
	switch {
	case standing == member.Clashing:
		return Clashes
	case standing == member.Blocked && !(theirs && r.Reason == Found):
		return IsLost
	case standing == member.Carried && theirs:
		return Theirs
	case standing == member.Carried:
		return Taken
	case standing == member.Unknown && r.Reason == Found:
		return NotTheirs
	}
	return ""
}

// take marks a member's tag, and its shorter form, or all of their tags.
func (b *Book) take(c *Change, who member.ID, id, also tag.ID, state State) Why {
	theirs := b.Tags(who)
	tags := theirs
	if !id.IsZero() {
		tags = []tag.ID{id}
		for _, t := range theirs {
			if of := b.cardOf(t, who); t != id && (t == also || of == id || !of.IsZero() && of == also) {
				tags = append(tags, t)
			}
		}
	}
	if len(tags) == 0 || !slices.Contains(theirs, tags[0]) {
		return NotTheirs
	}
	for _, t := range tags {
		of := b.cardOf(t, who)
		if t == also { // it may have been another card's too: now it is this one's
			of = id
		}
		c.Marks = append(c.Marks, Mark{Tag: t, Member: who, State: state, At: c.At, Over: b.over(t), Of: of})
	}
	return ""
}
