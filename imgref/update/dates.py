"""Dates in tags: which strings of digits are a date, and in which form.

A date is ``YYYYMM``, ``YYYYMMDD``, ``YYYYMMDD`` with a time (10, 12 or 14 digits), ``YYYY-MM-DD``, or
``YYYY-MM-DDThh-mm-ssZ`` as MinIO writes it. The year is between 1980 and 2099, so that Unix timestamps and build
numbers are rarely mistaken for dates, and the month and the day must exist.
"""

from __future__ import annotations

import re
from calendar import monthrange
from typing import Final

__all__ = ["ISO_DATE", "YEARS", "is_date", "iso_digits"]

YEARS: Final = range(1980, 2100)

ISO_DATE: Final = re.compile(
    # At the start of a tag, of a piece, or behind a word and a dot, as in `RELEASE.2024-01-16T16-07-38Z`.
    r"(?:(?<![^-_])|(?<=[A-Za-z]\.))"
    r"(?P<digits>(\d{4})-(\d\d)-(\d\d)(?:T\d\d-\d\d-\d\dZ)?)"
    r"(?=$|[-_]|\.[A-Za-z])",
    re.ASCII,
)

_LENGTHS: Final = frozenset({6, 8, 10, 12, 14})


def is_date(digits: str) -> bool:
    """Return whether a string of digits is a date.

    >>> [is_date(digits) for digits in ("20240229", "202402", "2024022913", "20230229", "20227707", "1669829893")]
    [True, True, True, False, False, False]
    """
    if len(digits) not in _LENGTHS or int(digits[:4]) not in YEARS:
        return False
    month = int(digits[4:6])
    if not 1 <= month <= 12:
        return False
    return len(digits) == 6 or 1 <= int(digits[6:8]) <= monthrange(int(digits[:4]), month)[1]


def iso_digits(text: str) -> str | None:
    """Return the digits of a date with hyphens, or None if the string is anything else.

    >>> iso_digits("2024-01-16T16-07-38Z"), iso_digits("2024-01-16"), iso_digits("2024-13-01")
    ('20240116160738', '20240116', None)
    """
    if ISO_DATE.fullmatch(text) is None:
        return None
    digits = re.sub(r"\D", "", text)
    return digits if is_date(digits) else None
