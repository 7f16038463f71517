package daemon

import (
	"context"
	"errors"

	"foyer/api"
	"foyer/shop"
	"foyer/shop/member"
	"foyer/sync/journal"
	"foyer/sync/wire"
)

// newcomerBucket is where the journal keeps who became a member here: a shop.Newcomer each, sealed.
const newcomerBucket = "newcomers"

// guests takes what people ask at the kiosk. It is serve.Guests.
type guests struct{ shop *shop.Shop }

func (g guests) SignUp(ctx context.Context, s api.SignUp) (api.Joined, error) {
	f := shop.Form{Key: s.Key, Language: s.Language, Phone: s.Phone, Name: s.Name, Title: member.Title(s.Title), Text: s.Text}
	for _, c := range s.Consents {
		f.Consents = append(f.Consents, member.Purpose(c))
	}
	j, err := g.shop.SignUp(ctx, f)
	return api.Joined{Signup: j.Signup, Code: j.Code, Name: j.Name, Card: j.Card}, guestProblem(err)
}

func (g guests) CallStaff(ctx context.Context, h api.Help) error {
	return problemOf(g.shop.CallStaff(ctx, h.Visit, h.Language))
}

func (g guests) Confirm(ctx context.Context, newcomer string, c api.Confirm) error {
	return guestProblem(g.shop.Confirm(ctx, newcomer, c.Code, c.By))
}

func guestProblem(err error) error {
	for is, code := range map[error]api.Code{shop.ErrForm: api.CodeInvalid, shop.ErrMany: api.CodeBusy,
		shop.ErrNoSignup: api.CodeNotFound, shop.ErrWrongCode: api.CodeWrongCode} {
		if errors.Is(err, is) {
			return api.NewProblem(code, err.Error())
		}
	}
	return problemOf(err)
}

func newcomerNotice(e shop.NewcomerWaits) api.Notice {
	return api.Notice{ID: e.Signup, Kind: api.Newcomer, At: e.At, Member: string(e.Member), Name: e.Name, Phone: e.Phone, Times: 1, By: e.By}
}

func callNotice(e shop.CallWaits) api.Notice {
	return api.Notice{ID: e.ID, Kind: api.CalledFor, At: e.At, Name: e.Name, Language: e.Language, Times: e.Times, By: e.By}
}

// guestRecordOf is a fact about who asked something at the kiosk as it travels.
func guestRecordOf(body shop.Body) (wire.Kind, any) {
	switch b := body.(type) {
	case shop.MemberSignedUp:
		m := b.Newcomer.Member
		s := wire.SignUp{Signup: b.Signup, Member: string(m.ID), Phone: b.Phone, Family: m.Family, Given: m.Given, Title: string(m.Title),
			Language: m.Language, Consents: []string{}, Text: m.ConsentText}
		for _, c := range m.Consents {
			s.Consents = append(s.Consents, string(c))
		}
		return wire.MemberSignedUp, s
	case shop.NumberConfirmed:
		return wire.MemberConfirmed, wire.Confirmed{Member: string(b.Newcomer.Member.ID), By: b.By}
	case shop.StaffCalled:
		return wire.StaffCalled, wire.StaffCall{Visit: b.Visit, Language: b.Language}
	case shop.StaffCame:
		return wire.StaffCame, wire.StaffCall{By: b.By, WaitedSeconds: seconds(b.Waited)}
	}
	return "", nil // a fact that only changes what is stored
}

// newcomerPuts is what the journal keeps of newcomers, or lets go, each sealed with their key.
func (s *safe) newcomerPuts(body shop.Body) (puts []journal.Put, err error) {
	var one shop.Newcomer
	switch b := body.(type) {
	case shop.MemberSignedUp:
		one = b.Newcomer
	case shop.NumberConfirmed:
		one = b.Newcomer
	case shop.CodeTried:
		one = b.Newcomer
	case shop.NewcomersSettled:
		for _, id := range b.Members {
			if !s.vault.Has(string(id)) {
				continue // erased, and swept away
			}
			name, err := s.vault.Name(string(id), newcomerBucket, nil)
			if err != nil {
				return nil, err
			}
			puts = append(puts, journal.Put{Bucket: newcomerBucket, Key: name})
		}
		return puts, nil
	default:
		return nil, nil
	}
	put, err := s.put(newcomerBucket, string(one.Member.ID), string(one.Member.ID), nil, one)
	return []journal.Put{put}, err
}

// newcomers are who became a member here, as headquarters has not told of yet.
func (s *safe) newcomers() ([]shop.Newcomer, error) {
	return valuesOf[shop.Newcomer](s, newcomerBucket)
}
