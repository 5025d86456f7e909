"""Version schemes: parse versions, and decide which of two is later.

Three schemes, each read into the same :class:`Version`:

- ``semver``: `SemVer 2.0 <https://semver.org/spec/v2.0.0.html>`_, by the ``semver`` package
- ``pep440``: `PEP 440 <https://packaging.python.org/en/latest/specifications/version-specifiers/>`_, by ``packaging``
- ``numeric``: dotted numbers of any length, calendar versions too, with an optional pre-release tail

A leading ``v`` is not part of a version, and is accepted in all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from imgref.errors import InvalidVersion
from imgref.versions._schemes import LONGEST, SCHEMES, read_semver_float, read_text
from imgref.versions._version import Version

__all__ = ["SCHEMES", "Version", "VersionRange", "beside", "read_name", "read_names", "read_version"]


def read_version(text: str, scheme: str = "semver") -> Version:
    """Parse a version that is to be released.

    Args:
        text: the version; a leading ``v`` is removed.
        scheme: ``semver``, ``pep440`` or ``numeric``.

    Raises:
        InvalidVersion: the scheme does not accept it; the reason names a scheme that does, if there is one.

    >>> read_version("v1.2.3-rc.1+b5").text
    '1.2.3-rc.1'
    >>> read_version("2024.01.15", "numeric").release
    (2024, 1, 15)
    """
    version = read_text(text, SCHEMES[scheme])
    if version is None:
        raise InvalidVersion(text, _why_not(text, scheme), _meant(text, scheme))
    return version


def read_name(name: str, scheme: str = "semver") -> Version | None:
    """Parse the name of an existing tag, or return None if it is not a version.

    More is read than by :func:`read_version`: a float (``2``, ``2.1``) counts as its lowest version, and ``_build``,
    as which build metadata is written in a tag, as that.

    >>> read_name("v2.1").release, read_name("2.1.4_b1").text, read_name("nightly")
    ((2, 1), '2.1.4', None)
    """
    read = SCHEMES[scheme]
    number, underscore, build = name.partition("_")
    version = read_text(number, read)
    if version is not None:
        return replace(version, build=build) if underscore else version
    version = read_text(name, read)
    if version is None and scheme == "semver":
        version = read_text(name, read_semver_float)
    return version


def read_names(names: Iterable[str], scheme: str = "semver") -> dict[str, Version]:
    """Read those of the tags of a repository that are versions.

    Beside longer versions, a bare number is one only where another name goes on after it, as 2.1 does after 2: else
    it is a build number or a date.

    >>> sorted(read_names(["2", "2.1.0", "20240115", "latest"]))
    ['2', '2.1.0']
    """
    read = {name: version for name in names if (version := read_name(name, scheme)) is not None}
    if all(len(version.parts) == 1 for version in read.values()):
        return read
    counts = beside(read.values())
    return {name: version for name, version in read.items() if counts(version)}


def beside(versions: Iterable[Version]) -> Callable[[Version], bool]:
    """Return the test of whether a version counts beside others: a bare number only where one goes on after it.

    >>> counts = beside(map(read_version, ["2.1.0"]))
    >>> [counts(version) for name in ("2", "20240115") if (version := read_name(name))]
    [True, False]
    """
    longer = {version.release[0] for version in versions if len(version.parts) > 1}
    return lambda version: not version.is_bare or version.release[0] in longer


@dataclass(frozen=True, slots=True)
class VersionRange:
    """Comparisons that a version must all fulfil, as in ``>=1.2,<2``.

    A pre-release is in a range only if one of the comparisons has a pre-release, or if they are requested;
    and never below a bound of which it is itself a pre-release: ``2.0.0-rc.1`` is not in ``<2``.

    ``~`` and ``^`` mean what they mean in npm and Cargo. ``~1.2`` and ``~1.2.3`` allow any later 1.2, ``~1`` any 1.
    ``^1.2.3`` allows what does not change the first number that is not zero: any later 1, ``^0.2.3`` any later 0.2,
    ``^0.0.3`` only 0.0.3.

    >>> [text in VersionRange.parse(">=1.2,<2") for text in map(read_version, ("1.2.0", "1.9.0-rc.1", "2.0.0"))]
    [True, False, False]
    >>> [read_version("1.9.0") in VersionRange.parse(text) for text in ("~1.2", "^1.2", "^1.2,<1.9")]
    [False, True, False]
    """

    comparisons: tuple[tuple[str, Version], ...]
    prereleases: bool

    @classmethod
    def parse(cls, text: str, scheme: str = "semver", *, prereleases: bool | None = None) -> VersionRange:
        """Read a range.

        Args:
            text: comparisons with ``>=``, ``>``, ``<=``, ``<``, ``==``, ``!=``, ``~`` or ``^``, joined by commas.
            scheme: how the versions in it are read; missing numbers are zero.
            prereleases: whether pre-releases are in it; None where the range itself decides.

        Raises:
            InvalidVersion: it is not a valid range.
        """
        comparisons: list[tuple[str, Version]] = []
        for part in text.split(","):
            found = re.fullmatch(r"\s*(>=|<=|==|!=|>|<|=|~|\^)\s*(\S+)\s*", part, re.ASCII)
            version = found and read_name(found[2], scheme)
            if not found or version is None:
                reason = f"a range is comparisons joined by commas, as in >=1.2,<2, with versions in scheme {scheme}"
                raise InvalidVersion(text, reason)
            if found[1] in _NEXT:
                comparisons += ((">=", version), ("<", _NEXT[found[1]](version, scheme)))
            else:
                comparisons.append((found[1], version))
        named = any(version.prerelease for _, version in comparisons)
        return cls(tuple(comparisons), named if prereleases is None else prereleases)

    def __contains__(self, version: Version) -> bool:
        if version.prerelease and not self.prereleases:
            return False
        return all(_COMPARED[sign](version, bound) for sign, bound in self.comparisons)


def _is_below(version: Version, bound: Version) -> bool:
    if version.prerelease and not bound.prerelease:
        depth = max(len(version.release), len(bound.release))
        return bool(version.order < bound.order) and not version.shares(bound, depth)
    return bool(version.order < bound.order)


def _after_tilde(version: Version, scheme: str) -> Version:
    return _bumped(version, min(1, len(version.parts) - 1), scheme)


def _after_caret(version: Version, scheme: str) -> Version:
    places = range(len(version.parts))
    return _bumped(version, next((place for place in places if version.release[place]), places[-1]), scheme)


def _bumped(version: Version, place: int, scheme: str) -> Version:
    """Return the release in which the number at an index is one greater and nothing follows."""
    numbers = (*version.release[:place], version.release[place] + 1)
    bound = read_name(".".join(map(str, numbers)), scheme)
    assert bound is not None
    return bound


_NEXT: Final = {"~": _after_tilde, "^": _after_caret}
"""The ranges that end before a version, and how it follows from the one that is written."""


_COMPARED: Final[dict[str, Callable[[Version, Version], bool]]] = {
    ">=": lambda version, bound: bool(version.order >= bound.order),
    ">": lambda version, bound: bool(version.order > bound.order),
    "<=": lambda version, bound: bool(version.order <= bound.order),
    "<": _is_below,
    "==": lambda version, bound: bool(version.order == bound.order),
    "=": lambda version, bound: bool(version.order == bound.order),
    "!=": lambda version, bound: bool(version.order != bound.order),
}


_EXPECTED: Final = {
    "semver": "SemVer is MAJOR.MINOR.PATCH with an optional -prerelease and +build, without leading zeros",
    "pep440": "PEP 440 is dotted numbers with an optional a1, b1, rc1, .post1 or .dev1",
    "numeric": "a numeric version is dotted numbers with an optional -alpha1, -beta1, -rc1 or -dev1",
}


def _why_not(text: str, scheme: str) -> str:
    if not text.strip():
        return "nothing is given (an unset variable?)"
    if len(text) > LONGEST:
        return f"it has {len(text)} characters, more than the {LONGEST} that are read"
    if scheme == "pep440" and re.match(r"v?\d+!", text):
        return "a version with an epoch cannot be a tag: a tag cannot contain '!'"
    others = [other for other in SCHEMES if other != scheme and read_text(text, SCHEMES[other])]
    hint = f"; --scheme {' or '.join(others)} reads it" if others else ""
    return f"{_EXPECTED[scheme]}{hint}"


def _meant(text: str, scheme: str) -> str | None:
    bare = text.strip().lstrip("=V").strip()
    return bare if bare != text and read_text(bare, SCHEMES[scheme]) else None
