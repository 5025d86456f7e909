"""Ignore comments: ``# imgref: ignore[IMG102] reason`` and ``# imgref: ignore-file[IMG102] reason``.

The first applies to the line below it (in a Dockerfile to the whole instruction there), or, at the end of a line of
YAML, to its own line. The second applies to the file, and must be in the comments at its top.

``# imgref: keep reason`` is for the commands that edit references; one that is placed at no reference is reported, too.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from imgref.check.finding import Finding
from imgref.check.rules import RULES, codes_of
from imgref.errors import ImgrefError, quote
from imgref.sources._lines import TextLines
from imgref.sources.below import KEEP, Below, lines_with
from imgref.sources.occurrence import Comment, Problem, Reading
from imgref.sources.syntax import Syntax

__all__ = ["Ignores"]

_WRITTEN: Final = re.compile(r"(ignore(?:-file)?)\s*\[([^\]]*+)\](?![^\s:;,.-])", re.ASCII)
_UNUSED: Final = "IMG902"
_NO_REASON: Final = "IMG903"


@dataclass(frozen=True, slots=True)
class _Ignore:
    """One comment: which codes it is for, by the words that select them, and in which lines (None: all)."""

    comment: Comment
    codes: dict[str, frozenset[str]]
    lines: range | None
    has_reason: bool


class Ignores:
    """The ignore comments of one file. However many there are, the time is linear in the file and its findings.

    Args:
        reading: what was found in the file.
        lines: its lines, as the reader of its kind counts them.
        syntax: its syntax.
    """

    def __init__(self, reading: Reading, lines: TextLines, syntax: Syntax) -> None:
        self.problems: list[Problem] = []
        self._keeps: list[Comment] = []
        self._occurrences = reading.occurrences
        self._ignores: list[_Ignore] = []
        self._lines = lines
        self._below = Below(lines, syntax, reading.continued)
        self._seen: defaultdict[str, list[int]] = defaultdict(list)
        for comment in reading.comments:
            if KEEP.fullmatch(comment.text.strip()) is None:
                self._read(comment)
            else:
                self._keeps.append(comment)
        self._spans = {code: _Spans(lines) for code, lines in self._lines_by_code().items()}

    @property
    def codes(self) -> frozenset[str]:
        """All codes that a comment here is for."""
        return frozenset(self._spans)

    def covers(self, finding: Finding) -> bool:
        """Return whether a comment ignores a finding, and remember the finding for :meth:`unused`."""
        spans = self._spans.get(finding.code)
        if spans is None or finding.line not in spans:
            return False
        self._seen[finding.code].append(finding.line)
        return True

    def unused(self, unknowable: frozenset[str]) -> Iterable[Problem]:
        """Return the comments that have ignored nothing, after :meth:`covers` was asked of every finding.

        Args:
            unknowable: codes of rules that could not run, because what they need is missing.
        """
        yield from self.problems
        seen = {code: sorted(lines) for code, lines in self._seen.items()}
        for ignore in self._ignores:
            spare = [
                written
                for written, codes in ignore.codes.items()
                if not any(_is_inside(seen.get(code, []), ignore.lines) for code in codes)
                and not codes & unknowable
                and _UNUSED not in codes
            ]
            if spare:
                where = "in this file" if ignore.lines is None else "here"
                yield self._problem(ignore.comment, f"{', '.join(spare)} is ignored {where}, but finds nothing")

        yield from self._unused_keeps()

    def _unused_keeps(self) -> Iterator[Problem]:
        if not self._keeps:
            return
        used = sorted(line for one in self._occurrences for line in lines_with(one, self._lines))
        for comment in self._keeps:
            if not _is_inside(used, self._below.covered(comment)):
                yield self._problem(comment, "the comment keeps nothing: no reference is here")

    def without_reason(self) -> Iterator[Problem]:
        """Yield the comments without a reason for ignoring something."""
        for ignore in self._ignores:
            if not ignore.has_reason:
                message = f"the comment has no reason why {', '.join(ignore.codes)} is ignored"
                yield self._problem(ignore.comment, message, "write the reason after the brackets", _NO_REASON)
        for comment in self._keeps:
            if (found := KEEP.fullmatch(comment.text.strip())) is not None and not any(map(str.isalnum, found[1])):
                message = "the comment has no reason why a reference is kept"
                yield self._problem(comment, message, "write the reason after keep", _NO_REASON)

    def _lines_by_code(self) -> dict[str, list[range | None]]:
        found: defaultdict[str, list[range | None]] = defaultdict(list)
        for ignore in self._ignores:
            for code in frozenset().union(*ignore.codes.values()):
                found[code].append(ignore.lines)
        return found

    def _read(self, comment: Comment) -> None:
        text = comment.text.strip()
        written = _WRITTEN.match(text)
        if written is None:
            self._refuse(comment, f"{quote(text)} is not a comment that imgref knows", "ignore[IMG101] reason")
            return
        codes: dict[str, frozenset[str]] = {}
        for code in filter(None, re.split(r"[\s,]+", written[2])):
            try:
                codes[code] = codes_of([code])
            except ImgrefError:
                from imgref._utils.suggest import nearest

                self._refuse(comment, f"{quote(code)} is not a rule", nearest(code.upper(), RULES))
        if not written[2].strip():
            self._refuse(comment, "it names no rule to ignore", f"{written[1]}[IMG101]")
        whole = written[1] == "ignore-file"
        if whole and not self._is_at_top(comment):
            self._refuse(comment, "ignore-file counts in the comments at the top of a file only", None)
        elif codes:
            has_reason = any(map(str.isalnum, text[written.end() :]))
            self._ignores.append(_Ignore(comment, codes, None if whole else self._below.covered(comment), has_reason))

    def _refuse(self, comment: Comment, reason: str, meant: str | None) -> None:
        hint = None if meant is None else f"did you mean {meant}?"
        self.problems.append(self._problem(comment, f"the comment ignores nothing: {reason}", hint))

    def _problem(
        self, comment: Comment, message: str, hint: str | None = "delete the comment", code: str = _UNUSED
    ) -> Problem:
        line = self._lines[comment.line - 1] if comment.line <= len(self._lines) else ""
        end = max(len(line.rstrip()), comment.column) + 1
        return Problem(comment.line, comment.column, code, message, end, hint)

    def _is_at_top(self, comment: Comment) -> bool:
        return not comment.trailing and comment.line <= self._below.top + 1


class _Spans:
    """Ranges of lines, of which one is found in logarithmic time.

    Args:
        ranges: the ranges; None is every line.
    """

    def __init__(self, ranges: Sequence[range | None]) -> None:
        self._every = None in ranges
        ordered = sorted((lines.start, lines.stop) for lines in ranges if lines is not None)
        self._starts = [start for start, _ in ordered]
        self._stops = list(accumulate((stop for _, stop in ordered), max))

    def __contains__(self, line: int) -> bool:
        number = bisect_right(self._starts, line)
        return self._every or (number > 0 and line < self._stops[number - 1])


def _is_inside(ordered: Sequence[int], lines: range | None) -> bool:
    """Return whether one of some numbers, which are sorted, is in a range."""
    if lines is None:
        return bool(ordered)
    number = bisect_left(ordered, lines.start)
    return number < len(ordered) and ordered[number] < lines.stop
