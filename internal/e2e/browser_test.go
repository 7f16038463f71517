package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// step is one thing a person does in a browser.
type step = chromedp.Action[chromedp.Void]

// browse starts a headless Chromium of its own and returns the context of one tab.
func browse(t *testing.T, width, height int) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("SKIP: no chromium on this machine (Debian package chromium)")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.WindowSize(width, height), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "zh-CN"), chromedp.Flag("accept-lang", "zh-CN"))
	alloc, stopAlloc := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(stopAlloc)
	tab, stopTab := chromedp.NewContext(alloc)
	t.Cleanup(stopTab)
	if err := chromedp.Do(tab); err != nil { // starts the browser, whose life must not hang on a step's deadline
		t.Fatalf("start chromium: %v", err)
	}
	return tab
}

// do runs steps in a tab; a page that does not answer in half a minute has failed.
func do(t *testing.T, tab context.Context, what string, steps ...step) {
	t.Helper()
	ctx, stop := context.WithTimeout(tab, 30*time.Second)
	defer stop()
	if err := chromedp.Do(ctx, steps...); err != nil {
		keepPage(t, tab, "failed")
		t.Fatalf("%s: %v", what, err)
	}
}

// keepPage saves a picture of a tab.
func keepPage(t *testing.T, tab context.Context, name string) {
	t.Helper()
	ctx, stop := context.WithTimeout(tab, 10*time.Second)
	defer stop()
	data, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Logf("no picture of the page: %v", err)
		return
	}
	if err := os.WriteFile(filepath.Join(artifacts(t), name+".png"), data, 0o644); err != nil {
		t.Error(err)
	}
}

// hasText waits until the page's visible text holds the words. A page that is just being replaced is asked again.
func hasText(words string) step {
	return func(ctx context.Context, target *chromedp.Target) (chromedp.Void, error) {
		ctx, stop := context.WithTimeout(ctx, 25*time.Second)
		defer stop()
		look := chromedp.Evaluate[bool](fmt.Sprintf("document.body.innerText.includes(%q)", words))
		for {
			found, err := look(ctx, target)
			if found {
				return chromedp.Void{}, nil
			}
			select {
			case <-ctx.Done():
				return chromedp.Void{}, fmt.Errorf("the page does not say %q (%v)", words, err)
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
}
