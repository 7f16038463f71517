package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"foyer/hq/store/storetest"
	"foyer/reader/tag"
)

func TestUsage(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.key")
	if err := os.WriteFile(bad, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]struct {
		code int
		says string
	}{
		"":                           {exitUsage, "usage:"},
		"help":                       {0, "usage:"},
		"sing":                       {exitUsage, "usage:"},
		"serve --help":               {0, "--data"},
		"serve --nonsense":           {exitUsage, "nonsense"},
		"serve --data " + dir + "/x": {exitConfig, "chain"},
		"serve --chain c word":       {exitConfig, "word"},
		"serve --chain c --log-level loud --data " + dir + "/x":                       {exitConfig, "--log-level"},
		"serve --chain c --tag-key-file " + bad + " --data " + dir + "/x":             {exitConfig, "bad.key"},
		"serve --chain c --broker http://x --data " + dir + "/x":                      {exitConfig, "--broker"},
		"serve --chain c --mqtt 127.0.0.1:0 --console nowhere:x --data " + dir + "/x": {exitConfig, "nowhere"},
		"serve --chain c --tls-cert-file " + bad + " --data " + dir + "/x":            {exitConfig, "--tls-key-file"},
		"store":                           {exitUsage, "usage:"},
		"store add --data " + dir:         {exitUsage, "want one store ID"},
		"store add a b --data " + dir:     {exitUsage, "want one store ID"},
		"store add A --data " + dir:       {exitConfig, "lower-case"},
		"store token a --data " + dir:     {exitFailed, "not found"},
		"member erase --data " + dir:      {exitUsage, "want one member's ID"},
		"member erase m-1 --data " + dir:  {exitFailed, "no member of that ID"},
		"member erasures x --data " + dir: {exitUsage, "no more words"},
	} {
		t.Run(args, func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := run(t.Context(), strings.Fields(args), &out, &errs); code != want.code || !strings.Contains(errs.String(), strings.TrimPrefix(want.says, "-")) {
				t.Errorf("code %d, says %q: want %d and %q", code, errs.String(), want.code, want.says)
			}
		})
	}
}

func TestStoreCommands(t *testing.T) {
	dir := t.TempDir()
	cli := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(t.Context(), append(args, "--data", dir), &out, &errs); code != 0 {
			t.Fatalf("%v: code %d, %s", args, code, errs.String())
		}
		return out.String()
	}
	if token := cli("store", "add", "north", "--name-en", "North Gate", "--name-zh", "城北店"); len(strings.TrimSpace(token)) < 20 {
		t.Errorf("adding prints %q, want a token", token)
	}
	file := filepath.Join(dir, "token")
	if out := cli("store", "token", "--token-file", file, "north"); out != "" {
		t.Errorf("with --token-file it prints %q", out)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token's file: %v, %v: want mode 0600", info, err)
	}
	if out := cli("store", "list"); !strings.Contains(out, "North Gate") || !strings.Contains(out, "城北店") {
		t.Errorf("the list is %q", out)
	}
	var errs bytes.Buffer
	if code := run(t.Context(), []string{"store", "add", "north", "--data", dir}, &errs, &errs); code != exitFailed || !strings.Contains(errs.String(), "there already") {
		t.Errorf("adding it again: %d %s", code, errs.String())
	}
}

// Served: it tells where it is, a store may be added while it runs and comes in at once, and it ends within three seconds
// although somebody watches events.
func TestServe(t *testing.T) {
	dir := t.TempDir()
	key, ready := filepath.Join(dir, "tag.key"), filepath.Join(dir, "ready")
	if err := os.WriteFile(key, []byte(tag.NewSecret()), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "--data", storetest.Link(t, filepath.Join(dir, "hq")), "--chain", "harbour", "--console", "127.0.0.1:0", "--mqtt", "127.0.0.1:0",
			"--tag-key-file", key, "--ready-file", ready}, in, &errs)
	}()
	var up struct {
		Console        string `json:"console"`
		MQTT           string `json:"mqtt"`
		AdminTokenFile string `json:"admin_token_file"`
		PublicKeyFile  string `json:"public_key_file"`
	}
	if err := json.NewDecoder(out).Decode(&up); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	for _, file := range []string{up.AdminTokenFile, up.PublicKeyFile} {
		if _, err := os.Stat(file); err != nil || !filepath.IsAbs(file) {
			t.Errorf("%s: %v", file, err)
		}
	}
	token, err := os.ReadFile(up.AdminTokenFile)
	if err != nil {
		t.Fatal(err)
	}
	var shop, failed bytes.Buffer
	if code := run(t.Context(), []string{"store", "add", "north", "--name-en", "North", "--data", filepath.Join(dir, "hq")}, &shop, &failed); code != 0 {
		t.Fatalf("adding a store while it runs: %s", failed.String())
	}
	req, err := http.NewRequest("GET", "http://"+up.Console+"/api/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	resp, err := http.DefaultClient.Do(req)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp, err)
	}
	defer resp.Body.Close()
	conn, err := net.Dial("tcp", up.MQTT)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	asked := time.Now()
	stop()
	select {
	case code := <-ended:
		if code != 0 {
			t.Errorf("it ends with %d: %s", code, errs.String())
		}
		t.Logf("it ended after %v", time.Since(asked))
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
	}
	if strings.Contains(errs.String(), strings.TrimSpace(string(token))) || strings.Contains(errs.String(), strings.TrimSpace(shop.String())) {
		t.Error("the log tells a token")
	}
	if text, err := os.ReadFile(ready); err != nil || !bytes.Contains(text, []byte(up.Console)) {
		t.Errorf("the ready file has %q, %v", text, err)
	}
}
