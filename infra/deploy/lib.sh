# Sourced by every verb: which environment is meant, what its variable file says, Terraform on it, the question before anything changes.
# shellcheck shell=bash

# Before anything that an older one does not understand; macOS has 3.2.
if [ "${BASH_VERSINFO[0]}" -lt 4 ] || { [ "${BASH_VERSINFO[0]}" -eq 4 ] && [ "${BASH_VERSINFO[1]}" -lt 4 ]; }; then
    echo "This is bash ${BASH_VERSINFO[0]}.${BASH_VERSINFO[1]}, and 4.4 or newer is needed: brew install bash, and a new terminal" >&2
    exit 1
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$root" || exit 1

say() { printf '%s\n' "$@" >&2; }
step() { printf '\n== %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }
need() {
    local tool
    for tool in "$@"; do
        command -v "$tool" >/dev/null || die "$tool is missing: docs/deploy.md says what has to be installed"
    done
}

# enter ENV: an environment is a folder of terraform/environments and a file of variables in it.
enter() {
    ENV=${1:-}
    [[ $ENV =~ ^(gcp|aws)/([a-z0-9][a-z0-9-]*)$ ]] ||
        die "ENV is \"$ENV\": say ENV=gcp/dev, ENV=aws/prod or the like, for a file of variables in terraform/environments"
    cloud=${BASH_REMATCH[1]} name=${BASH_REMATCH[2]}
    folder=terraform/environments/$cloud tfvars=$name.tfvars
    [ -f "$folder/$tfvars" ] || die "$folder/$tfvars does not exist: copy dev.tfvars and change it (docs/deploy.md)"
    need terraform jq git

    # Plans hold what the state holds, so nobody else may read this folder. Each environment has its own, so that none takes another's backend.
    work=$root/target/deploy/$ENV
    mkdir -p "$work"
    chmod 700 "$work"
    export TF_DATA_DIR=$work/terraform TF_IN_AUTOMATION=1 TF_INPUT=0
    # shellcheck source=infra/deploy/gcp.sh
    source "infra/deploy/$cloud.sh"
    read_settings
    cloud_enter
}

# The variables of the environment, defaults and validation included, and the names of the functions: as Terraform reads them, but without a provider.
read_settings() {
    local scratch expression
    scratch=$(mktemp -d)
    cp "$folder"/variables*.tf "$scratch"
    expression=$(sed -nE 's/^variable "([a-z_0-9]+)".*/\1 = var.\1/p' "$scratch"/*.tf | paste -sd, -)
    # `release` has no value yet; everything else comes from the file.
    settings=$(TF_DATA_DIR=$scratch/.terraform TF_VAR_release=none \
        terraform -chdir="$scratch" console -no-color -var-file="$root/$folder/$tfvars" 2>"$scratch/problems" \
        <<<"jsonencode({$expression, functions = keys(yamldecode(file(\"$root/terraform/functions.yaml\")).functions)})") ||
        die "$folder/$tfvars can't be read:" "$(cat "$scratch/problems")"
    # A value that does not pass validation is a remark to `console`, which ends well all the same.
    if grep -q '^Error: ' "$scratch/problems"; then die "$folder/$tfvars:" "$(cat "$scratch/problems")"; fi
    rm -rf "$scratch"
    settings=$(jq -r . <<<"$settings")
    prefix=$(setting .prefix)
    mapfile -t functions < <(setting '.functions[]')
    mapfile -t providers < <(setting '.provider_apps | keys[]')
}

setting() { jq -r "$1 | select(. != null)" <<<"$settings"; }

tf() { terraform -chdir="$folder" "$@"; }

# One configuration, a state for each environment: the backend is said here, so that it can't be another one's.
tf_init() {
    local arguments=()
    mapfile -t arguments < <(backend)
    tf init -reconfigure -no-color "${arguments[@]/#/-backend-config=}" >"$work/init.log" 2>&1 ||
        die "terraform init failed:" "$(cat "$work/init.log")"
    # A stand-in of a provider, for trying configurations out, is a script. It makes nothing and says that it did, and the state would believe it.
    local provider
    for provider in "$TF_DATA_DIR"/providers/*/hashicorp/*/*/*/terraform-provider-*; do
        if [ -f "$provider" ] && [ "$(head -c 2 "$provider" | tr -d '\0')" = '#!' ]; then
            die "$provider is a stand-in, which makes nothing: unset TF_CLI_CONFIG_FILE. Nothing was changed."
        fi
    done
}

# Functions read their secrets when they start. What is written here is a variable of the next plan (a label at Google, so no colons), which
# starts them all anew.
start_anew() { date -u +%Y%m%d-%H%M%S | kept_put "secrets/$name"; }

# kept_or_none KEY: what is kept under it, and nothing where nothing is. Whatever else goes wrong is no absence.
kept_or_none() {
    kept_get "$1" 2>"$work/error" && return
    grep -qE '\(404\)|NoSuchKey|matched no objects|not found: 404' "$work/error" || die "$1 can't be read from $state_bucket:" "$(cat "$work/error")"
}

# make_plan RELEASE ARGUMENT…: plans, shows it, saves it in $plan. Ends with 0 where nothing would change, with 2 where something would.
make_plan() {
    local release=$1 code=0
    shift
    plan=$work/plan
    rm -f "$plan"
    trap 'rm -f "$plan"' EXIT # however it ends, as at a "no"
    TF_VAR_secrets_changed=$(kept_or_none "secrets/$name") || exit 1
    export TF_VAR_secrets_changed
    (umask 077; tf plan -detailed-exitcode -var-file="$tfvars" -var="release=$release" -out="$plan" "$@") || code=$?
    [ "$code" != 1 ] || die "terraform plan failed; nothing was changed by it"
    return "$code"
}

# A plan's short name, by which one that was looked at can be told from another.
plan_digest() { tf show -no-color "$plan" | git hash-object --stdin | cut -c1-16; }

# confirm QUESTION…: nothing goes on without the environment's name, or YES=1 where nobody sits at a terminal.
confirm() {
    local answer=
    say "" "$@"
    if [ "${YES:-}" = 1 ]; then
        say "YES=1: going on."
        return
    fi
    printf 'Type %s to go on: ' "$ENV" >&2
    IFS= read -r answer || true
    [ "$answer" = "$ENV" ] || die "" "Not confirmed. Nothing was changed."
}

# Both kinds are asked for: gcloud's own, and the ones that Terraform uses.
google_credentials() {
    gcloud auth print-access-token >/dev/null 2>&1 || die "Nobody is logged in to Google: gcloud auth login"
    gcloud auth application-default print-access-token >/dev/null 2>&1 ||
        die "Terraform has no credentials for Google: gcloud auth application-default login"
}

# Switches on all that $google_apis_in lists, and what is needed before Terraform: early, as Terraform goes on at once, while an API takes a
# minute until it is on everywhere. Google takes 20 at a time.
google_apis() {
    { printf '%s\n' serviceusage.googleapis.com storage.googleapis.com &&
        sed -nE 's/^ *"([a-z]+\.googleapis\.com)",$/\1/p' "$google_apis_in"; } |
        sort -u | xargs -n 20 gcloud services enable --project="$google_project"
}

# The secrets that must have a value before functions can start, by their names without the prefix.
secret_names() {
    local provider
    printf '%s\n' attempt-key audit-key callers
    for provider in "${providers[@]}"; do printf 'provider-%s-client-secret\n' "$provider"; done
    [ ${#extra_secrets[@]} = 0 ] || printf '%s\n' "${extra_secrets[@]}"
}

# What the binaries are made of. A change of a variable file, or of documentation, is no new release.
SOURCES=(Cargo.toml Cargo.lock functions shared infra/container infra/package)

# The release that this checkout is: the commit that last changed what binaries are made of.
checkout_release() {
    local commit release
    commit=$(git log -1 --format=%H -- "${SOURCES[@]}")
    release=$(git describe --always --abbrev=12 "$commit")
    if [ -n "$(git status --porcelain -- "${SOURCES[@]}")" ]; then
        [ "${ALLOW_DIRTY:-}" = 1 ] || die "What would be built is not what is committed:" \
            "$(git status --short -- "${SOURCES[@]}")" "Commit it, or say ALLOW_DIRTY=1 to deploy what nobody can build again."
        release+=-dirty-$(date -u +%Y%m%dT%H%M%S)
    fi
    valid_release "${release//[^A-Za-z0-9._-]/-}"
}

valid_release() {
    [[ $1 =~ ^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$ ]] || die "RELEASE is \"$1\": letters, digits, dots, hyphens"
    printf '%s\n' "$1"
}

# release_there RELEASE: whether every function of it is where it is deployed from.
release_there() {
    local function
    for function in "${functions[@]}"; do
        artifact_there "$function" "$1" || return 1
    done
}

# Of the addresses of a state that come in: what `destroy` names as targets, which is everything but what stays.
disposable() {
    grep -vE '^(module\.[^.]+\.)*data\.' | sed -E 's/^(module\.[A-Za-z0-9_-]+).*/\1/' | grep -vE "^module\.($KEPT_MODULES)$" | sort -u || true
}

# Of targets that come in, those that go last, and the others.
last_targets() { grep -xE "module\.($LAST_MODULES)" || true; }
first_targets() { grep -vxE "module\.($LAST_MODULES)" || true; }

# protected PLAN: what of a plan to destroy must stay, whatever its module is called and depends on.
protected() {
    tf show -json "$1" | jq -r --arg kept "$KEPT" '
        .resource_changes[]? | select(.mode != "data" and (.change.actions | index("delete")) and (.address | test($kept))) | .address'
}
