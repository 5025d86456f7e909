"""``imgref which``: the version behind a name, with few requests."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from e2e.images import Image, put_image, put_index
from faults import status
from registry.kit import ALWAYS
from registry.server import RegistryServer, run_server
from vectors import Done, imgref


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with run_server() as server:
        yield server


def put(server: RegistryServer, *tags: str, path: str = "app") -> Image:
    image = put_image(server, path, tags[0], text=tags[0])
    server.repositories[path].tags.update(dict.fromkeys(tags, image.digest))
    return image


def nginx(server: RegistryServer) -> Image:
    """Put the tags of some versions in some variants, and return the newest plain image."""
    for number in range(20, 27):
        put(server, f"1.{number}.3", f"1.{number}", f"1.{number}.3-trixie")
        put(server, f"1.{number}.3-alpine", f"1.{number}-alpine", f"1.{number}.3-alpine3.20")
    put(server, "1.27.2-alpine", "1.27.2-alpine3.20")
    put(server, "1.27.3-alpine", "1.27-alpine", "1-alpine", "alpine", "1.27.3-alpine3.20", "mainline-alpine")
    return put(server, "1.27.3", "1.27", "1", "latest", "mainline", "1.27.3-trixie", "trixie")


def which(server: RegistryServer, reference: str, *options: str) -> Done:
    return imgref("which", f"{server.host}/app{reference}", *options)


@pytest.mark.parametrize(
    ("reference", "expected", "most"),
    [
        (":latest", "1.27.3", 2),
        ("", "1.27.3", 2),
        (":1", "1.27.3", 2),
        (":1.27", "1.27.3", 2),
        (":1.27.3", "1.27.3", 1),
        (":alpine", "1.27.3-alpine", 2),
        (":mainline-alpine", "1.27.3-alpine", 2),
        (":1-alpine", "1.27.3-alpine", 2),
        (":1.24", "1.24.3", 2),
        (":1.24-alpine", "1.24.3-alpine", 2),
        (":trixie", "1.27.3-trixie", 2),
    ],
)
def test_which_prints_the_most_specific_version_of_the_variant(
    reference: str, expected: str, most: int, server: RegistryServer
) -> None:
    nginx(server)
    done = which(server, reference)
    assert (done.exit, done.stdout, done.stderr) == (0, f"{expected}\n", "")
    assert server.count("HEAD") <= most
    assert server.count("GET", "/manifests/") == 0


def test_which_of_a_digest_prints_a_tag_that_names_it(server: RegistryServer) -> None:
    image = nginx(server)
    assert which(server, f"@{image.digest}").stdout == "1.27.3\n"
    server.seen.clear()
    # The tag says which variant is meant, even if it points elsewhere by now.
    old = server.repositories["app"].tags["1.24.3-alpine"]
    assert which(server, f":alpine@{old}").stdout == "1.24.3-alpine\n"
    assert server.count("HEAD") < 30


def test_which_all_prints_every_tag_of_the_image(server: RegistryServer) -> None:
    image = nginx(server)
    expected = ["1.27.3", "1.27.3-trixie", "1.27", "1", "latest", "mainline", "trixie"]
    assert which(server, ":latest", "--all").stdout.split() == expected
    done = which(server, ":latest", "--all", "--format", "json")
    assert json.loads(done.stdout) == {
        "reference": f"{server.host}/app:latest",
        "tag": "1.27.3",
        "aliases": expected,
        "digest": image.digest,
        "answered_by": server.host,
    }


def test_which_as_a_table_names_the_reference_and_the_digest(server: RegistryServer) -> None:
    image = nginx(server)
    header, _, row = which(server, ":latest", "--format", "table").stdout.splitlines()
    assert header.split() == ["reference", "tag", "digest"]
    assert row.split() == [f"{server.host}/app:latest", "1.27.3", image.digest]


def test_which_goes_on_after_a_hit_that_is_not_exact(server: RegistryServer) -> None:
    put(server, "9", "9.1", "9.1.4_7", "latest")
    put(server, "9.1.3_9")
    assert which(server, ":latest").stdout == "9.1.4_7\n"
    assert which(server, ":9").stdout == "9.1.4_7\n"
    assert which(server, ":9.1").stdout == "9.1.4_7\n"


def test_which_without_a_version_tag_is_4(server: RegistryServer) -> None:
    put(server, "latest", "stable")
    put(server, "1.0.0")
    done = which(server, ":latest")
    assert (done.exit, done.stdout) == (4, "")
    assert "app:latest: no version tag names this image (sha256:" in done.stderr
    assert which(server, ":latest", "--all").exit == 4
    assert which(server, ":missing").exit == 4


def test_which_of_one_platform_of_an_image_is_4(server: RegistryServer) -> None:
    index = put_index(server, "app", "1.0.0")
    child = next(digest for digest in server.repositories["app"].manifests if digest != index.digest)
    assert which(server, f"@{child}").exit == 4


def test_which_sends_at_most_100_heads(server: RegistryServer) -> None:
    put(server, "latest", "9.0.0")
    for number in range(1, 150):
        put(server, f"9.{number}.0")
    done = which(server, ":latest")
    assert (done.exit, done.stdout) == (3, "")
    assert "no version tag of this image was found within the limit of 100 requests; --all" in done.stderr
    assert server.count("HEAD") == 100
    assert which(server, ":latest", "--all").stdout.split() == ["9.0.0", "latest"]


def test_which_of_several_references_prints_what_it_can_and_asks_once(server: RegistryServer) -> None:
    nginx(server)
    put(server, "2.0.0", "latest", path="other")
    refs = [f"{server.host}/{name}" for name in ("app:1.27", "app:missing", "other", "app:latest", "nowhere")]
    done = imgref("which", *refs)
    assert (done.exit, done.stdout.split()) == (4, ["1.27.3", "2.0.0", "1.27.3"])
    assert done.stderr.count("error:") == 2
    assert server.count("GET", "/app/tags/list") <= 2
    assert server.count("HEAD", "/app/manifests/1.27.3$") == 1


def test_which_with_a_registry_that_fails_is_3(server: RegistryServer) -> None:
    nginx(server)
    server.add(status(400, b"{}"), "GET", "/tags/list", times=ALWAYS)
    done = imgref("which", f"{server.host}/app:latest", f"{server.host}/nowhere")
    assert (done.exit, done.stdout) == (3, "")


def test_which_with_a_tag_that_cannot_be_read_is_not_a_missing_tag(server: RegistryServer) -> None:
    put(server, "1.27.3", "latest")
    server.add(status(418), "", "/manifests/1.27.3$", ALWAYS)
    for options in ((), ("--all",)):
        done = which(server, ":latest", *options)
        assert (done.exit, done.stdout) == (3, "")
        assert "some tags could not be read" in done.stderr


def test_which_without_references_is_bad_usage() -> None:
    assert imgref("which").exit == 2
    assert imgref("which", "Acme/App").exit == 2
