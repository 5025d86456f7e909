"""Makes images on disk, byte for byte as the tools write them, and wrong in every way that a test asks for."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def layer_tar(content: bytes, name: str = "file") -> bytes:
    """One layer: a tar with one file."""
    return tar_of({name: content})


@dataclass
class Link:
    """A symbolic link in a tar, or a hard one."""

    target: str
    hard: bool = False


def tar_of(files: Mapping[str, bytes | Link]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            if isinstance(data, Link):
                member.type = tarfile.LNKTYPE if data.hard else tarfile.SYMTYPE
                member.linkname = data.target
                tar.addfile(member)
            else:
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def config_of(layers: Sequence[bytes], **more: object) -> bytes:
    rootfs = {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]}
    return as_json({"architecture": "amd64", "os": "linux", "rootfs": rootfs, **more})


# docker save


def old_save(images: Mapping[str, Sequence[bytes]], *, share: bool = True) -> dict[str, bytes | Link]:
    """What Docker before 25 writes: a directory a layer, and links to layers that were written already."""
    files: dict[str, bytes | Link] = {}
    written: dict[str, str] = {}
    manifest = []
    for name, layers in images.items():
        config = config_of(layers, author=name)
        stem = digest_of(config)[7:]
        files[f"{stem}.json"] = config
        paths = []
        for number, layer in enumerate(layers):
            folder = digest_of(f"{name} {number}".encode())[7:]
            path = f"{folder}/layer.tar"
            files[f"{folder}/VERSION"] = b"1.0"
            first = written.setdefault(digest_of(layer), path)
            files[path] = layer if first == path or not share else Link(f"../{first}")
            paths.append(path)
        manifest.append({"Config": f"{stem}.json", "RepoTags": [name] if name else None, "Layers": paths})
    files["manifest.json"] = as_json(manifest)
    return files


def new_save(images: Mapping[str, Sequence[bytes]], *, packed: bool = False) -> dict[str, bytes | Link]:
    """What Docker 25 and newer writes: an OCI layout besides. ``packed``: as with a containerd store."""
    files: dict[str, bytes | Link] = {"oci-layout": as_json({"imageLayoutVersion": "1.0.0"})}
    manifest, index = [], []
    for name, layers in images.items():
        image = oci_image(layers, packed=packed, author=name)
        files.update(image.files)
        manifest.append(
            {
                "Config": blob_path(image.config),
                "RepoTags": [name],
                "Layers": [blob_path(layer) for layer in image.layers],
            }
        )
        marks = {"io.containerd.image.name": f"docker.io/library/{name}", "org.opencontainers.image.ref.name": "1"}
        index.append({"mediaType": MANIFEST, "digest": image.digest, "size": image.size, "annotations": marks})
    files["manifest.json"] = as_json(manifest)
    files["index.json"] = as_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": index})
    return files


# OCI layouts


def blob_path(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


@dataclass
class OciImage:
    """A manifest with its blobs, as files of a layout."""

    digest: str
    size: int
    config: str
    layers: list[str]
    raw: bytes
    files: dict[str, bytes] = field(default_factory=dict)


def oci_image(
    layers: Sequence[bytes], *, packed: bool = True, subject: OciImage | None = None, **more: object
) -> OciImage:
    files: dict[str, bytes] = {}

    def put(data: bytes) -> str:
        digest = digest_of(data)
        files[blob_path(digest)] = data
        return digest

    config = config_of(layers, **more)
    stored = [gzip.compress(layer, 1, mtime=0) if packed else layer for layer in layers]
    kind = f"{LAYER}+gzip" if packed else LAYER
    value: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": put(config), "size": len(config)},
        "layers": [{"mediaType": kind, "digest": put(data), "size": len(data)} for data in stored],
    }
    if subject is not None:
        value["subject"] = {"mediaType": MANIFEST, "digest": subject.digest, "size": subject.size}
        value["artifactType"] = "application/example"
    raw = as_json(value)
    digest = put(raw)
    return OciImage(digest, len(raw), digest_of(config), [digest_of(data) for data in stored], raw, files)


def oci_layout(images: Mapping[str, OciImage]) -> dict[str, bytes]:
    """A layout with images by tag."""
    files: dict[str, bytes] = {"oci-layout": as_json({"imageLayoutVersion": "1.0.0"})}
    listed = []
    for tag, image in images.items():
        files.update(image.files)
        entry: dict[str, object] = {"mediaType": MANIFEST, "digest": image.digest, "size": image.size}
        if tag:
            entry["annotations"] = {"org.opencontainers.image.ref.name": tag}
        listed.append(entry)
    files["index.json"] = as_json({"schemaVersion": 2, "manifests": listed})
    return files


def platforms_layout(images: Mapping[str, OciImage], tag: str = "multi") -> tuple[dict[str, bytes], str]:
    """A layout with one index of images by platform, and the digest of the index."""
    files = {name: data for image in images.values() for name, data in image.files.items()}
    children = []
    for platform, image in images.items():
        system, architecture = platform.split("/")
        about = {"os": system, "architecture": architecture}
        children.append({"mediaType": MANIFEST, "digest": image.digest, "size": image.size, "platform": about})
    raw = as_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": children})
    digest = digest_of(raw)
    files[blob_path(digest)] = raw
    marks = {"org.opencontainers.image.ref.name": tag}
    entry = {"mediaType": INDEX, "digest": digest, "size": len(raw), "annotations": marks}
    files["oci-layout"] = as_json({"imageLayoutVersion": "1.0.0"})
    files["index.json"] = as_json({"schemaVersion": 2, "manifests": [entry]})
    return files, digest


def write_tar(path: Path, files: Mapping[str, bytes | Link]) -> str:
    path.write_bytes(tar_of(files))
    return str(path)


def write_directory(path: Path, files: Mapping[str, bytes | Link]) -> str:
    for name, data in files.items():
        place = path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, Link):
            place.symlink_to(data.target)
        else:
            place.write_bytes(data)
    return str(path)
