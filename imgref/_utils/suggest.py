"""Suggests the known word that was probably meant by an unknown one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["did_you_mean", "nearest"]


_NEAR: Final = 0.6
"""How much alike two words are at least, from 0 to 1: ``foo`` is not what anybody wrote for ``golden-scope``."""


def nearest(word: str, known: Iterable[str], *, cutoff: float = _NEAR) -> str | None:
    """Return the known word that is most like another one, or None if none is at least as much like it as the cutoff.

    >>> nearest("pust", ["pull", "push"]), nearest("foo", ["golden-scope"])
    ('push', None)
    """
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, tuple(known), n=1, cutoff=cutoff)), None)


def did_you_mean(word: str, known: Iterable[str], *, cutoff: float = _NEAR) -> str:
    """Return the end of a message that suggests the nearest word, empty if there is none.

    >>> did_you_mean("pust", ["pull", "push"])
    "; did you mean 'push'?"
    """
    near = nearest(word, known, cutoff=cutoff)
    return "" if near is None else f"; did you mean {near!r}?"
