#!/usr/bin/env bash
# The figures, printed with the machine they were taken on. No figure is judged here: tests do not time.
set -u
cd "$(dirname "$0")/../.."
. internal/scripts/stage.sh

echo "Machine: $(uname -srm), $(nproc) cores, $(awk -F': ' '/model name/ {print $2; exit}' /proc/cpuinfo), $(go version | cut -d' ' -f3)"
echo "Load before: $(cut -d' ' -f1-3 /proc/loadavg)"
micro() { CGO_ENABLED=0 go test -tags test -run '^$' -bench . -benchmem "$@" | grep -E '^(Benchmark|pkg|ok|FAIL|---)|SKIP'; return "${PIPESTATUS[0]}"; }
said() { CGO_ENABLED=0 go test -tags test -run '^$' "$@" | grep -vE '^(goos|goarch|pkg|cpu|PASS)'; return "${PIPESTATUS[0]}"; }

stage frames micro ./reader/frame -skip Noise
stage noise micro ./reader/frame -bench Noise -benchtime 1x
stage reader micro ./reader -benchtime 100x
stage llrp micro ./reader/llrp
stage wedge micro ./reader/wedge
stage presence micro ./shop/presence
stage hold-out micro ./internal/trace -benchtime 1x
stage every-reader env CGO_ENABLED=0 go test -tags test -count=1 -timeout 30m -run EveryReader -v ./internal/scenario -open-for 9h
stage demo micro ./kiosk/demo ./kiosk/demo/clip ./kiosk/demo/cart
stage greeting micro ./shop/greeting
stage journal micro ./sync/journal -bench 'Append$' -benchtime 40x
stage journal-file micro ./sync/journal -bench 'AfterDrain|OnDisk' -benchtime 1x
stage headquarters micro ./hq/store -bench Durable
stage sealing micro ./sync/vault
stage journal-sealed micro ./internal/daemon -bench AppendOfPersons -benchtime 20000x
stage vault-kills env CGO_ENABLED=0 FOYER_KILLS=300 go test -tags test -count=1 -v -run '^TestKilledInTheMiddle' ./sync/vault
stage packs micro ./sync/content
stage known-tags micro ./sync/known
stage questions micro ./internal/daemon -bench Question -benchtime 200x
stage roster-day micro ./internal/daemon -bench RosterDay -benchtime 1x
stage printing micro ./kiosk/printer ./kiosk/printer/dots ./kiosk/printer/virtual ./kiosk/printer/post
stage journal-kills env FOYER_KILLS=1000 go test -tags test -count=1 -timeout 30m -v -run '^TestKilledInTheMiddle' ./sync/journal
stage store-kills env FOYER_KILLS=1000 CGO_ENABLED=0 go test -tags test -count=1 -timeout 90m -v -run 'TestAStoreKilled' ./internal/fault
stage journal-cuts env FOYER_CUTS=40 go test -count=1 -timeout 30m -v -run 'PowerCut|ADiskThatFails' ./internal/fault
stage bytes-an-event micro -benchtime 1x ./sync/wire
stage plain make -s plain
if need_or_skip catch-up line broker; then
	stage catch-up micro -benchtime 1x -timeout 30m ./internal/bench -bench CatchUp
fi
stage to-headquarters micro -benchtime 2x -timeout 30m ./internal/bench -bench ToHeadquarters
stage stores said -benchtime 1x -timeout 30m ./internal/bench -bench Stores
stage daemon-start go test -run '^$' -bench DaemonStart -benchtime 10x ./internal/e2e
stage daemon-memory go test -run '^$' -bench DaemonMemory -benchtime 1x ./internal/e2e
if need_or_skip tap-to-glass window screen; then
	stage build make -s build
	stage tap-to-glass go test -run '^$' -bench TapToGlass -benchtime 200x -timeout 20m ./internal/e2e
fi
stage sizes ls -l --block-size=1 bin/
verdict
