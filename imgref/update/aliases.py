"""The version behind a name: the most specific tag of the same image.

``latest``, ``1.31.4-trixie`` and ``1.31.4`` may be one image. For ``latest`` the answer is ``1.31.4``, which names the
version and, like ``latest``, no variant.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from imgref.update.candidates import Order, order
from imgref.update.repository import Repository
from imgref.update.tag_parts import TagParts

__all__ = ["likely_aliases", "most_specific"]

_MISSING_WORD: Final = 2
"""A tag without a word of the query is so many times less likely than one with a word more."""


def most_specific(query: str, group: Iterable[str]) -> str | None:
    """Return the tag that names an image most exactly, in the variant that a query names.

    Args:
        query: the requested tag; "" for a digest.
        group: all tags of the image, with or without the query.

    Returns:
        The tag, which may be the query itself, or None if no tag of the group contains a version.

    >>> group = ["latest", "1", "1.31", "1.31.4", "1.31.4-trixie", "trixie"]
    >>> most_specific("latest", group), most_specific("trixie", group), most_specific("latest", ["latest", "stable"])
    ('1.31.4', '1.31.4-trixie', None)
    """
    repository = Repository(group)
    tags = repository.tags
    if not tags:
        return None
    asked = _Query.read(query, repository)
    found = _finest([tag for tag in tags if asked.words <= set(tag.words)])
    finest = _finest(tags)
    if not found or (_specificity(found[0]) <= asked.specificity and _specificity(finest[0]) > _specificity(found[0])):
        found = finest
    return min(found, key=asked.distance).tag


def likely_aliases(query: str, tags: Iterable[str]) -> list[str]:
    """Return the tags of a repository that may name the same image as a query more exactly, the likeliest first.

    Whether they do is known only from their digests. Floating names usually follow the newest version of the
    repository, of a major or of a minor version, so those come first; each in the variant that the query names, and
    then in the variants that differ from it by a few words.

    >>> tags = ["latest", "1.30.0", "1.31.4", "1.31.4-alpine", "1.31.3", "1.31", "1.31.4-trixie", "alpine"]
    >>> likely_aliases("latest", tags)[:3]
    ['1.31.4', '1.31.4-alpine', '1.31.4-trixie']
    >>> likely_aliases("alpine", tags)[:2]
    ['1.31.4-alpine', '1.31.4']
    """
    repository = Repository(tags)
    asked = _Query.read(query, repository)
    likely = [tag for tag in repository.tags if tag.tag != query and asked.may_mean(tag)]
    variants: dict[tuple[frozenset[str], str], list[TagParts]] = defaultdict(list)
    for tag in likely:
        variants[frozenset(tag.words), tag.v].append(tag)
    ranked: list[tuple[int, int, int, TagParts]] = []
    for (words, _), members in variants.items():
        distance = len(words - asked.words) + _MISSING_WORD * len(asked.words - words)
        ranked += ((distance + depth, distance, rank, tag) for depth, rank, tag in _heads(members))
    ranked.sort(key=lambda entry: (*entry[:3], entry[3].tag))
    return [tag.tag for *_, tag in ranked]


class _Query(NamedTuple):
    """What a query asks for: words, numbers with which the version begins, and how exact it is already."""

    words: frozenset[str]
    parts: TagParts | None
    specificity: tuple[bool, int]

    @classmethod
    def read(cls, query: str, repository: Repository) -> _Query:
        parts = repository.read(query)
        words = re.split("[-_]", query) if parts is None else parts.words
        # `latest` and `mainline` occur in floating names only, so they do not name a variant.
        known = {word for tag in repository.tags for word in tag.words}
        specificity = (False, 0) if parts is None else _specificity(parts)
        return cls(frozenset(words) & known, parts, specificity)

    def may_mean(self, tag: TagParts) -> bool:
        if self.parts is None:
            return True
        begin = self.parts.numbers
        return tag.numbers[: len(begin)] == begin and _specificity(tag) >= self.specificity

    def distance(self, tag: TagParts) -> tuple[object, ...]:
        """Return what orders equally specific tags: those nearest to the query first."""
        words = set(tag.words)
        v = self.parts.v if self.parts is not None else ""
        return (-len(words & self.words), len(words - self.words), tag.v != v, len(tag.tag), tag.tag)


def _specificity(tag: TagParts) -> tuple[bool, int]:
    """Return how exact a tag is: any version beats a date, then the count of its numbers decides."""
    builds = sum(len(number.value) for number in tag.suffix if number.role != "base")
    pre = sum(len(pre.numbers) for pre in tag.pre)
    return (not tag.is_date, len(tag.numbers) + bool(tag.letter) + pre + len(tag.later) + builds)


def _finest(tags: list[TagParts]) -> list[TagParts]:
    """Return the most specific of some tags."""
    top = max(map(_specificity, tags), default=None)
    return [tag for tag in tags if _specificity(tag) == top]


def _heads(tags: list[TagParts]) -> Iterator[tuple[int, int, TagParts]]:
    """Yield for each tag of a variant its level, 0 for the newest, and its rank from newest to oldest.

    1 is the newest of a major version, 2 of a minor version, 3 any other. Pre-releases do not count among stable ones.
    """
    seen: set[tuple[int, ...]] = set()
    for rank, tag in enumerate(sorted(tags, key=_newest, reverse=True)):
        series = [tag.numbers[:depth] for depth in range(3)]
        yield next((depth for depth in range(3) if series[depth] not in seen), 3), rank, tag
        seen.update(series)


def _newest(tag: TagParts) -> tuple[bool, bool, Order, str]:
    return (not tag.is_date, not tag.pre, order(tag), tag.tag)
