"""What a reader of a file that is not YAML collects, by offsets: references, problems and comments to imgref."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from imgref.sources.kinds import lines_of
from imgref.sources.occurrence import Comment, Occurrence, Problem, Reading, Role
from imgref.sources.roles import is_template, role_of
from imgref.sources.target import Target, TextSpan

__all__ = ["IN_VARIABLE", "SPLIT", "Collected", "Written"]

SPLIT: Final = "it is written with escapes or over several lines"
"""Why a reference that is not in the file as it is cannot be edited."""

IN_VARIABLE: Final = "a variable holds it or a part of it"
"""Why a reference that comes from a variable is not edited."""

_COMMENT: Final = re.compile(r"(?:#|;|//|/\*)[ \t]*imgref:[ \t]*([^\r\n]*)")


class Written(NamedTuple):
    """A value in a file.

    Attributes:
        text: the value as written, without quotes.
        start: the offset of its first character.
        resolved: its value, or None if the file does not have it.
        reason: why it is not known.
        fixed: why the value cannot be edited where it is written; empty if it is in the file as it is.
        unpinnable: why no digest may be added although its tag can be changed, or empty.
    """

    text: str
    start: int
    resolved: str | None
    reason: str | None = None
    fixed: str = ""
    unpinnable: str = ""


class Collected:
    """Collects what is found in one file.

    Args:
        kind: the name of the kind.
        text: the content of the file.
    """

    def __init__(self, kind: str, text: str) -> None:
        self._kind = kind
        self._lines = lines_of(kind, text)
        self._text = text
        self._found: dict[int, Occurrence] = {}
        self._problems: dict[int, str] = {}
        self._incomplete = False
        self._comments: list[Comment] = []

    def image(self, written: Written, construct: str, *, built: bool = False, scheme: str = "") -> None:
        """Add an image; an empty string is none.

        Args:
            written: the value.
            construct: where it is.
            built: whether the same file builds this image.
            scheme: what is before the reference, in any case, and not part of it.
        """
        if written.start in self._found or not written.text:
            return
        value, reason = written.resolved, written.reason
        if value is not None and scheme and value[: len(scheme)].lower() == scheme:
            value = value[len(scheme) :]
        role: Role = "unresolved"
        if value is None:
            reason = reason or "the value of its variable is not known here"
        elif is_template(value):
            value, reason = None, "it is made by a template"
        elif not value.strip():
            value, reason = None, "its variables leave it empty"
        else:
            role = role_of(value)
        if built and value is not None:
            role, reason = "built-here", None
        target = self._target(written, value) if role == "external" and value is not None else None
        self.add(written, construct, value, role, reason=reason, target=target)

    def add(
        self,
        written: Written,
        construct: str,
        resolved: str | None,
        role: Role,
        *,
        reason: str | None = None,
        target: Target | None = None,
    ) -> None:
        """Add an occurrence whose role is known; the first one at a position counts."""
        if written.start not in self._found:
            line, column = self._lines.place(written.start)
            text = written.text.partition("\n")[0].rstrip()
            self._found[written.start] = Occurrence(
                line, column, text, resolved, role, construct, reason=reason, target=target
            )

    def _target(self, written: Written, value: str) -> Target:
        end = written.start + len(written.text)
        if written.fixed:
            return Target(fixed=written.fixed)
        if not self._text.startswith(written.text, written.start):
            return Target(fixed=SPLIT)
        if value.endswith(f"/{written.text}"):  # its registry is set elsewhere
            return Target(whole=TextSpan(written.start, end), unpinnable=written.unpinnable)
        if not written.text.endswith(value):
            return Target(fixed=SPLIT)
        return Target(whole=TextSpan(end - len(value), end), unpinnable=written.unpinnable)

    def line_of(self, offset: int) -> int:
        """Return the 1-based line of an offset."""
        return self._lines.place(offset)[0]

    def problem(self, offset: int, message: str, *, incomplete: bool = False) -> None:
        """Add a position that could not be read."""
        self._problems.setdefault(offset, message)
        self._incomplete = self._incomplete or incomplete

    def comments(self, spans: Iterable[tuple[int, int]]) -> None:
        """Add the comments among some that are addressed to imgref."""
        if "imgref:" not in self._text:
            return
        for start, end in spans:
            found = _COMMENT.match(self._text, start, end)
            if found is not None:
                line, column = self._lines.place(start)
                text = found[1].removesuffix("*/").rstrip()
                before = self._text[start - column + 1 : start]
                self._comments.append(Comment(line, column, text, trailing=bool(before.strip())))

    def document(
        self, comments: Iterable[tuple[int, int]], errors: Iterable[tuple[int, str]], *, incomplete: bool
    ) -> None:
        """Add the comments and errors of a parsed file.

        Args:
            comments: the spans of comments.
            errors: where something is wrong, and what.
            incomplete: whether a part of the file could not be read at all.
        """
        self.comments(comments)
        for at, message in errors:
            self.problem(at, message, incomplete=incomplete)

    def reading(self, continued: Iterable[range] = ()) -> Reading:
        """Return everything in the order of the file.

        Args:
            continued: the lines of statements that have several.
        """
        problems = [Problem(*self._lines.place(at), "IMG901", self._problems[at]) for at in sorted(self._problems)]
        return Reading(
            self._kind,
            tuple(self._found[at] for at in sorted(self._found)),
            tuple(problems),
            tuple(self._comments),
            incomplete=self._incomplete,
            continued=tuple(continued) if self._comments else (),
        )
