#!/usr/bin/env bash
# Runs every fuzz target for FUZZTIME (default 60s) each. Finds stay under testdata/fuzz and become tests.
# Inputs are hardly made smaller: with long ones, like whole profiles, Go would do nothing else for the whole time.
set -u
cd "$(dirname "$0")/../.."
. internal/scripts/stage.sh
for pkg in $(go list -tags test ./... | grep -vE '/(kiosk/glass|cmd/foyer-kiosk|internal/e2e)$'); do
	for target in $(go test -tags test -list '^Fuzz' "$pkg" 2>/dev/null | grep '^Fuzz'); do
		stage "${pkg#foyer/}.$target" go test -tags test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-60s}" -fuzzminimizetime 20x "$pkg"
	done
done
verdict
