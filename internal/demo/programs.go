package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"foyer/internal/screen"
)

func token() string { return rand.Text() }

func readFile(path string) string {
	data, _ := os.ReadFile(path) // what is not there yet is empty: the caller's request is refused and tried again
	return strings.TrimSpace(string(data))
}

func (h *House) read(name string) string { return readFile(h.path(name)) }

// headquarters is foyer-hq, with the broker inside unless there is one outside.
func (h *House) headquarters() *Process {
	args := []string{"serve", "--data", h.path("hq"), "--chain", chainName, "--console", h.doors[1],
		"--tag-key-file", h.path("tag.key"), "--ready-file", h.hqReady}
	if b := h.cfg.Broker; b != nil {
		os.WriteFile(h.path("broker.password"), []byte(b.HQPassword), 0o600)
		args = append(args, "--broker", b.URL, "--broker-user", b.HQUser, "--broker-password-file", h.path("broker.password"))
	} else {
		args = append(args, "--mqtt", h.doors[2])
	}
	return &Process{Name: "foyer-hq", Path: h.bin("foyer-hq"), Args: args, Dir: h.cfg.Dir, Log: h.cfg.Log}
}

// brokerAddr is where the wire leads: asked at each connection, for headquarters may come back at another port.
func (h *House) brokerAddr() string {
	if h.cfg.Broker != nil {
		u, err := url.Parse(h.cfg.Broker.URL)
		if err != nil {
			return ""
		}
		return u.Host
	}
	info, _ := h.hqInfo()
	return info.MQTT
}

// enrol makes the store known to headquarters, once, and gives headquarters members and a campaign when it has none.
func (h *House) enrol(ctx context.Context) error {
	if h.read("hq.token") == "" {
		cmd := exec.CommandContext(ctx, h.bin("foyer-hq"), "store", "add", "--data", h.path("hq"), "--token-file", h.path("hq.token"),
			"--name-en", "Demo store", "--name-zh", "示范店", StoreName)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("enrol the store: %w: %s", err, bytes.TrimSpace(out))
		}
	}
	if h.cfg.Broker != nil {
		if err := os.WriteFile(h.path("hq.token"), []byte(h.cfg.Broker.StorePassword), 0o600); err != nil {
			return err
		}
	}
	return h.supply(ctx)
}

// supply imports the cast and pushes the first campaign. Both are kept by headquarters; a second start finds them.
func (h *House) supply(ctx context.Context) error {
	if h.read("supplied") != "" {
		return nil
	}
	if err := h.Ask(ctx, "POST", "/api/members/import", "text/csv", membersCSV(time.Now()), nil); err != nil {
		return fmt.Errorf("import the members: %w", err)
	}
	for _, c := range firstCampaigns(time.Now()) {
		body, err := json.Marshal(c)
		if err != nil {
			return err
		}
		if err := h.Ask(ctx, "POST", "/api/campaigns", "application/json", body, nil); err != nil {
			return fmt.Errorf("write the campaign %s: %w", c.ID, err)
		}
		if err := h.Ask(ctx, "POST", "/api/campaigns/"+c.ID+"/push", "application/json", nil, nil); err != nil {
			return fmt.Errorf("push the campaign %s: %w", c.ID, err)
		}
	}
	return os.WriteFile(h.path("supplied"), []byte(time.Now().Format(time.RFC3339)+"\n"), 0o600)
}

// Ask calls headquarters' interface with the admin's token. The answer, if wanted, is decoded into out.
func (h *House) Ask(ctx context.Context, method, path, contentType string, body []byte, out any) error {
	info, err := h.hqInfo()
	if err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+info.Console+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Authorization", "Bearer "+readFile(info.AdminTokenFile))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %.400s", method, path, resp.Status, answer)
	}
	switch out := out.(type) {
	case nil:
		return nil
	case *[]byte: // as it came
		*out = answer
		return nil
	}
	return json.Unmarshal(answer, out)
}

// daemon is foyerd with the configuration of a store with two readers.
func (h *House) daemon() *Process {
	info, _ := h.hqInfo()
	config := fmt.Sprintf(`# Written by the demo at each start.
chain: %s
store: %s
name: {en: "Demo store", zh-CN: "示范店"}
data: store
tag_key_file: tag.key
listen:
  socket: store/foyerd.sock
  tcp: %s
  reception_token_file: reception.token
  screen_token_file: screen.token
  embed: [%q]
headquarters:
  broker: tcp://%s
  password_file: hq.token
  public_key_files: [%q]
readers:
  - {name: kiosk-card, profile: rdm6300, port: %q}
  - {name: door-uhf, profile: r200, port: %q}
zones:
  - id: kiosk
    name: {en: "Kiosk", zh-CN: "触摸屏"}
    role: kiosk
    readers: [kiosk-card]
    tap: true
    grace: %s
  - id: door
    name: {en: "Door", zh-CN: "大门"}
    role: entrance
    readers: [door-uhf]
    grace: 8s
%s`, chainName, StoreName, h.doors[0], h.origin(), h.wire.Addr(), info.PublicKeyFile, h.tap.pty.Path(), h.door.pty.Path(), h.tapGrace(), h.greetings())
	if err := os.WriteFile(h.path("foyerd.yaml"), []byte(config), 0o600); err != nil {
		h.cfg.Log.Error("the store's configuration is not written", "err", err)
	}
	return &Process{Name: "foyerd", Path: h.bin("foyerd"), Dir: h.cfg.Dir, Log: h.cfg.Log,
		Args: []string{"--config", h.path("foyerd.yaml"), "--ready-file", h.storeReady}}
}

// tapGrace is after how long without a read a card has left the kiosk's reader: well before the screen has said its say.
func (h *House) tapGrace() time.Duration {
	const usual = 3 * time.Second
	if h.cfg.Greeting == 0 {
		return usual
	}
	return min(usual, h.cfg.Greeting/2)
}

// greetings sets how long the screens speak, where that is not the product's own.
func (h *House) greetings() string {
	if h.cfg.Greeting == 0 {
		return ""
	}
	return fmt.Sprintf("screens: {wall_greeting: %s, kiosk_greeting: %s}\n", h.cfg.Greeting, h.cfg.Greeting)
}

// supplied is done when the store greets by what headquarters sent.
func (h *House) supplied() error {
	var stores []struct {
		Applied []struct {
			Snapshot string `json:"snapshot"`
			State    string `json:"state"`
		} `json:"applied"`
	}
	if err := h.Ask(h.ctx, "GET", "/api/stores", "", nil, &stores); err != nil {
		return err
	}
	have := map[string]bool{}
	for _, s := range stores {
		for _, a := range s.Applied {
			have[a.Snapshot] = have[a.Snapshot] || a.State == "applied"
		}
	}
	if !have["members"] || !have["campaigns"] {
		return errors.New("the store has not yet applied members and campaigns")
	}
	return nil
}

// face is one screen program.
type face struct {
	name, screen  string
	width, height int
	widthMM       int
	at            string // of the half-size window on a desktop, beside the other
}

var faces = []face{
	{"kiosk", "kiosk", 1080, 1920, 398, "0,0"},     // a 32-inch panel, upright
	{"wall", "welcome", 1920, 1080, 1210, "560,0"}, // a 55-inch panel
}

// screensUp starts kiosk and wall: each on a display of its own in memory, or as half-size windows on the desktop.
func (h *House) screensUp(ctx context.Context, keep func(string, func(context.Context) error)) error {
	for _, f := range faces {
		args := []string{"--screen", f.screen, "--api", "unix://" + h.path("store", "foyerd.sock"), "--lang", h.cfg.Lang,
			"--width-mm", fmt.Sprint(f.widthMM), "--ready-file", h.path(f.name + ".ready")}
		var env []string
		g := &glass{display: os.Getenv("DISPLAY"), title: "Foyer " + f.screen}
		if h.cfg.Window {
			args = append(args, "--size", fmt.Sprintf("%dx%d", f.width/2, f.height/2), "--output", f.at)
		} else {
			x, err := screen.StartXvfb(ctx, f.width, f.height)
			if err != nil {
				return err
			}
			h.displays = append(h.displays, x)
			env = append(env, "DISPLAY="+x.Display)
			g = &glass{display: x.Display}
		}
		h.glass[f.name] = g
		os.Remove(h.path(f.name + ".ready"))
		p := &Process{Name: f.name, Path: h.bin("foyer-kiosk"), Args: args, Env: env, Dir: h.cfg.Dir, Log: h.cfg.Log}
		h.screens = append(h.screens, p)
		keep("foyer-kiosk", p.Run)
	}
	for _, f := range faces {
		err := h.waitFor(ctx, "the "+f.name, func() error { _, err := os.Stat(h.path(f.name + ".ready")); return err })
		if err != nil {
			return err
		}
	}
	return nil
}
