package e2e

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"strings"
	"testing"

	"foyer/internal/demo"
)

// asked is a command as headquarters' interface tells it.
type asked struct {
	ID      string `json:"id"`
	State   string `json:"state"`
	Code    string `json:"code"`
	Why     string `json:"why"`
	Results []struct {
		Name string `json:"name"`
		Size int64  `json:"size"`
	} `json:"results"`
}

// askStore has headquarters ask the store for something, and waits until it is done.
func askStore(t *testing.T, house *demo.House, body string) asked {
	t.Helper()
	var c asked
	must(t, house.Ask(t.Context(), "POST", "/api/stores/"+demo.StoreName+"/commands", "application/json", []byte(body), &c))
	waitUntil(t, "the answer to "+body, func() error {
		must(t, house.Ask(t.Context(), "GET", "/api/commands/"+c.ID, "", nil, &c))
		switch c.State {
		case "waiting", "sent":
			return errors.New(c.State)
		case "done":
			return nil
		}
		t.Fatalf("%s: %s %s %s", body, c.State, c.Code, c.Why)
		return nil
	})
	return c
}

// commandsWork asks, from headquarters, for pictures of both screens while somebody is greeted on them: they show the scene and nobody's
// name. Then for a restart: foyerd and the screens come back.
func commandsWork(t *testing.T, house *demo.House, kiosk string) {
	t.Helper()
	tapBytes(t, house, annasFrame)
	waitToRead(t, kiosk, "11-greeting-to-be-pictured", "王女士")
	c := askStore(t, house, `{"do":"screenshot"}`)
	seen := map[string]bool{}
	for _, r := range c.Results {
		img := resultPicture(t, house, c.ID, r.Name)
		keepPicture(t, "12-"+strings.TrimSuffix(r.Name, ".png"), img)
		text, err := read(t.Context(), img)
		must(t, err)
		for _, name := range []string{"王", "安娜", "Wang"} {
			if strings.Contains(text, name) {
				t.Errorf("%s shows %q", r.Name, name)
			}
		}
		seen[r.Name] = len(text) > 0
	}
	if !seen["kiosk-1.png"] || !seen["wall-1.png"] {
		t.Errorf("the pictures with something to read on them are %v, of %+v", seen, c)
	}
	impersonal(t, house, askStore(t, house, `{"do":"diagnostics"}`))
	before, err := house.Snapshot("kiosk")
	must(t, err)
	askStore(t, house, `{"do":"restart"}`)
	waitUntil(t, "foyerd was started again", func() error {
		now, err := house.Snapshot("kiosk")
		if err == nil && now.Epoch == before.Epoch {
			err = fmt.Errorf("it is still the same foyerd")
		}
		return err
	})
	waitToRead(t, kiosk, "13-attract-after-restart", "示范店")
}

// impersonal wants nothing of a person in the diagnostics, which were made while Ms Wang stood at the kiosk.
func impersonal(t *testing.T, house *demo.House, c asked) {
	t.Helper()
	var packed []byte
	must(t, house.Ask(t.Context(), "GET", "/api/commands/"+c.ID+"/results/"+c.Results[0].Name, "", nil, &packed))
	z, err := gzip.NewReader(bytes.NewReader(packed))
	must(t, err)
	all, err := io.ReadAll(z)
	must(t, err)
	for _, secret := range []string{"王", "安娜", "Wang", "m-demo-1", "6F007B3972", "6f007b3972", "0008075634", "早上好", "上午好", "下午好", "晚上好"} {
		if bytes.Contains(all, []byte(secret)) {
			t.Errorf("the diagnostics hold %q", secret)
		}
	}
	if len(all) < 10_000 || !bytes.Contains(all, []byte("kiosk-card")) {
		t.Errorf("the diagnostics are %d bytes and do not name the reader", len(all))
	}
}

func resultPicture(t *testing.T, house *demo.House, id, name string) *image.RGBA {
	t.Helper()
	var data []byte
	must(t, house.Ask(t.Context(), "GET", "/api/commands/"+id+"/results/"+name, "", nil, &data))
	img, err := png.Decode(bytes.NewReader(data))
	must(t, err)
	out := image.NewRGBA(img.Bounds())
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			out.Set(x, y, img.At(x, y))
		}
	}
	return out
}
