"""Lengths of time: one notation for every option and setting."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tables import each

from imgref.cli._durations import read_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", timedelta()),
        ("90s", timedelta(seconds=90)),
        ("5m", timedelta(minutes=5)),
        (" 12h ", timedelta(hours=12)),
        ("7 d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
        ("1d12h", timedelta(days=1, hours=12)),
    ],
)
def test_read_duration(text: str, expected: timedelta) -> None:
    assert read_duration(text) == expected


@each("text", ["", "7", "d", "7y", "-1d", "1.5d", "7d!", "٣d", "999999999w", "1d, 2h"])
def test_read_duration_of_something_else_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="invalid duration"):
        read_duration(text)
