#!/usr/bin/env bash
# Goes through the life of each Google environment in a copy, with the state in it: plan, apply, a plan that changes
# nothing, a destroy that is refused while there are data and keys, and one without them. Only with a stand-in of the
# provider: the real one would make all of this in the projects that the variable files name.
#   infra/terraform/apply-gcp.sh [dev] [prod]
# Writes target/terraform/gcp.json: routes, triggers and each function's settings, as the last of them applied them.
set -euo pipefail
# shellcheck source=infra/terraform/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_terraform
find_providers
export TF_CLI_ARGS=-no-color
[ $# -gt 0 ] || set -- dev prod

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
copy "$work"
cd "$work/terraform/environments/gcp"
printf 'terraform {\n  backend "local" {}\n}\n' >backend_override.tf

# quietly WHAT COMMAND…: its output only if it fails.
quietly() {
    local began=$SECONDS what=$1
    shift
    if ! "$@" >"$work/log" 2>&1; then
        cat "$work/log"
        echo "FAILED: $what" >&2
        exit 1
    fi
    printf '  %-40s %3d s\n' "$what" $((SECONDS - began))
}
# Refused, and by each of those who hold what can't be made again.
refused() {
    ! terraform destroy -auto-approve "${variables[@]}" || return 1
} >"$work/refused" 2>&1
holds() {
    grep -q "Instance cannot be destroyed" "$work/refused" || return 1
    local kind
    for kind in "$@"; do grep -q "resource \"$kind\"" "$work/refused" || return 1; done
}

quietly "init" terraform init
if ! google_is_pretended; then
    echo "SKIPPED: this is the real Google provider, which would apply for real" >&2
    [ "${CI:-}" != true ] || exit 1
    exit 0
fi
for name in "$@"; do
    echo "gcp/$name"
    variables=(-var-file="$name.tfvars" -var=release=v0.0.0 -state="$name.tfstate")
    quietly "plan" terraform plan "${variables[@]}" -out="$name.tfplan"
    terraform show -json "$name.tfplan" >"$work/shown"
    quietly "who may do what, as planned" "$root/infra/terraform/rights_gcp.py" <"$work/shown"
    quietly "apply" terraform apply -state="$name.tfstate" "$name.tfplan"
    quietly "plan again: no changes" terraform plan "${variables[@]}" -detailed-exitcode
    terraform show -json "$name.tfstate" >"$work/shown"
    quietly "who may do what, as applied" "$root/infra/terraform/rights_gcp.py" <"$work/shown"
    terraform output -json -state="$name.tfstate" >"$work/outputs"
    quietly "destroy is refused" refused
    quietly "for the sake of data, key, audit log" holds \
        google_firestore_database google_kms_crypto_key google_logging_project_bucket_config
    quietly "without them" terraform state rm -state="$name.tfstate" module.firestore module.kms module.audit
    quietly "the rest is destroyed" terraform destroy -auto-approve "${variables[@]}"
    [ -z "$(terraform state list -state="$name.tfstate")" ] || { echo "FAILED: something is left" >&2; exit 1; }
done

mkdir -p "$root/target/terraform"
python3 - "$root/infra/terraform" "$work/outputs" "$work/shown" >"$root/target/terraform/gcp.json" <<'PY'
import json, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
from rights_gcp import resources
outputs, shown = (json.load(open(path)) for path in sys.argv[2:])
def setting(env):
    source = env["value_source"]
    return "secret:" + source[0]["secret_key_ref"][0]["secret"] if source else env["value"]
json.dump({
    "routes": outputs["routes"]["value"],
    "triggers": outputs["triggers"]["value"],
    "settings": {
        resource["values"]["labels"]["function"]: {
            env["name"]: setting(env) for env in resource["values"]["template"][0]["containers"][0]["env"]
        }
        for resource in resources(shown["values"]["root_module"]) if resource["type"] == "google_cloud_run_v2_service"
    },
}, sys.stdout, indent=1)
PY
echo "wrote target/terraform/gcp.json"
