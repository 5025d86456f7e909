"""Looking images up through mirrors: which place answers, and what becomes of mirrors that fail."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from e2e.images import put_image, put_index
from faults import status
from registry.kit import ALWAYS, PASSWORD, USER, Clock, app, named
from registry.server import RegistryServer, run_server

from imgref.errors import NotFound, RegistryError
from imgref.platforms import Platform
from imgref.reference import ImageReference, parse
from imgref.registry.credentials import Credentials
from imgref.registry.hosts import Hosts
from imgref.registry.lookup import Lookup
from imgref.registry.mirrors import Mirror, Mirrors, Namespace
from imgref.registry.transport import Event

Look = Callable[..., Lookup]


@pytest.fixture
def look(tmp_path: Path, clock: Clock, events: list[Event]) -> Iterator[Look]:
    """Return a function that makes lookups of a registry with mirrors."""
    made: list[Lookup] = []

    def make(origin: RegistryServer, *mirrors: Mirror, **environ: str) -> Lookup:
        credentials = Credentials({"HOME": str(tmp_path), **environ})
        found = Mirrors(namespaces=(Namespace(origin.host, mirrors=mirrors, source="registries.conf:1"),))
        made.append(Lookup(Hosts(), credentials, found, events.append, timeout=5.0))
        return made[-1]

    yield make
    for lookup in made:
        lookup.close()


@pytest.fixture
def mirror() -> Iterator[RegistryServer]:
    with run_server() as server:
        yield server


def at(server: RegistryServer, path: str = "", **more: object) -> Mirror:
    return Mirror(server.host + path, **more)  # type: ignore[arg-type]


def test_lookup_asks_the_mirror_and_not_the_origin(look: Look, server: RegistryServer, mirror: RegistryServer) -> None:
    index = put_index(mirror, "hub/app", "1.0")
    lookup = look(server, at(mirror, "/hub"))
    ref = app(server, ":1.0")
    assert lookup.answered_by(ref) is None
    assert lookup.resolve(ref).digest == index.digest
    assert lookup.answered_by(ref) == mirror.host
    assert lookup.find(ref) == lookup.resolve(ref)
    manifest = lookup.get_manifest(ref)
    assert manifest.raw == index.raw
    child = lookup.resolve(ref, Platform.parse("linux/arm64"))
    of_child = ref.with_digest(child.digest)
    assert lookup.get_config(of_child, lookup.get_manifest(of_child))["architecture"] == "arm64"
    assert lookup.list_tags(ref) == ["1.0"]
    assert lookup.answered_by(app(server)) == mirror.host
    assert server.seen == []


def test_lookup_of_what_the_mirror_lacks_asks_the_origin(
    look: Look, server: RegistryServer, mirror: RegistryServer, events: list[Event]
) -> None:
    image = put_image(server, "app", "1.0")
    put_image(mirror, "app", "other")
    lookup = look(server, at(mirror))
    ref = app(server, ":1.0")
    assert lookup.resolve(ref).digest == image.digest
    assert lookup.answered_by(ref) == server.host
    assert [(seen.method, seen.path) for seen in mirror.seen if seen.path != "/v2/"] == [
        ("HEAD", "/v2/app/manifests/1.0")
    ]
    assert lookup.get_manifest(ref).digest == image.digest
    assert events == []


def test_lookup_of_a_missing_image_has_the_error_of_the_origin(
    look: Look, server: RegistryServer, mirror: RegistryServer
) -> None:
    put_image(server, "app", "1.0")
    lookup = look(server, at(mirror))
    assert lookup.find(app(server, ":9")) is None
    with pytest.raises(NotFound, match=f"^{server.host}/app:9: no such tag$"):
        lookup.resolve(app(server, ":9"))


def test_lookup_of_what_only_mirrors_lack_is_unknown_if_the_origin_fails(
    look: Look, server: RegistryServer, mirror: RegistryServer
) -> None:
    server.add(status(503), times=ALWAYS)
    with pytest.raises(RegistryError) as caught:
        look(server, at(mirror)).resolve(app(server, ":1.0"))
    assert not isinstance(caught.value, NotFound)


@pytest.mark.parametrize("code", [503, 500])
def test_mirror_that_fails_is_reported_once_and_not_asked_again(
    code: int, look: Look, server: RegistryServer, mirror: RegistryServer, events: list[Event]
) -> None:
    images = [put_image(server, "app", tag, text=tag) for tag in ("1.0", "2.0")]
    lookup = look(server, at(mirror))
    mirror.add(status(code), times=ALWAYS)
    found = [lookup.resolve(app(server, f":{tag}")).digest for tag in ("1.0", "2.0")]
    assert found == [image.digest for image in images]
    warned = [event.message for event in events if event.kind == "warning"]
    assert len(warned) == 1
    assert warned[0].startswith(f"{server.host}/app:1.0: the mirror {mirror.host} failed, and it is not asked again: ")
    assert mirror.count("HEAD") == 2


def test_mirror_that_cannot_be_reached_costs_two_attempts(look: Look, server: RegistryServer, clock: Clock) -> None:
    image = put_image(server, "app", "1.0")
    lookup = look(server, Mirror("127.0.0.1:9"))
    assert lookup.resolve(app(server, ":1.0")).digest == image.digest
    assert lookup.resolve(app(server, ":1.0")).digest == image.digest
    assert len(clock.waits) == 1


def test_mirror_that_sends_other_content_than_asked_for_is_passed_over(
    look: Look, server: RegistryServer, mirror: RegistryServer, events: list[Event]
) -> None:
    image, other = put_image(server, "app", "1.0"), put_image(mirror, "app", "1.0", text="other")
    kind, raw = mirror.repositories["app"].manifests[other.digest]
    mirror.repositories["app"].manifests[image.digest] = (kind, raw)
    lookup = look(server, at(mirror))
    manifest = lookup.get_manifest(app(server, f"@{image.digest}"))
    assert manifest.raw == image.raw
    assert lookup.answered_by(app(server, f"@{image.digest}")) == server.host
    assert "this answer is not used" in events[-1].message
    # The configuration of an image of the origin, which the mirror has with other content.
    assert manifest.config is not None
    mirror.repositories["app"].blobs[manifest.config.digest] = b"{}" + b" " * (manifest.config.size - 2)
    config = lookup.get_config(app(server, f"@{image.digest}"), manifest)
    assert config["architecture"] == "amd64"


def test_mirror_for_digests_lists_no_tags(look: Look, server: RegistryServer, mirror: RegistryServer) -> None:
    put_image(server, "app", "1.0")
    image = put_image(mirror, "app", "2.0")
    lookup = look(server, at(mirror, pull="digest-only"))
    assert lookup.list_tags(app(server)) == ["1.0"]
    assert lookup.list_tags(app(server, f"@{image.digest}")) == ["1.0"]
    assert lookup.find(app(server, ":2.0")) is None
    assert mirror.seen == []
    assert lookup.resolve(app(server, f"@{image.digest}")).digest == image.digest


def test_mirror_for_tags_answers_no_digests(look: Look, server: RegistryServer, mirror: RegistryServer) -> None:
    image = put_image(server, "app", "1.0")
    newer = put_image(mirror, "app", "1.0", text="newer")
    lookup = look(server, at(mirror, pull="tag-only"))
    assert lookup.resolve(app(server, ":1.0")).digest == newer.digest
    assert lookup.resolve(app(server, f"@{image.digest}")).digest == image.digest
    assert lookup.answered_by(app(server, f"@{image.digest}")) == server.host


@pytest.mark.parametrize("answer", [b'{"tags": null}', b'{"tags": []}', b"{}", b"<html>", b""])
def test_mirror_that_lists_no_tags_is_passed_over(
    answer: bytes, look: Look, server: RegistryServer, mirror: RegistryServer
) -> None:
    put_image(server, "app", "1.0")
    mirror.add(status(200, answer), "GET", "/tags/list", times=ALWAYS)
    assert look(server, at(mirror)).list_tags(app(server)) == ["1.0"]


def test_mirrors_are_asked_in_their_order(look: Look, server: RegistryServer, mirror: RegistryServer) -> None:
    with run_server() as second:
        image = put_image(second, "app", "1.0")
        lookup = look(server, at(mirror), at(second))
        assert lookup.resolve(app(server, ":1.0")).digest == image.digest
        assert lookup.answered_by(app(server, ":1.0")) == second.host
    assert mirror.count("HEAD") == 1
    assert server.seen == []


def test_mirror_gets_no_credentials_of_the_origin(
    look: Look, server: RegistryServer, mirror: RegistryServer, events: list[Event]
) -> None:
    image = put_image(server, "app", "1.0")
    put_image(mirror, "app", "1.0", text="private")
    server.users = mirror.users = {USER: PASSWORD}
    environ = {"IMGREF_REGISTRY": server.host, "IMGREF_USERNAME": USER, "IMGREF_PASSWORD": PASSWORD}
    lookup = look(server, at(mirror), **environ)
    assert lookup.resolve(app(server, ":1.0")).digest == image.digest
    assert mirror.seen
    assert not any("Authorization" in seen.headers for seen in mirror.seen)
    assert any("Authorization" in seen.headers for seen in server.seen)
    assert "this answer is not used" in events[-1].message


def test_mirror_gets_its_own_credentials_only(look: Look, server: RegistryServer, mirror: RegistryServer) -> None:
    image = put_image(mirror, "app", "1.0")
    mirror.users = {USER: PASSWORD}
    environ = {"IMGREF_REGISTRY": mirror.host, "IMGREF_USERNAME": USER, "IMGREF_PASSWORD": PASSWORD}
    assert look(server, at(mirror), **environ).resolve(app(server, ":1.0")).digest == image.digest
    sent = {seen.headers["Authorization"] for seen in mirror.seen if "Authorization" in seen.headers}
    assert sent == {"Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}


@pytest.mark.usefixtures("names")
def test_mirror_is_insecure_only_if_it_is_configured_so(
    look: Look, server: RegistryServer, mirror: RegistryServer
) -> None:
    image, here = put_image(server, "app", "1.0"), put_image(mirror, "hub/app", "1.0", text="mirror")
    location = named(mirror, "mirror.test") + "/hub"
    ref = app(server, ":1.0")
    assert look(server, Mirror(location)).resolve(ref).digest == image.digest
    assert mirror.seen == []
    insecure = look(server, Mirror(location, insecure=True))
    assert insecure.resolve(ref).digest == here.digest
    # The host as an origin of its own is not insecure.
    put_image(mirror, "own", "1.0")
    with pytest.raises(RegistryError):
        insecure.resolve(parse(f"{named(mirror, 'mirror.test')}/own:1.0"))


def test_location_replaces_the_origin(
    server: RegistryServer, mirror: RegistryServer, clock: Clock, tmp_path: Path
) -> None:
    image = put_image(mirror, "hub/library/nginx", "1.27")
    mirrors = Mirrors(namespaces=(Namespace("docker.io", f"{mirror.host}/hub", source="registries.conf:1"),))
    with Lookup(Hosts(), Credentials({"HOME": str(tmp_path)}), mirrors) as lookup:
        assert lookup.resolve(parse("nginx:1.27")).digest == image.digest
        assert lookup.answered_by(parse("nginx:1.27")) == mirror.host
        with pytest.raises(NotFound, match="no such tag"):
            lookup.resolve(parse("nginx:9"))


def test_blocked_namespace_sends_no_request(server: RegistryServer, tmp_path: Path) -> None:
    put_image(server, "app", "1.0")
    mirrors = Mirrors(namespaces=(Namespace(server.host, blocked=True, source="registries.conf:1"),))
    with Lookup(Hosts(), Credentials({"HOME": str(tmp_path)}), mirrors) as lookup:
        questions: list[Callable[[ImageReference], object]] = [lookup.resolve, lookup.find, lookup.list_tags]
        for question in questions:
            with pytest.raises(RegistryError, match=r"is blocked in registries\.conf:1"):
                question(app(server, ":1.0"))
    assert server.seen == []
