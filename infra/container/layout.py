#!/usr/bin/env python3
"""Writes a function's image as an OCI layout, from a built binary and this machine's libraries, without a container engine.

    infra/container/layout.py token-get target/release/token-get target/image/token-get

In the image: the binary, the shared libraries it names, CA certificates, a user without rights. The same input gives
the same bytes. `skopeo copy oci:target/image/token-get docker://…` sends it to a registry.
"""

import gzip
import hashlib
import io
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile

NONROOT = 65532
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"
ARCHITECTURES = {"X86-64": "amd64", "AArch64": "arm64"}


def libraries(binary: pathlib.Path) -> dict[str, pathlib.Path]:
    """The shared libraries that the loader would take, by their place in the image."""
    said = subprocess.run(["ldd", binary], check=True, capture_output=True, text=True).stdout
    if "not found" in said:
        sys.exit(f"{binary} needs libraries that are not on this machine:\n{said}")
    found = re.findall(r"(?:=> )?(/\S+) \(0x", said)
    return {path.lstrip("/"): pathlib.Path(path).resolve() for path in found}


def architecture(binary: pathlib.Path) -> str:
    header = subprocess.run(["readelf", "-h", binary], check=True, capture_output=True, text=True).stdout
    return next(name for machine, name in ARCHITECTURES.items() if machine in header)


def layer(binary: pathlib.Path) -> bytes:
    """The only layer, as a tar: everything is root's and nothing can be written but /tmp."""
    files = {"function": (binary.read_bytes(), 0o555)}
    for place, path in libraries(binary).items():
        files[place] = (path.read_bytes(), 0o755)
    files[CERTIFICATES] = (pathlib.Path("/", CERTIFICATES).read_bytes(), 0o444)
    files["etc/passwd"] = (f"nonroot:x:{NONROOT}:{NONROOT}::/:/sbin/nologin\n".encode(), 0o444)
    files["etc/group"] = (f"nonroot:x:{NONROOT}:\n".encode(), 0o444)
    files["etc/nsswitch.conf"] = (b"hosts: files dns\n", 0o444)
    folders = {str(parent): 0o755 for place in files for parent in pathlib.PurePath(place).parents if parent.name}
    folders["tmp"] = 0o1777

    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for place in sorted(folders):
            entry = tarfile.TarInfo(place)
            entry.type, entry.mode = tarfile.DIRTYPE, folders[place]
            tar.addfile(entry)
        for place in sorted(files):
            content, mode = files[place]
            entry = tarfile.TarInfo(place)
            entry.size, entry.mode = len(content), mode
            tar.addfile(entry, io.BytesIO(content))
    return raw.getvalue()


def main(function: str, binary: pathlib.Path, out: pathlib.Path) -> None:
    shutil.rmtree(out, ignore_errors=True)
    blobs = out / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def blob(kind: str, content: bytes) -> dict[str, object]:
        digest = hashlib.sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(content)}

    def as_json(value: object) -> bytes:
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    tar = layer(binary)
    compressed = gzip.compress(tar, mtime=0)
    config = {
        "os": "linux",
        "architecture": architecture(binary),
        "config": {
            "User": f"{NONROOT}:{NONROOT}",
            "Entrypoint": ["/function"],
            "Env": ["PORT=8080", f"SSL_CERT_FILE=/{CERTIFICATES}"],
            "ExposedPorts": {"8080/tcp": {}},
            "Labels": {
                "org.opencontainers.image.title": function,
                "org.opencontainers.image.description": "A function of the OAuth Management Service",
                "org.opencontainers.image.licenses": "Apache-2.0",
            },
        },
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(tar).hexdigest()]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob("config.v1+json", as_json(config)),
        "layers": [blob("layer.v1.tar+gzip", compressed)],
    }
    entry = blob("manifest.v1+json", as_json(manifest))
    entry["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    (out / "index.json").write_bytes(as_json({"schemaVersion": 2, "manifests": [entry]}))
    (out / "oci-layout").write_bytes(as_json({"imageLayoutVersion": "1.0.0"}))
    print(f"{out}: {len(compressed) / 1e6:.1f} MB compressed, {entry['digest']}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]))
