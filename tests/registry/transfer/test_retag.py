"""More tags for an image that is on a registry, in its repository or in another one there."""

from __future__ import annotations

import pytest
from e2e.images import DOCKER, OCI, Image, put_image, put_index
from faults import status
from registry.kit import ALWAYS, app
from registry.server import RegistryServer

from imgref.errors import NotFound, RegistryError, TagConflict
from imgref.registry.client import RegistryClient
from imgref.registry.overwrite import TagChange
from imgref.registry.transfer.retag import retag


@pytest.fixture
def old(server: RegistryServer) -> Image:
    image = put_image(server, "app", None, text="old")
    for tag in ("main", "1.2.3"):
        server.put_manifest("app", tag, image.raw, image.media_type)
    return image


@pytest.fixture
def new(server: RegistryServer) -> Image:
    return put_image(server, "app", "new", DOCKER, text="new")


def test_retag_puts_the_same_bytes_under_each_tag(
    server: RegistryServer, client: RegistryClient, old: Image, new: Image
) -> None:
    done = retag(client, app(server, ":new"), [app(server, f":{tag}") for tag in ("fresh", "main", "new")])
    first = next(done)
    assert first == TagChange(app(server, ":fresh"), "created", None, new.digest)
    # Each change is made when it is told.
    assert server.tags_of("app")["fresh"] == new.digest
    assert server.tags_of("app")["main"] == old.digest
    assert [(change.action, change.before) for change in done] == [("moved", old.digest), ("unchanged", new.digest)]
    assert server.raw_manifest("app", "main") == new.raw
    assert server.count("PUT", "/manifests/") == 2
    sent = [seen.headers["Content-Type"] for seen in server.seen if seen.method == "PUT"]
    assert sent == [DOCKER["manifest"]] * 2
    assert [seen.path for seen in server.seen if "/blobs/" in seen.path] == []


def test_retag_that_would_move_a_version_sets_nothing(
    server: RegistryServer, client: RegistryClient, old: Image, new: Image
) -> None:
    targets = [app(server, ":fresh"), app(server, ":1.2.3")]
    with pytest.raises(TagConflict):
        list(retag(client, app(server, ":new"), targets))
    assert "fresh" not in server.tags_of("app")
    done = list(retag(client, app(server, ":new"), targets, overwrite="never"))
    assert [change.action for change in done] == ["created", "skipped"]
    assert server.tags_of("app")["1.2.3"] == old.digest
    done = list(retag(client, app(server, ":new"), targets, overwrite="always"))
    assert [change.action for change in done] == ["unchanged", "moved"]
    assert server.tags_of("app")["1.2.3"] == new.digest


def test_retag_into_another_repository_mounts_the_blobs(server: RegistryServer, client: RegistryClient) -> None:
    index = put_index(server, "app", "multi", OCI)
    (done,) = retag(client, app(server, ":multi"), [app(server, ":1.2.3", "other")])
    assert (done.action, done.after) == ("created", index.digest)
    assert server.raw_manifest("other", "1.2.3") == index.raw
    assert server.repositories["other"].blobs == server.repositories["app"].blobs
    assert server.count("GET", "/blobs/") == 0
    assert server.count("PUT", "/blobs/") == 0
    put_index(server, "app", "multi", OCI, text="changed")
    with pytest.raises(TagConflict):
        list(retag(client, app(server, ":multi"), [app(server, ":1.2.3", "other")]))
    (done,) = retag(client, app(server, ":multi"), [app(server, ":1.2.3", "other")], overwrite="always")
    assert done.action == "moved"
    assert server.tags_of("other")["1.2.3"] == server.tags_of("app")["multi"] == done.after


def test_retag_keeps_to_the_image_that_the_source_was(
    server: RegistryServer, client: RegistryClient, old: Image, new: Image
) -> None:
    """Someone moves the source tag after its manifest was read."""
    done = retag(client, app(server, ":new"), [app(server, ":a"), app(server, ":b", "other")])
    next(done)
    server.put_manifest("app", "new", old.raw, old.media_type)
    list(done)
    assert server.tags_of("other")["b"] == new.digest


def test_retag_of_what_is_missing_or_refused_is_that_error(
    server: RegistryServer, client: RegistryClient, old: Image
) -> None:
    with pytest.raises(NotFound, match="no such tag"):
        list(retag(client, app(server, ":none"), [app(server, ":a")]))
    server.add(status(403), "PUT", times=ALWAYS)
    with pytest.raises(RegistryError, match="no permission to write"):
        list(retag(client, app(server, ":main"), [app(server, ":a")]))
