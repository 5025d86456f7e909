"""The patterns of ``${X#…}``, ``${X%…}`` and ``${X/…/…}``: ``*`` and ``?``, without brackets.

Matched piece by piece between the stars and never by one regular expression for all, which would take time beyond
measure for patterns such as ``a*a*a*a*b``.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["Glob", "InvalidGlob"]

_ANY: Final = None
"""Represents ``?`` in a part."""


class InvalidGlob(ValueError):
    """A backslash before a character that needs none."""


class _Part(NamedTuple):
    pattern: re.Pattern[str]
    literal: str | None
    length: int

    @classmethod
    def of(cls, characters: list[str | None]) -> _Part:
        pattern = "".join("." if char is _ANY else re.escape(char) for char in characters)
        known = [char for char in characters if char is not None]
        literal = "".join(known) if len(known) == len(characters) else None
        return cls(re.compile(pattern, re.DOTALL), literal, len(characters))

    def last(self, text: str, start: int) -> int:
        """Return the last index of this part in ``text`` from ``start`` on, or -1."""
        if self.literal is not None:
            return text.rfind(self.literal, start)
        places = range(len(text) - self.length, start - 1, -1)
        return next((place for place in places if self.pattern.match(text, place)), -1)


class Glob:
    r"""A pattern, read once.

    Raises:
        InvalidGlob: a backslash is followed by something other than ``*``, ``?``, ``\``, ``}`` or ``/``.
    """

    def __init__(self, pattern: str) -> None:
        self._parts: list[list[str | None]] = [[]]
        at = 0
        while at < len(pattern):
            char, after = pattern[at], pattern[at + 1 : at + 2]
            at += 1
            if char == "*":
                self._parts.append([])
            elif char == "?":
                self._parts[-1].append(_ANY)
            elif char != "\\":
                self._parts[-1].append(char)
            elif after and after in "*?\\":
                self._parts[-1].append(after)
                at += 1
            elif not after or after not in "}/":  # those two need their backslash only to get past the ${…}
                raise InvalidGlob(f"invalid escape '\\{after}' in a pattern")

    def without_prefix(self, text: str, *, longest: bool) -> str:
        """Cut what matches off the start of ``text``.

        >>> Glob("*/").without_prefix("a/b/c", longest=False), Glob("*/").without_prefix("a/b/c", longest=True)
        ('b/c', 'c')
        """
        span = _span([_Part.of(part) for part in self._parts], text, 0, anchored=True, longest=longest)
        return text if span is None else text[span[1] :]

    def without_suffix(self, text: str, *, longest: bool) -> str:
        """Cut what matches off the end of ``text``.

        >>> Glob("-*").without_suffix("1.2-rc-3", longest=False)
        '1.2-rc'
        """
        parts = [_Part.of(part[::-1]) for part in self._parts[::-1]]
        span = _span(parts, text[::-1], 0, anchored=True, longest=longest)
        return text if span is None else text[: len(text) - span[1]]

    def replace(self, text: str, replacement: str, *, everywhere: bool) -> str:
        """Replace the first match, or all matches.

        >>> Glob("a?").replace("xaybaz", "-", everywhere=True)
        'x-b-'
        """
        parts = [_Part.of(part) for part in self._parts]
        done: list[str] = []
        at = 0
        while at <= len(text) and (span := _span(parts, text, at, anchored=False, longest=True)) is not None:
            start, end = span
            done += text[at:start], replacement
            at = end
            if start == end:
                done.append(text[at : at + 1])
                at += 1
            if not everywhere:
                break
        return "".join(done) + text[at:]


def _span(parts: list[_Part], text: str, at: int, *, anchored: bool, longest: bool) -> tuple[int, int] | None:
    """Find the leftmost match; the stars match what is between two parts."""
    first = parts[0].pattern.match(text, at) if anchored else parts[0].pattern.search(text, at)
    if first is None:
        return None
    start, end = first.span()
    for number, part in enumerate(parts[1:], 2):
        if longest and number == len(parts):
            place = part.last(text, end)
        else:
            found = part.pattern.search(text, end)
            place = -1 if found is None else found.start()
        if place < 0:
            return None
        end = place + part.length
    return start, end
