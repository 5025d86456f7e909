"""What a reading says, as short values to compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imgref.sources.occurrence import Reading

__all__ = ["facts", "spans"]


def facts(reading: Reading) -> list[tuple[int, int, str, str | None, str]]:
    """Return line, column, text, what it resolves to, and the role of each reference."""
    return [(one.line, one.column, one.text, one.resolved, one.role) for one in reading.occurrences]


def spans(reading: Reading, text: str) -> list[str | None]:
    """Return the part of the text that an edit of each reference would replace, or None."""
    wholes = [None if one.target is None else one.target.whole for one in reading.occurrences]
    return [None if whole is None else text[slice(*whole)] for whole in wholes]
