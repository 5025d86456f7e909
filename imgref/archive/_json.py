"""JSON from elsewhere: read within bounds, so that no document fills the memory or exhausts the stack."""

from __future__ import annotations

from typing import Final

from imgref._utils.documents import parse_json

__all__ = ["read_json", "read_value"]

_MOST_VALUES: Final = 250_000
"""Values in one document. Small ones take up to thirty times their length in memory: a manifest of 4 MiB may be
``[[],[],…``. Real documents have one value in 20 bytes or more."""


def read_value(raw: bytes) -> object:
    """Parse JSON.

    Raises:
        ValueError: it is not valid JSON, or has too many values or levels; the message is the reason.
    """
    # Commas and brackets inside strings count too: what has that many of those is not a manifest either.
    if raw.count(b",") + raw.count(b"[") + raw.count(b"{") > _MOST_VALUES:
        raise ValueError(f"has more than {_MOST_VALUES:,} values")
    return parse_json(raw)


def read_json(raw: bytes) -> dict[str, object]:
    """Parse a JSON object.

    Raises:
        ValueError: it is not an object, or has too many values or levels; the message is the reason.
    """
    value = read_value(raw)
    if not isinstance(value, dict):
        raise ValueError("is not a JSON object")
    return value
