"""The positions of values in JSON: the standard library returns values only, and a check needs positions, too.

Both functions expect a document that ``json.loads`` accepts, and the offset of an object or an array.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

__all__ = ["elements", "members", "start"]

_BLANK: Final = re.compile(r"[ \t\n\r]*")
_NEXT: Final = re.compile(r"[ \t\n\r]*[,:]?[ \t\n\r]*")
_read: Final = json.JSONDecoder().raw_decode


def start(text: str) -> int:
    """Return the offset of the outermost value."""
    return _after(_BLANK, text, 0)


def members(text: str, at: int) -> Iterator[tuple[str, object, int, int]]:
    """Yield key, value, and where the value begins and ends, for each member of the object at ``at``.

    >>> list(members('{"a": 1, "b": [2]}', 0))
    [('a', 1, 6, 7), ('b', [2], 14, 17)]
    """
    at = _after(_BLANK, text, at + 1)
    while text[at] != "}":
        key, at = _read(text, at)
        place = _after(_NEXT, text, at)
        value, at = _read(text, place)
        yield key, value, place, at
        at = _after(_NEXT, text, at)


def elements(text: str, at: int) -> Iterator[tuple[object, int]]:
    """Yield each element of the array at ``at``, with its offset.

    >>> list(elements('["a", "b"]', 0))
    [('a', 1), ('b', 6)]
    """
    at = _after(_BLANK, text, at + 1)
    while text[at] != "]":
        value, end = _read(text, at)
        yield value, at
        at = _after(_NEXT, text, end)


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()
