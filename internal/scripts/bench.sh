#!/usr/bin/env bash
# The figures, printed with the machine they were taken on. No figure is judged here: tests do not time.
set -u
cd "$(dirname "$0")/../.."
. internal/scripts/stage.sh

echo "Machine: $(uname -srm), $(nproc) cores, $(awk -F': ' '/model name/ {print $2; exit}' /proc/cpuinfo), $(go version | cut -d' ' -f3)"
echo "Load before: $(cut -d' ' -f1-3 /proc/loadavg)"
micro() { CGO_ENABLED=0 go test -tags test -run '^$' -bench . -benchmem "$@" | grep -E '^(Benchmark|pkg|ok|FAIL|---)'; return "${PIPESTATUS[0]}"; }

stage frames micro ./reader/frame
stage llrp micro ./reader/llrp
stage wedge micro ./reader/wedge
stage presence micro ./shop/presence
stage greeting micro ./shop/greeting
stage journal micro ./sync/journal
stage bytes-an-event micro -benchtime 1x ./sync/wire
stage plain make -s plain
stage daemon-start go test -run '^$' -bench DaemonStart -benchtime 10x ./internal/e2e
stage daemon-memory go test -run '^$' -bench DaemonMemory -benchtime 1x ./internal/e2e
if need_or_skip tap-to-glass window screen; then
	stage build make -s build
	stage tap-to-glass go test -run '^$' -bench TapToGlass -benchtime 200x -timeout 20m ./internal/e2e
fi
stage sizes ls -l --block-size=1 bin/
verdict
