"""Which lines a comment to imgref is for: the instruction or line below it, or its own line."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from imgref.sources._lines import TextLines
from imgref.sources.occurrence import Comment, Occurrence
from imgref.sources.syntax import Syntax

__all__ = ["KEEP", "Below", "lines_with"]

KEEP: Final = re.compile(r"keep(?![^\s:;,.-])[\s:;,.-]*(.*)", re.ASCII)
"""A comment that keeps a reference as it is, after ``imgref:``; its group is the reason."""


class Below:
    """What follows each line of a file, found in one walk up from its end.

    Args:
        lines: the lines.
        syntax: what comments look like.
        continued: the lines of the statements that have several.

    Attributes:
        top: how many lines at the top have nothing but comments, blanks, and what may be before a YAML document.
    """

    def __init__(self, lines: Sequence[str], syntax: Syntax, continued: Sequence[range]) -> None:
        self.top = 0
        above = (*syntax.comments, *syntax.prologue)
        while self.top < len(lines) and (not (line := lines[self.top].strip()) or line.startswith(above)):
            self.top += 1
        # A file of some megabytes can have a million lines: no list of them is made.
        self._first = array("I", [len(lines) + 1])
        for number in range(len(lines), 0, -1):
            line = lines[number - 1].lstrip()
            self._first.append(self._first[-1] if line.startswith(syntax.comments) else number)
        self._first.reverse()
        self._continued = continued
        self._starts = [lines.start for lines in continued]

    def first(self, number: int) -> int:
        """Return the first line from a line on that is not a comment."""
        return self._first[number - 1] if number <= len(self._first) else number

    def last(self, number: int) -> int:
        """Return the last line of the statement that a line belongs to."""
        before = bisect_right(self._starts, number)
        return max(number, self._continued[before - 1].stop - 1) if before else number

    def covered(self, comment: Comment) -> range:
        """Return the lines that a comment is for: its own if code is before it there, else those below it."""
        if comment.trailing:
            return range(comment.line, comment.line + 1)
        first = self.first(comment.line + 1)
        return range(first, self.last(first) + 1)


def lines_with(occurrence: Occurrence, lines: TextLines) -> tuple[int, ...]:
    """Return the lines that a comment about an occurrence can be for: its own, and those where it is edited."""
    spans = () if occurrence.target is None else occurrence.target.spans
    return (occurrence.line, *(lines.place(span.start)[0] for span in spans))
