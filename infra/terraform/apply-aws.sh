#!/usr/bin/env bash
# Applies the AWS environment to moto, an AWS that is pretended on this machine: plan, apply, a plan that shows nothing, destroy.
# What moto has then is read back into target/terraform/aws.json: which route leads to which function, what each schedule sends,
# what each function is told.
# Needs `pip install --require-hashes -r infra/terraform/requirements.txt`. What it can't show: README.md
set -euo pipefail
# shellcheck source=infra/terraform/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_terraform
find_providers
here=$root/infra/terraform
mkdir -p "$root/target/terraform"
rm -f "$root/target/terraform/aws."{json,log}

# moto and boto3 stand in requirements.txt. Without them nothing can be said: in CI that is an error, elsewhere it is said loudly.
if ! python3 -c 'import boto3, moto, werkzeug, yaml' 2>/dev/null; then
    echo "moto or boto3 is missing: pip install --require-hashes -r infra/terraform/requirements.txt" >&2
    if [ "${CI:-}" = true ]; then exit 1; fi
    echo "SKIPPED: the AWS environment was not applied" >&2
    exit 0
fi
started=$SECONDS

# shellcheck disable=SC2016 # what Terraform expands
# without_google TERRAFORM: puts in the place of Google's modules what says the same and creates nothing.
without_google() {
    local module
    cd "$1/modules/gcp"
    for module in project federation kms firestore; do find $module -name '*.tf' -not -name variables.tf -delete; done
    echo 'output "id" { value = var.project }
          output "number" { value = "123456789012" }' >project/outputs.tf
    echo 'output "members" { value = { for name, role in var.role_names : name => "principalSet://pretended/${role}" } }
          output "credentials" { value = jsonencode({ type = "external_account" }) }' >federation/outputs.tf
    echo 'output "key_id" { value = "projects/${var.project}/locations/${var.region}/keyRings/r/cryptoKeys/k" }
          output "key_url" { value = "gcpkms://projects/${var.project}/locations/${var.region}/keyRings/r/cryptoKeys/k" }' >kms/outputs.tf
    echo 'output "store_url" { value = "firestore://${var.project}/pretended" }
          output "database" { value = "pretended" }
          output "backup_retention" { value = "28d" }' >firestore/outputs.tf
    cd - >/dev/null
    sed -i '/^resource "google_monitoring_notification_channel"/,/^}/d; s/= \[for channel in google_.*\]/= []/' google.tf
}

work=$(mktemp -d)
trap 'if [ -n "${moto:-}" ]; then kill "$moto" 2>/dev/null || true; wait "$moto" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
copy "$work"
cd "$work/terraform/environments/aws"
printf 'terraform {\n  backend "local" {}\n}\n' >backend_override.tf

# Everything that speaks with AWS, Terraform's provider too, is told by the environment where AWS is.
port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
unset AWS_PROFILE AWS_SESSION_TOKEN "${!AWS_ENDPOINT_URL_@}"
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_ACCESS_KEY_ID=pretended AWS_SECRET_ACCESS_KEY=pretended
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1 PYTHONDONTWRITEBYTECODE=1
MOTO_IAM_LOAD_MANAGED_POLICIES=true "$here/pretended_aws.py" serve "$port" >"$work/moto.log" 2>&1 &
moto=$!

# step NAME COMMAND…: runs it quietly, and says how long it took. In a function that it runs, what fails has to return.
step() {
    local name=$1 began=$SECONDS code=0
    shift
    "$@" >"$work/step.log" 2>&1 || code=$?
    if [ "$code" != 0 ]; then
        echo "FAILED $name ($code)" >&2
        sed 's/^/    /' "$work/step.log" >&2
        tail -5 "$work/moto.log" | sed 's/^/    moto: /' >&2
        exit 1
    fi
    printf '%3d s  %s\n' $((SECONDS - began)) "$name"
    { printf '\n== %s\n' "$name" && cat "$work/step.log"; } >>"$root/target/terraform/aws.log"
}
tf() { terraform "$1" -no-color "${@:2}"; }
# Much of the time is the provider's waiting for AWS to come to rest.
at_once=-parallelism=20
# Two shards, so that it shows what each schedule sends.
variables=(-var-file=dev.tfvars -var=release=v1.2.3 -var='sizes={"scheduled-refresh"={"shards"=2}}')
anew() {
    tf plan -refresh=false -var=secrets_changed=20260101-120000 "${variables[@]}" -out="$work/plan" || return 1
    [ "$(changed update aws_lambda_function)" = "$(terraform state list | grep -c '\.aws_lambda_function\.')" ]
}
changed() {
    terraform show -json "$work/plan" | python3 -c '
import json, sys
print(sum(sys.argv[1] in each["change"]["actions"] and each["type"] == sys.argv[2] for each in json.load(sys.stdin)["resource_changes"]))' "$@"
}
# Whether the last subscription of the audit log was there before the first route and the first schedule were begun.
listened() {
    awk '/subscription_filter.*: Creation complete/ { taken = NR; subscriptions++ }
         /(aws_apigatewayv2_route|aws_scheduler_schedule)\.this.*: Creating\.\.\./ { calls++; if (!begun) begun = NR }
         END { print subscriptions " subscriptions, the last in line " taken "; " calls " routes and schedules, the first in line " begun
               exit !(subscriptions && calls && taken < begun) }' "$root/target/terraform/aws.log"
}
# What `make destroy` names as what goes, and what it looks for before it lets anything go.
destroying() { bash -c 'source "$1/infra/deploy/lib.sh" && source "$1/infra/deploy/aws.sh" && folder=$2 && "${@:3}"' bash "$root" "$PWD" "$@"; }
take() {
    local targets touched
    mapfile -t targets < <(terraform state list | destroying disposable)
    [ ${#targets[@]} -gt 0 ] || return 1
    tf plan -destroy -refresh=false "${variables[@]}" "${targets[@]/#/-target=}" -out="$work/plan" || return 1
    touched=$(destroying protected "$work/plan") || return 1
    if [ -n "$touched" ]; then
        echo "this must stay: $touched"
        return 1
    fi
    tf apply $at_once "$work/plan"
}
# What can't be made again can't be destroyed either; here it goes in the end.
refused() { if tf destroy -auto-approve -refresh=false "${variables[@]}" >"$work/refused.log" 2>&1; then return 1; fi; grep -q prevent_destroy "$work/refused.log"; }
unprotect() { grep -rl prevent_destroy "$work/terraform/modules" | xargs sed -i -E 's/(prevent_destroy += )true/\1false/'; }

step "moto answers" "$here/pretended_aws.py" wait
step "init" tf init
if ! google_is_pretended; then
    echo "SKIPPED: what is at Google, as its provider applies nothing without Google" >&2
    without_google "$work/terraform"
    step "init without Google" tf init
fi
step "plan of prod.tfvars" tf plan -var-file=prod.tfvars -var=release=v1.2.3
step "roles of callers" "$here/pretended_aws.py" roles backend-dev oauth-operators
# The bucket alone: moto takes no notice of the condition of a bucket's policy, so that its "not without TLS" would be "not".
step "apply: a place for packages" tf apply -auto-approve -target='module.artifacts[0].aws_s3_bucket.this' "${variables[@]}"
step "packages" "$here/pretended_aws.py" packages releases/v1.2.3/arm64
step "plan" tf plan -out="$work/plan" "${variables[@]}"
step "apply" tf apply $at_once "$work/plan"
step "audit lines are taken before anybody calls" listened
step "plan shows nothing" tf plan $at_once -detailed-exitcode "${variables[@]}"
terraform show -json >"$work/state.json"
step "what there is, is what was listed" "$here/pretended_aws.py" read oauth-dev "$work/terraform/functions.yaml" "$work/state.json" "$root/target/terraform/aws.json"
step "another secret starts all functions anew" anew
step "destroy is refused: key and database stay" refused
step "make destroy takes the rest" take
unprotect
step "packages are deleted" "$here/pretended_aws.py" empty
step "destroy" tf destroy $at_once -refresh=false -auto-approve "${variables[@]}"
step "nothing is left" "$here/pretended_aws.py" nothing oauth-dev
echo "AWS: $((SECONDS - started)) s; target/terraform/aws.json"
