"""What a tag plan is made from, and what it consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple


class ExistingTags(NamedTuple):
    """The names from one source; those that are versions hold the floating tags of older ones.

    Attributes:
        names: tag names, in any order; names that are not versions do not count.
        source: what to call the source in messages.
        kind: ``list`` names carry the policy's prefix and suffix; ``git`` tags carry the prefix, but may lack the
            suffix; those of a ``registry`` carry the suffix, but never the prefix.
    """

    names: tuple[str, ...]
    source: str = "list"
    kind: Literal["list", "git", "registry"] = "list"


class SourceCount(NamedTuple):
    """What a source knew.

    Attributes:
        source: what to call it.
        versions: how many of its names are versions on a line of the release.
        names: how many names it gave.
        unknown: the suffixes of the variants without a version.
    """

    source: str
    versions: int
    names: int
    unknown: tuple[str, ...] = ()


class HeldTag(NamedTuple):
    """A tag that does not move, and the highest version that it belongs to, as its source spells it."""

    tag: str
    because: str


@dataclass(frozen=True, slots=True)
class TagPlan:
    """The tags of a release.

    Attributes:
        version: the version, as its scheme spells it, with build metadata, without prefix and ``v``.
        scheme: the scheme that read it, or None where the tags are not those of a version.
        prerelease: whether it is a pre-release.
        tags: the tags to publish, most specific first, without duplicates.
        held: the tags that do not move, and because of which version.
        existing: what was known, a row a source.
    """

    version: str
    scheme: str | None
    prerelease: bool
    tags: tuple[str, ...]
    held: tuple[HeldTag, ...] = ()
    existing: tuple[SourceCount, ...] = ()
