package demo

import (
	"context"
	"fmt"
	"io"
)

// Play runs the demo until ctx ends, and says on out where to look.
func Play(ctx context.Context, cfg Config, out io.Writer) error {
	h, err := Start(ctx, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "Starting headquarters, the store, the readers and the screens ...")
	err = h.Run(func() {
		fmt.Fprintf(out, `
  Open this in a browser:   %s

  Reception alone           %s
  Headquarters alone        %s
  Data, logs and keys       %s

Ctrl-C ends it all; the next start goes on from here.
`, h.PageURL(), h.receptionURL(), h.consoleURL(), h.cfg.Dir)
	})
	if err == nil {
		fmt.Fprintln(out, "\nAll of it has ended.")
	}
	return err
}
