package shop

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"foyer/shop/member"
	"foyer/shop/presence"
)

// keeper is a ledger and screens that keep what they are told.
type keeper struct {
	mu     sync.Mutex
	facts  []Body
	events []Event
	fail   error
}

func (k *keeper) Show(e Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.events = append(k.events, e)
}

func (k *keeper) Record(f Fact, done func(error)) {
	k.mu.Lock()
	k.facts = append(k.facts, f.Body)
	err := k.fail
	k.mu.Unlock()
	if done != nil {
		done(err)
	}
}

func last[T any, X any](k *keeper, list func(*keeper) []X) (found T, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, x := range list(k) {
		if t, is := any(x).(T); is {
			found, ok = t, true
		}
	}
	return found, ok
}

func facts(k *keeper) []Body   { return k.facts }
func events(k *keeper) []Event { return k.events }

var form = Form{Key: "f1", Language: "zh-CN", Phone: "13812345678", Name: "欧阳小明", Title: member.Ms, Text: "zh-CN-1",
	Consents: []member.Purpose{member.Recognise, member.GreetByName}}

func hall(t *testing.T, k *keeper, change ...func(*Config)) *Shop {
	t.Helper()
	ids := 0
	base := func(c *Config) {
		c.Screens, c.Ledger = k, k
		c.NewID = func() string { ids++; return fmt.Sprintf("id%d", ids) }
	}
	return opened(t, &witness{}, 1, append([]func(*Config){base}, change...)...)
}

func TestSomebodySignsUpAndTheirCardIsTheirs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		s := hall(t, k)
		defer running(t, s)()
		j, err := s.SignUp(t.Context(), form)
		if err != nil {
			t.Fatal(err)
		}
		if len(j.Code) != 4 || !j.Card || j.Name["zh-CN"] != "欧阳女士" || j.Name["en"] != "Ms Ouyang" {
			t.Errorf("%+v", j)
		}
		signed, _ := last[MemberSignedUp](k, facts)
		if signed.Phone != "13812345678" || signed.Newcomer.Phone != "138****5678" || signed.Member.Given != "小明" {
			t.Errorf("recorded %+v", signed)
		}
		if again, err := s.SignUp(t.Context(), form); err != nil || again.Signup != j.Signup || again.Code != j.Code {
			t.Errorf("the same form again: %+v %v", again, err)
		}
		read(s, 77)
		bound, ok := last[TagChanged](k, facts)
		if !ok || bound.Member != signed.Member.ID || bound.Proved != "sign_up" {
			t.Fatalf("the card: %+v", bound)
		}
		if works, _ := last[NewCardWorks](k, events); works.Signup != j.Signup {
			t.Error("the kiosk is not told that the card works")
		}
		greeted, _ := last[Greeted](k, events)
		if greeted.Signup != j.Signup || !strings.Contains(greeted.Headline["zh-CN"], "欧阳女士") {
			t.Errorf("greeted: %+v", greeted)
		}
		read(s, 78)
		if again, _ := last[TagChanged](k, facts); again.Marks[0].Tag != card(77) {
			t.Error("a second card became theirs by itself")
		}
	})
}

func TestStaffConfirmTheNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		s := hall(t, k)
		defer running(t, s)()
		j, err := s.SignUp(t.Context(), form)
		if err != nil {
			t.Fatal(err)
		}
		wrong := "0000"
		if j.Code == wrong {
			wrong = "1111"
		}
		for want, code := range map[error]string{ErrWrongCode: wrong} {
			if err := s.Confirm(t.Context(), j.Signup, code, "Li"); !errors.Is(err, want) {
				t.Errorf("%s: %v", code, err)
			}
		}
		if err := s.Confirm(t.Context(), j.Signup, j.Code, ""); !errors.Is(err, ErrBy) {
			t.Errorf("by nobody: %v", err)
		}
		if err := s.Confirm(t.Context(), j.Signup, j.Code, "Li"); err != nil {
			t.Fatal(err)
		}
		if c, _ := last[NumberConfirmed](k, facts); c.By != "Li" || c.Confirmed != "Li" || c.Code != "" {
			t.Errorf("recorded %+v", c)
		}
		if w, _ := last[NewcomerWaits](k, events); w.By != "Li" {
			t.Errorf("reception: %+v", w)
		}
		if err := s.Confirm(t.Context(), j.Signup, j.Code, "Li"); !errors.Is(err, ErrNoSignup) {
			t.Errorf("twice: %v", err)
		}
	})
}

func TestCodesAreNotGuessed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		s := hall(t, k)
		defer running(t, s)()
		j, _ := s.SignUp(t.Context(), form)
		for range codeTries {
			if err := s.Confirm(t.Context(), j.Signup, "none", "Li"); !errors.Is(err, ErrWrongCode) {
				t.Fatal(err)
			}
		}
		if err := s.Confirm(t.Context(), j.Signup, j.Code, "Li"); !errors.Is(err, ErrNoSignup) {
			t.Errorf("after %d wrong codes the right one gives %v", codeTries, err)
		}
	})
}

func TestWhoDidNotAllowItIsAStranger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		s := hall(t, k)
		defer running(t, s)()
		f := form
		f.Consents = nil
		j, err := s.SignUp(t.Context(), f)
		if err != nil || j.Card {
			t.Fatalf("%+v %v", j, err)
		}
		read(s, 77)
		if _, bound := last[TagChanged](k, facts); bound {
			t.Error("a card became theirs")
		}
		if found, _ := s.Members(t.Context(), "欧阳"); len(found) != 0 {
			t.Error("they are found")
		}
	})
}

func TestOfTwoNewcomersNobodyGetsACard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		s := hall(t, k)
		defer running(t, s)()
		s.SignUp(t.Context(), form)
		other := form
		other.Key, other.Name = "f2", "李雷"
		if j, err := s.SignUp(t.Context(), other); err != nil || j.Card {
			t.Errorf("%+v %v", j, err)
		}
		read(s, 77)
		if _, bound := last[TagChanged](k, facts); bound {
			t.Error("whose is it?")
		}
	})
}

func TestWrongForms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := hall(t, &keeper{})
		defer running(t, s)()
		for about, spoil := range map[string]func(*Form){
			"no name":          func(f *Form) { f.Name = "" },
			"a name too long":  func(f *Form) { f.Name = strings.Repeat("长", 41) },
			"no phone":         func(f *Form) { f.Phone = "12345" },
			"a purpose":        func(f *Form) { f.Consents = []member.Purpose{"everything"} },
			"a title":          func(f *Form) { f.Title = "king" },
			"no such language": func(f *Form) { f.Language = "xx" },
			"no key":           func(f *Form) { f.Key = "" },
		} {
			f := form
			spoil(&f)
			if _, err := s.SignUp(t.Context(), f); !errors.Is(err, ErrForm) || strings.Contains(err.Error(), "小明") {
				t.Errorf("%s: %v", about, err)
			}
		}
	})
}

func TestTheDiskRefusesASignUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{fail: errors.New("disk full")}
		s := hall(t, k)
		defer running(t, s)()
		if _, err := s.SignUp(t.Context(), form); err == nil {
			t.Error("a member who is not on disk")
		}
		if found, _ := s.Members(t.Context(), "欧阳"); len(found) != 0 {
			t.Error("they are found")
		}
	})
}

// A store whose headquarters is away keeps its newcomers over a restart, and lets them go when headquarters tells of them,
// by their name or by one that has taken its place.
func TestNewcomersUntilHeadquartersTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		s := hall(t, k)
		stop := running(t, s)
		j, _ := s.SignUp(t.Context(), form)
		stop()
		signed, _ := last[MemberSignedUp](k, facts)
		k = &keeper{}
		s = hall(t, k, func(c *Config) { c.Newcomers = []Newcomer{signed.Newcomer} })
		defer running(t, s)()
		synctest.Wait()
		if w, ok := last[NewcomerWaits](k, events); !ok || w.Signup != j.Signup {
			t.Error("after a restart reception does not know who waits")
		}
		if found, _ := s.Members(t.Context(), "欧阳"); len(found) != 1 {
			t.Fatal("after a restart they are not found")
		}
		if err := s.Confirm(t.Context(), j.Signup, j.Code, "Li"); err != nil {
			t.Fatal(err)
		}
		known := append(crowd(1), member.Member{ID: "m-older", Family: "欧阳", Consents: form.Consents, Was: []member.ID{signed.Member.ID}})
		b, err := member.NewBook(known)
		if err != nil {
			t.Fatal(err)
		}
		s.SetMembers(b)
		synctest.Wait()
		settled, ok := last[NewcomersSettled](k, facts)
		if !ok || len(settled.Members) != 1 || settled.Members[0] != signed.Member.ID {
			t.Errorf("settled %+v", settled)
		}
		if found, _ := s.Members(t.Context(), "欧阳"); len(found) != 1 || found[0].Member != "m-older" {
			t.Errorf("found %+v", found)
		}
	})
}

// Before headquarters' first word, a newcomer must not make the store forget whose its other cards are.
func TestNewcomersSettleNoTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		s := hall(t, k)
		s.members.Store(nil)
		defer running(t, s)()
		if _, err := s.SignUp(t.Context(), form); err != nil {
			t.Fatal(err)
		}
		if _, settled := last[TagsSettled](k, facts); settled {
			t.Error("tags were settled without a word of headquarters")
		}
	})
}

func TestACounterTakesTheCardWhereNoKioskHasAReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		s := hall(t, k, func(c *Config) {
			c.Zones = []Zone{{Zone: presence.Zone{ID: "desk", Role: presence.Counter, Readers: []string{"pad"}, Tap: true}}}
		})
		defer running(t, s)()
		if j, _ := s.SignUp(t.Context(), form); !j.Card {
			t.Error("no card is taken")
		}
		read(s, 77)
		if _, bound := last[TagChanged](k, facts); !bound {
			t.Error("the card is nobody's")
		}
	})
}

func TestCallingStaff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &keeper{}
		s := hall(t, k)
		defer running(t, s)()
		for range 2 {
			if err := s.CallStaff(t.Context(), "", "en"); err != nil {
				t.Fatal(err)
			}
		}
		c, _ := last[CallWaits](k, events)
		if c.Times != 2 || c.Language != "en" || c.By != "" {
			t.Fatalf("%+v", c)
		}
		time.Sleep(30 * time.Second) // virtual
		if err := s.Dismiss(t.Context(), c.ID, "Li"); err != nil {
			t.Fatal(err)
		}
		if came, _ := last[StaffCame](k, facts); came.By != "Li" || came.Waited < 30*time.Second {
			t.Errorf("%+v", came)
		}
		if err := s.Dismiss(t.Context(), c.ID, "Li"); !errors.Is(err, ErrNoNote) {
			t.Errorf("twice: %v", err)
		}
		if err := s.CallStaff(t.Context(), "", "klingon"); !errors.Is(err, ErrSession) {
			t.Errorf("%v", err)
		}
	})
}
