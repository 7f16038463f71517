#!/usr/bin/env bash
# Builds the cartridges of the games from their C: make.sh FOLDER puts NAME.wasm there; without a folder, into the packs.
# Wants Debian's clang and lld. A test compares what is committed with what this makes, where they are installed.
set -eu
cd "$(dirname "$0")"
for game in catch tower; do
	to="${1:-../$game/carts}/$game.wasm"
	clang --target=wasm32 -O2 -nostdlib -fno-builtin -Wall -Wno-int-to-pointer-cast -o "$to" "$game.c" \
		-Wl,--no-entry,--import-memory,--initial-memory=65536,--max-memory=65536,--stack-first,-z,stack-size=8192,--global-base=8192 \
		-Wl,--export=start,--export=update,--strip-all
	chmod 644 "$to"
done
