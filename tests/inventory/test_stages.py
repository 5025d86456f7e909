"""What the stages of a Dockerfile are made from."""

from __future__ import annotations

import pytest

from imgref.inventory.stages import context_name, ingredients, replacement
from imgref.sources import find_references

TEXT = """\
FROM golang:1 AS build
COPY --from=tools:1 /x /x
FROM debian:12 AS base
FROM base AS test
RUN --mount=type=bind,from=build,target=/b true
FROM base
COPY --from=build /app /
"""


def made(target: str | None, text: str = TEXT, **contexts: str) -> list[tuple[str, str]] | None:
    found = ingredients(find_references(text, path="Dockerfile"), target, contexts)
    return None if found is None else [(one.name.rpartition("/")[2], one.purpose) for one in found]


def test_the_last_stage_is_built_on_the_base_of_its_stages() -> None:
    assert made(None) == [("golang:1", "build"), ("tools:1", "build"), ("debian:12", "base")]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("base", [("debian:12", "base")]),
        ("BASE", [("debian:12", "base")]),
        ("0", [("golang:1", "base"), ("tools:1", "build")]),
        ("test", [("golang:1", "build"), ("tools:1", "build"), ("debian:12", "base")]),
        ("nothing", None),
        ("7", None),
    ],
)
def test_a_target_has_what_it_reaches(target: str, expected: list[tuple[str, str]] | None) -> None:
    assert made(target) == expected


def test_stages_of_one_name_are_the_latest_before() -> None:
    assert made(None, "FROM a:1 AS x\nFROM x AS x\nFROM x\n") == [("a:1", "base")]
    assert made("x", "FROM a:1 AS x\nFROM b:1 AS x\n") == [("b:1", "base")]


def test_unresolved_and_scratch_bases_are_named() -> None:
    found = ingredients(find_references("ARG X\nFROM $X\nFROM scratch\n", path="Dockerfile"), None, {})
    assert found is not None
    assert [(one.kind, one.name, one.purpose, bool(one.reason)) for one in found] == [
        ("unknown", "$X", "build", True),
        ("scratch", "scratch", "base", False),
    ]


def test_named_contexts_replace_images_of_that_name() -> None:
    text = "FROM alpine\nCOPY --from=files / /\nFROM docker.io/library/alpine:3\n"
    contexts = {"alpine": "docker-image://debian:12", "files": "./x", "alpine:3": "service:base"}
    found = ingredients(find_references(text, path="Dockerfile"), None, contexts)
    assert found is not None
    assert [(one.kind, one.name) for one in found] == [
        ("image", "docker.io/library/debian:12"),
        ("context", "./x"),
        ("build", "base"),
    ]


def test_names_of_contexts_are_compared_as_docker_shortens_them() -> None:
    assert context_name("docker.io/library/alpine:latest") == context_name("alpine") == "alpine"
    assert context_name("A") is None
    assert replacement("docker-image://A") == ("context", "docker-image://A")
    assert replacement("docker-image://scratch") == ("scratch", "scratch")


def test_a_dockerfile_without_a_valid_stage_has_no_ingredients() -> None:
    assert made(None, "RUN x\n") is None
