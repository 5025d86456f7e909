"""``imgref prune``: what it prints, deletes, and leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from e2e.images import Image, put_image, put_index
from faults import Answer, status
from registry.kit import ALWAYS
from registry.server import RegistryServer, run_server
from vectors import Done, imgref


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with run_server() as server:
        yield server


def put(server: RegistryServer, *tags: str, created: str | None = None) -> Image:
    image = put_image(server, "app", tags[0], text=tags[0], more={"created": created} if created else {})
    server.repositories["app"].tags.update(dict.fromkeys(tags, image.digest))
    return image


def prune(server: RegistryServer, *options: str) -> Done:
    return imgref("prune", f"{server.host}/app", *options)


def tags(done: Done, part: str) -> list[str]:
    return sorted(tag for each in json.loads(done.stdout)[part] for tag in each["tags"])


def test_prune_without_yes_shows_the_plan_and_deletes_nothing(server: RegistryServer) -> None:
    old, new = put(server, "1.2.0", "pr-1"), put(server, "1.2.1", "1.2", "1", "latest")
    pr = put(server, "pr-2")
    before = server.tags_of("app")
    done = prune(server, "--keep", "semver:1", "--pr-tags")
    assert done.exit == 0
    header, _, first, second, third = done.stdout.splitlines()
    assert header.split() == ["action", "tags", "digest", "size", "because"]
    assert first.split("  ")[0] == second.split("  ")[0] == "delete"
    assert {old.digest, pr.digest} <= set((first + second).split())
    assert "1.2.0: older than the newest 1 of 1.2" in first + second
    assert "pr-2: a pull request's tag" in first + second
    assert third.split()[0] == "keep"
    assert new.digest in third
    assert "1, 1.2, 1.2.1, latest" in third
    assert "1: a floating tag" in third
    assert done.stderr == "plan: delete 2 manifests with 3 tags; pass --yes to delete\n"
    assert server.tags_of("app") == before
    assert server.count("DELETE") == 0


def test_prune_prints_the_plan_as_json(server: RegistryServer) -> None:
    image, kept = put(server, "pr-1"), put(server, "main", "pr-2")
    done = prune(server, "--pr-tags", "--format", "json")
    assert done.exit == 0
    assert json.loads(done.stdout) == {
        "keep": [
            {
                "digest": kept.digest,
                "tags": ["main", "pr-2"],
                "media_type": kept.media_type,
                "size": len(kept.raw),
                "because": "main: no rule selects it",
            }
        ],
        "delete": [
            {
                "digest": image.digest,
                "tags": ["pr-1"],
                "media_type": image.media_type,
                "size": len(image.raw),
                "because": "pr-1: a pull request's tag",
            }
        ],
    }
    assert server.count("DELETE") == 0


def test_prune_with_yes_deletes(server: RegistryServer) -> None:
    image = put_index(server, "app", "pr-1")
    kept = put(server, "main")
    done = prune(server, "--pr-tags", "--yes")
    assert done.exit == 0
    assert f"deleted {image.digest} pr-1\n" in done.stdout
    assert done.stderr == f"{server.host}/app: deleted 3 manifests with 1 tag\n"
    assert set(server.repositories["app"].manifests) == {kept.digest}


def test_prune_with_yes_and_json_prints_what_was_deleted(server: RegistryServer) -> None:
    put(server, "pr-1")
    put(server, "main")
    done = prune(server, "--pr-tags", "--yes", "--format", "json")
    assert (done.exit, tags(done, "delete"), tags(done, "keep")) == (0, ["pr-1"], ["main"])
    assert prune(server, "--pr-tags", "--yes", "--format", "json").exit == 0


@pytest.mark.parametrize("code", [405, 403])
def test_prune_that_is_refused_prints_what_was_done_and_exits_3(server: RegistryServer, code: int) -> None:
    for number in range(3):
        put(server, f"pr-{number}")
    server.add(status(code), "DELETE", times=ALWAYS, after=1)
    done = prune(server, "--pr-tags", "--yes", "--format", "json")
    assert done.exit == 3
    assert (len(tags(done, "delete")), len(tags(done, "keep"))) == (1, 2)
    assert "Traceback" not in done.stderr
    if code == 405:
        assert "does not support deleting manifests, or it is disabled there" in done.stderr


def test_prune_that_is_refused_reports_in_the_table_what_was_done(server: RegistryServer) -> None:
    for number in range(3):
        put(server, f"pr-{number}")
    server.add(status(405), "DELETE", times=ALWAYS, after=1)
    done = prune(server, "--pr-tags", "--yes")
    assert done.exit == 3
    assert done.stdout.count("deleted sha256:") == 1
    assert "stopped: deleted 1 manifest with 1 tag; 2 manifests with 2 tags not deleted\n" in done.stderr


def test_prune_without_a_rule_selects_nothing(server: RegistryServer) -> None:
    put(server, "1.0.0", created="2001-01-01T00:00:00Z")
    for options in ((), ("--older-than", "1d")):
        done = prune(server, *options, "--yes", "--format", "json")
        assert (done.exit, tags(done, "delete"), tags(done, "keep")) == (0, [], ["1.0.0"])
        assert "no rule selects tags, so all tags stay" in done.stderr


def test_prune_with_older_than_leaves_newer_images_and_those_of_unknown_age(server: RegistryServer) -> None:
    put(server, "pr-1", created="2024-01-01T00:00:00Z")
    put(server, "pr-2", created="2024-03-01T00:00:00Z")
    put(server, "pr-3", created="1970-01-01T00:00:00Z")
    put(server, "pr-4")
    done = prune(server, "--pr-tags", "--older-than", "2024-02-01", "--format", "json")
    assert (tags(done, "delete"), tags(done, "keep")) == (["pr-1"], ["pr-2", "pr-3", "pr-4"])


def test_prune_of_a_list_that_lacks_a_floating_tag_is_an_error(server: RegistryServer) -> None:
    put(server, "1.2.0", "1.2", "1")
    put(server, "1.2.1")
    server.add(lambda exchange: exchange.give(_listed("1.2.0", "1.2.1")), "GET", "tags/list", times=ALWAYS)
    done = prune(server, "--keep", "semver:1", "--yes")
    assert (done.exit, done.stdout) == (3, "")
    assert "the tag exists, but the registry's list of tags lacks it" in done.stderr
    assert server.count("DELETE") == 0


def _listed(*names: str) -> Answer:
    return Answer(200, [("Content-Type", "application/json")], json.dumps({"name": "app", "tags": names}).encode())


def test_prune_of_no_repository_exits_4(server: RegistryServer) -> None:
    done = prune(server, "--pr-tags")
    assert (done.exit, done.stdout) == (4, "")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--keep", "5"], "'5' is not valid: write semver:N"),
        (["--keep", "semver:0"], "'semver:0' is not valid"),
        (["--keep", "pep440:3"], "'pep440:3' is not valid"),
        (["--tag", ""], "invalid tag ''"),
        (["--tag", "a/b"], "a pattern has the characters of a tag"),
        (["--older-than", "soon"], "invalid time 'soon'"),
    ],
)
def test_prune_with_bad_options_exits_2(options: list[str], said: str) -> None:
    done = imgref("prune", "localhost/app", *options)
    assert (done.exit, done.stdout) == (2, "")
    assert said in done.stderr
    assert imgref("prune", "localhost/app:1").exit == 2
