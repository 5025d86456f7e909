"""Dockerfiles and what only looks like one, by name and content together."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref.sources.find import find_references, read
from imgref.sources.kinds import KINDS
from imgref.sources.recognition import Places, _compiled, _NamePattern, is_candidate, pattern_source

FROM = b"# syntax=docker/dockerfile:1\n\n  # a comment\nfrom nginx:1.27.3 AS web\n"

CERTAIN = [
    "Dockerfile", "dockerfile", "DOCKERFILE", "Containerfile", "Dockerfile.dev", "Dockerfile-1.2", "Dockerfile.u22.04",
    "api.Dockerfile", "x.php.dockerfile", "Dockerfile.arm64", "Containerfile-x", ".dockerfile", "Dockerfile.d",
]  # fmt: skip
BY_CONTENT = {
    "Dockerfile.php": b"<?php\necho 1;\n",
    "Dockerfile.go": b"package main\n",
    "dockerfile.js": b"from = 1\n",
    "dockerfile.lua": b"local x = 1\n",
    "Dockerfile-diagram.png": b"\x89PNG\r\n\x1a\n\0\0",
    "Dockerfile.sh": b"#!/bin/sh\nset -e\n",
    "Dockerfile.txt": b"From here on we describe images.\n",
    "Dockerfile.sha256": b"0123abc  Dockerfile\n",
    "Dockerfile.tar.gz": b"\x1f\x8b\x08\0\0",
    "Dockerfile-x.zip": b"PK\x03\x04\0",
    "dockerfile.py": b"from x import y\n",
    "dockerfile.rs": b"#[derive(X)]\nstruct A;\n",
    "dockerfile.sql": b"SELECT 1\n",
    "Dockerfile.json": b'{"FROM": "nginx"}\n',
    "Dockerfile_notes": b"How we build\n",
    "Dockerfile.tmLanguage": b"<?xml version='1.0'?>\n",
    "Dockerfile.nanorc": b'## Dockerfiles\nsyntax "Dockerfile" "Dockerfile$"\n',
    "Dockerfile.diff": b"--- a\n+++ b\n FROM nginx\n",
}
NEVER = [
    "Dockerfile.template", "Dockerfile.in", "Dockerfile.erb", "Dockerfile.jinja2", "Dockerfile.j2",
    "Dockerfile.mustache", "Dockerfile.gotmpl", "Dockerfile.tmpl", "Dockerfile.tpl", "Dockerfile-dev.hbs",
    "Dockerfile.md", "Dockerfile.dev~",
    "Dockerfile~", "Dockerfile.orig", "Dockerfile.bak", "Dockerfile.swp", ".Dockerfile.swp", "Dockerfile.php.j2",
    "Dockerfile.dockerignore", "MyDockerfile", "Dockerfiles", "Dockerfile.php~",
]  # fmt: skip


def kind_in_a_tree(name: str, data: bytes) -> str | None:
    reading, _ = read(Places().of(name), data)
    return None if reading is None else reading.kind


@each("name", CERTAIN)
def test_dockerfile_by_its_name_is_one_whatever_is_in_it(name: str) -> None:
    assert is_candidate(f"a/{name}")
    for data in (FROM, b"RUN x\n", b"<?php\n", b""):
        assert kind_in_a_tree(f"a/{name}", data) == "dockerfile"


@each("name", BY_CONTENT)
def test_dockerfile_lookalike_is_one_only_by_its_content(name: str) -> None:
    assert is_candidate(name)
    assert kind_in_a_tree(name, BY_CONTENT[name]) is None
    assert kind_in_a_tree(name, FROM) == "dockerfile"
    assert kind_in_a_tree(name, b"ARG A B=2\nFROM $A\n") == "dockerfile"
    assert kind_in_a_tree(name, b"FROM --platform=$BUILDPLATFORM \\\r\n  nginx\n") == "dockerfile"


@each("name", NEVER)
def test_template_documentation_or_backup_is_not_a_dockerfile(name: str) -> None:
    assert not is_candidate(f"a/{name}")
    assert kind_in_a_tree(name, FROM) is None
    assert find_references(FROM, path=name).kind == "dockerfile"  # given by name


@pytest.mark.parametrize("name", ["Dockerfile-svc.yaml", "Dockerfile.yml"])
def test_yaml_named_after_a_dockerfile_is_yaml(name: str) -> None:
    assert kind_in_a_tree(name, b"apiVersion: v1\nkind: Pod\nspec: {containers: [{image: a}]}\n") == "kubernetes"
    assert kind_in_a_tree(name, FROM) == "dockerfile"


PATTERNS = sorted({
    pattern.rpartition("/")[2]
    for kind in KINDS.values()
    for attribute in ("names", "lookalikes", "unsure", "maybe")
    for pattern in getattr(kind, attribute)
})  # fmt: skip


@given(st.sampled_from(PATTERNS).flatmap(lambda one: st.tuples(st.just(one), st.from_regex(
    re.compile(pattern_source(one), re.IGNORECASE), fullmatch=True
))))  # fmt: skip
def test_no_name_of_a_pattern_is_turned_away_by_its_begin_or_end(one: tuple[str, str]) -> None:
    pattern, name = one
    if _compiled(pattern).fullmatch(name):
        assert _NamePattern(pattern).matches(name)


@pytest.mark.parametrize(("pattern", "name"), [("{a,b}.yaml", "A.YML"), ("k*", "\u212ax"), ("s.json", "\u017f.JSON")])
def test_names_in_any_case_match(pattern: str, name: str) -> None:
    assert _NamePattern(pattern).matches(name)


def test_names_that_begin_or_end_otherwise_need_no_pattern() -> None:
    assert not _NamePattern("compose*.yaml").may_match("Dockerfile")
    assert not _NamePattern("*.{tf,tofu}.json").may_match("x.tf")
