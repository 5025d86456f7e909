"""How tags are derived from a version, and from a name and a suffix."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from imgref import _grammar
from imgref._grammar import is_a
from imgref.errors import InvalidTag
from imgref.versions import SCHEMES

MOVING: Final = ("latest", "edge", "nightly")
"""Tags that name no version and no channel; no pre-release and no branch may take them for its own."""

FLOATING: Final = ("minor", "major", "latest")
"""The floating tags of a stable version."""

CHOICES: Final = {
    "scheme": tuple(SCHEMES),
    "v": ("strip", "keep", "both"),
    "latest": ("auto", "always", "never"),
    "build": ("drop", "underscore"),
}
"""The policy's fields that are one word of a few, with the words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagPolicy:
    """How tags are derived from a version; the fields have the names of the options of ``imgref tags``.

    Attributes:
        scheme: how versions are read: ``semver``, ``pep440`` or ``numeric``.
        prefix: what comes before the version in its name, such as ``app-`` in ``app-v1.2.3``; never part of a tag.
        suffix: the end of the tags, such as ``alpine`` in ``2.1.3-alpine``; several plan all tags of each.
            ``""`` means tags without a suffix. A single string is one suffix.
        v: whether tags begin with ``v``: ``strip`` never, ``keep`` as the version does, ``both`` each way.
        latest: ``auto`` moves it to the newest stable version, ``always`` to any stable one, ``never`` to none.
        major_zero: whether to plan ``0``, although versions 0.x are not compatible with each other.
        channels: whether a pre-release also moves ``2.0-rc`` and ``rc``.
        build: whether to ``drop`` build metadata or to keep it on the exact tag, after an ``underscore``.
        floating: which floating tags a stable version gets: ``minor`` (and those of more numbers), ``major`` and
            ``latest``. A single string is one of them.

    Raises:
        ValueError: a field has none of its words.
        InvalidTag: a suffix is not allowed in a tag.

    >>> from imgref.tags import derive_tags
    >>> derive_tags("0.3.0", policy=TagPolicy(suffix="alpine", major_zero=True))
    ('0.3.0-alpine', '0.3-alpine', '0-alpine', 'alpine')
    """

    scheme: Literal["semver", "pep440", "numeric"] = "semver"
    prefix: str = ""
    suffix: Sequence[str] = ("",)
    v: Literal["strip", "keep", "both"] = "strip"
    latest: Literal["auto", "always", "never"] = "auto"
    major_zero: bool = False
    channels: bool = False
    build: Literal["drop", "underscore"] = "drop"
    floating: Sequence[str] = FLOATING

    def __post_init__(self) -> None:
        suffixes = (self.suffix,) if isinstance(self.suffix, str) else tuple(self.suffix) or ("",)
        object.__setattr__(self, "suffix", suffixes)
        floating = (self.floating,) if isinstance(self.floating, str) else tuple(self.floating)
        object.__setattr__(self, "floating", floating)
        for word in floating:
            if word not in FLOATING:
                raise ValueError(f"floating has some of {', '.join(FLOATING)}, not {word!r}")
        for name, words in CHOICES.items():
            if getattr(self, name) not in words:
                raise ValueError(f"{name} is one of {', '.join(words)}, not {getattr(self, name)!r}")
        for suffix in suffixes:
            if suffix and not is_a(_grammar.TAG, suffix):
                raise _bad_suffix(suffix)

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The suffixes, at least one."""
        return tuple(self.suffix)


def _bad_suffix(suffix: str) -> InvalidTag:
    meant = suffix.lstrip("-.")
    hint = meant if is_a(_grammar.TAG, meant) else None
    if suffix[0] in "-.":
        return InvalidTag(suffix, "a suffix gets a '-' before it, and begins with a letter, a digit or '_'", hint)
    wrong = re.search("[^A-Za-z0-9_.-]", suffix)
    reason = f"{wrong[0]!r} is not allowed in a tag" if wrong else "it is longer than a tag may be"
    return InvalidTag(suffix, reason, hint)


def suffixed(name: str, suffix: str) -> str:
    """Put a suffix on the name of a tag; no name at all is ``latest``, or the suffix by itself.

    >>> suffixed("2.1", "alpine"), suffixed("", "alpine"), suffixed("", "")
    ('2.1-alpine', 'alpine', 'latest')
    """
    if not name:
        return suffix or "latest"
    return f"{name}-{suffix}" if suffix else name


def valid(tag: str) -> str:
    """Return a tag.

    Raises:
        InvalidTag: the tag would be longer than 128 characters.
    """
    if not is_a(_grammar.TAG, tag):
        raise InvalidTag(
            tag, f"it would have {len(tag)} characters, {len(tag) - _grammar.TAG_MAX} more than a tag may have"
        )
    return tag
