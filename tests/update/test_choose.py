"""Choosing the newer tag: facts from real repositories, one case for each rule, and what holds for all lists."""

from __future__ import annotations

import itertools
import random
import time
import tomllib
from typing import Any

import pytest
from growth import assert_linear
from hypothesis import given
from hypothesis import strategies as st
from tables import each
from vectors import DATA, rows

from imgref.update import Choice, Level, choose_newer, read_tag, version_of
from imgref.update.candidates import LEVELS, change, order
from imgref.versions import VersionRange

FACTS = rows("updates.jsonl")
CASES: list[dict[str, Any]] = tomllib.loads((DATA / "updates.toml").read_text(encoding="utf-8"))["case"]


@each("fact", FACTS, ids=lambda fact: fact["id"])
def test_choose_newer_of_a_real_list_returns_the_expected_tag(fact: dict[str, Any]) -> None:
    choice = choose_newer(fact["current"], fact["tags"], fact["level"], pre=fact["pre"])
    assert choice.tag == fact["expected"], fact["why"]


@each("case", CASES, ids=lambda case: f"{case['rule']}: {case['current']}")
def test_choose_newer_follows_the_rule(case: dict[str, Any]) -> None:
    choice = choose_newer(case["current"], case["tags"], case.get("level", "minor"), pre=case.get("pre", False))
    assert choice.tag == case.get("expected")
    assert choice.reason == case.get("reason", choice.reason)
    assert (choice.reason is None) is (choice.tag is not None)


def test_choose_newer_lists_lonely_tags_above_the_answer() -> None:
    tags = ["4.0.0", "5.0.0", "5.1.0", "20.04.1", "40.0.1"]
    assert choose_newer("5.0.0", tags, "major") == Choice("5.1.0", None, ("40.0.1", "20.04.1"), "minor")
    assert choose_newer("5.1.0", tags, "major") == Choice(None, "held", ("40.0.1", "20.04.1"))


def test_choose_newer_with_a_wrong_level_raises() -> None:
    with pytest.raises(ValueError, match="invalid level 'digest'"):
        choose_newer("1.0", [], "digest")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<17", "16.4-alpine"),
        ("<18", "17.1-alpine"),
        ("^15.2", "15.9-alpine"),
        ("~15", "15.9-alpine"),
        ("~15.2", None),
        ("<15", None),
        ("!=17.1", "17.0-alpine"),
    ],
)
def test_choose_newer_within_a_range_stays_inside(text: str, expected: str | None) -> None:
    tags = ["15.9-alpine", "16.4-alpine", "17.0-alpine", "17rc1-alpine", "17.1-alpine", "15.3.1-alpine"]
    within = VersionRange.parse(text, "numeric")
    assert choose_newer("15.2-alpine", tags, "major", within=within).tag == expected


def test_choose_newer_within_a_range_with_pre_keeps_out_candidates_for_the_bound() -> None:
    within = VersionRange.parse("<17", "numeric")
    tags = ["16.4", "17.0rc1", "16.5rc1"]
    assert choose_newer("16.1", tags, "major", pre=True, within=within).tag == "16.5rc1"
    assert choose_newer("16.1", tags, "major", within=within).tag == "16.4"


def test_version_of_reads_the_version_without_the_variant() -> None:
    read = {tag: version_of(tag) for tag in ("16.4-alpine3.20", "2.0.0-M3-jdk17", "1.0-p3", "latest", "1.0.dev2")}
    assert {tag: version and version.text for tag, version in read.items()} == {
        "16.4-alpine3.20": "16.4",
        "2.0.0-M3-jdk17": "2.0.0-alpha3",
        "1.0-p3": "1.0",
        "latest": None,
        "1.0.dev2": "1.0-dev2",
    }


NUMBERS = st.integers(0, 30).map(str) | st.sampled_from(["04", "100", "1259", "2024", "20240115", "20240201", "202402"])
VERSIONS = st.lists(NUMBERS, min_size=1, max_size=4).map(".".join)
RELEASES = ["", "", "", "rc1", "-rc.2", "-beta3", ".post1", "-p2", "a", ".Final", "_3", "_b4", "-14", "-3.4"]
BASES = ["-alpine3.18", "-alpine3.19", "-slim", "-debian-11-r3", "-debian-12-r0"]
BUILDS = ["-20240101", "-ls3", "-9f8e7d6", "-1234567", "-master-7"]
TAILS = st.sampled_from([*RELEASES, *BASES, *BUILDS])
PREFIXES = st.sampled_from(["", "", "", "v", "version-", "master-", "noble-", "release-", "jdk-"])
TAGS = st.tuples(PREFIXES, VERSIONS, TAILS, st.sampled_from(["", "", "-slim", "-rc1"])).map("".join)
# Few forms and small numbers: nearly all of them are candidates for each other.
ALIKE = st.sampled_from(["{}", "{}.0", "{}.1", "{}_3", "{}-rc1", "{}-alpine3.{}", "1.{}.{}"]).flatmap(
    lambda form: st.tuples(st.integers(0, 40), st.integers(0, 3)).map(lambda numbers: form.format(*numbers))
)
LISTS = st.lists(TAGS, max_size=25) | st.lists(ALIKE, max_size=25)


@given(LISTS, TAGS | ALIKE, st.sampled_from(list(LEVELS)), st.booleans(), st.randoms(use_true_random=False))
def test_choose_newer_of_any_list_is_stable(
    tags: list[str], current: str, level: Level, pre: bool, shuffle: random.Random
) -> None:
    choice = choose_newer(current, tags, level, pre=pre)
    shuffled = tags * 2
    shuffle.shuffle(shuffled)
    assert choose_newer(current, shuffled, level, pre=pre) == choice
    if choice.tag is not None:
        assert choice.tag in tags
        again = choose_newer(choice.tag, tags, level, pre=pre)
        assert again.tag is None, (choice, again)


@given(LISTS, st.data())
def test_choose_newer_never_goes_back_or_beyond_the_level(tags: list[str], data: st.DataObject) -> None:
    current = data.draw(st.sampled_from([*tags, "1.2.3"]))
    level: Level = data.draw(st.sampled_from(["patch", "minor", "major"]))
    choice = choose_newer(current, tags, level)
    old, new = read_tag(current), read_tag(choice.tag or "")
    if new is not None:
        assert old is not None
        assert order(new) > order(old)
        assert choice.level == change(old, new)
        assert LEVELS[choice.level] <= LEVELS[level]
        assert not new.pre or old.pre


@given(st.text(alphabet="0123456789.-_vVabcrgTZu\u0661é/\n", max_size=140), st.lists(st.text(max_size=140), max_size=5))
def test_choose_newer_of_any_text_never_fails(current: str, tags: list[str]) -> None:
    choose_newer(current, [*tags, current, current + "1"], "major", pre=True)


GROWING = {
    "plain": ("3.1.1", "{a}.{b}.{c}"),
    "alpine": ("3.1.1-alpine3.2", "{a}.{b}.{c}-alpine3.{c}"),
    "bare": ("1", "{n}"),
    "describe": ("v3.1.1-1-gabc1234", "v{a}.{b}.{c}-{n}-g{n:07x}"),
    "lonely": ("5.0.1", "{n}0000.0.1"),
}


def _made(form: str, size: int) -> list[str]:
    return [form.format(a=n % 20, b=n // 20 % 20, c=n // 400, n=n) for n in range(size)]


@pytest.mark.parametrize("name", GROWING)
def test_choose_newer_takes_linear_time(name: str) -> None:
    current, form = GROWING[name]
    assert_linear(lambda size: _made(form, size), lambda tags: choose_newer(current, tags, "major"), steps=2)


@each("piece", ["1.", "1-", "-", "a1", "rc1-", "1u", "g1a", "2024-01-15-", "x86_64_", "alpine3."])
def test_choose_newer_of_long_tags_takes_linear_time(piece: str) -> None:
    assert_linear(lambda size: [piece * size, "1" + piece * 40], lambda tags: choose_newer(tags[0], tags), steps=2)


def test_choose_newer_of_twenty_thousand_tags_is_quick() -> None:
    suffixes = ["", "-alpine3.20", "-slim-bookworm", "-debian-12-r3", "rc1-slim"]
    tags = ["".join(pair) for pair in itertools.product(_made("{a}.{b}.{c}", 4_000), suffixes)]
    assert len(tags) == 20_000
    seconds = []
    for _ in range(3):
        started = time.process_time()
        assert choose_newer("3.1.1", tags).tag == "3.19.9"
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.3
