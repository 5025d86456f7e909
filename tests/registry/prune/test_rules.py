"""Which tags the rules select: by version and variant, as a pull request's, and by name."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each

from imgref.errors import InvalidTag
from imgref.registry.prune.rules import PruneRules, floating_names, select_tags
from imgref.update.listed import read_tags


def selected(names: str, rules: PruneRules) -> str:
    found = select_tags(read_tags(names.split(), "semver"), rules)
    assert list(found) == names.split()
    return " ".join(name for name, each in found.items() if each.selected)


@each(
    ("names", "keep", "wanted"),
    [
        ("1.2.0 1.2.1 1.2.2 1.3.0 2.0.0", 1, "1.2.0 1.2.1"),
        ("1.2.0 1.2.1 1.2.2", 2, "1.2.0"),
        ("1.2.9 1.2.10", 1, "1.2.9"),
        ("1.2.0 1.2.1", 5, ""),
        ("1 1.2 1.2.1", 1, ""),
        # Each variant has its own versions, whether it is before or after the version.
        ("1.2.0 1.2.1 1.2.0-alpine 1.2.0-slim 1.2.1-slim", 1, "1.2.0 1.2.0-slim"),
        ("alpine-1.2.0 1.2.1-alpine 1.2.1", 1, ""),
        # Floating tags, numbers and names are not versions.
        ("1 1.2 latest 20240115 20240116 main pr-1 pr-2 1.2.0", 1, ""),
        ("sha-1234567 sha-1234568 1234567", 1, ""),
        # Two tags of one version count once.
        ("1.2.0 v1.2.1 1.2.1 1.2.2", 2, "1.2.0"),
        ("1.2.1_b1 1.2.1_b2 1.2.0", 1, "1.2.0"),
        # A pre-release does not count against a stable version.
        ("1.2.0 1.2.1-rc.1 1.2.1-rc.2", 1, "1.2.1-rc.1"),
        ("1.2.0-rc.1 1.2.0", 1, "1.2.0-rc.1"),
        ("1.3.0-rc.1 1.3.0-rc.2 1.3.0-rc.10", 2, "1.3.0-rc.1"),
    ],
)
def test_keep_selects_versions_older_than_the_newest_of_their_minor_version(names: str, keep: int, wanted: str) -> None:
    assert selected(names, PruneRules(keep=keep)) == wanted


def test_pr_tags_selects_the_tags_of_pull_requests_only() -> None:
    names = "pr-1 pr-42 pr-x pr-1-alpine apr-1 pr-1.2 PR-1 pr- main"
    assert selected(names, PruneRules(pr_tags=True)) == "pr-1 pr-42"


@each(
    ("pattern", "wanted"),
    [
        ("feature-*", "feature-a feature-b"),
        ("feature-?", "feature-a feature-b"),
        ("*-[ac]", "feature-a"),
        ("main", "main"),
        ("Main", ""),
        # A wildcard does not select floating tags, their own name does.
        ("1.*", "1.2.3 1.2.3-slim"),
        ("1.2", "1.2"),
        ("latest", "latest"),
        ("sl*", "slow"),
        ("slim", "slim"),
        ("2024*", "20240115"),
    ],
)
def test_tag_selects_by_name(pattern: str, wanted: str) -> None:
    names = "1.2.3 1.2 1 latest 1.2.3-slim 1.2-slim slim slow feature-a feature-b main 20240115"
    assert selected(names, PruneRules(patterns=(pattern,))) == wanted


def test_tag_with_only_wildcards_leaves_floating_tags() -> None:
    assert selected("latest 1 1.2 v1.2 1.2.3 main", PruneRules(patterns=("*",))) == "1.2.3 main"


def test_no_rule_selects_nothing() -> None:
    rules = PruneRules()
    assert not rules.selects_any
    assert selected("1.2.0 1.2.1 pr-1 main", rules) == ""


def test_reasons_name_the_rule() -> None:
    names = ["1.2.0-slim", "1.2.1-slim", "pr-1", "x", "latest", "main"]
    found = select_tags(read_tags(names, "semver"), PruneRules(1, True, ("x",)))
    assert [each.because for each in found.values()] == [
        "older than the newest 1 of 1.2-slim",
        "one of the newest 1 of 1.2-slim",
        "a pull request's tag",
        "matches x",
        "a floating tag",
        "no rule selects it",
    ]


@pytest.mark.parametrize("pattern", ["", "a b", "feature/*", "app:*", "é*"])
def test_rules_with_a_pattern_that_matches_no_tag_are_an_error(pattern: str) -> None:
    with pytest.raises(InvalidTag, match="a pattern has the characters of a tag"):
        PruneRules(patterns=(pattern,))


def test_rules_that_keep_no_version_are_an_error() -> None:
    with pytest.raises(ValueError, match="at least one version must be kept"):
        PruneRules(keep=0)


def test_floating_names_are_those_that_a_release_sets() -> None:
    assert floating_names(read_tags(["1.2.3", "2.0.0-slim", "main", "20240115"], "semver")) == {
        "latest", "1", "v1", "1.2", "v1.2", "slim", "2-slim", "v2-slim", "2.0-slim", "v2.0-slim",
    }  # fmt: skip


VERSIONS = st.builds(
    "{}{}.{}.{}{}".format,
    st.sampled_from(["", "v"]),
    st.integers(0, 2),
    st.integers(0, 2),
    st.integers(0, 12),
    st.sampled_from(["", "", "-rc.1", "-rc.2", "-alpine"]),
)


@given(st.lists(VERSIONS, max_size=30, unique=True), st.integers(1, 4))
def test_keep_leaves_the_newest_stable_versions_of_each_minor_version(names: list[str], keep: int) -> None:
    found = select_tags(read_tags(names, "semver"), PruneRules(keep=keep))
    groups: dict[tuple[str, ...], dict[int, list[str]]] = {}
    for name in names:
        plain = re.fullmatch(r"v?([0-9]+)\.([0-9]+)\.([0-9]+)(-alpine)?", name)
        if plain is not None:
            group = groups.setdefault((plain[1], plain[2], plain[4] or ""), {})
            group.setdefault(int(plain[3]), []).append(name)
    for group in groups.values():
        newest = sorted(group, reverse=True)[:keep]
        for number, spelled in group.items():
            assert {found[name].selected for name in spelled} == {number not in newest}


def test_selects_any_needs_one_rule_of_three() -> None:
    assert not PruneRules().selects_any
    assert all(rules.selects_any for rules in (PruneRules(1), PruneRules(pr_tags=True), PruneRules(patterns=("x",))))


def test_floating_names_of_a_date_with_a_variant_are_none() -> None:
    assert floating_names(read_tags(["20240115-slim"])) == {"latest"}
