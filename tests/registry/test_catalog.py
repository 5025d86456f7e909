"""The images of a repository: tags grouped by image, described with few requests, and unknown where unknown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from e2e.images import Image, put_image, put_index
from faults import status
from registry.kit import ALWAYS, Clock, app
from registry.server import OCI_INDEX, RegistryServer

from imgref.errors import RegistryUnavailable
from imgref.registry.catalog import ImageDetails, TaggedImage, describe_images, find_images
from imgref.registry.credentials import Credentials
from imgref.registry.hosts import Hosts
from imgref.registry.lookup import Lookup
from imgref.registry.mirrors import Mirrors
from imgref.registry.transport import Event


@pytest.fixture
def lookup(tmp_path: Path, clock: Clock, events: list[Event]) -> Iterator[Lookup]:
    with Lookup(Hosts(), Credentials({"HOME": str(tmp_path)}), Mirrors(), events.append, timeout=5.0) as lookup:
        yield lookup


def tag(server: RegistryServer, image: Image, *names: str) -> None:
    server.repositories["app"].tags.update(dict.fromkeys(names, image.digest))


def listed(lookup: Lookup, server: RegistryServer) -> list[TaggedImage]:
    repository = app(server)
    return describe_images(lookup, repository, find_images(lookup, repository, lookup.list_tags(repository)))


def test_images_take_one_head_a_tag_and_one_manifest_and_configuration_each(
    lookup: Lookup, server: RegistryServer
) -> None:
    for number in range(6):
        created = f"2024-01-0{number + 1}T10:00:00Z"
        image = put_image(server, "app", f"1.{number}.0", text=str(number), more={"created": created})
        tag(server, image, *(f"1.{number}.0-{suffix}" for suffix in "abcd"))
    images = listed(lookup, server)
    assert [len(image.tags) for image in images] == [5] * 6
    assert images[2].tags[:2] == ("1.2.0", "1.2.0-a")
    assert images[2].created == datetime(2024, 1, 3, 10, tzinfo=UTC)
    assert images[2].host == server.host
    assert (server.count("HEAD"), server.count("GET", "/manifests/"), server.count("GET", "/blobs/")) == (30, 6, 6)
    assert server.count("GET", "/tags/") == 1


def test_index_has_the_size_and_time_of_linux_amd64_and_all_platforms(lookup: Lookup, server: RegistryServer) -> None:
    put_index(server, "app", "1.0", more={"created": "2024-01-31T12:00:00.5+02:00"})
    (image,) = listed(lookup, server)
    assert image.details is not None
    assert [str(platform) for platform in image.details.platforms] == ["linux/amd64", "linux/arm64"]
    assert image.created == datetime(2024, 1, 31, 10, 0, 0, 500_000, tzinfo=UTC)
    child = json.loads(server.raw_manifest("app", "1.0"))["manifests"][0]["digest"]
    manifest = json.loads(server.repositories["app"].manifests[child][1])
    assert image.details.size == manifest["config"]["size"] + manifest["layers"][0]["size"]
    assert server.count("GET", "/manifests/") == 2


def test_attestations_are_not_platforms(lookup: Lookup, server: RegistryServer) -> None:
    put_index(server, "app", "1.0")
    document = json.loads(server.raw_manifest("app", "1.0"))
    document["manifests"][0]["platform"] = {"os": "unknown", "architecture": "unknown"}
    server.put_manifest("app", "1.0", json.dumps(document).encode(), OCI_INDEX)
    (image,) = listed(lookup, server)
    assert image.details is not None
    assert [str(platform) for platform in image.details.platforms] == ["linux/arm64"]


@pytest.mark.parametrize(
    "created",
    [None, "", "1970-01-01T00:00:00Z", "1980-01-01T00:00:01Z", "1999-12-31T23:59:59Z", "soon", 1706695200, ["2024"]],
)
def test_time_that_is_missing_or_before_2000_is_unknown(
    created: object, lookup: Lookup, server: RegistryServer
) -> None:
    put_image(server, "app", "1.0", more={} if created is None else {"created": created})
    (image,) = listed(lookup, server)
    assert image.created is None
    assert image.details is not None
    assert image.details.size


def test_tag_that_is_gone_is_left_out_with_a_warning(
    lookup: Lookup, server: RegistryServer, events: list[Event]
) -> None:
    put_image(server, "app", "1.0")
    repository = app(server)
    found = find_images(lookup, repository, ["1.0", "2.0"])
    assert [image.tags for image in found] == [("1.0",)]
    assert [event.message for event in events] == [f"{server.host}/app:2.0: the tag is listed, but does not exist"]


def test_image_that_cannot_be_read_is_unknown_and_the_others_are_described(
    lookup: Lookup, server: RegistryServer, events: list[Event]
) -> None:
    put_image(server, "app", "2.0")
    old = b'{"schemaVersion": 1, "name": "app", "tag": "1.0"}'
    server.put_manifest("app", "1.0", old, "application/vnd.docker.distribution.manifest.v1+prettyjws")
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + 64 * "0", "size": 2,
         "platform": {"os": "linux", "architecture": "amd64"}},
    ]}  # fmt: skip
    server.put_manifest("app", "3.0", json.dumps(index).encode(), OCI_INDEX)
    unreadable, image, incomplete = listed(lookup, server)
    assert (unreadable.tags, unreadable.descriptor, unreadable.details) == (("1.0",), None, ImageDetails())
    assert image.details is not None
    assert image.details.size
    assert (incomplete.tags, incomplete.details) == (("3.0",), ImageDetails())
    assert [event.kind for event in events] == ["warning", "warning"]


def test_registry_that_fails_ends_the_listing(lookup: Lookup, server: RegistryServer) -> None:
    for number in range(20):
        put_image(server, "app", f"1.{number}")
    server.add(status(503), "HEAD", times=ALWAYS, after=5)
    with pytest.raises(RegistryUnavailable):
        listed(lookup, server)
