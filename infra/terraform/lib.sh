# What check.sh and the two apply scripts share: where Terraform and its providers come from, and copies to work on.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Without Terraform nothing can be said: in CI that is an error, elsewhere it is said loudly.
need_terraform() {
    command -v terraform >/dev/null && return
    if [ "${CI:-}" = true ]; then
        echo "terraform is missing: install 1.11 or newer" >&2
        exit 1
    fi
    echo "SKIPPED: terraform is missing, so nothing below terraform/ was looked at" >&2
    exit 0
}

# Providers come from where Terraform's own configuration says, if that is a file; else from an offline stand-in beside
# the checkout, if there is one; else from the registry, once for all copies.
find_providers() {
    export CHECKPOINT_DISABLE=1 TF_IN_AUTOMATION=1 TF_INPUT=0
    if [ -n "${TF_CLI_CONFIG_FILE:-}" ] && [ ! -f "$TF_CLI_CONFIG_FILE" ]; then
        unset TF_CLI_CONFIG_FILE
    fi
    if [ -z "${TF_CLI_CONFIG_FILE:-}" ] && [ -x "$root/../shared/tools/terraform-google/setup.sh" ]; then
        eval "$("$root/../shared/tools/terraform-google/setup.sh")"
    fi
    if [ -z "${TF_CLI_CONFIG_FILE:-}" ]; then
        export TF_PLUGIN_CACHE_DIR=$root/target/terraform/plugins TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE=1
        mkdir -p "$TF_PLUGIN_CACHE_DIR"
    fi
}

# copy DIRECTORY: what Terraform reads of the checkout, without lock files and states, which are of other providers.
copy() {
    (cd "$root" && tar cf - --exclude=.terraform --exclude=.terraform.lock.hcl --exclude='*.tfstate*' \
        terraform infra/firestore) | tar xf - -C "$1"
}

# Whether the Google provider of the folder that we are in makes nothing: the real one is a binary, a stand-in is started
# by a script.
google_is_pretended() {
    local provider
    for provider in .terraform/providers/*/hashicorp/google/*/*/terraform-provider-google_*; do
        [ "$(head -c 2 "$provider")" = '#!' ] || return 1
    done
}
