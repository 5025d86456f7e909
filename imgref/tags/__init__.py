"""The tag plan of a release: which tags to publish, which are held, and by which version.

A release of 2.1.3 is also the newest 2.1, the newest 2, and the newest of all, unless a later version is known
already. The plan never moves a tag backwards, and does not depend on the order of releases, as long as each knows
all the earlier ones.
"""

from __future__ import annotations

from collections.abc import Iterable

from imgref.errors import InvalidVersion
from imgref.tags._existing import Known, higher, named_sources, on_line, read_known
from imgref.tags._policy import CHOICES, FLOATING, MOVING, TagPolicy, suffixed, valid
from imgref.tags._slug import sanitize_tag
from imgref.tags._values import ExistingTags, HeldTag, SourceCount, TagPlan
from imgref.tags._wanted import spellings, wanted_tags
from imgref.versions import Version, beside, read_name, read_version

__all__ = [
    "CHOICES",
    "FLOATING",
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


def derive_tags(
    version: str, *, existing: Iterable[str | ExistingTags] | None = None, policy: TagPolicy | None = None
) -> tuple[str, ...]:
    """Return the tags of a release; :func:`plan_tags` also returns which are held, and why.

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
        existing: the tags that exist already: names, or whole sources of names; None means that none is known, so that
            every tag is planned.
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
    sources = named_sources(existing)
    tags: dict[str, None] = {}
    held: dict[str, str] = {}
    counted: list[set[str]] = [set() for _ in sources]
    unknown: list[list[str]] = [[] for _ in sources]
    for suffix in policy.suffixes:
        all_wanted = list(wanted_tags(wanted_version, policy))
        holders: list[Known | None] = [None] * len(all_wanted)
        versions = [0] * len(sources)
        for item in on_line(sources, suffix, policy, wanted_version):
            counted[item.source].add(item.name)
            versions[item.source] += 1
            for number, wanted in enumerate(all_wanted):
                if wanted.outranks(item.version):
                    holders[number] = higher(holders[number], item)
        for index, count in enumerate(versions):
            unknown[index] += [] if count else [suffix]
        for wanted, holder in zip(all_wanted, holders, strict=True):
            spelled = [valid(suffixed(name, suffix)) for name in spellings(wanted, wanted_version, policy)]
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
    exact = next(wanted_tags(release, policy))
    names = spellings(exact, release, policy)
    return tuple(valid(suffixed(name, suffix)) for suffix in policy.suffixes for name in names)


def is_release(text: str, *, policy: TagPolicy | None = None) -> bool:
    """Return whether a string, such as a git tag, is a version that can be released.

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
    found: list[Known] = []
    for suffix in policy.suffixes:
        read = {name: known for name in names if (known := read_known(name, "registry", suffix, policy))}
        counts = beside(read.values()) if len(release.parts) > 1 else lambda _: True
        found += [Known(known, name, 0) for name, known in read.items() if counts(known)]
    found.sort(key=lambda item: item.version.order, reverse=True)
    found.sort(key=lambda item: bool(item.version.order > release.order))
    return tuple(dict.fromkeys(item.name for item in found))


def is_stable(name: str, *, policy: TagPolicy | None = None) -> bool:
    """Return whether a registry's tag names a stable version in one of the variants.

    >>> is_stable("2.0.0"), is_stable("2.0.0-rc.1"), is_stable("main")
    (True, False, False)
    """
    policy = policy or TagPolicy()
    read = (read_known(name, "registry", suffix, policy) for suffix in policy.suffixes)
    return any(version is not None and not version.prerelease for version in read)


def same_version(names: Iterable[str], name: str, *, policy: TagPolicy | None = None) -> tuple[str, ...]:
    """Return the tags of a registry that name the same version as one of them, in the same variant.

    >>> same_version(["2.0.0_b1", "v2.0.0", "2.0.1", "2.0.0-alpine"], "2.0.0_b1")
    ('2.0.0_b1', 'v2.0.0')
    """
    policy = policy or TagPolicy()
    same: dict[str, None] = {}
    for suffix in policy.suffixes:
        wanted = read_known(name, "registry", suffix, policy)
        if wanted is not None:
            read = ((other, read_known(other, "registry", suffix, policy)) for other in names)
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
        if (read := read_known(name, "registry", suffix, policy)) is not None
        for wanted in wanted_tags(read, policy)
    )


def _read_release(text: str, policy: TagPolicy) -> Version:
    if not text.startswith(policy.prefix):
        reason = f"it does not begin with the prefix {policy.prefix!r}"
        raise InvalidVersion(text, reason, policy.prefix + text if read_name(text, policy.scheme) else None)
    return read_version(text[len(policy.prefix) :], policy.scheme)
