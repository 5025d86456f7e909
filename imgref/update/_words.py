"""The words that mean something in a tag, and the reading of one piece on its own."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from imgref.update.dates import is_date

__all__ = [
    "BRANCHES",
    "COUNTED_BUILD",
    "DISTRIBUTIONS",
    "IS_COMMIT",
    "LATER_WORDS",
    "PRE_PATTERN",
    "WINDOWS",
    "Piece",
    "PreRelease",
    "is_commit",
    "pre_release",
    "read_piece",
]

BRANCHES: Final = frozenset(
    {"master", "main", "develop", "trunk", "build", "ci", "rev", "r", "git", "nightly", "snapshot", "b"}
)
"""A number behind one of these counts builds."""

WINDOWS: Final = frozenset({"nanoserver", "windowsservercore", "servercore"})
"""A number behind one of these is a release of Windows, which must fit the host."""

DISTRIBUTIONS: Final = frozenset({"debian", "ubuntu", "centos", "ol", "photon", "rhel", "ubi"})
"""Bitnami writes one of these, its number and a revision: ``debian-12-r3``."""

LATER_WORDS: Final = frozenset({"post", "patch", "hotfix", "sp", "security"})
"""With a number, these are later builds of the same version."""

_STAGES: Final = {
    **dict.fromkeys(("dev", "canary", "nightly"), 0),
    "snapshot": 1,
    **dict.fromkeys(("a", "alpha"), 2),
    **dict.fromkeys(("m", "milestone", "ea"), 3),
    **dict.fromkeys(("b", "beta"), 4),
    **dict.fromkeys(("pre", "preview"), 5),
    **dict.fromkeys(("rc", "cr"), 6),
}
"""The words of pre-releases and their order; the release comes after all of them."""

_NUMBERS: Final = r"\d++(?:\.\d++)*+"

PRE_PATTERN: Final = (
    rf"(?:(?:alpha|beta|rc|cr|preview|pre|ea|snapshot|milestone)(?:\.?{_NUMBERS})?"
    # These are pre-releases only with a number: alone they are variants, as `dev` and `nightly`, or anything, as `m`.
    rf"|(?:a|b|m|dev|canary|nightly)\.?{_NUMBERS})"
)

COUNTED_BUILD: Final = re.compile(r"(b|r|p|rev|build)(\d++)", re.ASCII | re.IGNORECASE)
"""A build behind ``_``, as in ``1.27.3_b5``."""

IS_COMMIT: Final = re.compile(r"g[0-9a-f]{7,40}|(?=[0-9]*+[a-f])(?=[a-f]*+[0-9])[0-9a-f]{7,40}")
"""An abbreviated commit has a letter and a digit, unlike words and numbers, or ``g`` in front."""

_PIECE: Final = re.compile(
    rf"(?P<number>[vV]?{_NUMBERS})"
    rf"|(?P<pre>{PRE_PATTERN})"
    rf"|(?:{'|'.join(sorted(LATER_WORDS))})\.?(?P<later>\d++)|p(?P<patch>\d++)"
    r"|(?P<counter>(?:rke2r|k3s|ls|r|rev|build|eksbuild|kb)\.?)(?P<count>\d++)"
    r"|alpine(?P<alpine>\d++(?:\.\d++)++)",
    re.ASCII | re.IGNORECASE,
)


class PreRelease(NamedTuple):
    """The stage of a pre-release, as a number that orders them, and its own numbers."""

    stage: int
    numbers: tuple[int, ...] = ()


class Piece(NamedTuple):
    """What a piece of a tag is by itself, whatever its position.

    Attributes:
        kind: ``number``, ``pre``, ``later`` (a later build of the same version), ``counter``, ``alpine`` or ``word``.
        value: its numbers.
        word: the counter's word as it is spelled.
        pre: the pre-release.
    """

    kind: str
    value: tuple[int, ...] = ()
    word: str = ""
    pre: PreRelease | None = None


@lru_cache(maxsize=4096)
def read_piece(text: str) -> Piece:
    """Return what a piece of a tag is on its own.

    >>> [read_piece(text).kind for text in ("17", "rc1", "p3", "ls300", "alpine3.20", "slim", "php8.2")]
    ['number', 'pre', 'later', 'counter', 'alpine', 'word', 'word']
    """
    found = _PIECE.fullmatch(text)
    if found is None:
        return Piece("word")
    number, pre, later, patch, counter, count, alpine = found.groups()
    if number:
        return Piece("number", _numbers(number.lstrip("vV")))
    if pre:
        return Piece("pre", pre=pre_release(text))
    if later or patch:
        return Piece("later", (int(later or patch),))
    return Piece("counter", (int(count),), counter) if counter else Piece("alpine", _numbers(alpine))


def is_commit(piece: str, lengths: frozenset[int]) -> bool:
    """Return whether a piece is a commit: by itself, or as a number as long as the commits of the repository.

    >>> is_commit("9f8e7d6", frozenset()), is_commit("1234567", frozenset()), is_commit("1234567", frozenset({7}))
    (True, False, True)
    """
    if len(piece) < 7 or "." in piece:
        return False
    if piece.isdecimal():
        return len(piece) in lengths and not is_date(piece)
    return IS_COMMIT.fullmatch(piece) is not None


def pre_release(text: str) -> PreRelease:
    """Return the stage and the numbers of a pre-release such as ``rc.1``.

    >>> pre_release("RC2") > pre_release("beta.10") > pre_release("beta.9") > pre_release("dev20240101")
    True
    """
    word = text.lower().rstrip("0123456789.")
    number = text[len(word) :].strip(".")
    return PreRelease(_STAGES[word], _numbers(number) if number else ())


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))
