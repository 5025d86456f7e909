"""Images for one platform each, joined into one index."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from images import (
    OciImage,
    as_json,
    blob_path,
    digest_of,
    layer_tar,
    oci_image,
    oci_layout,
    old_save,
    platforms_layout,
    write_directory,
    write_tar,
)

from imgref.archive.image import Image
from imgref.archive.join import ImagePart, join_images
from imgref.archive.manifest import DOCKER_INDEX, OCI_INDEX, Manifest
from imgref.archive.reader import open_archive
from imgref.errors import ArchiveError


def part(path: Path, name: str, image: OciImage) -> ImagePart:
    return ImagePart(name, open_archive(write_directory(path / name, oci_layout({"v1": image}))).image())


def made(text: str, **more: Any) -> OciImage:
    return oci_image([layer_tar(b"base"), layer_tar(text.encode())], **more)


@pytest.fixture
def amd64(tmp_path: Path) -> ImagePart:
    return part(tmp_path, "amd64", made("amd64"))


@pytest.fixture
def arm64(tmp_path: Path) -> ImagePart:
    return part(tmp_path, "arm64", made("arm64", architecture="arm64", variant="v8"))


def index_of(image: Image) -> tuple[Manifest, dict[str, object]]:
    root = image.manifests()[-1]
    assert root.is_index
    return root, json.loads(root.raw)


def test_join_has_the_manifests_as_they_are_with_their_platforms(amd64: ImagePart, arm64: ImagePart) -> None:
    joined = join_images([amd64, arm64])
    root, document = index_of(joined)
    assert root.media_type == OCI_INDEX
    assert [entry["platform"] for entry in document["manifests"]] == [  # type: ignore[attr-defined]
        {"architecture": "amd64", "os": "linux"},
        {"architecture": "arm64", "os": "linux", "variant": "v8"},
    ]
    originals = [each.image.manifests()[-1] for each in (amd64, arm64)]
    assert [child.digest for child in root.children] == [manifest.digest for manifest in originals]
    assert [manifest.raw for manifest in joined.manifests()[:-1]] == [manifest.raw for manifest in originals]
    # The layer that both have is there once.
    assert len(joined.layers) == 3
    assert len(joined.configs) == 2


def test_join_of_the_same_images_has_the_same_digest(amd64: ImagePart, arm64: ImagePart) -> None:
    digests = {join_images([amd64, arm64]).manifests()[-1].digest for _ in range(2)}
    assert len(digests) == 1


def test_join_has_annotations(amd64: ImagePart, arm64: ImagePart) -> None:
    _, document = index_of(join_images([amd64, arm64], {"b": "2", "a": "ä"}))
    assert document["annotations"] == {"a": "ä", "b": "2"}


@pytest.fixture
def attested(tmp_path: Path) -> tuple[ImagePart, dict[str, object]]:
    """An index as BuildKit makes it: an image and its attestation."""
    image, attestation = made("s390x", architecture="s390x"), made("attestation", architecture="unknown", os="unknown")
    files = oci_layout({"v1": image}) | attestation.files
    mark = {"vnd.docker.reference.digest": image.digest, "vnd.docker.reference.type": "attestation-manifest"}
    entry: dict[str, object] = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": attestation.digest,
        "size": attestation.size,
        "platform": {"architecture": "unknown", "os": "unknown"},
        "annotations": mark,
    }
    first = {
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "digest": image.digest,
        "size": image.size,
        "platform": {"architecture": "s390x", "os": "linux"},
    }
    raw = as_json({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [first, entry]})
    files[blob_path(digest_of(raw))] = raw
    listed = {"mediaType": OCI_INDEX, "digest": digest_of(raw), "size": len(raw)}
    files["index.json"] = as_json({"schemaVersion": 2, "manifests": [listed]})
    return ImagePart("attested", open_archive(write_directory(tmp_path / "attested", files)).image()), entry


def test_join_keeps_attestations_and_the_digests_that_they_name(
    amd64: ImagePart, attested: tuple[ImagePart, dict[str, object]]
) -> None:
    joined = join_images([amd64, attested[0]])
    root, document = index_of(joined)
    assert document["manifests"][-1] == attested[1]  # type: ignore[index]
    assert len(root.children) == 3
    assert attested[0].image.manifests()[-1].digest not in [manifest.digest for manifest in joined.manifests()]
    assert {child.digest for child in root.children} == {manifest.digest for manifest in joined.manifests()[:-1]}


def test_join_of_one_index_keeps_its_digest(attested: tuple[ImagePart, dict[str, object]]) -> None:
    assert join_images([attested[0]]) is attested[0].image
    annotated = join_images([attested[0]], {"a": "1"})
    assert index_of(annotated)[0].digest != attested[0].image.manifests()[-1].digest
    assert len(index_of(annotated)[0].children) == 2


def test_join_of_one_image_is_an_index_with_one_child(amd64: ImagePart) -> None:
    assert len(index_of(join_images([amd64]))[0].children) == 1


def test_join_of_the_same_image_twice_has_it_once(amd64: ImagePart) -> None:
    assert len(index_of(join_images([amd64, amd64]))[0].children) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({"architecture": "arm64"}, {"architecture": "arm64", "variant": "v8"}),
        ({"architecture": "arm64"}, {"architecture": "aarch64"}),
    ],
)
def test_join_of_two_images_for_one_platform_is_an_error(
    first: dict[str, object], second: dict[str, object], tmp_path: Path
) -> None:
    parts = [part(tmp_path, "one", made("one", **first)), part(tmp_path, "two", made("two", **second))]
    with pytest.raises(ArchiveError, match=r"one and two: two images for linux/a"):
        join_images(parts)


def test_join_of_two_variants_is_not_an_error(tmp_path: Path) -> None:
    parts = [part(tmp_path, variant, made(variant, architecture="arm", variant=variant)) for variant in ("v6", "v7")]
    assert len(index_of(join_images(parts))[0].children) == 2


def test_join_of_an_image_within_an_index_and_another_for_its_platform_is_an_error(
    amd64: ImagePart, tmp_path: Path
) -> None:
    files, _ = platforms_layout({"linux/amd64": made("x"), "linux/arm64": made("y", architecture="arm64")})
    other = ImagePart("index", open_archive(write_directory(tmp_path / "index", files)).image())
    with pytest.raises(ArchiveError, match="amd64 and index: two images for linux/amd64"):
        join_images([amd64, other])


@pytest.mark.parametrize("more", [{"os": ""}, {"architecture": ""}])
def test_join_of_an_image_without_a_platform_is_an_error(more: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="does not name the platform"):
        join_images([part(tmp_path, "app", made("app", **more))])


@pytest.fixture
def saved(tmp_path: Path) -> Iterator[ImagePart]:
    path = write_tar(tmp_path / "app.tar", old_save({"app:1": [layer_tar(b"base")]}))
    with open_archive(path) as archive:
        yield ImagePart("app.tar", archive.image())


def test_join_of_images_from_docker_save_is_dockers_list(saved: ImagePart, arm64: ImagePart) -> None:
    assert index_of(join_images([saved]))[0].media_type == DOCKER_INDEX
    assert index_of(join_images([saved], {"a": "1"}))[0].media_type == OCI_INDEX
    assert index_of(join_images([saved, arm64]))[0].media_type == OCI_INDEX
