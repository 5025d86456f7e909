"""The public function of ``imgref.sources``, and what every reader must do whatever is in a file."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imgref.sources import KINDS, find_references
from imgref.sources.kinds import lines_of

WORDS = st.sampled_from([
    "FROM ", "COPY --from=", "ARG X=", "# imgref: ignore[IMG101]", "// imgref: x", "# syntax=", "\\\n", "<<E\n", "\n",
    " ", "$X", "${X:-", "}", "nginx", ":latest", "image:", "services:", "  ", "- ", "a: ", "&a ", "*a ", "<<: *a\n",
    "| \n", "{{ .Values.x }}", "[", "]", "{", "}", '"', "'", "containers:\n", "---\n", "apiVersion: v1\nkind: Pod\n",
    "=", ",", '{"insecure-registries": [', "[[registry]]\n", "location = ", "insecure = true\n", "\r\n", "\r", "\t",
    'target "a" {', "contexts = {", '"docker-image://', 'resource "docker_image" "a" {', "name = ", 'task "a" {',
    "config {", "image = ", "locals {", "local.x", "var.x", "agent {", "docker {", "docker.image(", "docker.build(",
    "registryUrl ",
    "[Container]\n", "Image=", "Mount=type=image,source=", '{"image": ', "container_definitions = ", "image: ",
    "containerTemplate(",
    "\x85", "é", "\udcff", "\0", "\ufeff",
])  # fmt: skip
TEXTS = st.lists(WORDS, max_size=30).map("".join)


@given(st.sampled_from(sorted(KINDS)), TEXTS)
@example("compose", "\r  image: x\r\nimage: y")
@example("bake", "\r\udcff")
@example("daemon.json", '{"insecure-registries": ["a"\r, "b"]}')
@settings(deadline=None)
def test_reader_of_every_kind_keeps_the_contract(kind: str, text: str) -> None:
    reading = find_references(text, path="any.file", kind=kind)
    lines = lines_of(reading.kind, text.removeprefix("\ufeff"))
    places = [(found.line, found.column) for found in reading.occurrences]
    assert places == sorted(set(places))
    for found in reading.occurrences:
        assert lines[found.line - 1][found.column - 1 :].startswith(found.text[:1])
        assert (found.resolved is None) <= (found.role in {"unresolved", "invalid"})
    others = [(problem.line, problem.column) for problem in reading.problems]
    for line, column in (*others, *((comment.line, comment.column) for comment in reading.comments)):
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1
    assert sum(found.final for found in reading.occurrences) <= 1
    assert [lines.start for lines in reading.continued] == sorted({lines.start for lines in reading.continued})


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("Dockerfile", "FROM nginx\n", "dockerfile"),
        ("deploy.yaml", "apiVersion: v1\nkind: Pod\n", "kubernetes"),
        ("notes", "FROM nginx\n", "dockerfile"),
        ("notes", "nothing\n", "unknown"),
        ("a.yaml", "a: 1\n", "unknown"),
        ("notes", b"\0", "unknown"),
        ("Dockerfile", b"\xff\xfeF\0", "dockerfile"),
        ("compose.yaml", "a: [\n", "compose"),
    ],
)
def test_find_references_returns_the_kind_by_path_and_content(path: str, content: str | bytes, kind: str) -> None:
    assert find_references(content, path=path).kind == kind


def test_find_references_of_a_lone_surrogate_keeps_columns() -> None:
    reading = find_references("a: [\ud800, {image: \udcff}]", path="compose.yaml")
    assert [(one.line, one.column) for one in reading.problems if "0xFF" in one.message] == [(1, 16)]


def test_find_references_reports_what_is_not_text_as_a_problem() -> None:
    reading = find_references(b"\xff\xfeF\0", path="Dockerfile")
    assert [problem.message for problem in reading.problems] == ["the file is UTF-16, and a Dockerfile must be UTF-8"]
    assert reading.incomplete


def test_find_references_of_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"invalid kind 'docker': choose one of [a-z]+, "):
        find_references("", path="x", kind="docker")


def test_find_references_without_pyyaml_names_the_extra() -> None:
    program = "import sys; sys.modules['yaml'] = None\nfrom imgref.sources import find_references\n"
    program += (
        "print(find_references('FROM a', path='Dockerfile').kind)\nfind_references('image: b', path='compose.yaml')"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.stdout == "dockerfile\n"
    assert ended.stderr.endswith("YAML is read with PyYAML, which is not installed: pip install 'imgref[check]'\n")
