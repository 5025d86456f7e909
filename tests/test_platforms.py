"""Platforms: how they are spelled, and which image is taken for one."""

from __future__ import annotations

import random
import tomllib
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tables import each
from vectors import DATA

from imgref.platforms import Platform, best_match

TABLES: dict[str, Any] = tomllib.loads((DATA / "platforms.toml").read_text(encoding="utf-8"))


@each(("text", "expected"), TABLES["normalized"].items())
def test_platform_normalized_is_as_containerd_spells_it(text: str, expected: str) -> None:
    normalized = Platform.parse(text).normalized
    assert str(normalized) == expected
    assert normalized.normalized == normalized


@each(("text", "expected"), TABLES["accepted"].items())
def test_platform_accepts_what_runs_on_it_in_this_order(text: str, expected: list[str]) -> None:
    assert [str(platform) for platform in Platform.parse(text).accepted] == expected


@each("case", TABLES["best"])
def test_best_match_is_the_same_in_every_order(case: dict[str, Any]) -> None:
    wanted = Platform.parse(case["wanted"])
    for offered in permutations(case["offered"]):
        assert best_match(wanted, [(Platform.parse(text), text, text) for text in offered]) == case.get("taken")


def test_best_match_of_equal_platforms_is_the_same_in_every_order() -> None:
    amd64 = Platform("linux", "amd64")
    offered = [(amd64, "sha256:b", "b"), (Platform("linux", "x86_64"), "sha256:a", "a"), (None, "sha256:0", "none")]
    for order in permutations(offered):
        assert best_match(amd64, order) == "a"


@each(
    "text", ["", "/", "linux/", "a/b/c/d", "linux", "windows", "nonsense", "linux/a b", "linux/é", "linux/*", "a(b/c"]
)
def test_platform_parse_refuses_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="is not a platform"):
        Platform.parse(text)


NAMES = st.text(st.sampled_from("armxv6480_. linuxdwi/"), max_size=12)


@given(NAMES, NAMES, st.one_of(NAMES, st.integers(0, 10**6).map("v{}".format)))
def test_platform_of_any_names_accepts_itself(system: str, architecture: str, variant: str) -> None:
    platform = Platform(system, architecture, variant)
    assert platform.rank(platform) == 0
    assert len(platform.accepted) < 200
    offers = [(accepted, str(accepted), accepted) for accepted in platform.accepted]
    random.Random(0).shuffle(offers)
    assert best_match(platform, offers) == platform.normalized
