package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"foyer/hq/store/storetest"
	"foyer/sync/badge"
	"foyer/sync/wire"
)

func TestDoorUsage(t *testing.T) {
	dir := t.TempDir()
	for args, want := range map[string]struct {
		code int
		says string
	}{
		"serve --chain c --console 127.0.0.1:0 --mqtt :0 --data " + dir + "/a":                                 {exitConfig, "in clear"},
		"serve --chain c --console 127.0.0.1:0 --mqtt 127.0.0.1:0 --mqtt-tls 127.0.0.1:0 --data " + dir + "/a": {exitConfig, "--stores"},
		"serve --chain c --console 127.0.0.1:0 --mqtt 127.0.0.1:0 --stores 127.0.0.1:0 --data " + dir + "/a":   {exitConfig, "--mqtt-tls"},
		"store enrol":                                 {exitUsage, "want one store ID"},
		"store enrol x --data " + dir + "/a":          {exitFailed, "no door"},
		"store enrol x --valid 1s --data " + dir:      {exitConfig, "--valid"},
		"store revoke x --data " + dir + "/a":         {exitFailed, "not found"},
		"signing":                                     {exitUsage, "list, next, switch"},
		"signing drop --data " + dir:                  {exitUsage, "drop ID"},
		"signing list --data " + dir + "/nowhere":     {exitConfig, "signing keys"},
		"signing switch --data " + dir + "/a":         {exitFailed, "no next signing key"},
		"broker mosquitto --data " + dir:              {exitUsage, "--out"},
		"broker mosquitto --chain c --out x --data n": {exitConfig, "serve once first"},
	} {
		t.Run(args, func(t *testing.T) {
			var out, errs bytes.Buffer
			if code := run(t.Context(), strings.Fields(args), &out, &errs); code != want.code || !strings.Contains(errs.String(), want.says) {
				t.Errorf("code %d, says %q: want %d and %q", code, errs.String(), want.code, want.says)
			}
		})
	}
}

// A chain by its commands alone: serve, add, enrol, list, change the signing key, write Mosquitto's files, revoke.
func TestDoorCommands(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "hq")
	ctx, stop := context.WithCancel(t.Context())
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "--data", storetest.Link(t, data), "--chain", "harbour", "--console", "127.0.0.1:0", "--mqtt", "127.0.0.1:0",
			"--stores", "127.0.0.1:0", "--mqtt-tls", "127.0.0.1:0", "--public-host", "127.0.0.1"}, in, &log)
	}()
	var up struct {
		Stores  string `json:"stores"`
		MQTTTLS string `json:"mqtt_tls"`
	}
	if err := json.NewDecoder(out).Decode(&up); err != nil {
		t.Fatalf("%v: %s", err, log.String())
	}
	cli := func(want int, args ...string) (said string) {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(t.Context(), append(args, "--data", data), &out, &errs); code != want {
			t.Fatalf("%v: code %d, %s", args, code, errs.String())
		}
		return out.String()
	}
	ticket, err := badge.ParseTicket(cli(0, "store", "add", "north", "--name-en", "North"))
	if err != nil || ticket.Address != up.Stores {
		t.Fatalf("adding gives %v, %v: want a ticket for %s", ticket, err, up.Stores)
	}
	place := wire.Place{Chain: "harbour", Store: "north"}
	e, err := badge.Enrol(t.Context(), badge.Enrolment{Dir: filepath.Join(dir, "identity"), Place: place, Ticket: ticket, Now: time.Now})
	if err != nil || e.News.Broker != "tls://"+up.MQTTTLS {
		t.Fatalf("it enrols with %+v, %v", e.News, err)
	}
	if list := cli(0, "store", "list"); !strings.Contains(list, "until "+e.Badge.Leaf.NotAfter.Local().Format(time.DateOnly)) {
		t.Errorf("the list is %s", list)
	}
	first := strings.Fields(cli(0, "signing", "list"))[2]
	cli(0, "signing", "next")
	cli(exitFailed, "signing", "next")
	cli(exitFailed, "signing", "drop", first) // it signs
	cli(0, "signing", "switch")
	cli(exitFailed, "signing", "drop", first) // north has applied nothing yet
	cli(0, "signing", "drop", first, "--force")
	if list := cli(0, "signing", "list"); strings.Contains(list, first) || strings.Count(list, "\n") != 2 {
		t.Errorf("the keys are %s", list)
	}
	if files := strings.Fields(cli(0, "broker", "mosquitto", "--chain", "harbour", "--out", filepath.Join(dir, "mosquitto"))); len(files) != 6 {
		t.Errorf("it writes %v", files)
	}
	cli(0, "store", "revoke", "north")
	if list := cli(0, "store", "list"); !strings.Contains(list, "revoked") {
		t.Errorf("the list is %s", list)
	}
	if ticket, err := badge.ParseTicket(cli(0, "store", "enrol", "north", "--valid", "1h")); err != nil || !strings.Contains(cli(0, "store", "list"), "code until") {
		t.Errorf("enrolling again gives %v, %v", ticket, err)
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("it ends with %d: %s", code, log.String())
	}
	if strings.Contains(log.String(), ticket.Code.Secret) {
		t.Error("the log tells a code")
	}
}
