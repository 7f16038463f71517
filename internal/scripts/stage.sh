# Sourced by the scripts that run named stages: prints each one's time, keeps what failed, and says SKIP aloud.

# The same flags as make build, so that the window system's C is compiled once and not once a stage.
export GOFLAGS="${GOFLAGS:-} -trimpath"
failed=()
skipped=()

# stage NAME COMMAND...: runs it; a failure is remembered and the next stage still runs.
stage() {
	local name=$1 start=$SECONDS
	shift
	echo "=== $name"
	if "$@"; then
		echo "=== $name: ok, $((SECONDS - start)) s"
	else
		echo "=== $name: FAILED, $((SECONDS - start)) s"
		failed+=("$name")
	fi
}

# skip NAME REASON: a stage that this machine cannot run.
skip() {
	echo "=== $1: SKIP SKIP SKIP: $2"
	skipped+=("$1 ($2)")
}

# need_or_skip NAME GROUP...: true when the machine parts are there or could be installed.
need_or_skip() {
	local name=$1 out
	shift
	out=$(internal/scripts/need.sh "$@" 2>&1) && { [ -z "$out" ] || echo "$out"; return 0; }
	skip "$name" "$(echo "$out" | tr '\n' ' ')"
	return 1
}

# verdict: the last lines, and the exit code.
verdict() {
	[ ${#skipped[@]} -eq 0 ] || printf 'SKIPPED: %s\n' "${skipped[@]}"
	if [ ${#failed[@]} -gt 0 ]; then
		printf 'FAILED: %s\n' "${failed[@]}"
		exit 1
	fi
	echo "All stages passed in $SECONDS s."
}
