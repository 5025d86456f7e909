"""The version schemes: how each parses a version, and which of two versions is later."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from imgref.versions._version import Version

_TAILS: Final = ("dev", "alpha", "beta", "rc")
"""The pre-releases of the numeric scheme, earliest first."""


# Compiled where they are first used; `re` keeps them.
_NUMERIC: Final = (
    r"(?i)(?P<release>\d+(?:\.\d+)*)"
    rf"(?:[-._]?(?P<tail>{'|'.join(_TAILS)})[-._]?(?P<number>\d*))?"
    r"(?:\+(?P<build>[\w.-]+))?"
)


_SEMVER_FLOAT: Final = r"(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))?"


_SEMVER_CHANNEL: Final = r"([A-Za-z]+)\.?\d*"


LONGEST: Final = 256
"""A tag has at most 128 characters; a version may be longer by its build metadata, which is dropped."""


def read_text(text: str, read: Callable[[str], Version | None]) -> Version | None:
    """Return the version that a scheme's parser finds in a string, with or without a leading ``v``, or None."""
    if len(text) > LONGEST or not text.isascii():
        return None
    has_v = text[:1] == "v"
    bare = text[has_v:]
    if not bare[:1].isdigit():
        return None
    version = read(bare)
    return replace(version, has_v=True) if version is not None and has_v else version


def _read_semver(text: str) -> Version | None:
    import semver

    # The package's pattern ends in `$`, which admits a newline.
    if text[-1].isspace():
        return None
    try:
        read = semver.Version.parse(text)
    except ValueError:
        return None
    release = (read.major, read.minor, read.patch)
    channel = read.prerelease and re.fullmatch(_SEMVER_CHANNEL, read.prerelease, re.ASCII)
    return Version(
        text=str(read).partition("+")[0],
        parts=tuple(map(str, release)),
        release=release,
        order=(release, _semver_precedence(read.prerelease)),
        prerelease=read.prerelease is not None,
        channel=channel[1] if channel else None,
        build=read.build,
    )


def _semver_precedence(prerelease: str | None) -> tuple[object, ...]:
    """Return what orders pre-releases among each other and before the release, https://semver.org/#spec-item-11."""
    if prerelease is None:
        return (1,)
    identifiers = prerelease.split(".")
    return (0, *((0, int(word), "") if word.isdigit() else (1, 0, word) for word in identifiers))


def read_semver_float(text: str) -> Version | None:
    """Return the lowest version of a floating tag, such as 2.1.0 for ``2.1``, or None."""
    if not re.fullmatch(_SEMVER_FLOAT, text, re.ASCII):
        return None
    parts = tuple(text.split("."))
    release = tuple(map(int, parts))
    return Version(text, parts, release, order=((*release, 0, 0)[:3], _semver_precedence(None)))


def _read_pep440(text: str) -> Version | None:
    from packaging.version import InvalidVersion as NotPep440
    from packaging.version import Version as Pep440

    if text[-1].isspace():
        return None
    try:
        read = Pep440(text)
    except (NotPep440, ValueError):
        return None
    if read.epoch:
        return None
    channel = "dev" if read.is_devrelease else _PEP440_CHANNELS[read.pre[0]] if read.pre else None
    return Version(
        text=read.public,
        parts=tuple(map(str, read.release)),
        release=read.release,
        order=Pep440(read.public) if read.local else read,
        prerelease=read.is_prerelease,
        channel=channel,
        build=read.local,
        scheme="pep440",
    )


_PEP440_CHANNELS: Final = {"a": "alpha", "b": "beta", "rc": "rc"}


def _read_numeric(text: str) -> Version | None:
    found = re.fullmatch(_NUMERIC, text, re.ASCII)
    if found is None:
        return None
    parts = tuple(found["release"].split("."))
    release = tuple(map(int, parts))
    tail = found["tail"] and found["tail"].lower()
    significant = len(release)
    while significant and release[significant - 1] == 0:
        significant -= 1
    stage = (_TAILS.index(tail), int(found["number"] or 0)) if tail else (len(_TAILS), 0)
    return Version(
        text=text.partition("+")[0],
        parts=parts,
        release=release,
        order=(release[:significant], stage),
        prerelease=tail is not None,
        channel=tail,
        build=found["build"],
        scheme="numeric",
    )


SCHEMES: Final[dict[str, Callable[[str], Version | None]]] = {
    "semver": _read_semver,
    "pep440": _read_pep440,
    "numeric": _read_numeric,
}
"""The schemes by name, each with its parser of a string that begins with a digit: a Version, or None."""
