# Sourced by what deploys: the log of releases, and how one is rolled out. An object in the state bucket for every event, so that two never write the same one:
#   releases/dev/20261128T043000Z,v0.1.0-3-g51f83b1,ok      ok, failed, withdrawn or destroyed
# shellcheck shell=bash

record() { # RELEASE OUTCOME
    printf '%s\n' "${GITHUB_ACTOR:-${USER:-unknown}}" | kept_put "releases/$name/$(date -u +%Y%m%dT%H%M%SZ),$1,$2"
}

# The log, oldest first: TIME,RELEASE,OUTCOME.
log() { kept_list "releases/$name/" | sed -E 's|.*/||' | sort; }

# What the last event left there, of a log that comes in.
deployed() { awk -F, '$3 != "withdrawn" { last = $2 } END { print last }'; }

# previous DEPLOYED, of a log that comes in: the youngest other release that was tried, found well, and not withdrawn since.
previous() {
    awk -F, -v deployed="$1" '
        $3 != "destroyed" { outcome[$2] = $3; if ($3 == "ok") at[$2] = NR }
        END { for (release in at) if (outcome[release] == "ok" && release != deployed && at[release] > youngest) {
                  youngest = at[release]; found = release } print found }'
}

# build_release RELEASE: builds it and puts it where it is deployed from, unless it is there.
build_release() {
    local release=$1 mine
    step "release $release"
    if release_there "$release"; then
        say "It has been built before."
        return
    fi
    mine=$(checkout_release)
    # What is not committed has the time in its name, so it is never another's.
    [ "$release" = "$mine" ] || [[ ${ALLOW_DIRTY:-} = 1 && $mine = *-dirty-* && $release = "${mine%-dirty-*}"-dirty-* ]] ||
        die "RELEASE=$release has not been built before, and this checkout is $mine: check that release out, or leave RELEASE away."
    artifacts_build "$release"
    artifacts_push "$release"
}

# roll_out RELEASE QUESTION: plans, shows, asks, applies what was shown, tries it, writes it down.
roll_out() {
    local release=$1 question=$2 digest
    step "plan $release"
    if make_plan "$release"; then
        say "Nothing to change."
    else
        digest=$(plan_digest)
        if [ -n "${PLAN:-}" ] && [ "$PLAN" != "$digest" ]; then
            die "This is plan $digest, and $PLAN was approved. Something has changed since; look at it and approve again. Nothing was changed."
        fi
        confirm "$question" "This is plan $digest. What is above will be done, and nothing else."
        step "apply"
        if ! tf apply "$plan"; then
            record "$release" failed
            rm -f "$plan"
            die "" "terraform apply failed half-way. Say the same again to go on, or: make rollback ENV=$ENV"
        fi
    fi
    rm -f "$plan"
    step "smoke test"
    if ! infra/deploy/smoke "$ENV"; then
        record "$release" failed
        die "" "What runs now is $release, and it does not do what it should." \
            "To go back to the release before: make rollback ENV=$ENV" \
            "To try again, if it only needed time: make smoke ENV=$ENV"
    fi
    record "$release" ok
}
