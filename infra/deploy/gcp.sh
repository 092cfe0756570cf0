# Sourced for ENV=gcp/…: what a verb needs of Google Cloud. aws.sh has the same functions, and `quotas`.
# shellcheck shell=bash disable=SC2034

# What has to be there before images and secrets can be: made first, and once.
FOUNDATION=(module.project module.registry module.secrets.google_secret_manager_secret.this)
google_apis_in=terraform/modules/gcp/project/variables.tf
# What outlives the functions. Their accounts too: who reads which secret is said with them, so that the secrets would go where they go.
KEPT_MODULES='project|identities|registry|secrets|kms|firestore|audit'
KEPT='(^|\.)google_(kms_(key_ring|crypto_key)|firestore_(database|field|index|backup_schedule)|logging_project_bucket_config|secret_manager_secret|artifact_registry_repository|project_service|storage_bucket)\.'
KEPT_SAID="the Firestore database and its backups, the KMS key, the audit log's bucket, secrets, images, the state"
# What goes in a plan of its own, after the rest.
LAST_MODULES=network

cloud_enter() {
    need gcloud
    project=$(setting .project) region=$(setting .region)
    google_project=$project
    state_bucket=${STATE_BUCKET:-$project-$prefix-terraform}
    repository=$region-docker.pkg.dev/$project/$prefix-oauth
    extra_secrets=()
    google_credentials
    gcloud projects describe "$project" --format='value(projectId)' >/dev/null ||
        die "The project $project can't be seen: make it and link a billing account, or log in as somebody who may (docs/deploy.md)"
}

# By the project's own list: a bucket's name is everybody's, and one of somebody else's would be given our state.
state_there() {
    local buckets
    buckets=$(gcloud storage buckets list --project="$project" --format='value(name)') || die "The buckets of $project can't be listed"
    grep -qxF "$state_bucket" <<<"$buckets"
}

# For those who deploy: a new bucket lets everybody read it who may view the project, and the state has the password of Redis in it.
state_create() {
    local bucket=gs://$state_bucket
    google_apis &&
        gcloud storage buckets create "$bucket" --project="$project" --location="$region" --uniform-bucket-level-access --public-access-prevention &&
        gcloud storage buckets update "$bucket" --versioning &&
        gcloud storage buckets get-iam-policy "$bucket" --format=json |
        jq '.bindings |= map(.members |= map(select(startswith("projectViewer:") | not)) | select(.members != []))' >"$work/policy.json" &&
        gcloud storage buckets set-iam-policy "$bucket" "$work/policy.json" >/dev/null
}

# Before the network goes, and after Redis has: Terraform leaves the peering with Google's services, as their end of it can't be deleted
# for days. A network with a peering can't be deleted; ours can be, and what is left at Google's end is taken up again.
before_last() {
    local network=$prefix-oauth peering=servicenetworking-googleapis-com peerings
    peerings=$(gcloud compute networks describe "$network" --project="$project" --format=json 2>/dev/null | jq -r '.peerings[]?.name') || return 0 # gone
    if grep -qxF "$peering" <<<"$peerings"; then
        gcloud compute networks peerings delete "$peering" --network="$network" --project="$project" --quiet
    fi
}

backend() { printf '%s\n' "bucket=$state_bucket" "prefix=$name"; }

kept_list() { gcloud storage ls "gs://$state_bucket/$1" 2>/dev/null || true; }
kept_get() { gcloud storage cat "gs://$state_bucket/$1"; }
kept_put() { gcloud storage cp --quiet - "gs://$state_bucket/$1" 2>/dev/null; }

# secret_state ID: absent, empty or set.
secret_state() {
    local version
    if ! gcloud secrets describe "$1" --project="$project" --format='value(name)' >/dev/null 2>&1; then
        echo absent
        return
    fi
    version=$(gcloud secrets versions list "$1" --project="$project" --filter=state:ENABLED --limit=1 --format='value(name)')
    if [ -n "$version" ]; then echo set; else echo empty; fi
}

# secret_put ID: its value comes in.
secret_put() { gcloud secrets versions add "$1" --project="$project" --data-file=- >/dev/null; }

artifacts_there() { gcloud artifacts repositories describe "${repository##*/}" --project="$project" --location="$region" >/dev/null 2>&1; }

# By its tags: describing an image asks an API for its vulnerabilities too, which need not be on.
artifact_there() { # FUNCTION RELEASE
    local tags
    tags=$(gcloud artifacts tags list --package="$1" --repository="${repository##*/}" --location="$region" --project="$project" \
        --format='value(name.basename())' 2>/dev/null) || return 1
    grep -qxF "$2" <<<"$tags"
}

# The Dockerfile's images where there is an engine, else the layouts of `make image` (docs/operations.md#packaging).
with_engine() { [ "${IMAGES:-}" != layout ] && command -v docker >/dev/null; }

artifacts_build() { # RELEASE
    local function
    if with_engine; then
        for function in "${functions[@]}"; do
            docker build --platform linux/amd64 -f infra/container/Dockerfile --build-arg "FUNCTION=$function" --build-arg "VERSION=$1" \
                -t "$repository/$function:$1" .
        done
    else
        need skopeo
        make build image FUNCTIONS="${functions[*]}"
    fi
}

# Logged in for this push alone: the token is in a folder that goes away.
artifacts_push() { # RELEASE
    local function host=${repository%%/*} login
    login=$(mktemp -d)
    if with_engine; then
        # Which engine is spoken with stands in the configuration that is left behind.
        DOCKER_HOST=${DOCKER_HOST:-$(docker context inspect --format '{{.Endpoints.docker.Host}}')}
        export DOCKER_HOST
        gcloud auth print-access-token | docker --config "$login" login -u oauth2accesstoken --password-stdin "https://$host" >/dev/null
    else
        gcloud auth print-access-token | skopeo login --authfile "$login/auth.json" -u oauth2accesstoken --password-stdin "$host" >/dev/null
    fi
    for function in "${functions[@]}"; do
        if artifact_there "$function" "$1"; then continue; fi # a tag is never written twice
        if with_engine; then
            docker --config "$login" push "$repository/$function:$1"
        else
            skopeo copy --authfile "$login/auth.json" "oci:target/image/$function:latest" "docker://$repository/$function:$1"
        fi
    done
    rm -rf "$login"
}

# What an internal path says to whom the platform does not let in: it is not on this gateway.
INTERNAL=404
