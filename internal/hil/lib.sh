# Sourced by the scripts of this folder: where the work goes, and what they share.
set -euo pipefail
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
W=${FOYER_HIL:-${XDG_CACHE_HOME:-$HOME/.cache}/foyer-hil}
mkdir -p "$W"
say() { printf '[%s] %s\n' "$(date +%H:%M:%S)" "$*" >&2; }
