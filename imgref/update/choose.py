"""Choosing the newer tag of an image.

:func:`choose_newer` reads every tag of the repository, keeps those of the same shape (see
:mod:`imgref.update.tag_parts`) that are greater than the current one, and drops those beyond the level and those whose
numbers are lonely (see :mod:`imgref.update.lonely`). The greatest of the rest is the answer.

Whatever the list, moving and asking again finds nothing more: all rules that compare with other tags depend on the
list, never on the way.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, Literal, NamedTuple

from imgref.update.candidates import LEVELS, Level, change, has_same_shape, may_move, order, spelling
from imgref.update.lonely import Lonely
from imgref.update.repository import Repository, bare_numbers_that_count
from imgref.update.tag_parts import TagParts, read_tag
from imgref.versions import Version, VersionRange, read_name

__all__ = ["Choice", "Reason", "choose_newer", "version_of"]

Reason = Literal["unknown", "none", "held"]


class Choice(NamedTuple):
    """The newer tag, or why there is none.

    Attributes:
        tag: the tag to move to, or None.
        reason: why there is none: ``unknown`` (the current tag contains no version), ``none`` (nothing newer) or
            ``held`` (only tags with lonely numbers are newer); None with a tag.
        held: the newer tags that were skipped because their numbers are lonely, the greatest first.
        level: how great the change is; None without a tag.
    """

    tag: str | None
    reason: Reason | None = None
    held: tuple[str, ...] = ()
    level: Level | None = None


def choose_newer(
    current: str,
    tags: Iterable[str],
    level: Level = "minor",
    *,
    pre: bool = False,
    within: VersionRange | None = None,
) -> Choice:
    """Return the newest tag of a repository that a tag may move to.

    Args:
        current: the tag in use; it need not be in the list.
        tags: all tags of the repository, in any order.
        level: the greatest change allowed: ``patch``, ``minor`` or ``major``.
        pre: whether a stable tag may move to a pre-release, and a pre-release to one of another version.
        within: a range, read with the ``numeric`` scheme, in which the version of the new tag must be.

    Raises:
        ValueError: the level does not exist.

    >>> tags = ["1.25.3-alpine3.18", "1.25.4-alpine3.18", "1.26.0-alpine3.19", "1.27.0rc1-alpine3.19", "1.27.0"]
    >>> choose_newer("1.25.3-alpine3.18", tags).tag
    '1.26.0-alpine3.19'
    >>> choose_newer("1.25.3-alpine3.18", tags, "patch").tag
    '1.25.4-alpine3.18'
    >>> choose_newer("latest", tags).reason
    'unknown'
    """
    if level not in LEVELS:
        raise ValueError(f"invalid level '{level}': it is patch, minor or major")
    repository = Repository(tags)
    start = repository.read(current)
    if start is None:
        return Choice(None, "unknown")
    alike = [tag for tag in repository.tags_like(start) if has_same_shape(tag, start)]
    line = [tag for tag in alike if pre or not tag.pre]
    counting = bare_numbers_that_count(start, line, repository)
    lowest = order(start)
    newer = [
        tag
        for tag in alike
        if order(tag) > lowest
        and may_move(start, tag, pre=pre)
        and LEVELS[change(start, tag)] <= LEVELS[level]
        and (counting is None or tag.numbers[0] in counting)
        and (within is None or _is_within(tag, within))
    ]
    return _greatest(start, newer, Lonely(start, line, repository))


def version_of(tag: str) -> Version | None:
    """Return the version of a tag without its variant, read with the ``numeric`` scheme, or None if it has none.

    >>> [str(version_of(tag).text) for tag in ("16.4-alpine", "v1.2.3-rc.1-slim", "8u392-b08-jdk")]
    ['16.4', '1.2.3-rc1', '8.392']
    """
    parts = read_tag(tag)
    return None if parts is None else _version(parts)


_NUMERIC_STAGES: Final = ("dev", "dev", "alpha", "alpha", "beta", "beta", "rc")
"""The pre-releases of the numeric scheme that come nearest to the stages of :class:`PreRelease`."""


def _version(tag: TagParts) -> Version | None:
    text = ".".join(map(str, tag.numbers))
    if tag.pre:
        text += f"-{_NUMERIC_STAGES[tag.pre[0].stage]}{''.join(map(str, tag.pre[0].numbers[:1]))}"
    return read_name(text, "numeric")


def _is_within(tag: TagParts, within: VersionRange) -> bool:
    # Whether pre-releases are wanted at all has been decided by then.
    version = _version(tag)
    return version is not None and version in replace(within, prereleases=True)


def _greatest(start: TagParts, newer: list[TagParts], lonely: Lonely) -> Choice:
    held = [tag for tag in newer if tag in lonely]
    rest = [tag for tag in newer if tag not in lonely]
    best = None
    if rest:
        top = max(map(order, rest))
        best = min((tag for tag in rest if order(tag) == top), key=lambda tag: spelling(tag.tag, start.tag))
        held = [tag for tag in held if order(tag) > top]
    held.sort(key=lambda tag: tag.tag)
    held.sort(key=order, reverse=True)
    names = tuple(tag.tag for tag in held)
    if best is None:
        return Choice(None, "held" if held else "none", names)
    return Choice(best.tag, None, names, change(start, best))
