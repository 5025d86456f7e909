"""Which tags of a repository the rules of ``imgref prune`` select, by their names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Final, NamedTuple, Protocol

from imgref.errors import InvalidTag
from imgref.registry.prune.graph import attached_to
from imgref.tags import suffixed
from imgref.versions import Version

__all__ = ["PruneRules", "Selection", "VersionedTag", "floating_names", "select_tags"]

_PULL_REQUEST: Final = re.compile(r"pr-[0-9]+", re.ASCII)
_PATTERN: Final = re.compile(r"[A-Za-z0-9_.*?!\[\]-]+", re.ASCII)
_WILDCARD: Final = re.compile(r"[*?\[]")


class VersionedTag(Protocol):
    """A tag with the version and the variant that it names; None if it names none."""

    @property
    def name(self) -> str:
        """The tag."""

    @property
    def version(self) -> Version | None:
        """The version, without the variant."""

    @property
    def variant(self) -> str | None:
        """The variant, empty for a plain version."""


@dataclass(frozen=True, slots=True)
class PruneRules:
    """What selects tags to delete. A tag that no rule selects stays.

    Attributes:
        keep: how many versions of each minor version stay, the newest ones; None selects no version.
        pr_tags: whether to select ``pr-N``, the tags of pull requests.
        patterns: names to select, in which ``*``, ``?`` and ``[…]`` are wildcards.
        before: an image that was created later, or at an unknown time, stays; None selects whatever its age.

    Raises:
        ValueError: ``keep`` is less than one.
        InvalidTag: a pattern matches no tag.

    >>> PruneRules(keep=3).selects_any
    True
    """

    keep: int | None = None
    pr_tags: bool = False
    patterns: tuple[str, ...] = ()
    before: datetime | None = None

    def __post_init__(self) -> None:
        if self.keep is not None and self.keep < 1:
            raise ValueError("at least one version must be kept")
        for pattern in self.patterns:
            if not _PATTERN.fullmatch(pattern):
                raise InvalidTag(pattern, "a pattern has the characters of a tag and the wildcards '*', '?' and '[…]'")

    @property
    def selects_any(self) -> bool:
        """Whether there is a rule that selects tags."""
        return self.keep is not None or self.pr_tags or bool(self.patterns)


class Selection(NamedTuple):
    """What the rules decide about a tag, and why."""

    selected: bool
    because: str


def select_tags(tags: Sequence[VersionedTag], rules: PruneRules) -> dict[str, Selection]:
    """Return for each tag whether the rules select it by its name.

    Tags that are attached to a manifest by their name are not selected by ``keep`` and ``pr_tags``; whether a pattern
    selects them matters only if that manifest does not exist.
    """
    floating = floating_names(tags)
    by_version = {} if rules.keep is None else _by_version(tags, rules.keep)
    return {tag.name: _selection(tag.name, rules, floating, by_version) for tag in tags}


def _selection(name: str, rules: PruneRules, floating: set[str], by_version: dict[str, Selection]) -> Selection:
    if rules.pr_tags and _PULL_REQUEST.fullmatch(name):
        return Selection(True, "a pull request's tag")
    for pattern in rules.patterns:
        # A floating tag moves with its releases: only its own name selects it.
        if fnmatchcase(name, pattern) and (name not in floating or not _WILDCARD.search(pattern)):
            return Selection(True, f"matches {pattern}")
    if name in by_version:
        return by_version[name]
    return Selection(False, "a floating tag" if name in floating else "no rule selects it")


def floating_names(tags: Iterable[VersionedTag]) -> set[str]:
    """Return the floating tags of all versions among some tags, whether they exist or not.

    They are the tags that a release of the version would set: ``1.2``, ``1`` and ``latest``, or those of a variant.
    """
    names = {"latest"}
    for tag in tags:
        version = tag.version
        if version is None or version.is_bare or attached_to(tag.name):
            continue
        suffix = tag.variant or ""
        floats = [suffixed("", suffix)]
        for depth in range(1, len(version.parts)):
            number = ".".join(version.parts[:depth])
            floats += [suffixed(number, suffix), "v" + suffixed(number, suffix)]
        names.update(floats)
    return names


def _is_exact(tag: VersionedTag) -> bool:
    """Whether a tag names one version: MAJOR.MINOR.PATCH, with or without a pre-release."""
    return tag.version is not None and len(tag.version.parts) == 3 and attached_to(tag.name) is None


def _prefix(name: str, version: Version) -> str:
    """Return what is before a version in a tag, which is a part of the variant too, but for its ``v``."""
    return name.partition(".".join(version.parts))[0].removesuffix("v")


def _by_version(tags: Iterable[VersionedTag], keep: int) -> dict[str, Selection]:
    groups: dict[tuple[str, str, tuple[int, ...]], list[tuple[str, Version]]] = {}
    for tag in tags:
        if tag.version is not None and _is_exact(tag):
            key = (_prefix(tag.name, tag.version), tag.variant or "", tag.version.release[:2])
            groups.setdefault(key, []).append((tag.name, tag.version))
    found: dict[str, Selection] = {}
    for (_, variant, line), members in groups.items():
        label = suffixed(".".join(map(str, line)), variant)
        for name, version in members:
            # A pre-release replaces no stable version, so it does not count against one.
            newer = {
                other.order for _, other in members if other > version and (version.prerelease or not other.prerelease)
            }
            if len(newer) >= keep:
                found[name] = Selection(True, f"older than the newest {keep} of {label}")
            else:
                found[name] = Selection(False, f"one of the newest {keep} of {label}")
    return found
