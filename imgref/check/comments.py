"""Ignore comments: ``# imgref: ignore[IMG102] reason`` and ``# imgref: ignore-file[IMG102] reason``.

The first holds for the line below it (in a Dockerfile for the whole instruction there), or, at the end of a line of
YAML, for its own line. The second holds for the file, and stands in the comments at its top.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from imgref.check.finding import Comment, Finding, Problem, Reading
from imgref.check.rules import RULES, codes_of
from imgref.errors import ImgrefError, quote

__all__ = ["Ignores"]

_WRITTEN: Final = re.compile(r"(ignore(?:-file)?)\s*\[([^\]]*+)\](?![^\s:;,.-])", re.ASCII)
_ESCAPE: Final = re.compile(r"#\s*escape\s*=\s*(\S)", re.ASCII | re.IGNORECASE)
_UNUSED: Final = "IMG902"


@dataclass(slots=True)
class _Ignore:
    """One comment: which codes it is for, and in which lines (None: all)."""

    comment: Comment
    codes: dict[str, frozenset[str]]
    lines: range | None
    used: set[str]

    def covers(self, finding: Finding) -> bool:
        """Tell whether this ignores the finding, and remember that it was of use."""
        if self.lines is not None and finding.line not in self.lines:
            return False
        found = [code for code, codes in self.codes.items() if finding.code in codes]
        self.used.update(found)
        return bool(found)


class Ignores:
    """The ignore comments of one file.

    Args:
        reading: what was found in the file.
        lines: its lines, as the reader of its kind counts them.
    """

    def __init__(self, reading: Reading, lines: Sequence[str]) -> None:
        self.problems: list[Problem] = []
        self._ignores: list[_Ignore] = []
        self._lines = lines
        self._kind = reading.kind
        for comment in reading.comments:
            self._read(comment)

    @property
    def codes(self) -> frozenset[str]:
        """All codes that a comment here is for."""
        return frozenset().union(*(codes for ignore in self._ignores for codes in ignore.codes.values()))

    def covers(self, finding: Finding) -> bool:
        """Tell whether a comment ignores a finding. Each that does has been of use."""
        covering = [ignore for ignore in self._ignores if ignore.covers(finding)]
        return bool(covering)

    def unused(self, unknowable: frozenset[str]) -> Iterable[Problem]:
        """Give the comments that have ignored nothing, after :meth:`covers` was asked of every finding.

        Args:
            unknowable: codes of rules that had nothing to go by, and so nothing to say.
        """
        yield from self.problems
        for ignore in self._ignores:
            spare = [
                written
                for written, codes in ignore.codes.items()
                if written not in ignore.used and not codes & unknowable and _UNUSED not in codes
            ]
            if spare:
                where = "in this file" if ignore.lines is None else "here"
                yield self._problem(ignore.comment, f"{', '.join(spare)} is ignored {where}, but finds nothing")

    def _read(self, comment: Comment) -> None:
        text = comment.text.strip()
        written = _WRITTEN.match(text)
        if written is None:
            self._refuse(comment, f"{quote(text)} is no comment that imgref knows", "ignore[IMG101] reason")
            return
        codes: dict[str, frozenset[str]] = {}
        for code in filter(None, re.split(r"[\s,]+", written[2])):
            try:
                codes[code] = codes_of([code])
            except ImgrefError:
                from difflib import get_close_matches

                near = get_close_matches(code.upper(), RULES, n=1, cutoff=0)[0]
                self._refuse(comment, f"{quote(code)} is no rule", near)
        if not written[2].strip():
            self._refuse(comment, "it does not say which rule to ignore", f"{written[1]}[IMG101]")
        whole = written[1] == "ignore-file"
        if whole and not self._is_at_top(comment):
            self._refuse(comment, "ignore-file counts in the comments at the top of a file only", None)
        elif codes:
            self._ignores.append(_Ignore(comment, codes, None if whole else self._covered(comment), set()))

    def _refuse(self, comment: Comment, reason: str, meant: str | None) -> None:
        hint = None if meant is None else f"did you mean {meant}?"
        self.problems.append(self._problem(comment, f"the comment ignores nothing: {reason}", hint))

    def _problem(self, comment: Comment, message: str, hint: str | None = "delete the comment") -> Problem:
        line = self._lines[comment.line - 1] if comment.line <= len(self._lines) else ""
        end = max(len(line.rstrip()), comment.column) + 1
        return Problem(comment.line, comment.column, _UNUSED, message, end, hint)

    def _is_at_top(self, comment: Comment) -> bool:
        above = (line.strip() for line in self._lines[: comment.line - 1])
        return not comment.trailing and all(not line or line.startswith(("#", "---", "%", "\ufeff#")) for line in above)

    def _covered(self, comment: Comment) -> range:
        if comment.trailing:
            return range(comment.line, comment.line + 1)
        first = comment.line + 1
        while first <= len(self._lines) and self._lines[first - 1].lstrip().startswith("#"):
            first += 1
        last = first
        if self._kind == "dockerfile" and "".join(self._lines[first - 1 : first]).strip():
            escape = self._escape()
            while last < len(self._lines) and self._goes_on(last, escape):
                last += 1
        return range(first, last + 1)

    def _goes_on(self, number: int, escape: str) -> bool:
        """Tell whether an instruction goes on below a line: that is so below comments and blanks in it, too."""
        line = self._lines[number - 1].strip()
        return not line or line.startswith("#") or line.endswith(escape)

    def _escape(self) -> str:
        for line in self._lines:
            if not line.lstrip("\ufeff \t").startswith("#"):
                break
            if found := _ESCAPE.match(line.strip()):
                return found[1]
        return "\\"
