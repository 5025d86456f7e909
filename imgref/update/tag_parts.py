"""Reading a tag: the prefix, the version, and what the suffix is made of.

A tag is cut at ``-`` and ``_``. The first piece that begins with a digit, or with ``v`` and a digit, is the version,
unless it is a commit or a release of Windows. What the pieces behind it mean depends on their position: ``14`` is a
build in ``7.0.11-14``, and a release of Java in ``3.9-temurin-14``. So they are read from left to right, and each is
either part of the *shape*, which stays when a tag moves, or a number, which may rise.

Names alone decide: no rule is specific to a product.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from imgref.update._suffix import Suffix, SuffixNumber, read_suffix
from imgref.update._words import IS_COMMIT, PRE_PATTERN, WINDOWS, PreRelease, is_commit, pre_release
from imgref.update.dates import ISO_DATE, YEARS, is_date, iso_digits

__all__ = ["TagParts", "commit_lengths", "read_tag", "variant_of"]

_LONGEST: Final = 128
"""No tag is longer: https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests."""

_VERSION: Final = re.compile(
    r"(?P<v>[vV]?)(?:(?P<update>\d++u\d++)|(?P<numbers>\d++(?:\.\d++)*+))"
    rf"(?:\.?(?P<pre>{PRE_PATTERN})|\.?post(?P<post>\d++)|(?P<letter>[a-z])|\.(?:final|ga|release))?",
    re.ASCII | re.IGNORECASE,
)

# `x86_64` is one word.
_SEPARATORS: Final = re.compile(r"(-|_(?!64(?:[-_]|$))|(?<!x86)_)")

_COMMITS: Final = re.compile(rf"(?<![^-_\n])(?:{IS_COMMIT.pattern})(?![^-_\n])")


class TagParts(NamedTuple):
    """The parts of a tag that contains a version.

    Attributes:
        tag: the tag.
        prefix: everything before the version, with separators.
        v: the ``v`` or ``V`` of the version, or nothing.
        numbers: the numbers of the version; a date is one number.
        kinds: for each of them ``n`` for a number, ``y`` for a year (in the first position only), ``d`` for a date.
        letter: the letter of ``1.1.1w``, in lowercase.
        pre: the pre-release; nearly always one, as ``rc1``. Empty for a stable version.
        later: the number of a later build of the same version, as in ``-p3``, ``.post1`` or ``-security-01``.
        suffix: the numbers of the suffix that may rise.
        words: the words of prefix and suffix, with the numbers that stay; a set of names for the variant.
        shape: all that stays when the tag moves. Tags with the same shape are releases of the same variant.
        exact: whether a build ``_N`` follows the version, which then is exact, however many numbers it has.
    """

    tag: str
    prefix: str
    v: str
    numbers: tuple[int, ...]
    kinds: str
    letter: str
    pre: tuple[PreRelease, ...]
    later: tuple[int, ...]
    suffix: tuple[SuffixNumber, ...]
    words: tuple[str, ...]
    shape: str
    exact: bool

    @property
    def is_date(self) -> bool:
        """Whether the version is a date."""
        return self.kinds[0] == "d"

    @property
    def is_bare(self) -> bool:
        """Whether the version is a single number, which may be a version, a floating tag or a CI build."""
        return len(self.numbers) == 1 and not self.is_date


def read_tag(tag: str, commits: frozenset[int] = frozenset()) -> TagParts | None:
    """Return the parts of a tag, or None if it contains no version.

    Args:
        tag: the tag.
        commits: the lengths of the commits in the tags of the repository. A number of such a length is a commit too.

    >>> parts = read_tag("v3.13.0rc1-slim-alpine3.20")
    >>> parts.numbers, parts.shape, [number.value for number in parts.suffix]
    ((3, 13, 0), 'v{nnn}-slim-alpine{2}', [(3, 20)])
    >>> [read_tag(tag) for tag in ("latest", "php8.2-fpm", "1.x", "windowsservercore-1809", "9f8e7d6")]
    [None, None, None, None, None]
    """
    if len(tag) > _LONGEST or tag.startswith(("sha-", "sha256-")):
        return None
    pieces = _cut(tag)
    place = _version_place(pieces, commits)
    if place is None:
        return None
    version = _read_version(pieces[place])
    if version is None:
        return None
    prefix = "".join(pieces[:place]) if place else ""
    suffix = read_suffix(tuple(pieces[place + 1 :]), commits, update=version.update)
    return _joined(tag, prefix, version, suffix)


def variant_of(tag: str) -> str | None:
    """Return the variant that a tag names, without any version: None if it contains no version, "" for a plain version.

    >>> [variant_of(tag) for tag in ("1.27.3-alpine", "1.27.3-alpine3.20", "6.4-php8.2-fpm", "1.28.0-rc.1", "latest")]
    ['alpine', 'alpine3.20', 'php8.2-fpm', '', None]
    """
    parts = read_tag(tag)
    return None if parts is None else "-".join(parts.words)


def commit_lengths(tags: Iterable[str]) -> frozenset[int]:
    """Return the lengths of the commits in tags.

    >>> sorted(commit_lengths(["9f8e7d6", "v1.2.0-3-gd53f37589", "1234567", "latest"]))
    [7, 9]
    """
    return frozenset(len(found.lstrip("g")) for found in _COMMITS.findall("\n".join(tags)))


class _Version(NamedTuple):
    v: str
    numbers: tuple[int, ...]
    kinds: str
    form: str
    letter: str = ""
    pre: tuple[PreRelease, ...] = ()
    later: tuple[int, ...] = ()
    update: bool = False


def _joined(tag: str, prefix: str, version: _Version, suffix: Suffix) -> TagParts:
    # With a build `_N` any number of parts is accepted, and the kinds are compared position by position.
    form = version.v + "*" if suffix.exact else version.form
    words = (*filter(None, re.split("[-_.]", prefix)), *suffix.words) if prefix else suffix.words
    return TagParts(
        tag,
        prefix,
        version.v,
        version.numbers,
        version.kinds,
        version.letter,
        version.pre + suffix.pre,
        version.later + suffix.later,
        suffix.numbers,
        words,
        prefix + form + suffix.shape,
        suffix.exact,
    )


def _cut(tag: str) -> list[str]:
    """Cut a tag into pieces and, between them, separators; a date with hyphens is one piece."""
    if tag.count("-") < 2:
        return _SEPARATORS.split(tag)
    pieces: list[str] = []
    begin = 0
    for found in ISO_DATE.finditer(tag):
        if iso_digits(found["digits"]) is None:
            continue
        pieces += _SEPARATORS.split(tag[begin : found.start()])
        if pieces[-1].endswith("."):
            pieces[-1:] = [pieces[-1][:-1], "."]
        else:
            pieces.pop()
        pieces.append(found["digits"])
        begin = found.end()
        if begin == len(tag):
            return pieces
        pieces.append(tag[begin])
        begin += 1
    return pieces + _SEPARATORS.split(tag[begin:])


def _version_place(pieces: list[str], commits: frozenset[int]) -> int | None:
    for place in range(0, len(pieces), 2):
        piece = pieces[place]
        if not piece[piece[:1] in ("v", "V") :][:1].isdecimal():
            continue
        if place and (pieces[place - 2].lower() in WINDOWS or pieces[place - 2].lower() == "sha"):
            continue
        if not is_commit(piece, commits):
            return place
    return None


@lru_cache(maxsize=8192)
def _read_version(piece: str) -> _Version | None:
    if "-" in piece and (digits := iso_digits(piece)):
        return _Version("", (int(digits),), "d", f"{{iso{len(digits)}}}")
    found = _VERSION.fullmatch(piece)
    if found is None:
        return None
    texts = (found["numbers"] or found["update"].lower().replace("u", ".")).split(".")
    kinds, form = _kinds(texts)
    letter = found["letter"] or ""
    return _Version(
        found["v"],
        tuple(map(int, texts)),
        kinds,
        # A letter moves to a later one of the same case only.
        f"{found['v']}{{{form}}}{'u' * bool(found['update'])}{letter and ('a' if letter.islower() else 'A')}",
        letter.lower(),
        (pre_release(found["pre"]),) if found["pre"] else (),
        (int(found["post"]),) if found["post"] else (),
        found["update"] is not None,
    )


def _kinds(texts: list[str]) -> tuple[str, str]:
    """Return the kinds of the numbers of a version, and the same with the lengths of dates, which stay too."""
    first = "y" if len(texts[0]) == 4 and int(texts[0]) in YEARS else "n"
    kinds = first + "n" * (len(texts) - 1)
    if max(map(len, texts)) < 6:
        return kinds, kinds
    kinds = "".join("d" if is_date(text) else kind for text, kind in zip(texts, kinds, strict=True))
    return kinds, "".join(f"d{len(text)}" if kind == "d" else kind for text, kind in zip(texts, kinds, strict=True))
