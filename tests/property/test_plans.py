"""What holds for any history of releases."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgref import TagPolicy, derive_tags, plan_tags
from imgref.versions import read_version

numbers = st.integers(0, 3)
prereleases = st.sampled_from(["", "", "", "-rc.1", "-rc.2", "-beta.1"])
VERSIONS = {
    "semver": st.builds("{}.{}.{}{}".format, numbers, numbers, numbers, prereleases),
    "pep440": st.from_regex(r"[0-2](?:\.[0-2]){0,2}(?:rc[12]|\.post1|\.dev1)?", fullmatch=True),
    "numeric": st.from_regex(r"[0-2](?:\.[0-2]){0,3}(?:-rc[12])?", fullmatch=True),
}
Scheme = Literal["semver", "pep440", "numeric"]
SCHEMES: tuple[Scheme, ...] = ("semver", "pep440", "numeric")
schemes = st.sampled_from(SCHEMES)


@st.composite
def policies(draw: st.DrawFn) -> TagPolicy:
    """Choose any options."""
    return TagPolicy(
        scheme=draw(schemes),
        suffix=tuple(draw(st.lists(st.sampled_from(["", "alpine", "slim"]), min_size=1, max_size=2, unique=True))),
        v=draw(st.sampled_from(["strip", "keep", "both"])),
        latest=draw(st.sampled_from(["auto", "never"])),
        major_zero=draw(st.booleans()),
        channels=draw(st.booleans()),
    )


def registry_after(history: list[str], policy: TagPolicy) -> dict[str, str]:
    """Release each version with all earlier ones known, and give what every tag names in the end."""
    tags: dict[str, str] = {}
    released: list[str] = []
    for version in history:
        names = [f"{name}-{suffix}" if suffix else name for name in released for suffix in policy.suffixes]
        for tag in derive_tags(version, existing=names, policy=policy):
            tags[tag] = version
        released.append(version)
    return tags


@given(st.data(), policies())
def test_the_order_of_releases_does_not_matter(data: st.DataObject, policy: TagPolicy) -> None:
    versions = VERSIONS[policy.scheme]
    if policy.channels:
        # A stable release ends a channel, whose tags then stay where they were: of that, only pre-releases are free.
        versions = versions.filter(lambda version: read_version(version, policy.scheme).prerelease)
    # Beside longer versions, a bare number may be a build number: a history has the one kind or the other.
    bare = data.draw(st.booleans()) and policy.scheme != "semver"
    versions = versions.filter(lambda version: (len(read_version(version, policy.scheme).parts) == 1) is bare)
    # A post-release never gives the float of its own numbers, and holds it from the release that it repairs: whether
    # that float is there at all depends on which of the two came first.
    versions = versions.filter(lambda version: "post" not in version)
    history = data.draw(st.lists(versions, min_size=1, max_size=6))
    # Versions that are equal are the same release, written twice: the one released last wins, as a rebuild does.
    orders = [(read_version(version, policy.scheme).order) for version in history]
    history = [version for index, version in enumerate(history) if orders[index] not in orders[:index]]
    shuffled = data.draw(st.permutations(history))
    assert registry_after(history, policy) == registry_after(shuffled, policy)


@given(st.data(), policies())
def test_every_tag_is_valid_and_there_once(data: st.DataObject, policy: TagPolicy) -> None:
    version = data.draw(VERSIONS[policy.scheme])
    existing = data.draw(st.lists(VERSIONS[policy.scheme], max_size=5))
    plan = plan_tags(version, existing=existing, policy=policy)
    assert len(set(plan.tags)) == len(plan.tags)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", tag, re.ASCII) for tag in plan.tags)
    assert not {held.tag for held in plan.held} & set(plan.tags)
    assert {held.because for held in plan.held} <= set(existing)


@given(st.data(), policies())
def test_knowing_more_never_gives_more(data: st.DataObject, policy: TagPolicy) -> None:
    version = data.draw(VERSIONS[policy.scheme])
    existing = data.draw(st.lists(VERSIONS[policy.scheme], max_size=5))
    more = data.draw(st.lists(VERSIONS[policy.scheme], max_size=3))
    assert set(derive_tags(version, existing=existing + more, policy=policy)) <= set(
        derive_tags(version, existing=existing, policy=policy)
    )


@given(st.data(), policies(), st.lists(st.sampled_from(["latest", "nightly", "sha-0a1b2c3", "main", "edge", "alpine"])))
def test_names_that_are_no_versions_are_no_part_of_the_question(
    data: st.DataObject, policy: TagPolicy, others: list[str]
) -> None:
    version = data.draw(VERSIONS[policy.scheme])
    existing = data.draw(st.lists(VERSIONS[policy.scheme], max_size=5))
    assert derive_tags(version, existing=existing + others, policy=policy) == derive_tags(
        version, existing=existing, policy=policy
    )


@pytest.mark.parametrize(
    "history", [["1.9.0", "2.0.0", "1.9.1"], ["2.0.0", "1.9.0", "1.9.1"], ["1.9.0", "1.9.1", "2.0.0"]]
)
def test_a_fix_of_an_old_line_never_takes_latest(history: list[str]) -> None:
    assert registry_after(history, TagPolicy()) == {
        "1.9.0": "1.9.0", "1.9.1": "1.9.1", "2.0.0": "2.0.0", "1.9": "1.9.1", "1": "1.9.1", "2.0": "2.0.0",
        "2": "2.0.0", "latest": "2.0.0",
    }  # fmt: skip
