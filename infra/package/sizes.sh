#!/usr/bin/env bash
# Prints how large built binaries are, and fails when one is above the goal.
#   infra/package/sizes.sh target/release/token-get …
set -euo pipefail

GOAL=12 # MB, for every binary

stat --format '%s %n' "$@" | awk -v goal="$GOAL" '
    { over = $1 > goal * 1e6; failed += over
      printf "%6.1f MB  %s%s\n", $1 / 1e6, $2, over ? "  ABOVE " goal " MB" : "" }
    END { exit failed > 0 }'
