"""Images in bake files: contexts and attestations, in HCL and JSON, and what is built and not pulled."""

from __future__ import annotations

import pytest
from facts import facts, spans
from growth import assert_linear
from tables import each

from imgref.sources import find_references
from imgref.sources.hcl.bake import read
from imgref.update.consumers import takes_tag_and_digest

TARGET = """\
variable "TAG" { default = "3.20" }
variable "BASE" {
  default = "docker-image://debian:12"
}
variable "NONE" {}
target "app" {
  dockerfile = "Dockerfile"
  tags       = ["a.example/app:${TAG}"]
  args       = { BASE = "alpine:3" }
  cache-from = ["type=registry,ref=a.example/app:cache"]
  output     = ["type=image,name=a.example/app"]
  contexts = {
    a = "docker-image://alpine:3.20"
    b = "target:lib"
    c = "./src"
    d = VALUE
  }
}
"""


def test_bake_has_the_images_of_its_contexts_only() -> None:
    assert facts(read(TARGET.replace("VALUE", '"https://a.example"'))) == [
        (13, 10, "docker-image://alpine:3.20", "alpine:3.20", "external")
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('"docker-image://b:${TAG}"', ("docker-image://b:${TAG}", "b:3.20", "external")),
        ("BASE", ("BASE", "debian:12", "external")),
        ('"${BASE}"', ("${BASE}", "debian:12", "external")),
        ('"docker-image://b:${NONE}"', ("docker-image://b:${NONE}", None, "unresolved")),
        ('"docker-image://scratch"', ("docker-image://scratch", "scratch", "scratch")),
        ('NONE != "" ? "target:x" : "docker-image://b"', ("docker-image://b", "b", "external")),
        ('"docker-image://BAD"', ("docker-image://BAD", "BAD", "invalid")),
    ],
)
def test_bake_follows_variables_of_the_file(value: str, expected: tuple[str, str | None, str]) -> None:
    assert [fact[2:] for fact in facts(read(TARGET.replace("VALUE", value)))[1:]] == [expected]


def test_bake_context_is_edited_where_it_is_written_and_not_in_a_variable() -> None:
    text = TARGET.replace("VALUE", "BASE")
    assert spans(read(text), text) == ["alpine:3.20", None]


@pytest.mark.parametrize(
    ("attest", "expected"),
    [
        ('["type=sbom,generator=docker/scout:1"]', [(1, 45, "docker/scout:1", "docker/scout:1", "external")]),
        (
            '[{ type = "sbom", generator = "docker/scout:1" }]',
            [(1, 54, "docker/scout:1", "docker/scout:1", "external")],
        ),
        ('["type=provenance,mode=max"]', []),
        ('["type=sbom,generator=${X}"]', [(1, 45, "${X}", None, "unresolved")]),
    ],
)
def test_bake_attestations_have_generators(attest: str, expected: list[tuple[int, int, str, str | None, str]]) -> None:
    assert facts(read(f'target "a" {{ attest = {attest} }}')) == expected


def test_bake_in_json_is_read_alike() -> None:
    text = (
        '{"variable": {"TAG": {"default": "3"}},\n'
        ' "group": {"default": {"targets": ["a"]}},\n'
        ' "target": {"a": {"contexts": {"x": "docker-image://alpine:${TAG}",\n  "y": "docker-image://b\\u003a1"},\n'
        ' "tags": ["a"]}}}\n'
    )
    assert facts(read(text)) == [
        (3, 38, "docker-image://alpine:${TAG}", "alpine:3", "external"),
        (4, 9, "docker-image://b\\u003a1", "b:1", "external"),
    ]
    assert spans(read(text), text) == [None, None]


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("docker-bake.hcl", "", "bake"),
        ("docker-bake.json", "{}", "bake"),
        ("docker-bake.override.hcl", "", "bake"),
        ("images.hcl", 'group "a" {}\n  target "b" {}', "bake"),
        ("images.hcl", 'source "docker" "b" { image = "x" }', "unknown"),
    ],
)
def test_bake_is_recognized_by_name_or_target(path: str, text: str, kind: str) -> None:
    assert find_references(text, path=path).kind == kind


def test_bake_that_cannot_be_parsed_is_a_problem_and_the_rest_is_read() -> None:
    reading = read(TARGET.replace("VALUE", '"x') + 'target "b" { contexts = { a = "docker-image://c" } }\n')
    assert [(one.line, one.code) for one in reading.problems] == [(16, "IMG901")]
    assert [fact[3] for fact in facts(reading)] == ["alpine:3.20", "c"]
    assert read('{"target": ').problems


def test_bake_comments_to_imgref_are_read() -> None:
    text = '# imgref: ignore-file[IMG101]\ntarget "a" {} // imgref: keep it\n/* imgref: keep */ x = "# imgref: no"\n'
    assert [(one.line, one.text, one.trailing) for one in read(text).comments] == [
        (1, "ignore-file[IMG101]", False),
        (2, "keep it", True),
        (3, "keep", False),
    ]


def test_bake_contexts_are_pinned_and_generators_are_not() -> None:
    assert takes_tag_and_digest("bake", "bake.contexts")
    assert not takes_tag_and_digest("bake", "bake.attest")


@each("part", ["docker-image://", "?", '"docker-image://a" ? ', "generator=", ",generator=a", "(", "${"])
@each("key", ["contexts = { a = ", 'contexts = { a = "', 'attest = "', "attest = ["])
def test_bake_of_many_parts_takes_linear_time(part: str, key: str) -> None:
    assert_linear(lambda size: f'target "a" {{ {key}' + part * size, read, 100, 3)
