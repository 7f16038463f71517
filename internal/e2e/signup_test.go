package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"foyer/api"
	"foyer/shop/member"
	"foyer/sync/journal"
)

// Somebody joins at a kiosk, holds a new card to the reader and is greeted; the other store knows them too. When they join
// once more elsewhere, under the same number and confirmed, they are one person.
func TestANewMemberIsKnownEverywhere(t *testing.T) {
	c := newChain(t)
	first, second := c.stores["first"], c.stores["second"]
	here := func(s api.Snapshot) bool { return len(s.Cards) == 1 && s.Cards[0].Name["en"] == "Ms Li" }
	form := api.SignUp{Key: "f1", Language: "en", Fourteen: true, Phone: "13800138000", Name: "李雷", Title: "ms",
		Consents: []string{"recognise", "greet_by_name"}, Text: "en-1"}
	for _, b := range c.stores {
		b.cards(t, 1, 0) // it is up, and has heard of headquarters
	}
	joined, err := first.api.SignUp(t.Context(), form)
	must(t, err)
	s := first.wait(t, "reception is told", func(s api.Snapshot) bool { return len(s.Notices) == 1 })
	if n := s.Notices[0]; n.Kind != api.Newcomer || n.Phone != "138****8000" || n.ID != joined.Signup {
		t.Errorf("the notice: %+v", n)
	}
	first.hold(t, newCard, "the new member is noticed by their card", here)
	if p, ok := errors.AsType[*api.Problem](first.api.ConfirmNewcomer(t.Context(), joined.Signup, api.Confirm{By: "Zhou", Code: "x"})); !ok || p.Code != api.CodeWrongCode {
		t.Errorf("a wrong code: %v", p)
	}
	must(t, first.api.ConfirmNewcomer(t.Context(), joined.Signup, api.Confirm{By: "Zhou", Code: joined.Code}))
	first.wait(t, "the notice is gone", func(s api.Snapshot) bool { return len(s.Notices) == 0 })
	second.hold(t, newCard, "the second store knows the card", here)

	form.Key = "f2"
	again, err := second.api.SignUp(t.Context(), form)
	must(t, err)
	must(t, second.api.ConfirmNewcomer(t.Context(), again.Signup, api.Confirm{By: "Bo", Code: again.Code}))
	var id member.ID
	waitUntil(t, "headquarters knows that it is one person", func() error {
		people, err := c.hq.DB().Members(t.Context(), "", -1)
		if err == nil && len(people) != 2 {
			err = fmt.Errorf("%d members", len(people))
		}
		for _, p := range people {
			if p.ID != "m-anna" {
				id = p.ID
			}
		}
		return err
	})
	waitUntil(t, "the second store has let its newcomer go", func() error {
		found, err := second.api.SearchMembers(t.Context(), "李雷")
		if err == nil && (len(found) != 1 || found[0].Member != string(id)) {
			err = fmt.Errorf("found %d", len(found))
		}
		return err
	})
	must(t, second.api.CallStaff(t.Context(), api.Help{Language: "en"}))
	s = second.wait(t, "the call is told", func(s api.Snapshot) bool { return len(s.Notices) == 1 && s.Notices[0].Kind == api.CalledFor })
	must(t, second.api.Dismiss(t.Context(), s.Notices[0].ID, "Bo"))
	for _, b := range c.stores {
		b.stop()
		j, err := journal.Open(filepath.Join(b.data, "journal.db"), journal.Options{})
		must(t, err)
		state, err := j.State("newcomers")
		must(t, err)
		must(t, j.Close())
		raw, err := os.ReadFile(filepath.Join(b.data, "journal.db"))
		must(t, err)
		for _, word := range []string{"13800138000", "李雷", "\"李\""} {
			if strings.Contains(string(raw), word) {
				t.Errorf("%s keeps the person in clear on its disk", b.name)
			}
		}
		if len(state) > 0 {
			t.Errorf("%s keeps %d newcomers whom headquarters has told of", b.name, len(state))
		}
	}
}
