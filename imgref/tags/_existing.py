"""The versions among the names of existing tags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from imgref.tags._policy import TagPolicy
from imgref.tags._values import ExistingTags
from imgref.versions import Version, beside, read_name


class Known(NamedTuple):
    """A version that exists, with its name in its source."""

    version: Version
    name: str
    source: int


def named_sources(existing: Iterable[str | ExistingTags] | None) -> list[ExistingTags]:
    """Return the sources of existing tags; names without a source are the first source."""
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


def on_line(sources: list[ExistingTags], suffix: str, policy: TagPolicy, release: Version) -> Iterator[Known]:
    """Yield the existing versions with the prefix and the suffix.

    They are read twice rather than kept: a version takes many times the memory of its name.
    """
    known = partial(_read_all, sources, suffix, policy, release)
    if len(release.parts) == 1:
        return known()
    counts = beside(item.version for item in known())
    return (item for item in known() if counts(item.version))


def _read_all(sources: list[ExistingTags], suffix: str, policy: TagPolicy, release: Version) -> Iterator[Known]:
    for index, source in enumerate(sources):
        for name in source.names:
            version = read_known(name, source.kind, suffix, policy)
            if version is not None and source.kind == "git":
                version = _as_spelled(version, release)
            if version is not None:
                yield Known(version, name, index)


def read_known(name: str, kind: str, suffix: str, policy: TagPolicy) -> Version | None:
    """Return the version that a name from a kind of source is in a variant, or None."""
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


def higher(first: Known | None, second: Known) -> Known:
    """Return the higher version; where a floating tag is beside the version that it counts as, the version."""
    if first is None or _height(second) > _height(first):
        return second
    return first


def _height(item: Known) -> tuple[Any, int]:
    return item.version.order, len(item.version.parts)
