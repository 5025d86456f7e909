"""Lonely numbers: versions so far above all others that somebody probably pushed them by mistake.

``20.04.1`` beside 4.5, 4.6 and 5.2 is the version of the base image, and ``1.8.1259`` beside 1.3.2 is the build of
another program. Such tags are held and reported. A number is lonely only if nothing else in the repository supports
it: no second version with that number and no floating tag.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from imgref.update.candidates import is_counter
from imgref.update.repository import Repository
from imgref.update.tag_parts import TagParts

__all__ = ["Lonely"]

_STEP: Final = 3
"""A smaller step of the first number is never suspicious."""

_THIRD: Final = 100
_TIMES: Final = 10
_OTHERS: Final = 5
"""A third number is compared with those of at least so many other versions."""


class Lonely:
    """The lonely numbers of a line.

    Numbers at or below those of the current tag are never lonely.
    """

    def __init__(self, current: TagParts, line: Iterable[TagParts], repository: Repository) -> None:
        """Find them.

        Args:
            current: the current tag.
            line: the tags of its shape.
            repository: all tags.
        """
        line = list(line)
        self._firsts = _first_numbers(current, line, repository)
        lengths = {len(tag.numbers) for tag in line if len(tag.numbers) >= 3 and tag.numbers[2] >= _THIRD}
        self._thirds = {length: _third_number(current, length, repository) for length in lengths}

    def __contains__(self, tag: TagParts) -> bool:
        if tag.numbers[0] in self._firsts:
            return True
        third = self._thirds.get(len(tag.numbers))
        return third is not None and tag.numbers[2] == third


def _first_numbers(current: TagParts, line: list[TagParts], repository: Repository) -> set[int]:
    """Check the first numbers of a variant in order, and hold those behind a disproportionate step."""
    held: set[int] = set()
    # The steps between dates and between builds mean nothing.
    if current.is_date or is_counter(current):
        return held
    start = current.numbers[0]
    accepted, largest = 0, 0
    last = None
    for number in sorted({tag.numbers[0] for tag in line}):
        # The current tag may be gone from the list, but the step is measured from its number.
        gap = number - max(last or 0, start)
        far = gap >= _STEP and gap > 2 * largest
        if accepted >= 2 and far and len(repository.exact_versions[number]) == 1:
            held.add(number)
            continue
        if last is not None:
            largest = max(largest, number - last)
        last = number
        accepted += 1
    return held


def _third_number(current: TagParts, length: int, repository: Repository) -> int | None:
    """Return the third number that no other version comes near, if there is one among versions of a length."""
    counts = repository.third_numbers(length)
    if len(counts) < 2:
        return None
    greatest = max(counts)
    others = [number for number in counts if number != greatest]
    start = current.numbers[2] if len(current.numbers) == length else 0
    if start >= greatest or greatest < _THIRD or counts[greatest] > 1 or sum(counts.values()) - 1 < _OTHERS:
        return None
    return greatest if greatest > _TIMES * max(*others, start) else None
