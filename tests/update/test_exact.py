"""The version behind a name: the search ends with what all tags of the image would give, with fewer requests."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from update.fakes import FakeRegistry

from imgref.reference import parse
from imgref.update.aliases import most_specific
from imgref.update.exact import Search, Undecided, exact_tag
from imgref.update.registry import Failed

TAGS = [f"{version}{variant}" for version in ("1", "1.2", "1.2.3", "1.3.0", "2.0.1", "2.0.1_4", "latest", "20240101")
        for variant in ("", "-alpine", "-alpine3.20", "-trixie")]  # fmt: skip


def search(query: str, group: set[str], asked: list[str]) -> Search:
    known: dict[str, str | None] = {}

    def ask(names: list[str] | tuple[str, ...]) -> int:
        new = [name for name in names if name not in known]
        asked.extend(new)
        known.update((name, "same" if name in group else "other") for name in new)
        return len(new)

    return Search(query, TAGS, known, ask)  # type: ignore[arg-type]


@given(query=st.sampled_from(TAGS), group=st.sets(st.sampled_from(TAGS)))
def test_search_finds_the_same_tag_from_any_tag_of_the_image(query: str, group: set[str]) -> None:
    # An image that has the tags of two versions has no most specific one: what was found first decides.
    versions = sorted(version[0] for tag in group if (version := re.match("[0-9.]+", tag)))
    assume(all(versions[-1].startswith(version) for version in versions))
    asked: list[str] = []
    found = search(query, group | {query}, asked).run("same", 1000)
    assert len(asked) == len(set(asked))
    # What begins with other numbers than the query is not asked for.
    assert found == most_specific(query, sorted(set(asked) & (group | {query})))
    if query == "latest":
        assert found == most_specific(query, sorted(group | {query}))


@pytest.mark.parametrize("limit", range(1, 6))
def test_search_asks_for_no_more_tags_than_the_limit(limit: int) -> None:
    asked: list[str] = []
    with pytest.raises(Undecided) as undecided:
        search("latest", {"latest"}, asked).run("same", limit)
    assert (len(asked), undecided.value.best) == (limit, None)


def test_exact_tag_goes_on_after_a_tag_that_is_not_exact() -> None:
    names = ("9", "9.1", "9.1.4_7", "latest", "9.1.3_9")
    registry = FakeRegistry(names=names)
    group = {"9", "9.1", "9.1.4_7", "latest"}
    registry.digests = lambda images: {  # type: ignore[method-assign]
        ref: "sha256:same" if ref.tag in group else "sha256:other" for ref in images
    }
    assert exact_tag(parse("app:latest"), names, registry) == "9.1.4_7"


def test_exact_tag_of_an_image_that_cannot_be_asked_for_is_none() -> None:
    registry = FakeRegistry(failing={"docker.io/library/app:latest": Failed("down")})
    assert exact_tag(parse("app:latest"), ("1.0.0", "latest"), registry) is None
