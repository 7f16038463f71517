# make demo: watch the whole chain on this machine.   make test: all tests.   The rest: make help.
SHELL := /bin/bash
TAGS  := x11,migrated_fynedo,release
PLAIN := foyer foyerd foyer-hq

.PHONY: demo test quick check bench fuzz build plain clean help

help: ## this list
	@grep -hE '^[a-z]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 10

demo: ## headquarters, one store, two readers, two screens and a page that shows it all
	@internal/scripts/need.sh window $$([ -n "$$DISPLAY" ] || echo screen)
	@$(MAKE) -s build
	@exec bin/foyer demo $(ARGS)

test: ## all tests, in stages
	@internal/scripts/test.sh

quick: ## unit tests only, under a minute once built
	@CGO_ENABLED=0 go test -short -tags test $$(go list -tags test ./... | grep -vE '/(kiosk/glass|cmd/foyer-kiosk|internal/e2e|internal/floors)$$')

check: ## format, vet, fix, staticcheck, floors, races
	@internal/scripts/check.sh

bench: ## the figures, printed with the machine
	@internal/scripts/bench.sh

fuzz: ## every fuzz target, FUZZTIME each
	@internal/scripts/fuzz.sh

build: plain ## all programs, into bin/
	@echo "Building bin/foyer-kiosk (the first time takes some minutes: it compiles the window system's C)"
	@CGO_ENABLED=1 go build -tags $(TAGS) -trimpath -ldflags "-s -w" -o bin/foyer-kiosk ./cmd/foyer-kiosk

plain: # the programs that need no C
	@for p in $(PLAIN); do CGO_ENABLED=0 go build -trimpath -o bin/$$p ./cmd/$$p || exit 1; done

clean: ## removes what was built and the demo's data
	rm -rf bin artifacts .foyer-demo
