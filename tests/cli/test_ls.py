"""``imgref ls``: which tags and images it prints, in which order, and what it asks for."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from e2e.images import Image, put_image, put_index
from registry.server import RegistryServer, run_server
from vectors import Done, clean_environ, imgref

from imgref.cli._tag_query import TagQuery


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with run_server() as server:
        yield server


def ago(days: float) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def put(server: RegistryServer, tag: str, *aliases: str, created: str | None = None, path: str = "app") -> Image:
    image = put_image(server, path, tag, text=tag, more={"created": created} if created else {})
    server.repositories[path].tags.update(dict.fromkeys(aliases, image.digest))
    return image


def ls(server: RegistryServer, *options: str) -> Done:
    return imgref("ls", f"{server.host}/app", *options)


def images(server: RegistryServer, *options: str) -> list[dict[str, Any]]:
    done = ls(server, "--long", "--format", "json", *options)
    assert done.exit == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_ls_long_has_one_row_an_image_with_its_aliases(server: RegistryServer) -> None:
    newest = put(server, "1.28.0", "1.28", "1", "latest", created="2024-03-01T10:20:30.5Z")
    put(server, "1.27.3", "1.27", created="1980-01-01T00:00:00Z")
    found = images(server)
    assert [(image["tag"], image["aliases"]) for image in found] == [
        ("1.28.0", ["1.28", "1", "latest"]),
        ("1.27.3", ["1.27"]),
    ]
    assert found[0] == {
        "tag": "1.28.0",
        "reference": f"{server.host}/app:1.28.0",
        "version": "1.28.0",
        "prerelease": False,
        "variant": None,
        "digest": newest.digest,
        "media_type": newest.media_type,
        "created": "2024-03-01T10:20:30Z",
        "size": found[0]["size"],
        "platforms": ["linux/amd64"],
        "aliases": ["1.28", "1", "latest"],
        "answered_by": server.host,
    }
    assert found[1]["created"] is None


def test_ls_long_prints_a_table_that_names_what_is_unknown(server: RegistryServer) -> None:
    image = put(server, "1.28.0", "latest", created="2024-03-01T10:20:30Z")
    put_index(server, "app", "1.27.0")
    done = ls(server, "--long")
    header, _, first, second = done.stdout.splitlines()
    assert header.split() == ["tag", "digest", "created", "size", "platforms", "aliases"]
    assert first.split()[:4] == ["1.28.0", image.digest, "2024-03-01", "10:20"]
    assert first.split()[-2:] == ["linux/amd64", "latest"]
    assert "unknown" in second
    assert "linux/amd64, linux/arm64" in second
    assert done.stderr == ""


def test_ls_long_lines_are_separated_by_tabs_and_exact(server: RegistryServer) -> None:
    image = put(server, "1.28.0", "latest", created="2024-03-01T10:20:30Z")
    (line,) = ls(server, "--long", "--format", "lines", "--full").stdout.splitlines()
    name, digest, created, size, platforms, aliases = line.split("\t")
    assert (name, digest) == (f"{server.host}/app:1.28.0", image.digest)
    assert (created, platforms, aliases) == ("2024-03-01T10:20:30Z", "linux/amd64", f"{server.host}/app:latest")
    assert size.isdigit()


def test_ls_sort_created_prints_the_newest_image_first_and_unknown_ones_last(server: RegistryServer) -> None:
    put(server, "3.0.0")
    put(server, "1.0.1", "1.0", created=ago(1))
    put(server, "2.0.0", created=ago(9))
    assert [image["tag"] for image in images(server, "--sort", "created")] == ["1.0.1", "2.0.0", "3.0.0"]
    assert ls(server, "--sort", "created").stdout.split() == ["1.0.1", "1.0", "2.0.0", "3.0.0"]
    assert ls(server, "--sort", "created", "--limit", "1").stdout.split() == ["1.0.1"]
    assert [image["tag"] for image in images(server, "--sort", "created", "--limit", "2")] == ["1.0.1", "2.0.0"]


def test_ls_since_leaves_out_older_images_and_names_the_unknown(server: RegistryServer) -> None:
    put(server, "3.0.0")
    put(server, "1.0.1", "1.0", created=ago(1))
    put(server, "2.0.0", created=ago(9))
    for since, expected in (
        ("7d", ["1.0.1"]),
        ("2w", ["2.0.0", "1.0.1"]),
        ("2000-01-01", ["2.0.0", "1.0.1"]),
        ("1h", []),
    ):
        assert [image["tag"] for image in images(server, "--since", since)] == expected
    done = ls(server, "--since", "7d")
    assert done.stdout.split() == ["1.0.1", "1.0"]
    assert done.stderr == f"{server.host}/app: 1 of 3 images have no known creation time and are omitted\n"


def test_ls_long_asks_only_for_the_images_that_it_prints(server: RegistryServer) -> None:
    for number in range(10):
        put(server, f"1.{number}.0")
    assert len(images(server, "--limit", "2")) == 2
    assert (server.count("HEAD"), server.count("GET", "/manifests/")) == (10, 2)
    server.seen.clear()
    assert len(images(server, "--range", "~1.3")) == 1
    assert (server.count("HEAD"), server.count("GET", "/manifests/")) == (1, 1)


def test_ls_without_long_asks_for_nothing_but_the_tags(server: RegistryServer) -> None:
    put(server, "1.0.0")
    assert ls(server).stdout == "1.0.0\n"
    assert [seen.path.partition("?")[0] for seen in server.seen if seen.path != "/v2/"] == ["/v2/app/tags/list"]


def test_ls_of_500_tags_of_120_images_takes_a_head_a_tag_and_two_requests_an_image(server: RegistryServer) -> None:
    for number in range(120):
        aliases = [f"1.{number}.0-r{build}" for build in range(4 if number < 20 else 3)]
        put(server, f"1.{number}.0", *aliases)
    found = images(server)
    assert sum(1 + len(image["aliases"]) for image in found) == 500
    requests = [seen for seen in server.seen if seen.path != "/v2/"]
    assert (len(found), server.count("HEAD"), len(requests)) == (120, 500, 741)


def test_ls_long_of_a_repository_without_selected_tags_prints_nothing(server: RegistryServer) -> None:
    put(server, "1.0.0")
    assert images(server, "--include", "x") == []
    done = ls(server, "--long", "--include", "x", "--format", "lines")
    assert (done.exit, done.stdout) == (0, "")


def test_ls_long_of_a_missing_repository_is_4(server: RegistryServer) -> None:
    done = ls(server, "--long")
    assert (done.exit, done.stdout) == (4, "")
    assert "no such repository" in done.stderr


TAGS = [
    "1.27.3",
    "1.27",
    "1",
    "latest",
    "1.27.3-alpine",
    "1.27-alpine",
    "alpine",
    "1.27.3-alpine3.20",
    "1.28.0-rc.1",
    "1.28.0-rc.1-alpine",
    "1.26.0-alpine",
    "1.27.3-alpine-slim",
    "stable-alpine",
    "1.26.0",
    "edge",
]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (TagQuery(variant="alpine"), "1.28.0-rc.1-alpine 1.27.3-alpine 1.27-alpine 1.26.0-alpine alpine"),
        (TagQuery(variant="alpine3.20"), "1.27.3-alpine3.20"),
        (TagQuery(variant=""), "1.28.0-rc.1 1.27.3 1.27 1.26.0 1"),
        (TagQuery(variant="none"), ""),
    ],
)
def test_query_of_a_variant_selects_its_versions_and_its_own_name(query: TagQuery, expected: str) -> None:
    assert [tag.name for tag in query.select(TAGS)] == expected.split()


def test_query_reads_a_variant_as_the_version_and_not_as_a_pre_release() -> None:
    from imgref.versions import VersionRange

    tags = {tag.name: tag for tag in TagQuery().select(TAGS)}
    read = {name: (tag.version.text, tag.version.prerelease) if tag.version else None for name, tag in tags.items()}
    assert read["1.27.3-alpine"] == ("1.27.3", False)
    assert read["1.28.0-rc.1-alpine"] == ("1.28.0-rc1", True)
    assert read["1.28.0-rc.1"] == ("1.28.0-rc.1", True)
    assert read["stable-alpine"] is None
    selected = TagQuery(versions=VersionRange.parse(">=1.27.1")).select(TAGS)
    assert [tag.name for tag in selected] == ["1.27.3", "1.27.3-alpine", "1.27.3-alpine-slim", "1.27.3-alpine3.20"]


def test_ls_long_draws_its_progress_on_a_terminal_and_not_elsewhere(server: RegistryServer) -> None:
    for number in range(3):
        put(server, f"1.{number}.0")
    command = [sys.executable, "-m", "imgref", "ls", "--long", f"{server.host}/app"]
    near, far = pty.openpty()
    try:
        environ = clean_environ(TERM="xterm")
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=far, text=True, env=environ, check=True)
        drawn = os.read(near, 1 << 16).decode()
    finally:
        os.close(near)
        os.close(far)
    assert "tags" in drawn
    assert "images" in drawn
    assert "3/3" in drawn
    assert done.stdout == imgref("ls", "--long", f"{server.host}/app").stdout
    # Nothing stays on the screen.
    assert drawn.endswith("\x1b[2K")
