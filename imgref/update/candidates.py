"""Comparing two tags: whether one is a candidate for the other, which is greater, and how great the change is."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

from imgref.update._words import BRANCHES
from imgref.update.tag_parts import TagParts

__all__ = ["LEVELS", "Level", "Order", "change", "has_same_shape", "is_counter", "may_move", "order", "spelling"]

Level = Literal["patch", "minor", "major"]

LEVELS: Final[dict[str, int]] = {"patch": 0, "minor": 1, "major": 2}
"""The levels of a change, and how they compare."""

_NAMES: Final[tuple[Level, ...]] = ("patch", "minor", "major")

_STABLE: Final = (99, ())
"""The stage of a release, after those of its pre-releases."""

_DATED: Final = frozenset({"release", "version", "v", "ver", "rel", "build", "date", "stable"})
"""A date behind any other word is the rebuild of a series, as in ``noble-20240801``."""

Order: TypeAlias = tuple[object, ...]


def order(tag: TagParts) -> Order:
    """Return what orders the tags of one shape: the version, then the numbers of the suffix from left to right.

    >>> from imgref.update import read_tag
    >>> names = ["1.2", "1.10-rc1", "1.10", "1.10-p1", "1.9"]
    >>> [tag.tag for tag in sorted(map(read_tag, names), key=order)]
    ['1.2', '1.9', '1.10-rc1', '1.10', '1.10-p1']
    """
    return (*_version(tag), (*tag.pre, _STABLE), tag.later, tuple([number.value for number in tag.suffix]))


def has_same_shape(tag: TagParts, current: TagParts) -> bool:
    """Return whether two tags have the same words, separators and positions of numbers."""
    if tag.shape != current.shape:
        return False
    return not tag.exact or all(one == other for one, other in zip(tag.kinds, current.kinds, strict=False))


def may_move(current: TagParts, tag: TagParts, *, pre: bool) -> bool:
    """Return whether a greater tag of the same shape has no lower base, and is a release or an admitted pre-release."""
    pairs = zip(tag.suffix, current.suffix, strict=True)
    if any(new.role == "base" and new.value < old.value for new, old in pairs):
        return False
    # From a pre-release to a later one of the same numbers.
    return pre or not tag.pre or (bool(current.pre) and _version(tag) == _version(current))


def change(current: TagParts, tag: TagParts) -> Level:
    """Return the greatest change between two tags of one shape.

    >>> from imgref.update import read_tag
    >>> def between(old, new): return change(read_tag(old), read_tag(new))
    >>> between("1.2.3-alpine3.18", "1.2.4-alpine3.18"), between("1.2.3-alpine3.18", "1.2.4-alpine3.19")
    ('patch', 'minor')
    >>> between("20240101", "20250101"), between("noble-20240101", "noble-20250101"), between("15-3.3", "15-4.0")
    ('major', 'patch', 'major')
    """
    greatest = _version_change(current, tag)
    for old, new in zip(current.suffix, tag.suffix, strict=True):
        if new.value != old.value:
            if new.role == "base":
                greatest = max(greatest, LEVELS["minor"])
            elif new.role == "version":
                greatest = max(greatest, _first_change(old.value, new.value))
    return _NAMES[greatest]


def is_counter(tag: TagParts) -> bool:
    """Return whether the version is a single number behind a branch word, as in ``master-6140``: it counts builds."""
    return tag.is_bare and not BRANCHES.isdisjoint(_words(tag.prefix)[-1:])


def spelling(tag: str, current: str) -> tuple[object, ...]:
    """Return what orders equal tags: first those that are spelled as the current one is.

    >>> min("1.3", "1.03", "01.3", key=lambda tag: spelling(tag, "1.02"))
    '1.03'
    """
    widths = zip(re.findall(r"\d+", tag), re.findall(r"\d+", current), strict=False)
    difference = sum(abs(len(one) - len(other)) for one, other in widths)
    return (re.sub(r"\d+", "", tag) != re.sub(r"\d+", "", current), difference, len(tag), tag)


def _version(tag: TagParts) -> tuple[tuple[int, ...], str]:
    numbers = tag.numbers
    if tag.exact:
        # The number of parts may differ: `21_35` is 21.0.0.
        while len(numbers) > 1 and numbers[-1] == 0:
            numbers = numbers[:-1]
    return (numbers, tag.letter)


def _version_change(current: TagParts, tag: TagParts) -> int:
    if _version(current) == _version(tag) or is_counter(current):
        return LEVELS["patch"]
    if current.is_date:
        return _date_change(current, tag)
    return _first_change(current.numbers, tag.numbers)


def _date_change(current: TagParts, tag: TagParts) -> int:
    if any(word not in _DATED for word in _words(current.prefix)):
        return LEVELS["patch"]
    old, new = str(current.numbers[0]), str(tag.numbers[0])
    if old[:4] != new[:4]:
        return LEVELS["major"]
    return LEVELS["minor"] if old[4:6] != new[4:6] else LEVELS["patch"]


def _first_change(old: tuple[int, ...], new: tuple[int, ...]) -> int:
    if old[0] != new[0]:
        return LEVELS["major"]
    # With a build the number of parts may differ; what is missing is zero.
    return LEVELS["minor"] if (*old, 0)[1] != (*new, 0)[1] else LEVELS["patch"]


def _words(prefix: str) -> list[str]:
    return [word.lower() for word in re.split("[-_.]", prefix) if word]
