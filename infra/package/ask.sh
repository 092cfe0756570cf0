# Sourced by what tries a built function: what it is started with, a free port, and its answer.

# A function in the cloud whose store, key and cache are away: it must start and answer all the same.
AWAY=(
    CALLERS='# names nobody: nothing but /health is asked'
    PUBLIC_URL=https://oauth.example.com
    STORE_URL='firestore://project/(default)' FIRESTORE_EMULATOR_HOST=127.0.0.1:1
    KEY_URL=gcpkms://projects/project/locations/global/keyRings/ring/cryptoKeys/key KMS_ENDPOINT=http://127.0.0.1:1
    ATTEMPT_KEY="$(head -c 32 /dev/zero | base64)"
)

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# answers PORT LOG: waits until /health on PORT answers, ten seconds and one answer at most; shows LOG when it does not.
# That answer is 503, because the store is away.
answers() {
    local deadline=$((SECONDS + 10)) status
    until status=$(curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:$1/health"); do
        if ((SECONDS > deadline)); then
            cat "$2" >&2
            echo "no answer from /health" >&2
            return 1
        fi
        sleep 0.05
    done
    [[ $status == 200 || $status == 503 ]] || { echo "/health answers $status" >&2; return 1; }
}
