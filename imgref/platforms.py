"""Platforms: operating system, architecture and variant, read, normalized and matched as containerd does.

https://github.com/containerd/platforms has the rules. An image for an older variant runs on a newer one, and 32-bit
images run on 64-bit processors; so a platform accepts several others, the nearest first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from imgref.errors import quote

__all__ = ["Platform", "best_match"]

_SYSTEM: Final = re.compile(r"([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.-]*)((?:\+[A-Za-z0-9_.-]+)*)\))?", re.ASCII)
_PART: Final = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_VERSION: Final = re.compile(r"v?([0-9]{1,2})(?:\.([0-9]{1,2}))?", re.ASCII)

_SYSTEMS: Final = {"macos": "darwin"}
_ARCHITECTURES: Final = {
    "aarch64": "arm64",
    "armel": "arm",
    "armhf": "arm",
    "i386": "386",
    "i486": "386",
    "i586": "386",
    "i686": "386",
    "x86": "386",
    "x86-64": "amd64",
    "x86_64": "amd64",
}
_VARIANTS: Final = {"armel": "v6", "armhf": "v7", "i386": "", "i486": "", "i586": "", "i686": "", "x86": ""}
"""The variants of architectures that are named for one."""

_DEFAULTS: Final = {("amd64", "v1"): "", ("arm64", "v8"): "", ("arm", ""): "v7"}
_KNOWN: Final = frozenset(
    [
        "386",
        "amd64",
        "arm",
        "armbe",
        "arm64",
        "arm64be",
        "loong64",
        "mips",
        "mips64",
        "mips64le",
        "mips64p32",
        "mips64p32le",
        "mipsle",
        "ppc",
        "ppc64",
        "ppc64le",
        "riscv",
        "riscv64",
        "s390",
        "s390x",
        "sparc",
        "sparc64",
        "wasm",
    ]
)
"""The architectures that are known where no operating system is written."""

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Platform:
    """An operating system, an architecture, and perhaps a variant of it, as they are written.

    Attributes:
        os: the operating system, such as ``linux``.
        architecture: the architecture, such as ``arm64``.
        variant: the variant of the architecture, such as ``v7``; empty for its usual one.
        os_version: the version of the operating system; only Windows images depend on it.
        os_features: what the operating system must have besides.

    >>> str(Platform.parse("Linux/aarch64/8")), str(Platform.parse("Linux/aarch64/8").normalized)
    ('Linux/aarch64/8', 'linux/arm64')
    """

    os: str
    architecture: str
    variant: str = ""
    os_version: str = ""
    os_features: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Parse ``os/architecture[/variant]``, or an architecture alone, which means Linux.

        The version of an operating system may follow it in parentheses, as in ``windows(10.0.17763)/amd64``.

        Raises:
            ValueError: the string is not a valid platform.
        """
        first, *rest = text.strip().split("/")
        system = _SYSTEM.fullmatch(first)
        known = rest or cls("linux", first).normalized.architecture in _KNOWN
        if system is None or not known or len(rest) > 2 or not all(map(_PART.fullmatch, rest)):
            raise ValueError(f"{quote(text)} is not a platform; write os/architecture, as in linux/amd64")
        if rest:
            features = tuple(filter(None, (system[3] or "").split("+")))
            return cls(system[1], rest[0], rest[1] if len(rest) > 1 else "", system[2] or "", features)
        return cls("linux", first)

    @property
    def normalized(self) -> Platform:
        """The same platform, spelled as containerd spells it.

        >>> str(Platform("linux", "armhf").normalized), str(Platform("macos", "x86_64", "v1").normalized)
        ('linux/arm/v7', 'darwin/amd64')
        """
        system, written = self.os.lower(), self.architecture.lower()
        architecture = _ARCHITECTURES.get(written, written)
        variant = _VARIANTS.get(written, self.variant.lower())
        version = _VERSION.fullmatch(variant)
        if version is not None and architecture in ("amd64", "arm", "arm64"):
            variant = _spelled(int(version[1]), int(version[2] or 0))
        return replace(
            self,
            os=_SYSTEMS.get(system, system),
            architecture=architecture,
            variant=_DEFAULTS.get((architecture, variant), variant),
            os_features=tuple(sorted(set(self.os_features))),
        )

    @property
    def accepted(self) -> tuple[Platform, ...]:
        """The normalized platforms whose images run on this one, the best first.

        >>> [str(platform) for platform in Platform.parse("linux/arm").accepted]
        ['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5']
        """
        own = self.normalized
        pairs = [(own.architecture, own.variant), *_older(own.architecture, own.variant)]
        accepted = (replace(own, architecture=architecture, variant=variant) for architecture, variant in pairs)
        return tuple(dict.fromkeys(platform.normalized for platform in accepted))

    def rank(self, other: Platform) -> int | None:
        """Return how far an image for another platform is from this one, 0 for the very same; None if it cannot run.

        >>> Platform.parse("linux/arm/v7").rank(Platform.parse("linux/arm/v6"))
        1
        """
        there = other.normalized
        if there.os == "windows" and not _is_version_of(self.os_version, there.os_version):
            return None
        if not set(there.os_features) <= set(self.os_features):
            return None
        for rank, platform in enumerate(self.accepted):
            if (platform.os, platform.architecture, platform.variant) == (there.os, there.architecture, there.variant):
                return rank
        return None

    def matches(self, other: Platform) -> bool:
        """Return whether an image for another platform runs on this one."""
        return self.rank(other) is not None

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))


def best_match(wanted: Platform, offered: Iterable[tuple[Platform | None, str, _T]]) -> _T | None:
    """Return what is offered for the platform that is nearest to the wanted one, or None if nothing runs on it.

    The order of the offers does not matter. Of several for the same platform, the one for the newest version of the
    operating system counts, then the one with the lowest name.

    Args:
        wanted: the platform.
        offered: a platform, a name such as a digest, and a value, each.
    """
    found = [
        (rank, [-number for number in _numbers(platform.os_version)], name, value)
        for platform, name, value in offered
        if platform is not None and (rank := wanted.rank(platform)) is not None
    ]
    return min(found, key=lambda one: one[:3])[3] if found else None


def _older(architecture: str, variant: str) -> Iterator[tuple[str, str]]:
    """Yield the architectures and variants that a processor runs besides its own, the nearest first."""
    version = _VERSION.fullmatch(variant or {"arm64": "v8"}.get(architecture, ""))
    major, minor = (int(version[1]), int(version[2] or 0)) if version else (0, 0)
    if architecture == "amd64":
        yield from (("amd64", f"v{number}") for number in range(major - 1, 0, -1))
        yield "386", ""
    elif architecture == "arm":
        yield from (("arm", f"v{number}") for number in range(major - 1, 4, -1))
    elif architecture == "arm64" and version is not None:
        if major == 9:
            yield from (("arm64", _spelled(9, number)) for number in range(minor - 1, -1, -1))
            # v9.0 was made from v8.5.
            major, minor = 8, minor + 6
        if major == 8:
            yield from (("arm64", _spelled(8, number)) for number in range(minor - 1, -1, -1))
            yield "arm", "v8"
            yield from _older("arm", "v8")


def _spelled(major: int, minor: int) -> str:
    return f"v{major}.{minor}" if minor else f"v{major}"


def _is_version_of(wanted: str, there: str) -> bool:
    """Return whether two versions of Windows are the same build; an unknown one matches any."""
    return not wanted or not there or wanted.split(".")[:3] == there.split(".")[:3]


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".") if part.isascii() and part.isdigit() and len(part) < 10]
