"""Finding the version behind a name: which version tag of a repository is the same image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from imgref.reference import ImageReference
from imgref.update.aliases import likely_aliases, most_specific
from imgref.update.registry import Registry

__all__ = ["LIMIT", "exact_tag"]

LIMIT: Final = 100
"""How many tags are asked for, at most."""

_FIRST: Final = 4
"""How many are asked for first; four times as many each time after that."""


def exact_tag(ref: ImageReference, tags: Sequence[str], registry: Registry, limit: int = LIMIT) -> str | None:
    """Return the most specific version tag of an image, or None if none was found within the limit.

    Args:
        ref: the image by tag.
        tags: the tags of its repository.
        registry: answers.
        limit: how many tags are asked for, at most.
    """
    digest = registry.digests([ref])[ref]
    tag = ref.tag or ""
    likely = likely_aliases(tag, tags)[:limit]
    at, size = 0, _FIRST
    while isinstance(digest, str) and at < len(likely):
        batch = {name: ref.with_tag(name) for name in likely[at : at + size]}
        digests = registry.digests(list(batch.values()))
        group = [name for name, one in batch.items() if digests[one] == digest]
        if group:
            return most_specific(tag, [tag, *group])
        at, size = at + size, size * 4
    return None
