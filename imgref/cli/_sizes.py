"""Sizes, as tables show them."""

from __future__ import annotations

__all__ = ["shown_size"]


def shown_size(size: int) -> str:
    """Return a number of bytes for people, in powers of 1000 as Docker shows them.

    >>> [shown_size(size) for size in (0, 999, 1000, 72_300_000, 1_250_000_000)]
    ['0 B', '999 B', '1.0 kB', '72.3 MB', '1.2 GB']
    """
    if size < 1000:
        return f"{size} B"
    amount = float(size)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.95:
            return f"{amount:.1f} {unit}"
    return f"{amount / 1000:.1f} TB"
