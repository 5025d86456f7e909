"""Images made by hand, and put on a registry without imgref: Docker's and OCI's manifests, and indexes of both."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from e2e.servers import Registry

OCI = {
    "manifest": "application/vnd.oci.image.manifest.v1+json",
    "index": "application/vnd.oci.image.index.v1+json",
    "config": "application/vnd.oci.image.config.v1+json",
    "layer": "application/vnd.oci.image.layer.v1.tar+gzip",
}
DOCKER = {
    "manifest": "application/vnd.docker.distribution.manifest.v2+json",
    "index": "application/vnd.docker.distribution.manifest.list.v2+json",
    "config": "application/vnd.docker.container.image.v1+json",
    "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
}


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Keeper(Protocol):
    """A registry into which a test puts images without imgref."""

    def put_blob(self, path: str, data: bytes) -> str: ...

    def put_manifest(self, path: str, point: str, raw: bytes, media_type: str) -> None: ...


@dataclass
class Image:
    """What was put: the manifest's bytes, and what names them."""

    raw: bytes
    media_type: str
    architecture: str = ""

    @property
    def digest(self) -> str:
        return digest_of(self.raw)


def layer_of(text: str) -> tuple[bytes, str]:
    """Return a compressed layer with one file, and its diffID."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("file")
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    return gzip.compress(buffer.getvalue(), mtime=0), digest_of(buffer.getvalue())


def put_image(
    registry: Keeper,
    path: str,
    tag: str | None,
    types: dict[str, str] = OCI,
    *,
    text: str = "hello",
    architecture: str = "amd64",
    spacing: int = 3,
    labels: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> Image:
    """Put a small image. Its manifest is spaced oddly, so that whoever writes it anew is found out.

    ``more`` is added to its configuration, and replaces what is there.
    """
    layer, diff_id = layer_of(f"{text} {architecture}")
    config = json.dumps(
        {
            "os": "linux",
            "architecture": architecture,
            "config": {"Labels": {"org.example.text": text, **(labels or {})}},
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
            **(more or {}),
        }
    ).encode()
    document = {
        "schemaVersion": 2,
        "mediaType": types["manifest"],
        "config": {"mediaType": types["config"], "digest": registry.put_blob(path, config), "size": len(config)},
        "layers": [{"mediaType": types["layer"], "digest": registry.put_blob(path, layer), "size": len(layer)}],
    }
    image = Image(json.dumps(document, indent=spacing).encode(), types["manifest"], architecture)
    registry.put_manifest(path, tag or image.digest, image.raw, image.media_type)
    return image


def put_index(
    registry: Keeper,
    path: str,
    tag: str,
    types: dict[str, str] = OCI,
    text: str = "hello",
    more: Mapping[str, object] | None = None,
) -> Image:
    """Put an index of two platforms."""
    images = [
        put_image(registry, path, None, types, text=text, architecture=architecture, more=more)
        for architecture in ("amd64", "arm64")
    ]
    document = {
        "schemaVersion": 2,
        "mediaType": types["index"],
        "manifests": [
            {
                "mediaType": image.media_type,
                "digest": image.digest,
                "size": len(image.raw),
                "platform": {"os": "linux", "architecture": image.architecture},
            }
            for image in images
        ],
    }
    image = Image(json.dumps(document, indent=5).encode(), types["index"])
    registry.put_manifest(path, tag, image.raw, image.media_type)
    return image


PREDICATES = {
    "https://slsa.dev/provenance/v0.2": {"builder": {"id": ""}, "buildType": "https://mobyproject.org/buildkit@v1"},
    "https://spdx.dev/Document": {"spdxVersion": "SPDX-2.3", "name": "sbom"},
}
"""What BuildKit attests of each image by default, and with ``--sbom=true``."""


def put_attested(registry: Keeper, path: str, tag: str, architecture: str) -> tuple[Image, Image]:
    """Put an index as BuildKit writes it for one platform; return the image and its attestation manifest.

    BuildKit puts attestations into a manifest of an unknown platform, and annotates its entry with the image's digest.
    """
    image = put_image(registry, path, None, text=f"app on {architecture}", architecture=architecture)
    layers, hashes = [], []
    for kind, predicate in PREDICATES.items():
        subject = [{"name": f"pkg:docker/{path}@{tag}", "digest": {"sha256": image.digest.partition(":")[2]}}]
        statement = {"_type": "https://in-toto.io/Statement/v0.1", "predicateType": kind, "subject": subject}
        data = json.dumps({**statement, "predicate": predicate}).encode()
        digest = registry.put_blob(path, data)
        annotations = {"in-toto.io/predicate-type": kind}
        mark = {"mediaType": "application/vnd.in-toto+json", "digest": digest, "size": len(data)}
        layers.append({**mark, "annotations": annotations})
        hashes.append(digest)
    unknown = {"architecture": "unknown", "os": "unknown"}
    config = json.dumps({**unknown, "config": {}, "rootfs": {"type": "layers", "diff_ids": hashes}}).encode()
    document = {
        "schemaVersion": 2,
        "mediaType": OCI["manifest"],
        "config": {"mediaType": OCI["config"], "digest": registry.put_blob(path, config), "size": len(config)},
        "layers": layers,
    }
    attestation = Image(json.dumps(document, indent=2).encode(), OCI["manifest"])
    registry.put_manifest(path, attestation.digest, attestation.raw, attestation.media_type)
    marks = {"vnd.docker.reference.digest": image.digest, "vnd.docker.reference.type": "attestation-manifest"}
    entries = [
        {
            "mediaType": each.media_type,
            "digest": each.digest,
            "size": len(each.raw),
            **({"annotations": marks} if each is attestation else {}),
            "platform": unknown if each is attestation else {"architecture": architecture, "os": "linux"},
        }
        for each in (image, attestation)
    ]
    index = {"schemaVersion": 2, "mediaType": OCI["index"], "manifests": entries}
    registry.put_manifest(path, tag, json.dumps(index, indent=2).encode(), OCI["index"])
    return image, attestation


def link_tags(registry: Registry, path: str, image: Image, names: list[str]) -> None:
    """Put one image under many tags."""
    connection = registry._connection()
    for name in names:
        connection.request("PUT", f"/v2/{path}/manifests/{name}", image.raw, {"Content-Type": image.media_type})
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 201
    connection.close()
