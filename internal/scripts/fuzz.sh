#!/usr/bin/env bash
# Runs every fuzz target for FUZZTIME (default 20s each). Finds stay under testdata/fuzz and become tests.
set -u
cd "$(dirname "$0")/../.."
. internal/scripts/stage.sh
for pkg in $(go list -tags test ./... | grep -vE '/(kiosk/glass|cmd/foyer-kiosk|internal/e2e)$'); do
	for target in $(go test -tags test -list '^Fuzz' "$pkg" 2>/dev/null | grep '^Fuzz'); do
		stage "${pkg#foyer/}.$target" go test -tags test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-20s}" "$pkg"
	done
done
verdict
