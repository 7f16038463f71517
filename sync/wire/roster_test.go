package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"foyer/reader/tag"
	"foyer/shop/member"
)

// crowd is the body of a members' snapshot, as Seal would write it.
func crowd(t testing.TB, all map[string]string) json.RawMessage {
	body := MembersBody{Members: []member.Member{}}
	for id, family := range all {
		body.Members = append(body.Members, member.Member{ID: member.ID(id), Family: family, Given: "<&\u2028>", Tags: []tag.ID{{1, 2, 3}}})
	}
	s, err := NewSnapshot(Members, "wanlian", 1, noon, body)
	if err != nil {
		t.Fatal(err)
	}
	_, _, trusted := key(1)
	opened, err := Open(seal(t, s, 1), trusted)
	if err != nil {
		t.Fatal(err)
	}
	return opened.Body
}

func roster(t testing.TB, body json.RawMessage) Roster {
	r, err := ParseRoster(body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sent is a change after the line.
func sent(t testing.TB, d DeltaBody, version uint64) DeltaBody {
	s, err := NewSnapshot(MembersDelta, "wanlian", version, noon, d)
	if err != nil {
		t.Fatal(err)
	}
	_, _, trusted := key(1)
	opened, err := Open(seal(t, s, 1), trusted)
	if err != nil {
		t.Fatal(err)
	}
	got, err := opened.Delta()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Random histories: each change leads from one version to the next, and changes joined lead as far as one by one.
func TestChangesLeadToTheDigest(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		now := map[string]string{}
		versions := []Roster{roster(t, crowd(t, now))}
		var steps []DeltaBody
		for v := range 8 {
			for range r.IntN(20) {
				if id := fmt.Sprint("m-", r.IntN(15)); r.IntN(3) == 0 {
					delete(now, id)
				} else {
					now[id] = fmt.Sprint("王", r.IntN(3))
				}
			}
			next := roster(t, crowd(t, now))
			steps = append(steps, versions[v].Diff(uint64(v+1), next))
			versions = append(versions, next)
		}
		joined := steps[0]
		var err error
		for i, step := range steps {
			if i > 0 {
				if joined, err = joined.Then(step); err != nil {
					t.Fatal(err)
				}
			}
			got, err := versions[i].Apply(sent(t, step, uint64(i+2)))
			if err != nil || got.Digest() != versions[i+1].Digest() {
				t.Fatalf("seed %d, step %d: %v", seed, i, err)
			}
			got, err = versions[0].Apply(sent(t, joined, uint64(i+2)))
			if err != nil || got.Digest() != versions[i+1].Digest() || roster(t, got.Body()).Digest() != got.Digest() {
				t.Fatalf("seed %d, steps up to %d at once: %v", seed, i, err)
			}
		}
	}
}

func TestAChangeOfSomethingElseIsSeen(t *testing.T) {
	a, b, c := roster(t, crowd(t, map[string]string{"1": "a"})), roster(t, crowd(t, map[string]string{"1": "b"})), roster(t, crowd(t, map[string]string{"1": "a", "2": "c"}))
	if _, err := c.Apply(a.Diff(1, b)); !errors.Is(err, ErrDigest) {
		t.Errorf("got %v", err)
	}
	if _, err := ParseRoster([]byte(`{"members":[{"id":"1"},{"id":"1"}]}`)); err == nil {
		t.Error("one member twice")
	}
	if _, err := ParseRoster([]byte(`{"members":[{"family":"x"}]}`)); err == nil {
		t.Error("a member without an id")
	}
}

// What a newer headquarters says of a member and this program does not know counts, and stays.
func TestUnknownFieldsStay(t *testing.T) {
	r := roster(t, json.RawMessage(`{"members":[{"id":"1","shoe_size":43}]}`))
	next := roster(t, json.RawMessage(`{"members":[{"id":"1","shoe_size":44},{"id":"2"}]}`))
	got, err := r.Apply(r.Diff(1, next))
	if err != nil || string(got.Body()) != `{"members":[{"id":"1","shoe_size":44},{"id":"2"}]}` {
		t.Errorf("%s, %v", got.Body(), err)
	}
}

func TestRequestsForMembers(t *testing.T) {
	want := MembersAsk{Have: 7, Digest: Digest{1}}
	data, err := EncodeMembersAsk(want)
	if err != nil {
		t.Fatal(err)
	}
	want.V = Version
	if got, err := DecodeMembersAsk(data); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"", "{}", `{"v":1,"have":-1}`, `{"v":1,"have":9223372036854775808,"sha256":"` + want.Digest.String() + `"}`} {
		if _, err := DecodeMembersAsk([]byte(bad)); err == nil {
			t.Errorf("%s: taken", bad)
		}
	}
}

// FuzzDelta: whatever a change says, it leads to its digest or is refused, and never holds a member twice.
func FuzzDelta(f *testing.F) {
	base := Roster{{"1", json.RawMessage(`{"id":"1"}`)}, {"2", json.RawMessage(`{"id":"2"}`)}}
	good, _ := json.Marshal(base.Diff(1, base[:1]))
	f.Add(good)
	f.Add([]byte(`{"from":1,"changed":[{"id":"1"},{"id":"1"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := Snapshot{Kind: MembersDelta, Version: 2, Body: data}.Delta()
		if err != nil {
			return
		}
		if next, err := base.Apply(d); err == nil && next.Digest() != d.Digest {
			t.Fatal("another digest")
		}
		if _, err := d.Then(d); err != nil {
			return
		}
	})
}
