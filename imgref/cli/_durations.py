"""Lengths of time as options and settings take them: ``7d``, ``12h``, ``1d12h``."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

__all__ = ["read_duration"]

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_PART: Final = re.compile(r"([0-9]{1,9})[ ]?([smhdw])", re.ASCII)
_DURATION: Final = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)


def read_duration(text: str) -> timedelta:
    """Read a duration: numbers with ``s``, ``m``, ``h``, ``d`` or ``w``, or ``0``.

    Raises:
        ValueError: it is not one.

    >>> [str(read_duration(text)) for text in ("7d", "1d12h", "0")]
    ['7 days, 0:00:00', '1 day, 12:00:00', '0:00:00']
    """
    text = text.strip()
    if text == "0":
        return timedelta()
    if _DURATION.fullmatch(text):
        try:
            return sum((timedelta(**{_UNITS[unit]: int(count)}) for count, unit in _PART.findall(text)), timedelta())
        except OverflowError:
            pass
    raise ValueError(f"invalid duration {text!r}: write a number with s, m, h, d or w, such as 7d or 12h")
