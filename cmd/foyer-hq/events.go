package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"foyer/hq"
	"foyer/hq/outlet"
	"foyer/sync/wire"
	"foyer/sync/wire/asyncapi"
)

// eventOptions are what serve says of events for integrators.
type eventOptions struct {
	tokenFile, prefix, hook, hookTokenFile string
	members                                bool
}

// openOutlet makes the outlet; nil where nobody is to be told.
func (p *program) openOutlet() error {
	e := p.options.events
	if e.tokenFile == "" && e.hook == "" {
		if e.members || e.prefix != "" || e.hookTokenFile != "" {
			return errors.New("settings of events without --events-token-file or --webhook: nobody would be told")
		}
		return nil
	}
	if e.prefix != "" {
		if err := wire.CheckPrefix(e.prefix); err != nil {
			return fmt.Errorf("--events-type %w", err)
		}
	}
	var token string
	var err error
	if e.tokenFile != "" {
		if token, err = ownToken(e.tokenFile); err != nil {
			return fmt.Errorf("--events-token-file: %w", err)
		}
	}
	if e.hook != "" {
		if err := outlet.CheckHook(e.hook); err != nil {
			return fmt.Errorf("--webhook %w", err)
		}
		p.hook = outlet.Webhook{URL: e.hook, Now: p.hq.Now, Leads: p.hq.Leads}
	}
	if e.hookTokenFile != "" {
		text, err := os.ReadFile(e.hookTokenFile)
		if err != nil {
			return fmt.Errorf("--webhook-token-file: %w", err)
		}
		p.hook.Token = strings.TrimSpace(string(text))
	}
	p.outlet, err = outlet.New(outlet.Config{Feed: p.hq.DB(), Token: token, Watch: p.hq.Watch, Stop: p.stop, Log: p.log,
		Outside: wire.Outside{Chain: p.hq.Chain(), Prefix: e.prefix, Members: e.members}})
	return err
}

// ownToken reads a token, and makes the file with a new one where it is missing.
func ownToken(file string) (string, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		token := rand.Text()
		return token, hq.ReplaceFile(file, token+"\n", 0o600)
	}
	return strings.TrimSpace(string(text)), err
}

// withEvents puts the events beside the console's pages, with a token of their own.
func (p *program) withEvents(pages http.Handler) http.Handler {
	if p.outlet == nil {
		return pages
	}
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.Handle(outlet.Path, p.outlet)
	return mux
}

// tellHook keeps the webhook told until ctx ends.
func (p *program) tellHook(ctx context.Context) error {
	if p.outlet == nil || p.hook.URL == "" {
		return nil
	}
	return p.outlet.RunWebhook(ctx, p.hook)
}

// document prints a description of what is on the wire.
func document(args []string, out, errs io.Writer, make func() ([]byte, error)) error {
	if len(args) > 0 {
		fmt.Fprint(errs, usage)
		return errUsage
	}
	text, err := make()
	if err == nil {
		_, err = out.Write(text)
	}
	return err
}

var documents = map[string]func() ([]byte, error){"asyncapi": asyncapi.Document, "openapi": asyncapi.OpenAPI}
