"""The lines of a string, sliced on demand: a list of them takes ten times the memory of a long file."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import overload

__all__ = ["TextLines"]


class TextLines(Sequence[str]):
    r"""The lines of a string, without their line endings.

    Args:
        text: the string.
        ends: what ends a line.

    >>> lines = TextLines("a\nb\n", re.compile("\n"))
    >>> lines[1], len(lines), list(lines)
    ('b', 3, ['a', 'b', ''])
    """

    def __init__(self, text: str, ends: re.Pattern[str]) -> None:
        self._text = text
        self._starts, self._stops = array("I", [0]), array("I")
        for end in ends.finditer(text):
            self._stops.append(end.start())
            self._starts.append(end.end())
        self._stops.append(len(text))

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...

    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        return self._text[self._starts[index] : self._stops[index]]

    def place(self, index: int) -> tuple[int, int]:
        """Return the 1-based line and column of the character at ``index``."""
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """Return the index of the character at a 1-based line and column."""
        return self._starts[line - 1] + column - 1
