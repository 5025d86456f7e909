"""A version, as any of the schemes reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Version:
    """A version as its scheme reads it; ordered within the scheme.

    ``<`` and ``>`` compare precedence, in which spelling and build metadata have no part: neither of ``1.2.3`` and
    ``v1.2.3`` is less than the other, although they are not equal. Versions of two schemes cannot be compared.

    >>> from imgref.versions import read_version
    >>> read_version("1.9.0") < read_version("1.10.0-rc.1") < read_version("1.10.0")
    True

    Attributes:
        text: the tag for exactly this version: in the scheme's spelling, without ``v`` and build metadata.
        parts: the release numbers as they are spelled.
        release: the same as numbers.
        order: compares with that of any other version of the same scheme; build metadata has no part in it.
        prerelease: whether it comes before the release of its numbers.
        channel: ``rc`` for ``2.0.0-rc.1``; None where the pre-release is more than a word and a number.
        build: build metadata, or None.
        has_v: whether it was written with a leading ``v``.
        scheme: the name of the scheme.
    """

    text: str
    parts: tuple[str, ...]
    release: tuple[int, ...]
    order: Any = field(compare=False)
    prerelease: bool = False
    channel: str | None = None
    build: str | None = None
    has_v: bool = False
    scheme: str = field(default="semver", compare=False)

    @property
    def is_plain(self) -> bool:
        """Whether the tag is the release numbers alone, as a floating tag is."""
        return len(self.text) == sum(map(len, self.parts)) + len(self.parts) - 1

    @property
    def is_bare(self) -> bool:
        """Whether it is a single number, which may as well be a build number or a date."""
        return len(self.parts) == 1 and self.is_plain

    def shares(self, other: Version, depth: int) -> bool:
        """Return whether the first ``depth`` numbers are the same; missing ones count as zero."""
        return self._padded(depth) == other._padded(depth)

    def __lt__(self, other: Version) -> bool:
        return bool(self.order < other.order) if self._is_comparable(other) else NotImplemented

    def __le__(self, other: Version) -> bool:
        return bool(self.order <= other.order) if self._is_comparable(other) else NotImplemented

    def __gt__(self, other: Version) -> bool:
        return bool(self.order > other.order) if self._is_comparable(other) else NotImplemented

    def __ge__(self, other: Version) -> bool:
        return bool(self.order >= other.order) if self._is_comparable(other) else NotImplemented

    def _is_comparable(self, other: object) -> bool:
        return isinstance(other, Version) and self.scheme == other.scheme

    def _padded(self, depth: int) -> tuple[int, ...]:
        return (self.release + (0,) * depth)[:depth]
