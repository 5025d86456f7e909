"""Manifests are their bytes: read, never written anew."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref.archive.manifest import (
    ACCEPTED,
    DOCKER_MANIFEST,
    OCI_INDEX,
    OCI_MANIFEST,
    Descriptor,
    Manifest,
    digest_of,
)

DIGEST = "sha256:" + 64 * "a"


def test_the_type_in_the_manifest_comes_before_the_header() -> None:
    raw = json.dumps({"schemaVersion": 2, "mediaType": DOCKER_MANIFEST}).encode()
    assert Manifest.read(raw, OCI_MANIFEST).media_type == DOCKER_MANIFEST
    assert Manifest.read(b'{"schemaVersion": 2}', f"{OCI_INDEX}; charset=utf-8").media_type == OCI_INDEX
    assert Manifest.read(b'{"schemaVersion": 2, "manifests": []}').media_type == OCI_INDEX
    assert Manifest.read(b'{"schemaVersion": 2}', "application/json").media_type == OCI_MANIFEST


@each(
    ("raw", "media_type", "said"),
    [
        (b"", "", "is not valid JSON"),
        (b"<!DOCTYPE html>", "text/html", "is not valid JSON"),
        (b"[]", "", "is not a JSON object"),
        (b"[" * 100_000, "", "is nested too deeply"),
        (b'{"manifests": [], "layers": []}', "", "has the parts of an image, but its media type is '.*index"),
        (
            b'{"layers": [], "manifests": []}',
            OCI_MANIFEST,
            "has the parts of an index, but its media type is '.*manifest",
        ),
        (b'{"layers": 1}', "", "has layers, which must be a list"),
        (b"{}", "", "is of type ''"),
        (b'{"schemaVersion": 1}', "application/vnd.docker.distribution.manifest.v1+json", "Docker schema 1"),
        (b'{"mediaType": "text/plain"}', "", "of type 'text/plain'"),
        (b'{"schemaVersion": 2, "layers": [{}]}', OCI_MANIFEST, "a descriptor without a digest"),
        (b'{"schemaVersion": 2, "config": 1}', OCI_MANIFEST, "a descriptor without a digest"),
        (
            json.dumps({"layers": [{"digest": DIGEST, "size": -1}]}).encode(),
            OCI_MANIFEST,
            "no valid size for sha256:aaa",
        ),
    ],
)
def test_invalid_manifest_is_refused(raw: bytes, media_type: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Manifest.read(raw, media_type)


@given(st.binary(max_size=200), st.sampled_from(["", *ACCEPTED, "text/html"]))
def test_any_bytes_are_read_or_refused(raw: bytes, media_type: str) -> None:
    try:
        manifest = Manifest.read(raw, media_type)
    except ValueError:
        return
    assert manifest.raw == raw
    assert manifest.digest == digest_of(raw)


def test_a_wrong_digest() -> None:
    with pytest.raises(ValueError, match="and not sha256:aaa"):
        Manifest.read(b"{}", OCI_MANIFEST, DIGEST)
    raw = b'{"schemaVersion": 2}'
    assert Manifest.read(raw, OCI_MANIFEST, digest_of(raw, "sha512")).digest.startswith("sha512:")


def test_descriptors_keep_their_content() -> None:
    value = {
        "mediaType": OCI_MANIFEST,
        "digest": DIGEST,
        "size": 7,
        "platform": {"os": "linux", "architecture": "arm", "variant": "v6"},
        "annotations": {"a": "b"},
        "artifactType": "x/y",
    }
    read = Descriptor.read(value)
    assert (str(read.platform), read.annotations, read.artifact_type) == ("linux/arm/v6", {"a": "b"}, "x/y")
