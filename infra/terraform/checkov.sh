#!/usr/bin/env bash
# Looks through terraform/ with checkov's rules of security: none may fail but what is excepted in its place, by name and with a reason.
# Needs `pip install --require-hashes -r infra/terraform/requirements.txt`, and no network.
#   infra/terraform/checkov.sh                  everything
#   infra/terraform/checkov.sh modules/aws …    these folders of terraform/
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../terraform"
started=$SECONDS

if ! command -v checkov >/dev/null; then
    echo "checkov is missing: pip install --require-hashes -r infra/terraform/requirements.txt" >&2
    if [ "${CI:-}" = true ]; then exit 1; fi
    echo "SKIPPED: checkov" >&2
    exit 0
fi

# An exception says why, in a sentence: at least four words.
if grep -rnE --include='*.tf' 'checkov:skip' . | grep -vE '#checkov:skip=CKV2?_[A-Z]+_[0-9]+:([^ ]+ ){3}'; then
    echo "FAILED: write #checkov:skip=CKV_X_n: and the reason, in a sentence" >&2
    exit 1
fi

folders=()
for folder in "${@:-.}"; do folders+=(-d "$folder"); done
# Modules are looked at where they are, and below the environments once more with what these give them; nothing is fetched.
LOG_LEVEL=ERROR checkov "${folders[@]}" --framework terraform --skip-download --download-external-modules false --quiet --compact
echo "checkov: $((SECONDS - started)) s"
