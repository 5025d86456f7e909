"""Parses the suffix of a tag: what may rise, what stays, and what is removed.

The pieces are read from left to right. What a number means depends on what is in front of it:

===================  =================================================================
in front             the number
===================  =================================================================
the version          a build (``7.0.11-14``) or a second version (``15-3.3``)
such a number        the same (``7.0.11-14-2``)
a branch word        a counter (``11-jdk-master-111``)
any other word       part of that word (``temurin-17``)
===================  =================================================================

Dates may rise wherever they are. Pre-releases and later builds are removed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from imgref.update._words import (
    BRANCHES,
    COUNTED_BUILD,
    DISTRIBUTIONS,
    LATER_WORDS,
    WINDOWS,
    Piece,
    PreRelease,
    is_commit,
    read_piece,
)
from imgref.update.dates import is_date, iso_digits

__all__ = ["Suffix", "SuffixNumber", "read_suffix"]

_BUILD_PART: Final = 100
"""A number with a part as great as this is a build, as ``923.1669829893``; a second version has small numbers."""

_VERSION, _NUMBER, _BRANCH, _WINDOWS, _SHA, _WORD, _FIXED = range(7)
"""What is in front of a piece."""


class SuffixNumber(NamedTuple):
    """A number of a suffix that may rise.

    Attributes:
        role: ``build`` (also counters and dates), ``version`` (a second version), or ``base``: the release of the
            distribution, which never falls.
        value: its parts.
    """

    role: str
    value: tuple[int, ...]


class Suffix(NamedTuple):
    """The parts of the suffix of a tag; :class:`TagParts` describes the fields."""

    shape: str
    numbers: tuple[SuffixNumber, ...]
    words: tuple[str, ...]
    pre: tuple[PreRelease, ...]
    later: tuple[int, ...]
    exact: bool


_EMPTY: Final = Suffix("", (), (), (), (), exact=False)


# A repository repeats its suffixes with each version.
@lru_cache(maxsize=8192)
def read_suffix(pieces: tuple[str, ...], commits: frozenset[int], *, update: bool) -> Suffix:
    """Return the parts of a suffix.

    Args:
        pieces: separators and pieces in turns, beginning with a separator; nothing for a tag without suffix.
        commits: the lengths of the commits in the tags of the repository.
        update: whether the version is one like ``8u392``, behind which ``b08`` is a build and no beta.
    """
    if not pieces:
        return _EMPTY
    reader = _Reader(pieces, commits, update=update)
    while reader.place < len(pieces):
        reader.read()
    return Suffix(
        "".join(reader.shape),
        tuple(reader.numbers),
        tuple(reader.words),
        tuple(reader.pre),
        tuple(reader.later),
        reader.exact,
    )


class _Reader:
    """Reads one suffix; each method reads one kind of piece and moves on."""

    __slots__ = ("commits", "exact", "front", "later", "numbers", "pieces", "place", "pre", "shape", "update", "words")

    def __init__(self, pieces: tuple[str, ...], commits: frozenset[int], *, update: bool) -> None:
        self.pieces = pieces
        self.commits = commits
        self.update = update
        self.place = 0
        self.front = _VERSION
        self.shape: list[str] = []
        self.numbers: list[SuffixNumber] = []
        self.words: list[str] = []
        self.pre: list[PreRelease] = []
        self.later: list[int] = []
        self.exact = False

    def read(self) -> None:
        separator, text = self.pieces[self.place : self.place + 2]
        self.place += 2
        if is_commit(text, self.commits) or (self.front == _SHA and re.fullmatch("[0-9a-f]{7,40}", text)):
            self._keep(separator, "{commit}", _FIXED)
        elif "-" in text and (digits := iso_digits(text)):
            self._rise(separator, f"iso{len(digits)}", "build", (int(digits),), _FIXED)
        elif (piece := read_piece(text)).kind == "word":
            self._word(separator, text)
        elif self.front == _VERSION and piece.kind != "number" and self._counted_build(separator, text):
            pass
        else:
            _READ[piece.kind](self, separator, text, piece)

    def _keep(self, separator: str, text: str, front: int) -> None:
        self.shape += (separator, text)
        self.front = front

    def _rise(self, separator: str, form: str, role: str, value: tuple[int, ...], front: int) -> None:
        self.shape.append(f"{separator}{{{form}}}")
        self.numbers.append(SuffixNumber(role, value))
        self.front = front

    def _word(self, separator: str, text: str) -> None:
        word = text.lower()
        if word in LATER_WORDS and self.front != _FIXED and (number := self._following()) is not None:
            self.later.append(number)
            return
        front = _BRANCH if word in BRANCHES else _WINDOWS if word in WINDOWS else _SHA if word == "sha" else _WORD
        self._keep(separator, text, front)
        if text:
            self.words.append(text)
        if word in DISTRIBUTIONS:
            self._distribution()

    def _distribution(self) -> None:
        """Read the number behind a distribution, if a revision follows as in ``debian-12-r3``."""
        following = self.pieces[self.place : self.place + 4]
        if len(following) < 4 or read_piece(following[1]).kind != "number":
            return
        revision = read_piece(following[3])
        if revision.kind == "counter" and revision.word == "r" and not following[1].startswith(("v", "V")):
            value = read_piece(following[1]).value
            self._rise(following[0], str(len(value)), "base", value, _FIXED)
            self.words.append(following[1])
            self.place += 2

    def read_number(self, separator: str, text: str, piece: Piece) -> None:
        first = text.partition(".")[0]
        v = text[0] if text[0] in "vV" else ""
        form = f"d{len(first)}" if is_date(first) else "n"
        if self.front == _WINDOWS:
            self._fixed(separator, text)
        elif self.front in (_VERSION, _NUMBER):
            self._behind_version(separator, v, form, piece.value)
        elif form != "n" or self.front == _BRANCH:
            self._rise(separator, f"{v}{form}.{len(piece.value)}", "build", piece.value, _FIXED)
        else:
            self._fixed(separator, text)

    def _fixed(self, separator: str, text: str) -> None:
        self._keep(separator, text, _FIXED)
        self.words.append(text)

    def _behind_version(self, separator: str, v: str, form: str, value: tuple[int, ...]) -> None:
        single = len(value) == 1
        if form != "n":
            form, role = f"{form}.{len(value)}", "build"
        elif single or max(value) >= _BUILD_PART:
            role = "build"
            self.exact |= single and separator == "_" and self.front == _VERSION and not v
        else:
            form, role = str(len(value)), "version"
        self._rise(separator, v + form, role, value, _NUMBER)

    def _counted_build(self, separator: str, text: str) -> bool:
        """Read ``b08`` behind ``8u392``, and ``_b5`` behind any version; anywhere else ``b5`` is a beta."""
        found = COUNTED_BUILD.fullmatch(text)
        if found is None or not (separator == "_" or (self.update and found[1].lower() == "b")):
            return False
        self._rise(f"{separator}{found[1]}", "n", "build", (int(found[2]),), _NUMBER)
        return True

    def read_counter(self, separator: str, _text: str, piece: Piece) -> None:
        self._rise(separator + piece.word, "n", "build", piece.value, _FIXED)

    def read_alpine(self, separator: str, text: str, piece: Piece) -> None:
        self._rise(separator + text[: len("alpine")], str(len(piece.value)), "base", piece.value, _WORD)
        self.words.append(text)

    def read_pre(self, _separator: str, text: str, piece: Piece) -> None:
        pre = piece.pre
        assert pre is not None
        # The number may follow: `-rc-1`, `-ea-32`.
        if not pre.numbers and (number := self._following()) is not None:
            pre = pre._replace(numbers=(number,))
        self.pre.append(pre)

    def _following(self) -> int | None:
        """Read the next piece if it is a number, for a word that takes one."""
        text = self.pieces[self.place + 1] if self.place < len(self.pieces) else ""
        if not re.fullmatch(r"\d+", text, re.ASCII) or is_commit(text, self.commits):
            return None
        self.place += 2
        return int(text)

    def read_later(self, separator: str, text: str, piece: Piece) -> None:
        if self.front == _FIXED:
            # `sp4` in `sles-15-sp4` is a release of that system.
            self._fixed(separator, text)
        else:
            self.later.append(piece.value[0])


_READ: Final = {
    "number": _Reader.read_number,
    "counter": _Reader.read_counter,
    "alpine": _Reader.read_alpine,
    "pre": _Reader.read_pre,
    "later": _Reader.read_later,
}
