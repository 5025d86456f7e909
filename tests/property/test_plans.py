"""What holds for any history of releases."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgref import ExistingTags, TagPolicy, derive_tags, plan_tags
from imgref.versions import read_version

numbers = st.integers(0, 3)
prereleases = st.sampled_from(["", "", "", "-rc.1", "-rc.2", "-beta.1"])
builds = st.sampled_from(["", "", "+b1", "+b2"])
PEP440 = r"v?[02](?:\.[01]){0,2}(?:rc[12]|a1)?(?:\.post[12])?(?:\.dev1)?(?:\+b[12])?"
NUMERIC = r"v?0?[02](?:\.0?[01]){0,3}(?:-rc[12]?)?(?:\+b[12])?"
VERSIONS = {
    "semver": st.builds(
        "{}{}.{}.{}{}{}".format, st.sampled_from(["", "v"]), numbers, numbers, numbers, prereleases, builds
    ),
    "pep440": st.from_regex(PEP440, fullmatch=True),
    "numeric": st.from_regex(NUMERIC, fullmatch=True),
}
Scheme = Literal["semver", "pep440", "numeric"]
SCHEMES: tuple[Scheme, ...] = ("semver", "pep440", "numeric")
schemes = st.sampled_from(SCHEMES)
CHANNEL_TAG = r"(?:v?[0-9]+\.[0-9]+-)?(?:alpha|beta|rc|dev)(?:-alpine|-slim)?"


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
        build=draw(st.sampled_from(["drop", "underscore"])),
    )


@st.composite
def histories(draw: st.DrawFn, policy: TagPolicy) -> list[str]:
    """Choose versions that may be released in any order with the same outcome.

    Two kinds are left out. A bare number beside longer versions may be a build number: it counts only once a longer
    version that begins with it is known. And versions that are equal, such as 1.2 and 1.2.0, or 1.2.3+b1 and 1.2.3+b2,
    are one release that was rebuilt: the last build gets the tags.
    """
    bare = policy.scheme != "semver" and draw(st.booleans())
    versions = VERSIONS[policy.scheme].filter(lambda text: read_version(text, policy.scheme).is_bare is bare)
    history = draw(st.lists(versions, min_size=1, max_size=6))
    orders = [read_version(version, policy.scheme).order for version in history]
    return [version for index, version in enumerate(history) if orders[index] not in orders[:index]]


def release(tags: dict[str, str], released: list[str], version: str, policy: TagPolicy, knows: str) -> None:
    """Release a version, and move its tags; what is known are all earlier versions, or the tags of the registry."""
    names = [f"{name}-{suffix}" if suffix else name for name in released for suffix in policy.suffixes]
    existing: list[str | ExistingTags] = [] if knows == "registry" else [*names]
    if knows != "versions":
        existing.append(ExistingTags(tuple(tags), "registry", "registry"))
    for tag in derive_tags(version, existing=existing, policy=policy):
        tags[tag] = version


def registry_after(history: list[str], policy: TagPolicy, knows: str = "both") -> dict[str, str]:
    """Release each version with all earlier ones known, and return the version that every tag refers to in the end."""
    tags: dict[str, str] = {}
    for index, version in enumerate(history):
        release(tags, history[:index], version, policy, knows)
    return tags


def comparable(tags: dict[str, str], history: list[str], policy: TagPolicy) -> dict[str, str]:
    """Leave out the tags of channels where a stable release may have ended a channel.

    Which pre-release they then refer to depends on whether it came before that release: afterwards, they do not move.
    """
    if all(read_version(version, policy.scheme).prerelease for version in history):
        return tags
    return {tag: version for tag, version in tags.items() if not re.fullmatch(CHANNEL_TAG, tag)}


@given(st.data(), policies(), st.sampled_from(["versions", "registry", "both"]))
def test_the_order_of_releases_does_not_matter(data: st.DataObject, policy: TagPolicy, knows: str) -> None:
    history = data.draw(histories(policy))
    shuffled = data.draw(st.permutations(history))
    first, second = (registry_after(order, policy, knows) for order in (history, shuffled))
    assert comparable(first, history, policy) == comparable(second, history, policy)


@given(st.data(), policies(), st.sampled_from(["versions", "registry", "both"]))
def test_a_rebuild_moves_no_tag_of_another_version(data: st.DataObject, policy: TagPolicy, knows: str) -> None:
    history = data.draw(histories(policy))
    tags = registry_after(history, policy, knows)
    before = dict(tags)
    release(tags, history, data.draw(st.sampled_from(history)), policy, knows)
    assert comparable(tags, history, policy) == comparable(before, history, policy)
    # Nor does it move the tags of a channel; it may create them if a stable release ended the channel before.
    assert {tag: tags[tag] for tag in before} == before


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
def test_plan_with_more_existing_tags_never_has_more_tags(data: st.DataObject, policy: TagPolicy) -> None:
    version = data.draw(VERSIONS[policy.scheme])
    existing = data.draw(st.lists(VERSIONS[policy.scheme], max_size=5))
    more = data.draw(st.lists(VERSIONS[policy.scheme], max_size=3))
    assert set(derive_tags(version, existing=existing + more, policy=policy)) <= set(
        derive_tags(version, existing=existing, policy=policy)
    )


@given(st.data(), policies(), st.lists(st.sampled_from(["latest", "nightly", "sha-0a1b2c3", "main", "edge", "alpine"])))
def test_names_that_are_not_versions_are_ignored(data: st.DataObject, policy: TagPolicy, others: list[str]) -> None:
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
