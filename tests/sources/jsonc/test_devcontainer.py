"""Images in devcontainer.json: positions, comments, variables, and what is not an image."""

from __future__ import annotations

import pytest
from facts import facts, spans
from growth import assert_linear
from tables import each

from imgref.sources import find_references
from imgref.sources.jsonc.devcontainer import read

IMAGE = (3, 13, "mcr.microsoft.com/devcontainers/go:1.24", "mcr.microsoft.com/devcontainers/go:1.24", "external")


def test_devcontainer_with_comments_and_trailing_commas_has_its_image() -> None:
    text = (
        "// Settings\n{\n"
        '  "image" : "mcr.microsoft.com/devcontainers/go:1.24", /* "image": "no" */\n'
        '  // "image": "no",\n'
        '  "features": {"ghcr.io/devcontainers/features/node:1": {}},\n'
        '  "customizations": {"x": {"image": "no"}, "list": ["//", 1, true, null,],},\n}\n'
    )
    reading = read(text)
    assert facts(reading) == [(3, 14, *IMAGE[2:])]
    assert spans(reading, text) == [IMAGE[2]]
    assert not reading.problems


@each(
    ("text", "expected"),
    [
        ('{"image": ""}', []),
        ('{"image": null}', []),
        ("{}", []),
        ('{"build": {"dockerfile": "Dockerfile", "args": {"image": "no"}}}', []),
        ('{"dockerComposeFile": "compose.yaml"}', []),
        ('{"image": "a", "image": "b"}', [(1, 26, "b", "b", "external")]),
        ('{"image": "NGINX"}', [(1, 12, "NGINX", "NGINX", "invalid")]),
        ('{"image": 12}', [(1, 11, "12", "12", "invalid")]),
        ('{"build": {"cacheFrom": "a/b:1"}}', [(1, 26, "a/b:1", "a/b:1", "external")]),
        ('{"build": {"cacheFrom": ["a", "type=registry,ref=b", "c"]}}',
         [(1, 27, "a", "a", "external"), (1, 55, "c", "c", "external")]),
        ('{"image": "r:3-${templateOption:v}"}', [(1, 12, "r:3-${templateOption:v}", None, "unresolved")]),
        ('{"image": "r:${localEnv:V}"}', [(1, 12, "r:${localEnv:V}", None, "unresolved")]),
        ('{"image": "r:${localEnv:V:1.2}"}', [(1, 12, "r:${localEnv:V:1.2}", "r:1.2", "external")]),
        ('{"image": "r:{{ tag }}"}', [(1, 12, "r:{{ tag }}", None, "unresolved")]),
        ('{"image": "a\\/b"}', [(1, 12, "a/b", "a/b", "external")]),
    ],
)  # fmt: skip
def test_devcontainer_references(text: str, expected: list[tuple[int, int, str, str | None, str]]) -> None:
    assert facts(read(text)) == expected


@pytest.mark.parametrize("text", ['{"image": "r:${localEnv:V:1.2}"}', '{"image": "a\\/b:1"}'])
def test_devcontainer_image_that_is_not_written_as_it_is_cannot_be_edited(text: str) -> None:
    (found,) = read(text).occurrences
    assert found.target is not None
    assert found.target.fixed


@each(
    ("text", "place", "found"),
    [
        ('{"image": "a", "x": }', (1, 21), 1),
        ('{"image": "a"', (1, 14), 1),
        ('{"image": "a', (1, 11), 0),
        ('{"image": "a" "x": 1}', (1, 15), 1),
        ('{"image": "a", /* x', (1, 16), 1),
        ('{"image": "a"}}', (1, 15), 1),
        ('{"image": "a", "x": ' + "[" * 300, (1, 220), 1),
        ("[]", (1, 1), 0),
        ("", (1, 1), 0),
    ],
)
def test_devcontainer_that_is_not_json_is_a_problem_and_keeps_what_is_before(
    text: str, place: tuple[int, int], found: int
) -> None:
    reading = read(text)
    (problem,) = reading.problems
    assert (problem.line, problem.column) == place
    assert reading.incomplete
    assert len(reading.occurrences) == found


def test_devcontainer_comments_to_imgref_are_read() -> None:
    reading = read('{\n  // imgref: ignore[IMG101]\n  "image": "a", /* imgref: keep it */\n  "x": "// imgref: no"}')
    assert [(one.line, one.column, one.text, one.trailing) for one in reading.comments] == [
        (2, 3, "ignore[IMG101]", False),
        (3, 17, "keep it", True),
    ]


@pytest.mark.parametrize("name", ["devcontainer.json", ".devcontainer.json", ".devcontainer/x/devcontainer.json"])
def test_devcontainer_is_recognized_by_name(name: str) -> None:
    assert find_references('{"image": "a"}', path=name).kind == "devcontainer"


@each(
    "part",
    ['{"a": ', "[", "/*", "//\n", '"a\\"', '"a" ', '"",', '{"image": "${localEnv:a:b}"},', "${", "${localEnv:", "\\"],
)
@each("before", ['{"image": [', '{"image": "', ""])
def test_devcontainer_of_many_parts_takes_linear_time(part: str, before: str) -> None:
    end = '"}' if before.endswith('"') else ""
    assert_linear(lambda size: before + part * size + end, read, 100, 3)
