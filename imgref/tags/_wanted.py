"""The tags that a release would carry if no other version existed, and which versions have a better claim to each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from imgref.tags._policy import MOVING, TagPolicy
from imgref.versions import Version


class Wanted(NamedTuple):
    """A tag that the release would carry, and which known versions have a better claim to it."""

    name: str
    outranks: Callable[[Version], bool]
    numbered: bool = True


def wanted_tags(release: Version, policy: TagPolicy) -> Iterator[Wanted]:
    """Yield the tags of a release, most specific first, as if nothing else were known."""
    build = f"_{release.build}" if release.build and policy.build == "underscore" else ""
    exact = release.text + build
    yield from (
        _wanted_prerelease(release, exact, policy) if release.prerelease else _wanted_stable(release, exact, policy)
    )


def _wanted_stable(release: Version, exact: str, policy: TagPolicy) -> Iterator[Wanted]:
    def later(other: Version) -> bool:
        return not other.prerelease and bool(other.order > release.order)

    def within(depth: int) -> Callable[[Version], bool]:
        return lambda other: later(other) and _floats_alike(release, other, depth, policy)

    # `1.2` is the exact tag of a version, and the floating tag of 1.2.3 as well.
    depth = len(release.parts)
    yield Wanted(exact, within(depth) if exact == ".".join(release.parts) else _never)
    for depth in range(len(release.parts) - 1, 0, -1):
        wanted = depth > 1 or release.release[0] or policy.major_zero
        if wanted and ("minor" if depth > 1 else "major") in policy.floating:
            yield Wanted(".".join(release.parts[:depth]), within(depth))
    if policy.latest != "never" and "latest" in policy.floating:
        yield Wanted("", later if policy.latest == "auto" else _never, numbered=False)


def _wanted_prerelease(release: Version, exact: str, policy: TagPolicy) -> Iterator[Wanted]:
    channel = release.channel if policy.channels else None
    if channel in (*MOVING, *policy.suffixes):
        channel = None

    def later(other: Version) -> bool:
        return bool(other.order > release.order) and (not other.prerelease or other.channel == channel)

    def moves_near(other: Version) -> bool:
        return other.prerelease and later(other) and _spelled_alike(release, other, 2, policy)

    def ends_near(other: Version) -> bool:
        return not other.prerelease and later(other) and other.shares(release, 2)

    near = f"{'.'.join(release.parts[:2])}-{channel}" if channel and len(release.parts) > 1 else None
    # In the numeric scheme, `2.0-rc` is the exact tag of a version, and the channel's tag as well.
    yield Wanted(exact, moves_near if exact == near else _never)
    if near:
        yield Wanted(near, lambda other: moves_near(other) or ends_near(other))
    if channel:
        yield Wanted(channel, later, numbered=False)


def _floats_alike(release: Version, other: Version, depth: int, policy: TagPolicy) -> bool:
    """Whether another version would itself get the floating tag that the release has at this depth.

    `2.0.post1` has no floating tag `2.0`, and 2024.01.16 has `2024.01`, which is not `2024.1`.
    """
    return len(other.parts) > depth and _spelled_alike(release, other, depth, policy)


def _spelled_alike(release: Version, other: Version, depth: int, policy: TagPolicy) -> bool:
    same_v = policy.v != "keep" or other.has_v == release.has_v
    return same_v and other.parts[:depth] == release.parts[:depth]


def _never(other: Version) -> bool:
    return False


def spellings(wanted: Wanted, release: Version, policy: TagPolicy) -> tuple[str, ...]:
    """Return a tag with and without a leading `v`, as the policy requires."""
    if not wanted.numbered or policy.v == "strip" or (policy.v == "keep" and not release.has_v):
        return (wanted.name,)
    return ("v" + wanted.name,) if policy.v == "keep" else ("v" + wanted.name, wanted.name)
