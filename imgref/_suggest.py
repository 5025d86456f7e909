"""What was probably meant by a word that is not known."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["did_you_mean", "nearest"]


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.0) -> str | None:
    """Return the known word that is most like another one; with a cutoff, None if none is that much like it.

    >>> nearest("pust", ["pull", "push"]), nearest("x", ["pull"], cutoff=0.6)
    ('push', None)
    """
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, tuple(known), n=1, cutoff=cutoff)), None)


def did_you_mean(word: str, known: Iterable[str], *, cutoff: float = 0.0) -> str:
    """Return the end of a message that suggests the nearest word, empty if there is none.

    >>> did_you_mean("pust", ["pull", "push"])
    "; did you mean 'push'?"
    """
    near = nearest(word, known, cutoff=cutoff)
    return "" if near is None else f"; did you mean {near!r}?"
