"""The tags of a repository, read once, and what the rules ask about all of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cached_property

from imgref.update.candidates import is_counter
from imgref.update.tag_parts import TagParts, commit_lengths, read_tag

__all__ = ["Repository", "bare_numbers_that_count"]

_FEW = 3
"""So many bare numbers may be versions whose dotted forms are missing; more are CI builds."""

_NEAR = 2
"""How far such a number may be from the last one."""


class Repository:
    """The tags of a repository, read when a rule asks for them."""

    def __init__(self, tags: Iterable[str]) -> None:
        """Take the tags; their order does not matter."""
        self._names = dict.fromkeys(tags)
        self._commits = commit_lengths(self._names)

    @cached_property
    def tags(self) -> list[TagParts]:
        """The parts of all tags that contain a version, each tag once."""
        return self._read_all(self._names)

    def tags_like(self, current: TagParts) -> list[TagParts]:
        """Return the parts of the tags that may have the shape of the current one: those with the same beginning."""
        begin = current.prefix + current.v
        return self._read_all(name for name in self._names if name.startswith(begin)) if begin else self.tags

    def _read_all(self, names: Iterable[str]) -> list[TagParts]:
        return [parts for name in names if (parts := self.read(name)) is not None]

    def read(self, tag: str) -> TagParts | None:
        """Return the parts of a tag in the conventions of this repository, or None if it contains no version."""
        return read_tag(tag, self._commits)

    @cached_property
    def dotted(self) -> frozenset[int]:
        """The first numbers of dotted versions, and of versions with a build as in ``23_37``."""
        return frozenset(tag.numbers[0] for tag in self.tags if not tag.is_date and (len(tag.numbers) > 1 or tag.exact))

    @cached_property
    def exact_versions(self) -> dict[int, set[object]]:
        """For each first number the versions that begin with it, floating ones too."""
        versions: dict[int, set[object]] = defaultdict(set)
        for tag in self.tags:
            versions[tag.numbers[0]].add((tag.numbers, tag.letter, tag.pre, tag.later))
        return versions

    def third_numbers(self, length: int) -> Counter[int]:
        """Return the third numbers of the versions with so many numbers, and how many versions have each."""
        versions = {
            tag.numbers for tag in self.tags if len(tag.numbers) == length and tag.kinds[2] == "n" and not tag.is_date
        }
        return Counter(numbers[2] for numbers in versions)


def bare_numbers_that_count(current: TagParts, line: Iterable[TagParts], repository: Repository) -> set[int] | None:
    """Return which bare numbers of a line are versions, or None if all are.

    A bare number is a version where a dotted version goes on after it. A few others just above may be versions too,
    as ``9`` and ``10`` above ``8``; more are CI builds. If the current tag is such a number itself, all are.

    What is reached from a lower number counts as that number does: otherwise a move from ``8`` to ``10`` would make
    all numbers count, and the next move would go on to ``4711``.

    Args:
        current: the current tag.
        line: the tags of its shape.
        repository: all tags.
    """
    if not current.is_bare or current.exact or is_counter(current):
        return None
    numbers = sorted({tag.numbers[0] for tag in line})
    dotted = repository.dotted
    few = sum(number not in dotted for number in numbers) <= _FEW
    start = current.numbers[0]
    if start not in dotted and not (few and start in numbers and _is_reached(start, numbers, dotted)):
        return None
    counting, last = {start}, start
    for number in numbers:
        if number > start and (number in dotted or (few and number - last <= _NEAR)):
            counting.add(number)
            last = number
    return counting


def _is_reached(number: int, numbers: list[int], dotted: frozenset[int]) -> bool:
    """Return whether a number can be reached in small steps from one that has a dotted version."""
    below = sorted({*dotted, *numbers} & set(range(number)), reverse=True)
    for lower in below:
        if number - lower > _NEAR:
            return False
        if lower in dotted:
            return True
        number = lower
    return False
