#!/usr/bin/env bash
# Applies the AWS environment to moto, an AWS that is pretended on this machine: plan, apply, a plan that shows nothing, destroy.
# What moto has then is read back into target/terraform/aws.json: which route leads to which function, what each schedule sends.
# Needs `pip install --require-hashes -r infra/terraform/requirements.txt`. What it can't show: README.md
set -euo pipefail
# shellcheck source=infra/terraform/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_terraform
find_providers
need_python moto_server boto3
here=$root/infra/terraform
started=$SECONDS

work=$(mktemp -d)
trap 'if [ -n "${moto:-}" ]; then kill "$moto" 2>/dev/null || true; wait "$moto" 2>/dev/null || true; fi; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
copy "$work"
cd "$work/terraform/environments/aws"
printf 'terraform {\n  backend "local" {}\n}\n' >backend_override.tf
if ! google_is_pretended; then
    echo "SKIPPED: Google's part of the AWS environment, as its provider applies nothing without Google" >&2
    "$here/without_google.sh" "$work/terraform"
fi

# Everything that speaks with AWS, Terraform's provider too, is told by the environment where AWS is.
port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
unset AWS_PROFILE AWS_SESSION_TOKEN "${!AWS_ENDPOINT_URL_@}"
export AWS_ENDPOINT_URL=http://127.0.0.1:$port AWS_ACCESS_KEY_ID=pretended AWS_SECRET_ACCESS_KEY=pretended
export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export no_proxy=127.0.0.1 NO_PROXY=127.0.0.1
MOTO_IAM_LOAD_MANAGED_POLICIES=true moto_server -H 127.0.0.1 -p "$port" >"$work/moto.log" 2>&1 &
moto=$!

# step NAME COMMAND…: runs it quietly, and says how long it took.
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
}
tf() { terraform "$1" -no-color "${@:2}"; }
# Two shards, so that it shows what each schedule sends.
variables=(-var-file=dev.tfvars -var=release=v1.2.3 -var='sizes={"scheduled-refresh"={"shards"=2}}')
# What can't be made again can't be destroyed either; here it goes in the end.
refused() { if tf destroy -auto-approve "${variables[@]}" >"$work/refused.log" 2>&1; then return 1; fi; grep -q prevent_destroy "$work/refused.log"; }
unprotect() { grep -rl prevent_destroy "$work/terraform/modules" | xargs sed -i -E 's/(prevent_destroy += )true/\1false/'; }

step "moto answers" "$here/moto.py" wait
step "init" tf init
step "plan of prod.tfvars" tf plan -var-file=prod.tfvars -var=release=v1.2.3
step "roles of callers" "$here/moto.py" roles backend-dev oauth-operators
step "apply: place for packages, secrets" tf apply -auto-approve -target=module.artifacts -target=module.secrets "${variables[@]}"
step "packages" "$here/moto.py" packages "$(terraform output -raw artifacts)" releases/v1.2.3/arm64
step "plan" tf plan -out="$work/plan" "${variables[@]}"
step "apply" tf apply "$work/plan"
step "plan shows nothing" tf plan -detailed-exitcode "${variables[@]}"
mkdir -p "$root/target/terraform"
terraform output -json >"$work/outputs.json"
step "what there is, is what was listed" "$here/moto.py" read oauth-dev "$work/terraform/functions.yaml" "$work/outputs.json" "$root/target/terraform/aws.json"
step "destroy is refused: key and database stay" refused
unprotect
step "packages are deleted" "$here/moto.py" empty
step "destroy" tf destroy -auto-approve "${variables[@]}"
step "nothing is left" "$here/moto.py" nothing oauth-dev
echo "AWS: $((SECONDS - started)) s; target/terraform/aws.json"
