// Command foyer-hq is headquarters: the broker that stores connect to (or the line to one elsewhere), the database of all
// that happened, the members, the campaigns, and the console in the browser.
//
//	foyer-hq serve --chain NAME --data DIR          run headquarters
//	foyer-hq store add ID --data DIR --name-en TEXT  add a store; its one-time code (or token) is printed once
//	foyer-hq store enrol ID --data DIR               give a store another one-time code
//	foyer-hq store revoke ID --data DIR              shut a store out, at once
//	foyer-hq store token ID --data DIR               give a store another token
//	foyer-hq store list --data DIR
//	foyer-hq member erase ID --data DIR              erase a person, here and in all stores
//	foyer-hq member erasures --data DIR              which stores have confirmed it
//	foyer-hq signing list|next|switch|drop           change the key that snapshots are signed with
//	foyer-hq broker mosquitto --out DIR              write a configuration for a broker elsewhere
//	foyer-hq pack publish FOLDER --name NAME --to 10% give stores files: a content pack
//	foyer-hq pack widen NAME VERSION --to 50%         let more stores have it
//	foyer-hq pack withdraw NAME VERSION               stores go back to the version before
//	foyer-hq pack list
//	foyer-hq database copy --from hq.db --to-file FILE  move the rows to PostgreSQL
//	foyer-hq database adopt                           let a database follow this folder's keys
//	foyer-hq pack gc                                  remove files that only withdrawn versions need
//	foyer-hq command STORE config|resync|restart|diagnostics|screenshot  ask a store to do something
//	foyer-hq command list STORE
//	foyer-hq asyncapi | openapi                      print what is on the wire, for programs
//
// It ends cleanly on SIGINT and SIGTERM, within three seconds. Stores may be added and packs published while it runs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// Exit codes, after sysexits.h: a supervisor must not restart what only a person can mend.
const (
	exitFailed = 1
	exitUsage  = 64 // EX_USAGE
	exitConfig = 78 // EX_CONFIG
)

const usage = `usage:
  foyer-hq serve       --chain NAME [--data DIR] [flags]      run headquarters
  foyer-hq store add   ID [--data DIR] --name-en TEXT --name-zh TEXT [--token-file FILE]
  foyer-hq store enrol ID [--data DIR] [--valid 24h]          give a store another one-time code
  foyer-hq store revoke ID [--data DIR]                       shut a store out, at once
  foyer-hq store token ID [--data DIR] [--token-file FILE]    give a store another token
  foyer-hq store list  [--data DIR]
  foyer-hq member erase ID [--data DIR] [--reason TEXT]       erase a person, here and in all stores
  foyer-hq member erasures [--data DIR]                       which stores have confirmed it
  foyer-hq signing list|next|switch|drop [ID] [--data DIR]    change the key that snapshots are signed with
  foyer-hq broker mosquitto --out DIR [--data DIR] [--chain NAME]  write a configuration for Mosquitto
  foyer-hq pack publish  FOLDER|ZIP --name NAME [--to STORES,SHARE%] [--now] [--data DIR]
  foyer-hq pack widen    NAME VERSION --to STORES,SHARE% [--data DIR]   let more stores have a version
  foyer-hq pack withdraw NAME VERSION [--data DIR]                     stores go back to the version before
  foyer-hq pack list     [--data DIR]
  foyer-hq pack gc       [--data DIR]                                  remove files that only withdrawn versions need
  foyer-hq command STORE config|resync|restart|diagnostics|screenshot [--wait 2m] [--data DIR]   ask a store to do something
  foyer-hq command list  STORE [--data DIR]
  foyer-hq database copy --from hq.db --to-file FILE          move the rows to PostgreSQL
  foyer-hq database adopt [--data DIR]                        let a shared database follow this folder's keys
  foyer-hq asyncapi|openapi                                   print what is on the wire, for programs
Each tells its flags with --help.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// errUsage is an error that was told already, with the flags.
var errUsage = errors.New("usage")

// configError is an error that starting again will not mend.
type configError struct{ error }

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	err := dispatch(ctx, args, out, errs)
	switch {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return exitUsage
	}
	fmt.Fprintln(errs, "foyer-hq:", err)
	if _, ok := errors.AsType[configError](err); ok {
		return exitConfig
	}
	return exitFailed
}

func dispatch(ctx context.Context, args []string, out, errs io.Writer) error {
	word := func(i int) string {
		if i < len(args) {
			return args[i]
		}
		return ""
	}
	switch {
	case word(0) == "serve":
		return serve(ctx, args[1:], out, errs)
	case word(0) == "store" && word(1) == "add":
		return storeAdd(ctx, args[2:], out, errs)
	case word(0) == "store" && word(1) == "token":
		return storeToken(ctx, args[2:], out, errs)
	case word(0) == "store" && word(1) == "list":
		return storeList(ctx, args[2:], out, errs)
	case word(0) == "store" && word(1) == "enrol":
		return storeEnrol(ctx, args[2:], out, errs)
	case word(0) == "store" && word(1) == "revoke":
		return storeRevoke(ctx, args[2:], out, errs)
	case word(0) == "member" && word(1) == "erase":
		return memberErase(ctx, args[2:], out, errs)
	case word(0) == "member" && word(1) == "erasures":
		return memberErasures(ctx, args[2:], out, errs)
	case word(0) == "signing":
		return signing(ctx, args[1:], out, errs)
	case word(0) == "database":
		return database(ctx, args[1:], out, errs)
	case word(0) == "broker" && word(1) == "mosquitto":
		return brokerMosquitto(args[2:], out, errs)
	case documents[word(0)] != nil:
		return document(args[1:], out, errs, documents[word(0)])
	case word(0) == "command":
		return commandVerb(ctx, args[1:], out, errs)
	case word(0) == "pack" && word(1) == "publish":
		return packPublish(ctx, args[2:], out, errs)
	case word(0) == "pack" && word(1) == "widen":
		return packWiden(ctx, args[2:], out, errs)
	case word(0) == "pack" && word(1) == "withdraw":
		return packWithdraw(ctx, args[2:], out, errs)
	case word(0) == "pack" && word(1) == "gc":
		return packGC(ctx, args[2:], out, errs)
	case word(0) == "pack" && word(1) == "list":
		return packList(ctx, args[2:], out, errs)
	}
	fmt.Fprint(errs, usage)
	if word(0) == "help" || word(0) == "--help" || word(0) == "-h" {
		return nil
	}
	return errUsage
}

// parse reads flags that may stand before and after plain words, and returns the words.
func parse(f *flag.FlagSet, args []string) ([]string, error) {
	var words []string
	for {
		if err := f.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return nil, err
			}
			return nil, errUsage
		}
		if args = f.Args(); len(args) == 0 {
			return words, nil
		}
		words, args = append(words, args[0]), args[1:]
	}
}
