"""Whether a tag may move: released versions do not, unless the user says so."""

from __future__ import annotations

import pytest
from e2e.images import DOCKER, Image, put_image
from registry.kit import app
from registry.server import RegistryServer

from imgref.errors import TagConflict
from imgref.registry.client import RegistryClient
from imgref.registry.overwrite import Overwrite, is_released_version, plan_changes

MOVING = ("1.2", "main", "1.2.4-rc.1", "20240115", "1.2.3.4")
RELEASED = ("1.2.3", "v1.2.3")


@pytest.fixture
def old(server: RegistryServer) -> Image:
    image = put_image(server, "app", None, text="old")
    for tag in (*MOVING, *RELEASED):
        server.put_manifest("app", tag, image.raw, image.media_type)
    return image


@pytest.fixture
def new(server: RegistryServer) -> Image:
    return put_image(server, "app", "new", DOCKER, text="new")


def changes(
    server: RegistryServer, client: RegistryClient, tags: tuple[str, ...], digest: str, overwrite: Overwrite
) -> list[tuple[str, str | None]]:
    planned = plan_changes(client, [app(server, f":{tag}") for tag in tags], digest, overwrite)
    assert all(change.after == digest for change in planned)
    return [(change.action, change.before) for change in planned]


@pytest.mark.parametrize("overwrite", ["unless-released", "always", "never"])
def test_plan_changes_of_tags_that_do_not_move_is_the_same_for_all(
    overwrite: Overwrite, server: RegistryServer, client: RegistryClient, old: Image
) -> None:
    assert changes(server, client, ("fresh", "9.9.9"), old.digest, overwrite) == [("created", None)] * 2
    assert changes(server, client, RELEASED, old.digest, overwrite) == [("unchanged", old.digest)] * 2
    assert plan_changes(client, [app(server), app(server, f"@{old.digest}")], old.digest, overwrite) == ()


def test_plan_changes_moves_all_but_released_versions(
    server: RegistryServer, client: RegistryClient, old: Image, new: Image
) -> None:
    moved = [("moved", old.digest)]
    assert changes(server, client, MOVING, new.digest, "unless-released") == moved * len(MOVING)
    assert changes(server, client, RELEASED, new.digest, "always") == moved * 2
    assert changes(server, client, (*MOVING, *RELEASED), new.digest, "never") == [("skipped", old.digest)] * 7
    for tag in RELEASED:
        with pytest.raises(TagConflict, match=f":{tag}: already points to {old.digest}.* {new.digest}.*--force"):
            changes(server, client, ("main", tag), new.digest, "unless-released")
    assert server.count("PUT") == 0


@pytest.mark.parametrize(
    ("tag", "released"),
    [("1.2.3", True), ("v1.2.3", True), ("0.0.1", True), ("1.2", False), ("1.2.3-alpine", False), ("latest", False)],
)
def test_is_released_version_is_a_full_version(tag: str, released: bool) -> None:
    assert is_released_version(tag) is released
