# Sourced for ENV=aws/…: what a verb needs of AWS, and of the Google project beside it. gcp.sh has the same functions.
# shellcheck shell=bash disable=SC2034

# What has to be there before packages and secrets can be: made first, and once.
FOUNDATION=(module.project module.artifacts module.secrets)
google_apis_in=terraform/environments/aws/google.tf
# What outlives the functions. The pool of identities at Google too, as its name can't be taken again for a month.
KEPT_MODULES='artifacts|secrets|audit|project|kms|firestore|federation'
# By address: another key, such as the one of the alarms' topic, may go.
KEPT='(^module\.secrets\.aws_kms_key|(^|\.)(aws_s3_bucket[a-z_]*|aws_secretsmanager_secret|google_kms_(key_ring|crypto_key)|google_firestore_(database|field|index|backup_schedule)|google_project_service|google_iam_workload_identity_pool[a-z_]*))\.'
KEPT_SAID="the Firestore database and its backups, the KMS key, the audit log's bucket, secrets, packages, the state"
# Nothing has to wait for something that is not Terraform's.
LAST_MODULES=none
before_last() { :; }

cloud_enter() {
    need aws gcloud python3
    region=$(setting .region) google_project=$(setting .google_project)
    export AWS_REGION=$region AWS_DEFAULT_REGION=$region AWS_PAGER=
    account=$(aws sts get-caller-identity --query Account --output text) || die "Nobody is logged in to AWS: aws sso login, or aws configure"
    state_bucket=${STATE_BUCKET:-$prefix-terraform-$account-$region}
    architecture=$(setting .architecture)
    artifacts_bucket=$(setting .artifacts_bucket)
    artifacts_bucket=${artifacts_bucket:-$prefix-artifacts-$account-$region}
    extra_secrets=()
    if [ "$(setting .redis.enabled)" = true ]; then extra_secrets=(cache-auth); fi
    google_credentials
}

# Whose it is is asked too: a bucket's name is everybody's, and one of somebody else's would be given our state.
state_there() { bucket_there "$state_bucket"; }

# there WHAT COMMAND…: whether something is there; an answer that is neither yes nor no ends it here.
there() {
    local what=$1
    shift
    "$@" >/dev/null 2>"$work/error" && return
    grep -qE '\((404|NoSuchBucket)\)' "$work/error" ||
        die "$what can't be looked at: it is another account's, or you have no right to:" "$(cat "$work/error")"
    return 1
}
bucket_there() { there "The bucket $1" aws s3api head-bucket --bucket "$1" --expected-bucket-owner "$account"; }

# A new account has ten, and its users are then told to wait. A look that fails is no reason to stop.
quotas() {
    local most
    most=$(aws lambda get-account-settings --query AccountLimit.ConcurrentExecutions --output text 2>/dev/null) || return 0
    if [[ $most =~ ^[0-9]+$ ]] && ((most < 100)); then
        say "Lambda runs $most invocations at once in this account and region, which is too few: ask for 1000 (docs/deploy.md#aws, step 1)."
    fi
}

state_create() {
    local place=()
    # us-east-1 is the one region that must not be named.
    if [ "$region" != us-east-1 ]; then place=(--create-bucket-configuration "LocationConstraint=$region"); fi
    google_apis &&
        aws s3api create-bucket --bucket "$state_bucket" "${place[@]}" >/dev/null &&
        aws s3api put-public-access-block --bucket "$state_bucket" --public-access-block-configuration \
            BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true &&
        aws s3api put-bucket-versioning --bucket "$state_bucket" --versioning-configuration Status=Enabled &&
        aws s3api put-bucket-encryption --bucket "$state_bucket" --server-side-encryption-configuration \
            '{"Rules":[{"ApplyServerSideEncryptionByDefault":{"SSEAlgorithm":"AES256"}}]}' &&
        aws s3api put-bucket-policy --bucket "$state_bucket" --policy "$(jq -nc --arg bucket "arn:aws:s3:::$state_bucket" '{
            Version: "2012-10-17", Statement: [{Sid: "TlsOnly", Effect: "Deny", Principal: "*", Action: "s3:*",
            Resource: [$bucket, $bucket + "/*"], Condition: {Bool: {"aws:SecureTransport": "false"}}}]}')"
}

backend() { printf '%s\n' "bucket=$state_bucket" "key=$name/terraform.tfstate" "region=$region" use_lockfile=true encrypt=true; }

kept_list() {
    aws s3api list-objects-v2 --bucket "$state_bucket" --prefix "$1" --query 'Contents[].Key' --output text |
        tr '\t' '\n' | grep -vx None || true
}
kept_get() { aws s3 cp --only-show-errors "s3://$state_bucket/$1" -; }
kept_put() { aws s3 cp --only-show-errors - "s3://$state_bucket/$1"; }

# secret_state ID: absent, empty or set.
secret_state() {
    local said
    if ! said=$(aws secretsmanager describe-secret --secret-id "$1" --output json 2>"$work/error"); then
        grep -qF '(ResourceNotFoundException)' "$work/error" || die "The secret $1 can't be looked at:" "$(cat "$work/error")"
        echo absent
    elif jq -e .DeletedDate <<<"$said" >/dev/null; then
        die "The secret $1 is about to be deleted: aws secretsmanager restore-secret --secret-id $1, and say the same again"
    elif jq -e '[.VersionIdsToStages // {} | .[][]] | index("AWSCURRENT")' <<<"$said" >/dev/null; then
        echo set
    else
        echo empty
    fi
}

# secret_put ID: its value comes in.
secret_put() { aws secretsmanager put-secret-value --secret-id "$1" --secret-string file:///dev/stdin >/dev/null; }

artifacts_there() { bucket_there "$artifacts_bucket"; }

artifact_key() { printf 'releases/%s/%s/%s.zip' "$2" "$architecture" "$1"; } # FUNCTION RELEASE

artifact_there() { there "The package of $1, $2," aws s3api head-object --bucket "$artifacts_bucket" --key "$(artifact_key "$1" "$2")"; }

artifacts_build() { make package ARCH="${architecture/_/-}" FUNCTIONS="${functions[*]}"; }

artifacts_push() { # RELEASE
    local function
    for function in "${functions[@]}"; do
        if artifact_there "$function" "$1"; then continue; fi # what was deployed once is never another
        aws s3 cp --only-show-errors "target/lambda/${architecture/_/-}/$function/bootstrap.zip" "s3://$artifacts_bucket/$(artifact_key "$function" "$1")"
    done
}

# What an internal path says to whom the platform does not let in: that it is not signed.
INTERNAL=403
