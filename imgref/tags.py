"""The tag plan of a release: which tags to give, which are held back, and by which version.

A release of 2.1.3 is also the newest 2.1, the newest 2, and the newest of all, unless a later version is known
already. The plan never moves a tag backwards, and does not depend on the order of releases, as long as each knows
all the earlier ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Literal, NamedTuple

from imgref import _grammar
from imgref._grammar import is_a
from imgref.errors import InvalidTag, InvalidVersion
from imgref.versions import SCHEMES, Version, beside, read_name, read_version

__all__ = [
    "CHOICES",
    "MOVING",
    "ExistingTags",
    "HeldTag",
    "SourceCount",
    "TagPlan",
    "TagPolicy",
    "derive_tags",
    "exact_tags",
    "is_release",
    "is_stable",
    "is_tag_of",
    "plan_tags",
    "same_version",
    "sanitize_tag",
    "suffixed",
    "version_tags",
]

MOVING: Final = ("latest", "edge", "nightly")
"""Tags that name no version and no channel; no pre-release and no branch may take them for its own."""

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
        prefix: what stands before the version in its name, as ``app-`` in ``app-v1.2.3``; never part of a tag.
        suffix: what follows in the tags, as ``alpine`` in ``2.1.3-alpine``; several give all tags of each.
            ``""`` is the plain line. A single text is taken for one.
        v: whether tags begin with ``v``: ``strip`` never, ``keep`` as the version does, ``both`` each way.
        latest: ``auto`` gives it to the newest stable version, ``always`` to any stable one, ``never`` to none.
        major_zero: whether to give ``0``, though a 0.x promises nothing.
        channels: whether a pre-release also moves ``2.0-rc`` and ``rc``.
        build: whether to ``drop`` build metadata or to keep it on the exact tag, after an ``underscore``.

    Raises:
        ValueError: a field has none of its words.
        InvalidTag: a suffix cannot stand in a tag.

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

    def __post_init__(self) -> None:
        suffixes = (self.suffix,) if isinstance(self.suffix, str) else tuple(self.suffix) or ("",)
        object.__setattr__(self, "suffix", suffixes)
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
    reason = f"{wrong[0]!r} cannot stand in a tag" if wrong else "it is longer than a tag may be"
    return InvalidTag(suffix, reason, hint)


class ExistingTags(NamedTuple):
    """The names that one source knows; those that are versions hold back what is older.

    Attributes:
        names: tag names, in any order; whatever is no version does not count.
        source: what to call the source in messages.
        kind: ``list`` names carry the policy's prefix and suffix; ``git`` tags carry the prefix, but may lack the
            suffix; those of a ``registry`` carry the suffix, but never the prefix.
    """

    names: tuple[str, ...]
    source: str = "list"
    kind: Literal["list", "git", "registry"] = "list"


class SourceCount(NamedTuple):
    """What a source knew.

    Attributes:
        source: what to call it.
        versions: how many of its names are versions on a line of the release.
        names: how many names it gave.
        unknown: the suffixes of the lines on which it knows no version.
    """

    source: str
    versions: int
    names: int
    unknown: tuple[str, ...] = ()


class HeldTag(NamedTuple):
    """A tag that is not given, and the highest version that it belongs to, as its source spells it."""

    tag: str
    because: str


@dataclass(frozen=True, slots=True)
class TagPlan:
    """The tags of a release.

    Attributes:
        version: the version, as its scheme spells it, with build metadata, without prefix and ``v``.
        scheme: the scheme that read it, or None where the tags are not those of a version.
        prerelease: whether it is a pre-release.
        tags: what to give, most specific first, no tag twice.
        held: what is held back, and by which version.
        existing: what was known, a row a source.
    """

    version: str
    scheme: str | None
    prerelease: bool
    tags: tuple[str, ...]
    held: tuple[HeldTag, ...] = ()
    existing: tuple[SourceCount, ...] = ()


class _Known(NamedTuple):
    """A version that exists, with its name in its source."""

    version: Version
    name: str
    source: int


class _Wanted(NamedTuple):
    """A tag that the release would carry, and which known versions have a better claim to it."""

    name: str
    outranks: Callable[[Version], bool]
    numbered: bool = True


def derive_tags(
    version: str, *, existing: Iterable[str | ExistingTags] | None = None, policy: TagPolicy | None = None
) -> tuple[str, ...]:
    """Return the tags that a release should carry; :func:`plan_tags` also says what is held back, and why.

    Raises:
        InvalidVersion: the policy's scheme does not read the version.
        InvalidTag: a tag would be longer than 128 characters.

    >>> derive_tags("2.1.3")
    ('2.1.3', '2.1', '2', 'latest')
    >>> derive_tags("2.1.3", existing=["2.2.0"])
    ('2.1.3', '2.1')
    """
    return plan_tags(version, existing=existing, policy=policy).tags


def plan_tags(
    version: str, *, existing: Iterable[str | ExistingTags] | None = None, policy: TagPolicy | None = None
) -> TagPlan:
    """Plan the tags of a release.

    Args:
        version: the version to release, with the policy's prefix.
        existing: the tags that are known already: names, or whole sources of names; None knows nothing, so that
            every tag is given.
        policy: how to derive tags; by default SemVer, one plain line.

    Raises:
        TypeError: ``existing`` contains something other than strings and :class:`ExistingTags`.
        InvalidVersion: the policy's scheme does not read the version.
        InvalidTag: a tag would be longer than 128 characters.

    >>> plan_tags("1.9.1", existing=["2.0.1", "1.9.0"]).held
    (HeldTag(tag='latest', because='2.0.1'),)
    """
    policy = policy or TagPolicy()
    wanted_version = _read_release(version, policy)
    sources = _sources(existing)
    tags: dict[str, None] = {}
    held: dict[str, str] = {}
    counted: list[set[str]] = [set() for _ in sources]
    unknown: list[list[str]] = [[] for _ in sources]
    for suffix in policy.suffixes:
        all_wanted = list(_wanted(wanted_version, policy))
        holders: list[_Known | None] = [None] * len(all_wanted)
        versions = [0] * len(sources)
        for item in _on_line(sources, suffix, policy, wanted_version):
            counted[item.source].add(item.name)
            versions[item.source] += 1
            for number, wanted in enumerate(all_wanted):
                if wanted.outranks(item.version):
                    holders[number] = _higher(holders[number], item)
        for index, count in enumerate(versions):
            unknown[index] += [] if count else [suffix]
        for wanted, holder in zip(all_wanted, holders, strict=True):
            spelled = [_valid(suffixed(name, suffix)) for name in _spellings(wanted, wanted_version, policy)]
            if holder is None:
                tags.update(dict.fromkeys(spelled))
            else:
                held.update(dict.fromkeys(spelled, holder.name))
    return TagPlan(
        version=wanted_version.text + (f"+{wanted_version.build}" if wanted_version.build else ""),
        scheme=policy.scheme,
        prerelease=wanted_version.prerelease,
        tags=tuple(tags),
        held=tuple(HeldTag(tag, because) for tag, because in held.items() if tag not in tags),
        existing=tuple(
            SourceCount(source.source, len(counted[index]), len(source.names), tuple(unknown[index]))
            for index, source in enumerate(sources)
        ),
    )


def exact_tags(version: str, *, policy: TagPolicy | None = None) -> tuple[str, ...]:
    """Return the tags that name this version and no other: those that a release must never move.

    Raises:
        InvalidVersion: the policy's scheme does not read the version.
        InvalidTag: a tag would be longer than 128 characters.

    >>> exact_tags("2.1.3", policy=TagPolicy(suffix=("", "alpine"), v="both"))
    ('v2.1.3', '2.1.3', 'v2.1.3-alpine', '2.1.3-alpine')
    """
    policy = policy or TagPolicy()
    release = _read_release(version, policy)
    exact = next(_wanted(release, policy))
    names = _spellings(exact, release, policy)
    return tuple(_valid(suffixed(name, suffix)) for suffix in policy.suffixes for name in names)


def is_release(text: str, *, policy: TagPolicy | None = None) -> bool:
    """Return whether a text, such as a git tag, is a version that can be released.

    >>> is_release("v1.2.3"), is_release("nightly")
    (True, False)
    """
    try:
        _read_release(text, policy or TagPolicy())
    except InvalidVersion:
        return False
    return True


def version_tags(names: Iterable[str], version: str, *, policy: TagPolicy | None = None) -> tuple[str, ...]:
    """Return the tags of a registry that are versions in a variant of a release, the ones nearest to it first.

    First come the version itself and those below it, the highest first, then those above it.

    >>> version_tags(["1.9.0", "2.0.0", "1.10.0", "main", "1.9.0-alpine"], "1.10.1")
    ('1.10.0', '1.9.0', '1.9.0-alpine', '2.0.0')
    """
    policy, names = policy or TagPolicy(), tuple(names)
    release = _read_release(version, policy)
    found: list[_Known] = []
    for suffix in policy.suffixes:
        read = {name: known for name in names if (known := _read_known(name, "registry", suffix, policy))}
        counts = beside(read.values()) if len(release.parts) > 1 else lambda _: True
        found += [_Known(known, name, 0) for name, known in read.items() if counts(known)]
    found.sort(key=lambda item: item.version.order, reverse=True)
    found.sort(key=lambda item: bool(item.version.order > release.order))
    return tuple(dict.fromkeys(item.name for item in found))


def is_stable(name: str, *, policy: TagPolicy | None = None) -> bool:
    """Return whether a registry's tag names a stable version in one of the variants.

    >>> is_stable("2.0.0"), is_stable("2.0.0-rc.1"), is_stable("main")
    (True, False, False)
    """
    policy = policy or TagPolicy()
    read = (_read_known(name, "registry", suffix, policy) for suffix in policy.suffixes)
    return any(version is not None and not version.prerelease for version in read)


def same_version(names: Iterable[str], name: str, *, policy: TagPolicy | None = None) -> tuple[str, ...]:
    """Return the tags of a registry that name the same version as one of them, in the same variant.

    >>> same_version(["2.0.0_b1", "v2.0.0", "2.0.1", "2.0.0-alpine"], "2.0.0_b1")
    ('2.0.0_b1', 'v2.0.0')
    """
    policy = policy or TagPolicy()
    same: dict[str, None] = {}
    for suffix in policy.suffixes:
        wanted = _read_known(name, "registry", suffix, policy)
        if wanted is not None:
            read = ((other, _read_known(other, "registry", suffix, policy)) for other in names)
            same.update((other, None) for other, version in read if version and version.order == wanted.order)
    return tuple(same)


def is_tag_of(tag: str, name: str, *, policy: TagPolicy | None = None) -> bool:
    """Return whether a tag is among those that a version gets as long as no other version is known.

    Args:
        tag: the tag.
        name: the version, as a registry's tag names it.
        policy: how tags are derived.

    >>> is_tag_of("latest", "2.0.0"), is_tag_of("rc", "2.0.0", policy=TagPolicy(channels=True))
    (True, False)
    """
    policy = policy or TagPolicy()
    return any(
        tag in (suffixed(wanted.name, suffix), "v" + suffixed(wanted.name, suffix))
        for suffix in policy.suffixes
        if (read := _read_known(name, "registry", suffix, policy)) is not None
        for wanted in _wanted(read, policy)
    )


def _read_release(text: str, policy: TagPolicy) -> Version:
    if not text.startswith(policy.prefix):
        reason = f"it does not begin with the prefix {policy.prefix!r}"
        raise InvalidVersion(text, reason, policy.prefix + text if read_name(text, policy.scheme) else None)
    return read_version(text[len(policy.prefix) :], policy.scheme)


def _sources(existing: Iterable[str | ExistingTags] | None) -> list[ExistingTags]:
    if isinstance(existing, (str, bytes, Mapping, ExistingTags)):
        raise TypeError(f"existing must be a list of tag names or ExistingTags, not {type(existing).__name__}")
    items = [] if existing is None else list(existing)
    sources = [item for item in items if isinstance(item, ExistingTags)]
    for source in sources:
        if isinstance(source.names, (str, bytes, Mapping)):
            raise TypeError(f"the names of {source.source} must be a tuple, not {type(source.names).__name__}")
    names = tuple(item for item in items if not isinstance(item, ExistingTags))
    listed = [ExistingTags(names), *sources] if names else sources
    for source in listed:
        for name in source.names:
            if not isinstance(name, str):
                raise TypeError(f"the name of a tag must be a string, not {name!r}")
    return listed


def _on_line(sources: list[ExistingTags], suffix: str, policy: TagPolicy, release: Version) -> Iterator[_Known]:
    """Yield the known versions on the line that prefix and suffix make.

    They are read twice rather than kept: a version takes many times the memory of its name.
    """
    known = partial(_read_all, sources, suffix, policy, release)
    if len(release.parts) == 1:
        return known()
    counts = beside(item.version for item in known())
    return (item for item in known() if counts(item.version))


def _read_all(sources: list[ExistingTags], suffix: str, policy: TagPolicy, release: Version) -> Iterator[_Known]:
    for index, source in enumerate(sources):
        for name in source.names:
            version = _read_known(name, source.kind, suffix, policy)
            if version is not None and source.kind == "git":
                version = _as_spelled(version, release)
            if version is not None:
                yield _Known(version, name, index)


def _read_known(name: str, kind: str, suffix: str, policy: TagPolicy) -> Version | None:
    if kind != "registry":
        if not name.startswith(policy.prefix):
            return None
        name = name[len(policy.prefix) :]
    if suffix:
        if name.endswith(f"-{suffix}"):
            name = name[: -len(suffix) - 1]
        elif kind != "git":
            return None
    return read_name(name, policy.scheme)


def _as_spelled(version: Version, release: Version) -> Version:
    """Spell a version's numbers and its `v` as the release does.

    A git tag is not the tag of an image: whether a release from v2024.01.16 was called 2024.1.16 is not known.
    """
    same = 0
    while version.release[: same + 1] == release.release[: same + 1] and same < len(version.parts):
        same += 1
    return replace(version, parts=release.parts[:same] + version.parts[same:], has_v=release.has_v)


def _wanted(release: Version, policy: TagPolicy) -> Iterator[_Wanted]:
    """Yield the tags of a release, most specific first, as if nothing else were known."""
    build = f"_{release.build}" if release.build and policy.build == "underscore" else ""
    exact = release.text + build
    yield from (
        _wanted_prerelease(release, exact, policy) if release.prerelease else _wanted_stable(release, exact, policy)
    )


def _wanted_stable(release: Version, exact: str, policy: TagPolicy) -> Iterator[_Wanted]:
    def later(other: Version) -> bool:
        return not other.prerelease and bool(other.order > release.order)

    def within(depth: int) -> Callable[[Version], bool]:
        return lambda other: later(other) and _floats_alike(release, other, depth, policy)

    # `1.2` is the exact tag of a version, and the floating tag of 1.2.3 as well.
    depth = len(release.parts)
    yield _Wanted(exact, within(depth) if exact == ".".join(release.parts) else _never)
    for depth in range(len(release.parts) - 1, 0, -1):
        if depth > 1 or release.release[0] or policy.major_zero:
            yield _Wanted(".".join(release.parts[:depth]), within(depth))
    if policy.latest != "never":
        yield _Wanted("", later if policy.latest == "auto" else _never, numbered=False)


def _wanted_prerelease(release: Version, exact: str, policy: TagPolicy) -> Iterator[_Wanted]:
    channel = release.channel if policy.channels else None
    if channel in (*MOVING, *policy.suffixes):
        channel = None

    def later(other: Version) -> bool:
        return bool(other.order > release.order) and (not other.prerelease or other.channel == channel)

    def moves_near(other: Version) -> bool:
        return other.prerelease and later(other) and _spelled_alike(release, other, 2, policy)

    def ends_near(other: Version) -> bool:
        return not other.prerelease and later(other) and other.shares(release, 2)

    near = f"{'.'.join(release.parts[:2])}-{channel}" if channel and len(release.parts) > 1 else None
    # In the numeric scheme, `2.0-rc` is the exact tag of a version, and the channel's tag as well.
    yield _Wanted(exact, moves_near if exact == near else _never)
    if near:
        yield _Wanted(near, lambda other: moves_near(other) or ends_near(other))
    if channel:
        yield _Wanted(channel, later, numbered=False)


def _floats_alike(release: Version, other: Version, depth: int, policy: TagPolicy) -> bool:
    """Whether another version would itself get the floating tag that the release has at this depth.

    `2.0.post1` has no floating tag `2.0`, and 2024.01.16 has `2024.01`, which is not `2024.1`.
    """
    return len(other.parts) > depth and _spelled_alike(release, other, depth, policy)


def _spelled_alike(release: Version, other: Version, depth: int, policy: TagPolicy) -> bool:
    same_v = policy.v != "keep" or other.has_v == release.has_v
    return same_v and other.parts[:depth] == release.parts[:depth]


def _never(other: Version) -> bool:
    return False


def _higher(first: _Known | None, second: _Known) -> _Known:
    """Return the higher version; where a floating tag is beside the version that it counts as, the version."""
    if first is None or _height(second) > _height(first):
        return second
    return first


def _height(item: _Known) -> tuple[Any, int]:
    return item.version.order, len(item.version.parts)


def _spellings(wanted: _Wanted, release: Version, policy: TagPolicy) -> tuple[str, ...]:
    if not wanted.numbered or policy.v == "strip" or (policy.v == "keep" and not release.has_v):
        return (wanted.name,)
    return ("v" + wanted.name,) if policy.v == "keep" else ("v" + wanted.name, wanted.name)


def suffixed(name: str, suffix: str) -> str:
    """Put a suffix on the name of a tag; no name at all is ``latest``, or the suffix by itself.

    >>> suffixed("2.1", "alpine"), suffixed("", "alpine"), suffixed("", "")
    ('2.1-alpine', 'alpine', 'latest')
    """
    if not name:
        return suffix or "latest"
    return f"{name}-{suffix}" if suffix else name


def _valid(tag: str) -> str:
    if not is_a(_grammar.TAG, tag):
        raise InvalidTag(
            tag, f"it would have {len(tag)} characters, {len(tag) - _grammar.TAG_MAX} more than a tag may have"
        )
    return tag


_SLUG_HASH: Final = 8


def sanitize_tag(text: str, *, longest: int = _grammar.TAG_MAX) -> str:
    """Turn any text, such as the name of a branch, into a tag.

    Each run of characters that a tag cannot contain becomes one ``-``, and leading ``.`` and ``-`` are removed. What is
    too long is cut, and ends in 8 hexadecimal digits of the SHA-256 of the whole text, so that two long names stay
    distinct. Text of which nothing is left because it is in another script becomes ``ref-`` and these digits.

    Args:
        text: any text.
        longest: how many characters the tag may have: 128, or less to leave room for a suffix.

    Raises:
        InvalidTag: nothing is left of punctuation, or not enough room.

    >>> sanitize_tag("feature/Login page"), sanitize_tag("中文")
    ('feature-Login-page', 'ref-72726d88')
    """
    slug = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).lstrip(".-")
    other_script = not slug and not text.isascii()
    if not slug and not other_script:
        raise InvalidTag(text, "it holds no character that a tag could begin with")
    if slug and len(slug) <= longest:
        return slug
    kept = longest - _SLUG_HASH - 1
    if kept < (len("ref") if other_script else 1):
        raise InvalidTag(text, f"only {max(longest, 0)} characters are left for it in a tag")
    from hashlib import sha256

    # Bytes that are not UTF-8 count as they are; only JSON can have the other surrogates.
    escape = "surrogatepass" if re.search("[\ud800-\udc7f\udd00-\udfff]", text) else "surrogateescape"
    digest = sha256(text.encode("utf-8", escape)).hexdigest()[:_SLUG_HASH]
    return f"{'ref' if other_script else slug[:kept]}-{digest}"
