"""Histories of releases, and the tags in which each must end."""

from __future__ import annotations

import random

from imgref.tags import TagPolicy, derive_tags
from imgref.versions import read_version


def history(seed: int) -> tuple[list[str], TagPolicy]:
    """Return some versions that share floating tags, in the order in which they are released.

    Channels are for pre-releases among themselves: one that comes after its release leaves no mark there, whatever
    the order of the rest.
    """
    chance = random.Random(seed)
    count = chance.randint(2, 6)
    if seed % 3 == 2:
        versions = {f"2.{chance.randrange(3)}.0-{chance.choice('ab')}.{chance.randrange(3)}" for _ in range(count)}
    else:
        versions = {f"{chance.choice('112')}.{chance.randrange(3)}.{chance.randrange(4)}" for _ in range(count)}
        versions |= {f"2.{chance.randrange(3)}.0-rc.{chance.randrange(3)}" for _ in range(chance.randrange(3))}
    ordered = sorted(versions)
    chance.shuffle(ordered)
    return ordered, TagPolicy(channels=seed % 3 == 2)


def expected(digests: dict[str, str], policy: TagPolicy) -> dict[str, str]:
    """Return the tags after the versions were released one after the other, in their order."""
    end: dict[str, str] = {}
    known: list[str] = []
    for version in sorted(digests, key=lambda text: read_version(text, "semver").order):
        for tag in derive_tags(version, existing=known, policy=policy):
            end[tag] = digests[version]
        known.append(version)
    return end
