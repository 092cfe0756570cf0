#!/usr/bin/env bash
# Packages functions for Lambda: target/lambda/<architecture>/<function>/bootstrap.zip, each checked.
#   infra/package/package.sh arm64 token-get callback
# PROFILE=dev builds quicker, and packages what is not for shipping.
set -euo pipefail
cd "$(dirname "$0")/../.."
architecture=$1
shift
profile=${PROFILE:-release}

case $architecture in
x86-64) target=x86_64-unknown-linux-gnu ;;
arm64) target=aarch64-unknown-linux-gnu ;;
*) echo "ARCH is $architecture; it can be x86-64 or arm64" >&2; exit 2 ;;
esac
missing() { printf '%s\n' "$@" >&2; exit 1; }

# The one place where versions are pinned says which ones we take.
requirements=infra/package/requirements.txt
pinned() { sed -nE "s/^$1==([^ ]+).*/\1/p" "$requirements"; }
install="pip install --require-hashes -r $requirements"
cargo lambda --version 2>/dev/null | grep -qF " $(pinned cargo-lambda) " ||
    missing "cargo-lambda $(pinned cargo-lambda) is missing: $install"
[ "$(python3 -m ziglang version 2>/dev/null)" = "$(pinned ziglang)" ] ||
    missing "zig $(pinned ziglang), which compiles C and links, is missing: $install"
compgen -G "$(rustc --print target-libdir --target "$target")/libstd-*.rlib" >/dev/null ||
    missing "Rust's standard library for $target is missing: rustup target add $target" \
        "(without it, infra/package/prove-arm64.sh still shows that the C in it compiles)"

# .2.34: the glibc of provided.al2023, to link against.
out=target/lambda/$architecture
cargo lambda build --profile "$profile" --locked --target "$target.2.34" --output-format zip --lambda-dir "$out" \
    --no-default-features --features cloud "${@/#/--package=}"
for function in "$@"; do
    # The time of the build is in it; without, the same binary is the same zip, and nothing is deployed for nothing.
    python3 - "$out/$function/bootstrap.zip" <<'PY'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as archive:
    entries = [(entry, archive.read(entry)) for entry in archive.infolist()]
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as archive:
    for entry, content in entries:
        entry.date_time = (1980, 1, 1, 0, 0, 0)
        archive.writestr(entry, content)
PY
    infra/package/check-zip.sh "$out/$function/bootstrap.zip" "$architecture"
done
if [ "$profile" = release ]; then infra/package/sizes.sh "${@/#/target/$target/release/}"; fi
