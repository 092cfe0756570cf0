#!/usr/bin/env bash
# Sends what each route and each trigger of the applied environments sends to the function that it leads to (infra/deployment).
# An environment that was not applied here is tried by what the list of functions says of it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

for cloud in gcp aws; do
    applied=$PWD/target/terraform/$cloud.json
    if [ -f "$applied" ]; then export "APPLIED_${cloud^^}=$applied"; else echo "SKIPPED: $cloud was not applied" >&2; fi
done
cargo build --workspace --bins --features cloud --locked
# As `make test-deployed` builds it: for one crate alone everything would be built anew, with other features.
cargo nextest run --workspace --test deployed --ignore-default-filter --locked applied::
