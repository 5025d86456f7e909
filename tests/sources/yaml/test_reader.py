"""The YAML readers against fixtures whose own comments say what is found in them, and against what they must bear."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tables import each
from vectors import ROOT

from imgref.sources.contract import Context
from imgref.sources.recognition import Places
from imgref.sources.yaml import composer
from imgref.sources.yaml.helm import APP_VERSION
from imgref.sources.yaml.reader import read_yaml

if TYPE_CHECKING:
    from imgref.sources.occurrence import Reading

DATA = ROOT / "tests" / "data" / "yaml"
FILES = sorted(path.relative_to(DATA).as_posix() for path in DATA.rglob("*.y*ml"))

KINDS = {
    "compose": "compose",
    "compose-first-format": "compose",
    "kubernetes": None,
    "tekton": None,
    "content": None,
    "kustomize": "kustomize",
    ".github": "github-actions",
    "actions": "github-actions",
    "gitlab": "gitlab-ci",
    ".circleci": "circleci",
    "bitbucket": "bitbucket",
    "drone": "drone",
    ".woodpecker": "woodpecker",
    "cloudbuild": "cloud-build",
}


def kind_of(path: str | Path) -> str | None:
    kind = Places().of(str(path)).kind
    return None if kind is None else kind.name


def read(text: str, name: str = "compose.yaml", *, named: bool = False) -> Reading | None:
    return read_yaml(text, kind=kind_of(name), named=named)


def found(text: str, name: str = "compose.yaml") -> list[tuple[str, str, str | None]]:
    reading = read(text, name)
    return [] if reading is None else [(item.text, item.role, item.resolved) for item in reading.occurrences]


def beside_chart(name: str) -> bool:
    return any((parent / "Chart.yaml").exists() for parent in (DATA / name).parents)


def expected(text: str) -> list[tuple[int, int, str, str, str | None]]:
    marks = []
    for number, line in enumerate(text.splitlines(), 1):
        for mark in re.findall(r"#= (\d+) (\S+) (\S+) (\S+)", line):
            column, role, construct, resolved = mark
            marks.append((number, int(column), role, construct, None if resolved == "-" else resolved))
    return marks


@each("name", FILES)
def test_every_marked_reference_is_found_and_nothing_else(name: str) -> None:
    text = (DATA / name).read_text(encoding="utf-8")
    kind = kind_of(DATA / name)
    reading = read_yaml(text, kind=kind, template=beside_chart(name) and "/templates/" in name)
    occurrences = reading.occurrences if reading else ()
    assert [(item.line, item.column, item.role, item.construct, item.resolved) for item in occurrences] == expected(
        text
    )
    lines = text.splitlines()
    for item in occurrences:
        if "\\" not in lines[item.line - 1] and item.text not in {"alpine:3", "nginx"}:
            assert lines[item.line - 1][item.column - 1 :].startswith(item.text)
        assert (
            (item.reason is None) == (item.role in {"external", "built-here"})
            or item.role == "invalid"
            or (item.reason == APP_VERSION or item.construct in {"images", "kustomize.images"})
        )
    problems = [(problem.line, problem.column) for problem in (reading.problems if reading else ())]
    assert problems == [
        (number, int(mark[1])) for number, line in enumerate(lines, 1) if (mark := re.search(r"#! (\d+)", line))
    ]


def test_the_fixtures_are_known_by_their_names() -> None:
    for name in FILES:
        top = name.split("/", 1)[0]
        if top in KINDS:
            assert kind_of(name) == KINDS[top], name


@each(
    ("path", "kind"),
    [
        ("compose.yml", "compose"),
        ("a/docker-compose.prod.yaml", "compose"),
        ("docker-compose.yml.j2", None),
        ("my-compose.yml", None),
        ("kustomization.yml", "kustomize"),
        ("x/kustomization.yaml.tmpl", None),
        ("x/Kustomization", "kustomize"),
        (".github/workflows/a.yaml", "github-actions"),
        (".github/workflows/sub/a.yaml", None),
        ("workflows/a.yaml", None),
        (".forgejo/workflows/a.yml", "github-actions"),
        ("deep/action.yaml", "github-actions"),
        (".gitlab-ci.yml", "gitlab-ci"),
        ("ci/backend.gitlab-ci.yml", "gitlab-ci"),
        (".gitlab/ci/a/b/c.yaml", "gitlab-ci"),
        (".gitlab/a.yml", None),
        (".circleci/config.yml", "circleci"),
        ("bitbucket-pipelines.yml", "bitbucket"),
        (".drone.yml", "drone"),
        ("drone.yml", None),
        (".woodpecker.yaml", "woodpecker"),
        (".woodpecker/a.yml", "woodpecker"),
        ("cloudbuild.yaml", "cloud-build"),
        ("ci/cloudbuild-prod.yml", "cloud-build"),
        ("values.yaml", None),
        ("deployment.yaml", None),
        ("compose.json", None),
    ],
)
def test_kinds_by_name(path: str, kind: str | None) -> None:
    assert kind_of(path) == kind


def test_values_are_a_charts_only_beside_one(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "Chart.yaml").touch()
    assert kind_of(tmp_path / "a/b/values-prod.yml") == "helm-values"
    assert kind_of(tmp_path / "values-gitlab-ci.yml") == "helm-values"
    assert kind_of(tmp_path / "a/my-values.yml") is None
    assert kind_of("/values.yaml") is None


def test_kinds_by_content() -> None:
    kinds = {name: reading.kind for name in FILES if (reading := read((DATA / name).read_text("utf-8"), "any.yaml"))}
    assert kinds["kubernetes/workloads.yaml"] == "kubernetes"
    assert kinds["content/stack.yml"] == "compose"
    assert "content/not-ours.yml" not in kinds
    assert kinds["gitlab/.gitlab-ci.yml"] == "gitlab-ci"
    assert kinds["drone/.drone.yml"] == "drone"


def test_a_manifest_in_a_file_with_another_kinds_name_is_read_as_one() -> None:
    manifest = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: nginx:1}]}\n"
    assert found(manifest, "compose-pod.yaml") == [("nginx:1", "external", "nginx:1")]


def test_a_byte_order_mark_is_not_counted_and_line_ends_are_those_of_yaml() -> None:
    reading = read("\ufeffservices: {a: {image: nginx:1}}\r\n# one\r# two\r\nx-b: {a: '\u2028', image: b:2}")
    assert reading is not None
    assert [(item.line, item.column) for item in reading.occurrences] == [(1, 23), (4, 22)]


def test_variables_from_outside_are_put_in() -> None:
    text = "services: {a: {image: 'nginx:${TAG:-1}${EMPTY:-}${EMPTY-x}'}}"
    reading = read_yaml(text, kind="compose", context=Context(variables={"TAG": "2", "EMPTY": ""}))
    assert reading is not None
    assert reading.occurrences[0].resolved == "nginx:2"


@pytest.mark.parametrize(
    ("text", "named", "problems"),
    [
        ("a: [", False, 0),
        ("a: [", True, 1),
        ("a: [\n{% if x %}", True, 0),
        ("\x00", True, 1),
        ("a: 1", True, 0),
        ("a: *b", True, 1),
    ],
)
def test_unreadable_file_is_reported_only_if_it_should_be_readable(text: str, named: bool, problems: int) -> None:
    reading = read(text, "any.yaml", named=named)
    assert [problem.code for problem in (reading.problems if reading else ())] == ["IMG901"] * problems


def test_reason_is_one_line_with_problem_and_position() -> None:
    reading = read("services:\n  é: '😀\n  b: [\x07]\n")
    assert reading is not None
    assert reading.problems[0].message == "this is not YAML: it has a character that YAML does not allow"
    assert (reading.problems[0].line, reading.problems[0].column) == (3, 7)
    reading = read("services:\n  web: {image: nginx\n")
    assert reading is not None
    assert reading.problems[0].message.startswith("this is not YAML: did not find expected ',' or '}'")


def test_an_expression_of_github_makes_no_template_of_a_broken_workflow() -> None:
    broken = "jobs: {a: {container: node:22, env: {A: '${{ secrets.A }}'}\n"
    reading = read(broken, ".github/workflows/a.yml")
    assert reading is not None
    assert len(reading.problems) == 1
    assert found("{{ cookiecutter.a }}: [\n  image: a", ".github/workflows/a.yml") == [("a", "unresolved", None)]


def test_deep_nesting_is_a_problem_and_no_crash() -> None:
    for deep in ("[" * 100_000, "- " * 100_000, '{"a":' * 100_000):
        reading = read(deep)
        assert reading is not None
        assert len(reading.problems) == 1
        assert "deep" in reading.problems[0].message or "not YAML" in reading.problems[0].message


def test_aliases_are_followed_once() -> None:
    bomb = "x-0: &a0 {image: 'x:1'}\n"
    bomb += "".join(f"x-{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 40))
    assert found(bomb + "services: {}\n") == [("x:1", "external", "x:1")]
    assert found("services: &s {a: {<<: *s, image: 'x:1', b: *s}, <<: *s}") == [("x:1", "external", "x:1")]


def test_an_anchor_may_be_set_again() -> None:
    text = "services: {a: {image: &i 'a:1'}, b: {image: *i}, c: {image: &i 'c:1'}, d: {image: *i}}"
    assert [item[0] for item in found(text)] == ["a:1", "c:1"]


def test_undefined_alias_is_reported_once() -> None:
    reading = read("services: {a: {image: *x}, b: {image: *x}, c: {image: 'c:1'}}")
    assert reading is not None
    assert [problem.message for problem in reading.problems] == ["the alias *x refers to no earlier anchor"]
    assert [item.text for item in reading.occurrences] == ["c:1"]


def test_what_is_merged_in_is_overridden_by_what_is_written() -> None:
    text = "x-a: &a {k: {image: 'a:1'}}\nx-b: &b {image: 'b:1', build: .}\n"
    assert [item[:2] for item in found(text + "services: {s: {<<: [*b, *a], build: !reset null}}")] == [
        ("a:1", "external"),
        ("b:1", "built-here"),
    ]
    # An image that is overridden still stands in its fragment.
    assert [item[0] for item in found(text + "services: {s: {<<: *b, image: 's:1'}}")] == ["a:1", "b:1", "s:1"]


def test_the_variables_of_a_file_are_followed_as_far_as_a_reference_can_be_long() -> None:
    doubling = "".join(f"  V{number}: $V{number + 1}$V{number + 1}\n" for number in range(12)) + "  V12: x\n"
    text = "variables:\n" + doubling + "short: {image: $V9}\nlong: {image: $V0}\n"
    assert [item[2] for item in found(text, ".gitlab-ci.yml")] == ["x" * 8, None]
    chain = "".join(f"  V{number}: $V{number + 1}\n" for number in range(50)) + "  V50: x\n"
    text = "variables:\n" + chain + "near: {image: $V40}\nfar: {image: $V0}\n"
    assert [item[2] for item in found(text, ".gitlab-ci.yml")] == ["x", None]


def test_defaults_are_followed_to_a_depth() -> None:
    for depth, resolved in ((10, "x"), (1000, None)):
        text = "${A:-" * depth + "x" + "}" * depth
        assert found(f"services: {{a: {{image: '{text}'}}}}")[0][2] == resolved


def test_comments_are_distinguished_from_strings() -> None:
    text = (
        "# imgref: ignore-file[IMG103] all\n"
        "services:  #imgref:ignore\n"
        "  a: 'no # imgref: comment'\n"
        '  b: "no\n    # imgref: comment"\n'
        "  c: | # imgref: after the indicator\n"
        "    # imgref: no comment\n"
        "  # imgref: ignore[IMG102]  \n"
        "  d: no# imgref: comment\n"
        "  e: &x # imgref: yes\n"
        "    'q' # imgref: last"
    )
    reading = read(text)
    assert reading is not None
    assert [(item.line, item.column, item.text, item.trailing) for item in reading.comments] == [
        (1, 1, "ignore-file[IMG103] all", False),
        (2, 12, "ignore", True),
        (6, 8, "after the indicator", True),
        (8, 3, "ignore[IMG102]", False),
        (10, 9, "yes", True),
        (11, 9, "last", True),
    ]


def test_the_parser_in_python_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {name: (DATA / name).read_text("utf-8") for name in FILES}
    fast = {name: read(text, name, named=True) for name, text in texts.items()}
    monkeypatch.setattr(composer, "_parser", composer._python_parser)
    monkeypatch.setattr(composer, "_is_checked", lambda _: False)
    for name, text in texts.items():
        slow, known = read(text, name, named=True), fast[name]
        assert (slow and slow.occurrences) == (known and known.occurrences)
        assert (slow and slow.comments) == (known and known.comments)
        assert bool(slow and slow.problems) == bool(known and known.problems)
