"""Points in time, as options take them and as tables show them."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime

import click

from imgref.cli._durations import read_duration

__all__ = ["iso_time", "parse_since", "shown_time"]


def parse_since(text: str, now: datetime) -> datetime:
    """Return the time that ``--since`` means.

    Args:
        text: a date, a date and time, or how long ago, as in ``7d``.
        now: the present time.

    Raises:
        click.BadParameter: it is none of these.

    >>> now = datetime(2024, 3, 10, 12, tzinfo=UTC)
    >>> [iso_time(parse_since(text, now)) for text in ("36h", "2024-01-31", "2024-01-31T10:00:00+02:00")]
    ['2024-03-09T00:00:00Z', '2024-01-31T00:00:00Z', '2024-01-31T08:00:00Z']
    """
    try:
        with suppress(ValueError):
            return now - read_duration(text)
        if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
            raise ValueError
        time = datetime.fromisoformat(text)
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        reason = f"invalid time {text!r}: write a date such as 2024-01-31, or how long ago, such as 7d or 12h"
        raise click.BadParameter(reason) from None


def iso_time(time: datetime) -> str:
    """Return a time in UTC as :rfc:`3339` writes it, in whole seconds."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shown_time(time: datetime | None) -> str:
    """Return a time for people: in UTC, in minutes; ``unknown`` if there is none."""
    return "unknown" if time is None else time.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
