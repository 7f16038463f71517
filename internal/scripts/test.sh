#!/usr/bin/env bash
# All tests, in named stages. make test runs it; so does .ci/run.
set -u
cd "$(dirname "$0")/../.."
. internal/scripts/stage.sh

# The screens are drawn by Fyne's software painter here: no C, no display. Only kiosk/glass and foyer-kiosk need both.
plain() { go list -tags test ./... | grep -vE '/(kiosk/glass|cmd/foyer-kiosk|internal/e2e|internal/floors)$'; }

unit() { CGO_ENABLED=0 go test -tags test $(plain); }
on_postgres() { FOYER_DATABASE=postgres CGO_ENABLED=0 go test -tags test -count=1 "$@"; }
# Encoders and hosts that are not ours, of these versions.
printing_peers() {
	local npm=$PWD/artifacts/npm
	mkdir -p "$npm"
	npm install --prefix "$npm" --no-audit --no-fund --loglevel=error bwip-js@4.11.4 receiptio@2.1.2 receiptline@4.0.4 \
		@point-of-sale/receipt-printer-encoder@4.0.1 >/dev/null || return 1
	FOYER_NPM=$npm CGO_ENABLED=0 go test -count=1 -tags test -run 'AnotherEncoder|Receiptio|OtherEncoders' -v ./kiosk/printer/code ./kiosk/printer/virtual
}
e2e() { go test -count=1 -timeout 20m "$@"; }

internal/scripts/need.sh browser broker net barcodes database || true # the tests that want them say SKIP themselves when they could not be had
stage unit unit
need_or_skip database database && stage database on_postgres ./hq/... ./cmd/foyer-hq ./internal/fault -skip "PowerCut|ADiskThatFails|Browser"
stage floors go test -count=1 ./internal/floors
if need_or_skip printing-peers node barcodes; then
	stage printing-peers printing_peers
fi
checker=internal/scripts/asyncapi
if ! command -v npm >/dev/null; then
	skip asyncapi "no npm here, so the AsyncAPI project's own parser has not looked at sync/wire/asyncapi.yaml"
elif ! (cd $checker && timeout 300 npm ci --ignore-scripts --no-audit --no-fund >/dev/null 2>&1); then
	skip asyncapi "npm could not fetch the AsyncAPI project's parser"
else
	stage asyncapi node $checker/check.mjs sync/wire/asyncapi.yaml
fi
if need_or_skip kernel kernel; then
	why=$(internal/hil/prepare.sh 2>&1)
	case $? in
	3) skip kernel "$why" ;;
	*)
		stage kernel env FOYER_KERNEL=1 go test -count=1 -timeout 10m -v ./internal/hil
		stage machine-faults env FOYER_KERNEL=1 CGO_ENABLED=0 go test -tags test -count=1 -timeout 15m -v -run InAMachine ./internal/fault ;;
	esac
fi
if need_or_skip glass window screen; then
	stage build make -s build
	stage end-to-end-chain e2e -run 'TestAPersonIsErased|TestErasuresSurviveKills|TestALostCardIsLostEverywhere' ./internal/e2e
	stage glass go test -count=1 -tags x11,migrated_fynedo,release ./kiosk/glass ./cmd/foyer-kiosk
	if need_or_skip end-to-end browser eyes; then
		stage end-to-end-embedded e2e -run 'TestDoorOpens/embedded|TestDemo' ./internal/e2e
		need_or_skip end-to-end-mosquitto broker && stage end-to-end-mosquitto e2e -run 'TestDoorOpens/mosquitto' ./internal/e2e
	fi
fi
verdict
