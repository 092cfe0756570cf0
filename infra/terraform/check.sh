#!/usr/bin/env bash
# shellcheck disable=SC2329 # what is exported is called by the shells of xargs
# Looks at all that is below terraform/ without touching a cloud: format, and for each module, environment and example
# whether it is valid and its tests; that each README names the inputs and outputs that there are; and that what Google's
# environment plans for each of its variable files is as rights_gcp.py wants it. A line each.
#   infra/terraform/check.sh                       everything
#   infra/terraform/check.sh modules/gcp/kms …     these folders of terraform/
set -euo pipefail
# shellcheck source=infra/terraform/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need_terraform
find_providers
started=$SECONDS

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
copy "$work"
cd "$work/terraform"

# The state is in the copy, wherever it is for real.
for folder in environments/*/; do printf 'terraform {\n  backend "local" {}\n}\n' >"$folder/backend_override.tf"; done

# Each folder with a versions.tf stands for itself; what is below tests/ belongs to a test.
if [ $# -eq 0 ]; then
    mapfile -t folders < <(find . -name versions.tf -not -path '*/tests/*' -printf '%h\n' | sed 's|^\./||' | sort)
else
    folders=("$@")
fi

# listed README HEADING: names in the first column of the table below a heading.
listed() {
    awk -v heading="## $2" '/^## / { inside = ($0 == heading) } inside && match($0, /^\| `[^`]+`/) { print substr($0, 4, RLENGTH - 4) }' "$1" | sort
}
# declared KIND FILE…: names of variables or outputs.
declared() { sed -nE "s/^$1 \"([^\"]+)\".*/\1/p" "${@:2}" | sort; }

# described FOLDER: whether its README is as its files are.
described() {
    case $1 in */examples/*) return ;; esac
    [ -f "$1/README.md" ] || { echo "$1 has no README.md"; return 1; }
    local kind heading
    for kind in variable output; do
        heading=$([ "$kind" = variable ] && echo Inputs || echo Outputs)
        diff --label "$1/README.md, $heading" --label "$1/*.tf, $kind" -u \
            <(listed "$1/README.md" "$heading") <(declared "$kind" "$1"/*.tf) || return 1
    done
}

# planned FOLDER: whether what an environment of Google's plans is as it must be. Without credentials, so only with a
# stand-in of the provider; tests have mocks, and need neither.
planned() {
    [ "$1" = environments/gcp ] && google_is_pretended || return 0
    local variables
    for variables in *.tfvars; do
        terraform plan -no-color -var-file="$variables" -var=release=v0.0.0 -out=plan.tfplan >plan.log || { cat plan.log; return 1; }
        terraform show -json plan.tfplan | "$root/infra/terraform/rights_gcp.py" || { echo "in $variables"; return 1; }
    done
}

# one FOLDER: everything about it; its line, and what went wrong.
one() {
    local began=$SECONDS log result=ok passed
    log=$work/$(echo "$1" | tr / -).log
    {
        # A test validates first, so doing it twice would only read the provider's schema twice.
        described "$1" && cd "$1" && terraform init -no-color &&
            if compgen -G 'tests/*.tftest.hcl' >/dev/null; then terraform test -no-color; else terraform validate -no-color; fi &&
            planned "$1"
    } >"$log" 2>&1 || result=FAILED
    passed=$(sed -nE 's/^(Success|Failure)! ([0-9]+) passed.*/, \2 tests/p' "$log")
    # At once, as another folder is being looked at meanwhile.
    printf '%-6s %3d s  %s%s\n%s' "$result" $((SECONDS - began)) "$1" "$passed" \
        "$([ "$result" = ok ] || sed 's/^/    /' "$log"; echo .)" | sed '$d'
    [ "$result" = ok ]
}
export -f one described listed declared planned google_is_pretended
export work root

failed=0
terraform fmt -check -recursive "$root/terraform" || { echo "FAILED: terraform fmt -recursive terraform"; failed=1; }
if [ -n "${TF_PLUGIN_CACHE_DIR:-}" ]; then
    # Two at once may not fill the cache; what is in it may be read by any number.
    for folder in environments/*/; do (cd "$folder" && terraform init >/dev/null); done
fi
printf '%s\n' "${folders[@]}" | xargs -P 2 -I {} bash -c 'set -euo pipefail; one {}' || failed=1
echo "terraform/: ${#folders[@]} folders in $((SECONDS - started)) s"
exit $failed
