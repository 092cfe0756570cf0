#!/usr/bin/env bash
# Checks a Lambda zip: what is in it, for which processor, what it needs of the system it will run on, that it starts.
#   infra/package/check-zip.sh target/lambda/token-get/bootstrap.zip arm64
set -euo pipefail
zip=$1
architecture=$2
source "$(dirname "$0")/ask.sh"

# provided.al2023 has glibc 2.34.
GLIBC=2.34
case $architecture in
x86-64) machine=X86-64 emulator=() ;;
arm64) machine=AArch64 emulator=(qemu-aarch64-static -L /usr/aarch64-linux-gnu) ;;
*) echo "architecture: x86-64 or arm64" >&2; exit 2 ;;
esac

work=$(mktemp -d)
process=
clean() {
    [ -z "$process" ] || kill "$process" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap clean EXIT
fail() { echo "$zip: $*" >&2; exit 1; }

python3 - "$zip" "$work" <<'PY'
import sys, zipfile
file, work = sys.argv[1:]
with zipfile.ZipFile(file) as archive:
    found = [(entry.filename, oct(entry.external_attr >> 16 & 0o777)) for entry in archive.infolist()]
    assert found == [("bootstrap", "0o755")], f"{file} holds {found}, not an executable bootstrap alone"
    archive.extractall(work)
PY
chmod 755 "$work/bootstrap"

readelf -h "$work/bootstrap" | grep -q "Machine:.*$machine" || fail "is not for $architecture"
needs=$(readelf -V "$work/bootstrap" | grep -oE 'GLIBC_[0-9.]+' | sed 's/GLIBC_//' | sort -uV | tail -1)
[ "$(printf '%s\n' "$needs" "$GLIBC" | sort -V | tail -1)" = "$GLIBC" ] || fail "needs glibc $needs, and Lambda has $GLIBC"
libraries=$(readelf -d "$work/bootstrap" | sed -nE 's/.*NEEDED.*\[(.*)\]/\1/p' | sort | tr '\n' ' ')
for library in $libraries; do
    case $library in
    libc.so.6 | libm.so.6 | libgcc_s.so.1 | libdl.so.2 | libpthread.so.0 | librt.so.1 | ld-linux-*) ;;
    *) fail "needs $library, which provided.al2023 does not have" ;;
    esac
done

if [ "$architecture" = "$(uname -m | tr _ - | sed s/aarch64/arm64/)" ]; then emulator=(); fi
if [ ${#emulator[@]} -gt 0 ] && ! command -v "${emulator[0]}" >/dev/null; then
    started="SKIPPED: not started, ${emulator[0]} is missing (apt-get install qemu-user-static libc6-arm64-cross)"
    [ -z "${CI:-}" ] || fail "$started"
else
    port=$(free_port)
    env -i "${AWAY[@]}" LISTEN="127.0.0.1:$port" "${emulator[@]}" "$work/bootstrap" 2>"$work/log" &
    process=$!
    answers "$port" "$work/log" || fail "does not start"
    started="starts and answers /health"
fi
printf '%s: %s, %.1f MB zipped, %.1f MB unpacked, glibc %s, %s\n' "$zip" "$architecture" \
    "$(stat -c %s "$zip")e-6" "$(stat -c %s "$work/bootstrap")e-6" "$needs" "$started"
