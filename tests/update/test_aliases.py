"""The version behind a name."""

from __future__ import annotations

import random
from typing import Any

from growth import assert_linear
from hypothesis import given
from hypothesis import strategies as st
from tables import each
from vectors import rows

from imgref.update import likely_aliases, most_specific, read_tag

FACTS = rows("aliases.jsonl")


def group_of(fact: dict[str, Any]) -> list[str]:
    return next((group for group in fact["groups"] if fact["query"] in group), [])


@each("fact", FACTS, ids=lambda fact: fact["id"])
def test_most_specific_of_a_real_image_is_as_expected(fact: dict[str, Any]) -> None:
    assert most_specific(fact["query"], group_of(fact)) == fact["expected"]


@each("fact", FACTS, ids=lambda fact: fact["id"])
def test_likely_aliases_of_a_real_repository_find_the_image_soon(fact: dict[str, Any]) -> None:
    likely = likely_aliases(fact["query"], [tag for group in fact["groups"] for tag in group])
    assert len(set(likely)) == len(likely)
    if fact["expected"] not in (None, fact["query"]):
        assert fact["expected"] in likely[:10]


CASES = [
    ("latest", "latest 1 1.31 1.31.4 1.31.4-trixie", "1.31.4"),
    ("alpine", "alpine 1-alpine 1.31.4-alpine 1.31.4-alpine3.24 alpine3.24", "1.31.4-alpine"),
    ("alpine3.24", "alpine 1-alpine 1.31.4-alpine 1.31.4-alpine3.24 alpine3.24", "1.31.4-alpine3.24"),
    ("noble", "noble noble-20260810 26.04 latest", "noble-20260810"),
    ("latest", "noble noble-20260810 26.04 latest", "26.04"),
    ("8.10.1", "8.10.1 8.10 8 8.10.1-trixie latest", "8.10.1"),
    ("8-jdk", "8-al2023 8u504-al2023 8-jdk 8u504 latest", "8u504"),
    ("", "1.2.3 1.2 1.2.3-slim latest", "1.2.3"),
    ("v3", "v3.7.11 3.7.11 v3 latest", "v3.7.11"),
    ("3", "v3.7.11 3.7.11 3 latest", "3.7.11"),
    ("latest", "v3.7.11 v3 latest", "v3.7.11"),
    ("rc", "rc 2.0.0-rc.1 2.0-rc", "2.0.0-rc.1"),
    ("latest", "latest 2.4.2 2.4.2-debian-12-r0", "2.4.2-debian-12-r0"),
    ("latest", "latest 21.0.12_8-jdk 21-jdk 21", "21.0.12_8-jdk"),
    ("latest", "latest 1.1.1w 1.1.1", "1.1.1w"),
    ("latest", "latest 1.2.3-p1 1.2.3", "1.2.3-p1"),
    ("latest", "latest 20240101 1", "1"),
    ("jdk25-alpine", "jdk25-alpine 11.0.1-jdk25-alpine 11.0.1-alpine 11.0.1-jdk25", "11.0.1-jdk25-alpine"),
    ("slim-alpine", "slim-alpine 1.2.3-slim 1.2.3-alpine", "1.2.3-slim"),
    ("latest", "latest 1.2.4-b 1.2.4-a", "1.2.4-a"),
    ("latest", "latest stable lts", None),
    ("latest", "", None),
    ("latest", "latest sha-1234567 9f8e7d6", None),
]


@each(("query", "group", "expected"), CASES)
def test_most_specific_follows_the_rules(query: str, group: str, expected: str | None) -> None:
    assert most_specific(query, group.split()) == expected


def test_likely_aliases_of_a_number_begin_with_it() -> None:
    tags = ["1", "1.2", "1.2.3", "1.3.0", "2.0.0", "1.2.4", "1.2.4-slim", "latest", "1.2.5-rc1"]
    assert likely_aliases("1.2", tags) == ["1.2.4", "1.2.4-slim", "1.2.3", "1.2.5-rc1"]


def test_likely_aliases_of_latest_lead_with_the_newest_of_each_version() -> None:
    tags = [f"{major}.{minor}.{patch}" for major in range(5) for minor in range(5) for patch in range(5)]
    assert likely_aliases("lts", tags)[:6] == ["4.4.4", "3.4.4", "2.4.4", "1.4.4", "0.4.4", "4.3.4"]


TAGS = st.from_regex(
    r"(v?[0-3](\.[0-3]){0,3}|noble-2024010[1-3]|latest|lts)(-(slim|alpine3\.2[01]|rc[12]))?", fullmatch=True
)


@given(st.lists(TAGS, max_size=12), TAGS, st.randoms(use_true_random=False))
def test_aliases_of_any_group_are_versioned_tags_of_it_in_any_order(
    group: list[str], query: str, shuffle: random.Random
) -> None:
    found = most_specific(query, group)
    assert (found is None) is all(read_tag(tag) is None for tag in group)
    assert found is None or found in group
    likely = likely_aliases(query, group)
    assert set(likely) <= set(group) - {query}
    shuffle.shuffle(group)
    assert (most_specific(query, group), likely_aliases(query, group)) == (found, likely)


def test_aliases_of_many_tags_take_linear_time() -> None:
    def made(size: int) -> list[str]:
        return [f"{n % 20}.{n // 20 % 20}.{n // 400}{'-slim' * (n % 2)}" for n in range(size)]

    assert_linear(made, lambda tags: likely_aliases("slim", tags), steps=2)
    assert_linear(made, lambda tags: most_specific("slim", tags), steps=2)
