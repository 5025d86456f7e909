"""The table of kinds, and that what is written elsewhere about kinds follows from it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from kind_pages import DOCS, HOOKS, docs_with_table, exclude, files, hooks_with_patterns

from imgref.check.rules import RULES
from imgref.sources.kinds import KINDS, Kind, loaded
from imgref.sources.recognition import Places, is_candidate
from imgref.sources.syntax import YAML

EVERY = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def is_hooked(name: str, kinds: dict[str, Kind] = KINDS) -> bool:
    return bool(re.search(files(kinds), name)) and not re.search(exclude(kinds), name)


@EVERY
def test_kind_names_functions_that_exist(kind: Kind) -> None:
    assert callable(loaded(kind.reader))
    assert not kind.test or callable(loaded(kind.test))
    assert bool(kind.test) == bool(kind.content)


@EVERY
def test_kind_examples_are_candidates_and_are_passed_by_the_hook(kind: Kind) -> None:
    assert kind.examples
    for name in kind.examples:
        assert is_candidate(name)
        assert is_hooked(name) or name == "pod.json"
        place = Places().of(name)
        named = {place.kind, *place.maybe} - {None}
        assert kind in named or kind.beside or (kind.syntax is YAML and kind.test and place.yaml)


@EVERY
def test_kind_has_an_example_of_each_pattern(kind: Kind) -> None:
    assert not (kind.maybe or kind.unsure) or any(kind in Places().of(name).maybe for name in kind.examples)
    assert not kind.names or kind.beside or any(Places().of(name).kind is kind for name in kind.examples)


def test_kinds_page_and_hook_follow_from_the_table() -> None:
    for path, written in ((DOCS, docs_with_table), (HOOKS, hooks_with_patterns)):
        text = path.read_text(encoding="utf-8")
        assert text == written(text), f"{path.name} is stale: run python tests/kind_pages.py"
    hook, *_ = yaml.safe_load(HOOKS.read_text(encoding="utf-8"))
    assert (hook["files"], hook["exclude"]) == (files(), exclude())


def test_kinds_page_and_hook_are_stale_after_a_row_is_added() -> None:
    more = KINDS | {"new": replace(KINDS["daemon.json"], name="new", label="New", names=("*.new",))}
    for path, written in ((DOCS, docs_with_table), (HOOKS, hooks_with_patterns)):
        text = path.read_text(encoding="utf-8")
        assert text != written(text, more)
    assert is_hooked("a/b.new", more)


def test_kinds_constructs_of_dockerfiles_are_what_rules_go_by() -> None:
    assert [code for code, rule in RULES.items() if rule.unresolved is not None] == ["IMG501", "IMG503"]


PARTS = st.sampled_from([
    "Dockerfile", "dockerfile", "Containerfile", "compose", "values", "kustomization", "Kustomization", "daemon",
    "registries", ".", "-", "_", "~", "#", "\n", " ", "/", "a", "dev", "php", "lua", "yaml", ".yml", "json", "conf",
    "j2", "tmpl", "md", "tar", "gz", "orig", "swp", "in", "dockerignore", ".circleci/", ".github/workflows/",
])  # fmt: skip
NAMES = st.lists(PARTS, min_size=1, max_size=6).map("".join).filter(lambda name: not name.endswith("/"))


@given(NAMES)
@example("Dockerfile\n")
@example("Dockerfile.php")
@example("Dockerfile.php.j2")
@example("x.tmpl.Dockerfile")
@example("Dockerfile.md/Dockerfile")
def test_hook_passes_exactly_the_candidates(name: str) -> None:
    place = Places().of(name)
    is_json = name.lower().endswith(".json") and place.kind is None and place.maybe == (KINDS["kubernetes"],)
    assert is_hooked(name) == (is_candidate(name) and not is_json)
    assert is_candidate(name) == bool(place.kind or place.maybe or place.yaml) or "values" in name
