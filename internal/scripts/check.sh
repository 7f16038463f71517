#!/usr/bin/env bash
# Everything that can be said about the code without a screen: format, vet, fix, staticcheck, floors, races.
set -u
cd "$(dirname "$0")/../.."
. internal/scripts/stage.sh
tags=x11,migrated_fynedo

format() { local out; out=$(gofmt -l $(git ls-files '*.go')); [ -z "$out" ] || { echo "gofmt would change: $out"; return 1; }; }
modern() { local out; out=$(go fix -tags $tags -diff ./... 2>&1); [ -z "$out" ] || { echo "$out" | head -60; return 1; }; }
race() { go test -race -tags test $(go list -tags test ./... | grep -vE '/(kiosk/glass|cmd/foyer-kiosk|internal/e2e|internal/floors)$'); }

internal/scripts/need.sh window || exit 1 # vet and staticcheck read the window's C headers too
stage gofmt format
stage vet go vet -tags $tags ./...
stage fix modern
stage staticcheck go tool staticcheck -tags $tags ./...
stage floors go test -count=1 ./internal/floors
stage race race
verdict
