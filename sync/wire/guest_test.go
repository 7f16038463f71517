package wire

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"foyer/reader/tag"
)

func asked() MemberAsk { return MemberAsk{V: 1, Nonce: Nonce{1, 2}, Tags: []tag.ID{{3}, {4}}} }

func TestQuestionsForMembers(t *testing.T) {
	data, err := EncodeMemberAsk(asked())
	if err != nil {
		t.Fatal(err)
	}
	if back, err := DecodeMemberAsk(data); err != nil || !cmp.Equal(back, asked()) {
		t.Errorf("%s decodes to %+v, %v", data, back, err)
	}
	for name, bad := range map[string]string{
		"no nonce": strings.Replace(string(data), "0102", "0000", 1), "an odd nonce": strings.Replace(string(data), "0102", "01G2", 1),
		"no tag": `{"v":1,"nonce":"01020000000000000000000000000000","tags":[]}`, "no version": strings.Replace(string(data), `"v":1`, `"v":2`, 1),
		"a zero tag": strings.Replace(string(data), "03", "00", 1), "more": string(data) + "{}",
	} {
		if _, err := DecodeMemberAsk([]byte(bad)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if a, b := NewNonce(), NewNonce(); a == b {
		t.Error("two nonces are one")
	}
}

func TestAnAnswerIsToOneQuestion(t *testing.T) {
	s, err := NewSnapshot(MemberTopic, "c", 1, time.Now(), MemberBody{Nonce: Nonce{1, 2}, Tags: asked().Tags, Member: json.RawMessage(`{"id":"m-1"}`)})
	if err != nil {
		t.Fatal(err)
	}
	body, err := s.Member()
	if err != nil || !body.Answers(asked()) || string(body.Member) != `{"id":"m-1"}` {
		t.Fatalf("%+v, %v", body, err)
	}
	other := asked()
	other.Nonce[0]++
	fewer := asked()
	fewer.Tags = fewer.Tags[:1]
	if body.Answers(other) || body.Answers(fewer) {
		t.Error("it answers another question")
	}
	if _, err := (Snapshot{Kind: MemberTopic, Body: json.RawMessage(`{"nonce":"01020000000000000000000000000000","tags":[]}`)}).Member(); !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
}

func TestKnownBodies(t *testing.T) {
	for body, good := range map[string]bool{
		`{"tags":5,"filter_len":100,"list_len":16}`: true, `{}`: true, `{"list_len":9}`: false, `{"filter_len":-1}`: false, `{"filter_len":99999999999}`: false,
		`{"list_len":8388608}`: false, `{"tags":-1}`: false,
	} {
		if _, err := (Snapshot{Kind: Known, Body: json.RawMessage(body)}).Known(); (err == nil) != good || err != nil && !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func FuzzMemberAsk(f *testing.F) {
	data, _ := EncodeMemberAsk(asked())
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) { decodesToItself(t, data, DecodeMemberAsk, EncodeMemberAsk) })
}

// FuzzMemberBody: whatever headquarters signs as an answer, or as a filter's head, is one or is refused.
func FuzzMemberBody(f *testing.F) {
	f.Add([]byte(`{"nonce":"01020000000000000000000000000000","tags":["03000000000000000000000000000000"],"member":{"id":"m-1"}}`))
	f.Add([]byte(`{"tags":5,"filter_len":100,"list_len":16}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) {
			return
		}
		for _, err := range []error{second(Snapshot{Kind: MemberTopic, Body: data}.Member()), second(Snapshot{Kind: Known, Body: data}.Known())} {
			if err != nil && !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
		}
	})
}
