"""What is not composed has nothing: reading with and without the filter gives the same."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tables import each

from imgref.sources.kinds import KINDS, loaded
from imgref.sources.occurrence import Reading
from imgref.sources.syntax import YAML
from imgref.sources.yaml import reader
from imgref.sources.yaml.collector import Found
from imgref.sources.yaml.composer import compose
from imgref.sources.yaml.prefilter import has_any, parts_of
from imgref.sources.yaml.reader import read_yaml

DATA = Path(__file__).parents[2] / "data" / "yaml"
SOURCES = Path(reader.__file__).parent
YAML_KINDS = sorted(name for name, kind in KINDS.items() if kind.syntax is YAML)
OBJECT = "apiVersion: v1\nkind: Service\nmetadata: {name: images}\n"
POD = "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: a:1}]}\n"


def whole(text: str, kind: str | None) -> Reading | None:
    """Read a file without the filter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "parts_of", lambda *_: ())
        return read_yaml(text, kind=kind)


def known(text: str, kind: str | None = None) -> list[bool]:
    """Whether each part is known without being composed."""
    return [part.known is not None for part in parts_of(text, kind, reader._kinds_of)]


def words() -> Iterator[str]:
    """Every text in the source of the readers: all keys and values that any of them looks for."""
    for module in SOURCES.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and 1 < len(node.value) < 32:
                yield node.value


WORDS = sorted({word for word in words() if word.isprintable() and "'" not in word})
TYPES = [
    ("kustomize.config.k8s.io/v1", "Kustomization"),
    ("helm.toolkit.fluxcd.io/v2", "HelmRelease"),
    ("kustomize.toolkit.fluxcd.io/v1", "Kustomization"),
    ("argoproj.io/v1alpha1", "Application"),
    ("argoproj.io/v1alpha1", "Workflow"),
    ("kyverno.io/v1", "ClusterPolicy"),
    ("skaffold/v4beta9", "Config"),
    ("v1", "List"),
    ("v1", "Pod"),
    ("tekton.dev/v1", "StepAction"),
    ("kafka.strimzi.io/v1", "KafkaConnect"),
    ("postgresql.cnpg.io/v1", "Cluster"),
    ("operators.coreos.com/v1alpha1", "ClusterServiceVersion"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
]
VALUES = st.sampled_from([*WORDS, "nginx:1", "docker://a:1", "docker-image://a:1", "RELATED_IMAGE_A", "gcr.io/a/b:1"])
KEYS = st.sampled_from([word for word in WORDS if "{" not in word])
TREES = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=15
)
OBJECTS = st.builds(
    lambda kind, tree: {"apiVersion": kind[0], "kind": kind[1], **tree},
    st.sampled_from(TYPES),
    st.dictionaries(KEYS, TREES, max_size=5),
)
DOCUMENTS = st.one_of(st.dictionaries(KEYS, TREES, max_size=5), st.lists(TREES, max_size=3), OBJECTS)


def block(node: object, indent: int = 0) -> str:
    """Write a tree in the block style."""
    space = "\n" + " " * indent
    if isinstance(node, dict) and node:
        return "".join(f"{space}{_scalar(key)}:{block(value, indent + 2)}" for key, value in node.items())
    if isinstance(node, list) and node:
        return "".join(f"{space}-{block(value, indent + 2)}" for value in node)
    return " " + (_scalar(node) if isinstance(node, str) else json.dumps(node))


def _scalar(text: str) -> str:
    return text if text.isidentifier() or text.replace("/", "").replace(".", "").isalnum() else f"'{text}'"


@given(st.lists(DOCUMENTS, min_size=1, max_size=3), st.sampled_from([None, *YAML_KINDS]), st.booleans())
def test_documents_that_are_not_composed_have_nothing(documents: list[object], kind: str | None, flow: bool) -> None:
    text = "\n---\n".join(json.dumps(one) if flow else block(one).lstrip("\n") for one in documents)
    assert read_yaml(text, kind=kind) == whole(text, kind)


PIECES = st.sampled_from(
    (
        *"[]{},:&*!|>'\"#%@`?-= \n\t\r\\\x85\u2028\ufeff\x00\ud800",
        *("apiVersion: v1\nkind: Service\n", "kind: Pod\n", "apiVersion: skaffold/v1\n", "\nkind: List\n"),
        *("---\n", "--- ", "...\n", "\n---", "%YAML 1.1\n", "\r\n", "containers:\n- ", "{{ x }}", "'\nkind: A\n'"),
        *("image: a:1\n", "image", "images:\n- {newName: x}\n", "? ", "*a", "&a ", "<<: *a\n", "|\n", "- ", "  "),
        *(
            "im\\u0061ge",
            '"im\\x61ge": b\n',
            '"im\\\nage": b\n',
            '"docker:\\/\\/a"',
            "!!str ",
            "steps:\n",
            "services:\n",
        ),
        *(
            "steps:\n",
            "services:\n",
            "helm: {values: |\n",
            "jobs:\n  a: {runs-on: x}\n",
            "schema: olm.bundle\n",
            "# imgref: ignore\n",
            "a:\n",
        ),
    )
)


@given(st.lists(PIECES, max_size=30).map("".join), st.sampled_from([None, *YAML_KINDS]))
@example(f"{OBJECT}---\n{POD}", None)
@example(f"{OBJECT}x: *nothing\n---\n{POD}", None)
@example(f"{OBJECT}x: [\n---\n{POD}", None)
@example(f"{POD}---\n{OBJECT}x: [\n---\n{POD}", "kubernetes")
@example(f"{POD}x: [\n---\n{OBJECT}", None)
@example(f"{POD}---\n{OBJECT}x: \x07\n---\n{POD}", None)
@example(f"{POD}---\n{OBJECT}...\nservices: {{a: {{image: b}}}}\n", None)
@example(f'{OBJECT}a: "\n---\n{POD}"', None)
@example(f"{OBJECT}a: |\n  ---\n  image\n---\n{POD}", None)
@example(f"{OBJECT}a: {'[' * 300}{']' * 300}\n# image: x", None)
@example(f"{OBJECT}? image\n: a\nspec: {{containers: [{{? image\n: a:1}}]}}\n", "kubernetes")
@example(f"a: &k image\n{OBJECT}spec: {{containers: [{{*k : a:1}}]}}\n", "kubernetes")
@example(f'{OBJECT}spec: {{containers: [{{"im\\x61ge": a:1}}]}}\n', "kubernetes")
@example('jobs: {a: {steps: [{uses: "docker:\\/\\/a:1"}]}}\n', "github-actions")
@example("jobs: {a: {steps: [{uses: DOCKER://a:1}]}}\n", "github-actions")
@example(f"{OBJECT}kind: Pod\nspec: {{}}\n---\nimage: a\n", None)
@example(f'{OBJECT}"kind": List\nitems: [{{kind: Pod, apiVersion: v1}}]\n---\nimage: a\n', None)
@example("x: 'a\nkind: Service\napiVersion: v1\n'\nservices: {a: {build: .}}\n# image: b", None)
@example(f"{OBJECT}---\n{POD}".replace("\n", "\r\n"), None)
@example(f"{OBJECT}---\n{POD}".replace("\n", "\r"), None)
@example(f"{OBJECT}\x85---\x85{POD}", None)
@example("apiVersion: v1\nkind: Build\nspec:\n  from:\n    kind: DockerImage\n    name: a:1\n", None)
@example("mainImage: {{ a }}\n", "helm-values")
@example(f"{OBJECT}# image: \ud800\n---\n{POD}", None)
def test_strings_are_read_alike(text: str, kind: str | None) -> None:
    assert read_yaml(text, kind=kind) == whole(text, kind)


@each("path", sorted(DATA.rglob("*.y*ml")), ids=lambda path: path.name)
def test_files_are_read_alike(path: Path) -> None:
    text = path.read_text("utf-8", "surrogateescape")
    for kind in (None, "github-actions", "kustomize", "ansible", "helm-values"):
        assert read_yaml(text, kind=kind) == whole(text, kind)
    text = f"{OBJECT}---\n{text}\n---\n{OBJECT}".replace("\n", "\r\n")
    assert read_yaml(text, kind=None) == whole(text, None)


@each("path", sorted(DATA.rglob("*.y*ml")), ids=lambda path: path.name)
def test_what_a_reader_finds_something_in_has_what_its_kind_needs(path: Path) -> None:
    text = path.read_text("utf-8", "surrogateescape")
    for name in YAML_KINDS:
        if not KINDS[name].needs or "\\" in text:
            continue
        found = Found(text, lambda _: None)
        for document in compose(text).documents:
            loaded(KINDS[name].reader)(document, found)
        if found.occurrences() or found.builds:
            assert has_any(text, KINDS[name].needs), name


def test_every_kind_declares_its_needs_or_is_composed() -> None:
    assert [name for name in YAML_KINDS if not KINDS[name].needs] == []
    assert [name for name in YAML_KINDS if KINDS[name].decisive and not KINDS[name].signs] == []


@each(
    ("text", "kind", "expected"),
    [
        (OBJECT, None, [True]),
        (f"# a 'comment'\n---\n# b\n\n{OBJECT}", None, [True]),
        (f"{OBJECT}---\n{POD}---\n{OBJECT}", None, [True, False, True]),
        (f"{POD}---\n{POD}", None, [False]),
        ("kind: A\nspec: |\n  'b'\napiVersion: v1 # c\n", None, [False]),
        ("kind: A\nspec: |\n  b\napiVersion: v1 # c\n", None, [True]),
        ("apiVersion: v1\nkind: List\nitems: []\n", None, [False]),
        ("apiVersion: v1\n", None, [False]),
        ("on: push\njobs: {a: {runs-on: x, steps: [{run: make}]}}\n", "github-actions", [True]),
        ("on: push\njobs: {a: {runs-on: x, container: b}}\n", "github-actions", [False]),
        ("on: push\njobs: {a: {runs-on: x, steps: [{run: make}]}}\n", None, [False]),
        ("services: {a: {build: .}}\n", "compose", [False]),
        ("- " * 45, "compose", [False]),
        ("a:\n" + "- " * 45, "compose", [False]),
        (f"{OBJECT}# imgref: ignore\n", None, [False]),
    ],
)
def test_documents_that_cannot_have_images_are_not_composed(text: str, kind: str | None, expected: list[bool]) -> None:
    assert known(text, kind) == expected


@pytest.mark.parametrize("text", [f"{OBJECT}x: [\n", f"{OBJECT}x: [\n---\n{POD}", f"{OBJECT}x: *a\n"])
def test_invalid_yaml_is_reported_even_without_references(text: str) -> None:
    reading = read_yaml(text, kind="github-actions")
    assert reading is not None
    assert [problem.code for problem in reading.problems] == ["IMG901"]
