#!/usr/bin/env bash
# Fills in made-up addresses and holds the gateway's definition against the OpenAPI specification: validate.sh
# Needs openapi-spec-validator (infra/terraform/requirements.txt) on the PATH.
set -euo pipefail
cd "$(dirname "$0")/../.."

command -v openapi-spec-validator >/dev/null || {
    echo "openapi-spec-validator is missing: pip install --require-hashes -r infra/terraform/requirements.txt" >&2
    [ "${CI:-}" = true ] && exit 1
    echo "SKIPPED: the gateway's definition is not held against the specification" >&2
    exit 0
}
lab=$(mktemp -d)
trap 'rm -rf "$lab"' EXIT
cat >"$lab/addresses.json" <<'JSON'
{"authorize": "https://oms-authorize-123456789012.us-central1.run.app", "callback": "https://oms-callback-123456789012.us-central1.run.app"}
JSON
# With everything else, as `make test-deployed` builds it: alone it would be built with other features, and anew.
cargo build --quiet --workspace --bins --features cloud --locked
target/debug/gateway --render "$lab/addresses.json" >"$lab/openapi.json"
openapi-spec-validator --schema 3.0 "$lab/openapi.json"
