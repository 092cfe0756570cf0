#!/usr/bin/env bash
# Starts an OCI layout of ours with nothing around it (its own root, nothing to write to, a user without rights) and asks for its health.
#   infra/container/try.sh target/image/token-get
# Needs root, or a kernel that lets users make user namespaces.
set -euo pipefail
layout=$1
source "$(dirname "$0")/../package/ask.sh"

work=$(mktemp -d)
process=
clean() {
    [ -z "$process" ] || kill "$process" 2>/dev/null || true
    wait 2>/dev/null || true
    chmod -R u+w "$work"
    rm -rf "$work"
}
trap clean EXIT

# What the layout says: that its digests are right, which layer, which variables.
python3 - "$layout" "$work" <<'PY'
import hashlib, json, pathlib, sys, tarfile
layout, work = map(pathlib.Path, sys.argv[1:])
def blob(entry):
    path = layout / "blobs/sha256" / entry["digest"].removeprefix("sha256:")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name, f"{path} is not what its name says"
    return path
manifest = json.loads(blob(json.loads((layout / "index.json").read_bytes())["manifests"][0]).read_bytes())
config = json.loads(blob(manifest["config"]).read_bytes())["config"]
(work / "root").mkdir()
for entry in manifest["layers"]:
    tarfile.open(blob(entry)).extractall(work / "root")
(work / "env").write_text("\n".join(config["Env"]))
(work / "user").write_text(config["User"])
PY
mapfile -t variables <"$work/env"
user=$(cat "$work/user")

port=$(free_port)
# Nothing in it may be written, as with a read-only root.
chmod -R a-w "$work/root" && chmod 755 "$work"
chroot=$(PATH=$PATH:/usr/sbin command -v chroot)
enter=("$chroot" --userspec="$user")
if [ "$(id -u)" != 0 ]; then
    user="you, root in a namespace of your own"
    enter=(/usr/bin/unshare --user --map-root-user "$chroot")
fi
env -i "${variables[@]}" "${AWAY[@]}" PORT="$port" "${enter[@]}" "$work/root" /function 2>"$work/log" &
process=$!
answers "$port" "$work/log"
echo "$layout: starts as $user with nothing to write to, and answers /health"
