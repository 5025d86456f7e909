"""Which references of a file the comments ``# imgref: keep REASON`` keep as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from imgref.sources._lines import TextLines
from imgref.sources.below import KEEP, Below, lines_with
from imgref.sources.kinds import lines_of, syntax_of
from imgref.sources.occurrence import Occurrence, Reading

__all__ = ["Kept", "kept_in"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the comments of a file keep as it is.

    Attributes:
        reasons: the reason of each line, which may be empty.
        lines: the lines of the file.
    """

    reasons: Mapping[int, str]
    lines: TextLines

    def reason(self, occurrence: Occurrence) -> str | None:
        """Return the reason of the comment that keeps an occurrence, or None."""
        if not self.reasons:
            return None
        numbers = lines_with(occurrence, self.lines)
        return next((self.reasons[number] for number in numbers if number in self.reasons), None)


def kept_in(reading: Reading, text: str) -> Kept:
    """Return what the comments of a file keep as it is.

    Args:
        reading: what was found in the file.
        text: its content.
    """
    found: dict[int, str] = {}
    comments = [(comment, match) for comment in reading.comments if (match := KEEP.fullmatch(comment.text))]
    lines = lines_of(reading.kind, text if comments else "")
    if comments:
        below = Below(lines, syntax_of(reading.kind), reading.continued)
        for comment, match in comments:
            found.update(dict.fromkeys(below.covered(comment), match[1]))
    return Kept(found, lines)
