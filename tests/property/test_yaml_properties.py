"""Properties of the YAML readers: no text makes them crash, and what they find stands where they say."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from imgref.sources.yaml.reader import read_yaml
from imgref.sources.yaml.variables import interpolate

KINDS = (
    None,
    "bitbucket",
    "circleci",
    "cloud-build",
    "compose",
    "drone",
    "github-actions",
    "gitlab-ci",
    "helm-values",
    "kustomize",
)
PIECES = st.sampled_from(
    (
        *"[]{},:&*!|>'\"#%@`?-= \n\t\r$\\é😀\x85\u2028\ufeff\x00\ud800",
        "apiVersion: v1\nkind: Pod\n",
        "image: ",
        "image: nginx:1\n",
        "  image: &a 'b:1' # imgref: ignore\n",
        "services:\n",
        "jobs: ",
        "containers:\n- ",
        "docker:\n- ",
        "steps:\n- name: x\n",
        "images:\n- newName: x\n",
        "repository: a\ntag: 1\n",
        "variables: {A: $B, B: $A}\n",
        "build: .\n",
        "<<: *a\n",
        "&a ",
        "*a ",
        "${A:-",
        "}",
        "{{ x }}",
        "{% y %}",
        "---\n",
        "- ",
        "  ",
        "|\n",
        "!reset ",
    )
)
TEXTS = st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join))
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.just("nginx:1.27"))
KEYS = st.sampled_from(
    ("image", "services", "jobs", "name", "steps", "build", "uses", "containers", "docker", "variables", "x-a", "tag")
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)


@given(TEXTS, st.sampled_from(KINDS), st.booleans(), st.booleans())
def test_readers_never_crash_and_positions_are_right(text: str, kind: str | None, named: bool, template: bool) -> None:
    reading = read_yaml(text, kind=kind, named=named, template=template)
    if reading is None:
        return
    lines = re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff"))
    places = [(item.line, item.column) for item in reading.occurrences]
    assert places == sorted(set(places))
    places += [(problem.line, problem.column) for problem in reading.problems]
    places += [(comment.line, comment.column) for comment in reading.comments]
    for line, column in places:
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1
    for item in reading.occurrences:
        assert (item.resolved is None) <= (item.role != "external")
        assert item.role != "unresolved" or item.reason


@given(TREES)
def test_json_is_read_as_yaml_with_the_position_of_each_image(tree: object) -> None:
    text = json.dumps({"services": {"web": tree, "db": {"image": "postgres:16"}}}, ensure_ascii=False, indent=1)
    reading = read_yaml(text, kind="compose")
    if reading is None or reading.problems:
        return  # JSON may hold characters that YAML does not allow
    assert [item.text for item in reading.occurrences if item.text == "postgres:16"] == ["postgres:16"]
    lines = text.split("\n")
    for item in reading.occurrences:
        written = lines[item.line - 1][item.column - 1 :]
        assert "\\" in written or written.startswith(item.text)


@given(st.lists(st.sampled_from(("$", "{", "}", "A", "${A", ":-", "-", "+", "?", "$$", "b", "${B:-")), max_size=30))
def test_interpolation_ends_and_keeps_texts_without_variables(parts: list[str]) -> None:
    text = "".join(parts)
    resolved = interpolate(text, {"B": "x"}.get)
    assert (resolved.text is None) == (resolved.reason is not None)
    if "$" not in text:
        assert resolved.text == text
