package demo

import (
	"encoding/csv"
	"fmt"
	"strings"
	"testing"
	"time"

	"foyer/hq"
	"foyer/internal/words"
	"foyer/reader/tag"
	"foyer/shop/campaign"
)

// What the demo gives to headquarters is what headquarters takes.
func TestFirstCampaignsAreGood(t *testing.T) {
	if _, err := campaign.Compile(firstCampaigns(time.Now())); err != nil {
		t.Error(err)
	}
}

func TestCastIsAnImport(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(string(membersCSV(time.Now())))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(cast)+1 {
		t.Fatalf("%d rows for %d people", len(rows), len(cast))
	}
	for i, column := range rows[0] {
		if column != hq.Columns[i] {
			t.Errorf("column %d is %s, headquarters' template has %s", i+1, column, hq.Columns[i])
		}
	}
}

// The UHF tag and the number that it stands for are the same to everybody who reads it.
func TestCastsTagsAreMembersNumbers(t *testing.T) {
	for _, s := range cast {
		n, err := tag.FromEPC(s.epc())
		if err != nil {
			t.Errorf("%s: %v", s.key, err)
			continue
		}
		if gsrn, ok := n.GSRN(); !ok || !strings.HasPrefix(gsrn, fmt.Sprintf("9521141%d", s.gsrn)) {
			t.Errorf("%s: EPC %X is GSRN %q, want 9521141%d and a check digit", s.key, s.epc(), gsrn, s.gsrn)
		}
	}
}

func TestEveryButtonHasWordsAndDoesSomething(t *testing.T) {
	for _, g := range groups {
		for _, a := range g.Actions {
			for _, lang := range words.Load().Languages() {
				for _, key := range []string{"demo.do." + a.Words, "demo.hint." + a.Words, "demo.group." + g.Name} {
					if !words.Load().Has(lang, key) {
						t.Errorf("%s has no %s", lang, key)
					}
				}
			}
		}
	}
}
