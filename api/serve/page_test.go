package serve_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"foyer/internal/words"
)

var (
	askedFor  = regexp.MustCompile(`(?:\bword\("|wordIn\(\w+, "|data-word="|\{\{\.)([a-z_]+)`)
	notAWord  = map[string]bool{"lang": true}
	external  = regexp.MustCompile(`(?:src|href|action|url\(|@import|fetch\()[ ="'(]*(?:https?:)?//`)
	inlinings = regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]|\son[a-z]+=|\sstyle=|javascript:|\beval\(|innerHTML|insertAdjacentHTML|document\.write`)
)

// Every word that the page asks for is in the catalogue, and the catalogue holds none that nobody asks for.
func TestThePageAndItsWordsAgree(t *testing.T) {
	files, err := filepath.Glob("reception/*")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	keys := map[string]bool{}
	for _, k := range words.Load().Keys("en", "reception.") {
		keys[strings.TrimPrefix(k, "reception.")] = true
	}
	var all strings.Builder
	for _, name := range append(files, "login.go") {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
		if filepath.Ext(name) == ".go" {
			continue
		}
		for _, m := range askedFor.FindAllStringSubmatch(string(data), -1) {
			if key := m[1]; !keys[key] && !notAWord[key] && !strings.HasSuffix(key, "_") {
				t.Errorf("%s asks for the word %s, which en.yaml lacks", name, key)
			}
		}
		if found := external.FindString(string(data)); found != "" {
			t.Errorf("%s loads something from elsewhere: %s", name, found)
		}
		if found := inlinings.FindString(string(data)); found != "" {
			t.Errorf("%s holds what the policy forbids: %s", name, found)
		}
	}
	for key := range keys {
		if rest, isError := strings.CutPrefix(key, "err_"); isError {
			key = rest
		}
		if !regexp.MustCompile(`\b(err_)?` + key + `\b`).MatchString(all.String()) {
			t.Errorf("nobody asks for the word %s", key)
		}
	}
}
