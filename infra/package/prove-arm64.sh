#!/usr/bin/env bash
# Proves that the C in the cryptography library compiles for arm64 on this machine, even where Rust's standard library
# for arm64 can't be had: aws-lc-sys' build script compiles it before rustc asks for that.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=aarch64-unknown-linux-gnu

log=$(mktemp)
trap 'rm -f "$log"' EXIT
without_std=
if ! cargo lambda build --skip-target-check --release --locked --target $target.2.34 --package aws-lc-sys &>"$log"; then
    # The only failure that proves nothing against the C.
    grep -qE "can't find crate for \`(core|std)\`" "$log" || { cat "$log" >&2; exit 1; }
    without_std=" (Rust's standard library for it is missing: rustup target add $target)"
fi

version=$(cargo pkgid aws-lc-sys | sed 's/.*[#@]//')
archive=$(ls -t target/$target/release/build/aws-lc-sys-*/out/libaws_lc_"${version//./_}"_crypto.a | head -1)
machines=$(readelf -h "$archive" | sed -n 's/ *Machine: *//p' | sort | uniq -c)
[ "$(echo "$machines" | wc -l)" = 1 ] && [[ $machines == *AArch64* ]] ||
    { echo "$archive is not all for arm64:" "$machines" >&2; exit 1; }
[ "$(readelf -Ws "$archive" 2>/dev/null | grep -cE 'FUNC +GLOBAL.*aes_hw_encrypt')" -gt 0 ] ||
    { echo "$archive lacks the assembly" >&2; exit 1; }
echo "aws-lc-sys $version compiles for arm64 with zig $(python3 -m ziglang version): $(echo $machines) objects$without_std"
