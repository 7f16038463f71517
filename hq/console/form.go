package console

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"foyer/hq"
	"foyer/shop/campaign"
)

// formTime is how a browser's datetime-local field writes a time.
const formTime = "2006-01-02T15:04"

// maxForm is the longest form read, in bytes: all texts at their longest, several times over.
const maxForm = 256 << 10

// campaignForm is a campaign as its form has it: text, so that what cannot be understood comes back as it was typed.
type campaignForm struct {
	ID, Name, Audience, Starts, Ends, Priority, PerDay, Art string
	Stores                                                  []string
	Content                                                 map[string]campaign.Content
	Do                                                      string
}

// In reports whether a store is ticked.
func (f campaignForm) In(id string) bool { return slices.Contains(f.Stores, id) }

// Of returns the texts in a language.
func (f campaignForm) Of(lang string) campaign.Content { return f.Content[lang] }

func (c *Console) formOf(x campaign.Campaign) campaignForm {
	return campaignForm{ID: x.ID, Name: x.Name, Audience: x.Audience, Starts: x.Starts.In(c.zone).Format(formTime),
		Ends: x.Ends.In(c.zone).Format(formTime), Priority: strconv.Itoa(x.Priority), PerDay: strconv.Itoa(max(x.PerDay, 1)),
		Art: x.Art, Stores: x.Stores, Content: x.Content}
}

// readForm reads the editor's form. Faults, by field, are of what is no time and no number; the rest is campaign.Compile's.
func (c *Console) readForm(w http.ResponseWriter, r *http.Request) (campaignForm, campaign.Campaign, map[string][]string) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	r.ParseMultipartForm(maxForm) // a form too long or broken has empty fields, which are told
	get := func(name string) string { return strings.TrimSpace(r.PostForm.Get(name)) }
	if r.PostForm == nil {
		r.PostForm = map[string][]string{}
	}
	f := campaignForm{ID: get("id"), Name: get("name"), Audience: get("audience"), Starts: get("starts"), Ends: get("ends"),
		Priority: get("priority"), PerDay: get("per_day"), Art: get("art"), Stores: r.PostForm["stores"], Do: get("do"),
		Content: map[string]campaign.Content{}}
	for _, lang := range c.words.Languages() {
		f.Content[lang] = campaign.Content{Title: get(lang + ".title"), Text: get(lang + ".text"), Hello: get(lang + ".hello"), Talk: get(lang + ".talk")}
	}
	return f, c.understand(f), c.misread(c.language(w, r), f)
}

// understand gives the campaign of a form; what cannot be understood is zero.
func (c *Console) understand(f campaignForm) campaign.Campaign {
	x := campaign.Campaign{ID: f.ID, Name: f.Name, Audience: f.Audience, Stores: f.Stores, Art: f.Art, Content: f.Content}
	x.Starts, x.Ends = c.parseTime(f.Starts), c.parseTime(f.Ends)
	x.Priority, _ = strconv.Atoi(f.Priority)
	x.PerDay, _ = strconv.Atoi(f.PerDay)
	return x
}

func (c *Console) parseTime(text string) time.Time {
	t, err := time.ParseInLocation(formTime, text, c.zone)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

func (c *Console) misread(lang string, f campaignForm) map[string][]string {
	faults := map[string][]string{}
	for field, text := range map[string]string{"priority": f.Priority, "per_day": f.PerDay} {
		if _, err := strconv.Atoi(text); err != nil {
			faults[field] = []string{c.say(lang, "want."+field)}
		}
	}
	for field, text := range map[string]string{"starts": f.Starts, "ends": f.Ends} {
		if c.parseTime(text).IsZero() {
			faults[field] = []string{c.say(lang, "want."+field)}
		}
	}
	return faults
}

// sayFaults puts the faults of a campaign into words, by field. It returns nil for an error of another sort.
func (c *Console) sayFaults(lang string, err error) map[string][]string {
	b, ok := errors.AsType[*hq.Broken](err)
	if !ok {
		return nil
	}
	said := map[string][]string{}
	for _, f := range b.Faults {
		text := c.sayFault(lang, f)
		if !slices.Contains(said[f.Field], text) {
			said[f.Field] = append(said[f.Field], text)
		}
	}
	return said
}

// sayFault tells what a field wants in the reader's language. What the rule's compiler said, and what was found, stays in English.
func (c *Console) sayFault(lang string, f *campaign.Fault) string {
	field := f.Field
	if i := strings.LastIndexByte(field, '.'); i >= 0 {
		field = field[i+1:]
	}
	key := "want." + field
	switch {
	case field == "audience":
		return c.say(lang, key, "why", f.Wrong)
	case strings.HasPrefix(f.Field, "content.*"):
		key = "want.both"
	case strings.HasPrefix(f.Wrong, "the mark"):
		key = "want.mark"
	}
	if !c.words.Has(lang, "console."+key) {
		return f.Wrong + "; " + f.Want
	}
	return c.say(lang, key)
}

// same reports whether two campaigns say the same to stores.
func same(a, b campaign.Campaign) bool {
	for _, x := range []*campaign.Campaign{&a, &b} {
		x.Starts, x.Ends = x.Starts.UTC(), x.Ends.UTC()
		if len(x.Stores) == 0 {
			x.Stores = nil
		}
	}
	return reflect.DeepEqual(a, b)
}
