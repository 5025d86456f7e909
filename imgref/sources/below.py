"""Which lines a comment to imgref is for: the instruction or line below it, or its own line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from imgref.sources._lines import TextLines
from imgref.sources.occurrence import Comment, Occurrence

__all__ = ["KEEP", "Below", "lines_with"]

KEEP: Final = re.compile(r"keep(?![^\s:;,.-])[\s:;,.-]*(.*)", re.ASCII)
"""A comment that keeps a reference as it is, after ``imgref:``; its group is the reason."""

_ESCAPE: Final = re.compile(r"#\s*escape\s*=\s*(\S)", re.ASCII | re.IGNORECASE)
_TOP: Final = ("#", "---", "%", "\ufeff#")


class Below:
    """What follows each line of a file, found in one walk up from its end.

    Args:
        lines: the lines.
        kind: the kind of the file: an instruction of a Dockerfile can go on below its first line.

    Attributes:
        top: how many lines at the top have nothing but comments, blanks, and what may be before a YAML document.
    """

    def __init__(self, lines: Sequence[str], kind: str) -> None:
        self.top = 0
        stripped = [line.strip() for line in lines]
        while self.top < len(stripped) and (not (line := stripped[self.top]) or line.startswith(_TOP)):
            self.top += 1
        self._first = [len(lines) + 1]
        self._last = [len(lines) + 1]
        escape = _escape_of(lines) if kind == "dockerfile" else None
        for number in range(len(lines), 0, -1):
            line = stripped[number - 1]
            self._first.append(self._first[-1] if line.startswith("#") else number)
            # An instruction also goes on below the comments and blanks in it.
            goes_on = escape is not None and (not line or line.startswith("#") or line.endswith(escape))
            self._last.append(self._last[-1] if goes_on and number < len(lines) else number)
        self._first.reverse()
        self._last.reverse()
        self._blank = [not line for line in stripped]

    def first(self, number: int) -> int:
        """Return the first line from a line on that is not a comment."""
        return self._first[number - 1] if number <= len(self._first) else number

    def last(self, number: int) -> int:
        """Return the last line of the instruction that begins in a line."""
        if number > len(self._blank) or self._blank[number - 1]:
            return number
        return self._last[number - 1]

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


def _escape_of(lines: Sequence[str]) -> str:
    for line in lines:
        if not line.lstrip("\ufeff \t").startswith("#"):
            break
        if found := _ESCAPE.match(line.strip()):
            return found[1]
    return "\\"
