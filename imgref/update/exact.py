"""Finding the version behind a name: which version tag of a repository is the same image, with few requests."""

from __future__ import annotations

from collections.abc import Callable, Collection, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Final

from imgref.reference import ImageReference
from imgref.update.aliases import likely_aliases, most_specific
from imgref.update.registry import Failed, Registry

__all__ = ["LIMIT", "Search", "Undecided", "exact_tag"]

LIMIT: Final = 100
"""The limit of requested tags."""

_BATCH: Final = 8
"""The limit of simultaneous requests."""


class Undecided(Exception):
    """The limit was reached before it was certain that no other tag is more specific.

    Attributes:
        best: the most specific tag that was found, or None.
    """

    def __init__(self, best: str | None) -> None:
        super().__init__(best)
        self.best = best


@dataclass(frozen=True, slots=True)
class Search:
    """A search for the tags of an image.

    Attributes:
        query: the tag that is asked about; empty for a digest.
        tags: the tags of the repository.
        known: where tags point, as far as that is known; None for one that could not be read.
        ask: asks where tags point, adds the answers to ``known``, and returns how many requests that took.
    """

    query: str
    tags: Sequence[str]
    known: MutableMapping[str, str | None]
    ask: Callable[[Collection[str]], int]

    def same(self, digest: str) -> list[str]:
        """Return the tags that are known to point to a digest."""
        return [tag for tag, found in self.known.items() if found == digest]

    def run(self, digest: str, limit: int) -> str | None:
        """Return the most specific version tag of an image, or None if no version tag points to it.

        The likeliest tags are requested first, until no other can be more specific.

        Raises:
            Undecided: that takes more requests than the limit.
        """
        left = limit - self.ask([tag for tag in (self.query,) if tag in self.tags])
        while True:
            same = self.same(digest)
            best = most_specific(self.query, same)
            candidates, size = self._candidates(best), 1
            if not candidates:
                return best
            # A hit shows what to ask for next: tags that go on after it.
            while candidates and self.same(digest) == same:
                if left <= 0:
                    raise Undecided(best)
                size = min(size, left)
                left -= self.ask(candidates[:size])
                candidates, size = candidates[size:], min(2 * size, _BATCH)

    def _candidates(self, best: str | None) -> list[str]:
        """Return the tags that may be more specific than the best so far, the likeliest first."""
        likely = likely_aliases(self.query if best is None else best, self.tags)
        new = [tag for tag in likely if tag not in self.known]
        return new if best is None else [tag for tag in new if most_specific(self.query, [best, tag]) == tag]


def exact_tag(ref: ImageReference, tags: Sequence[str], registry: Registry, limit: int = LIMIT) -> str | None:
    """Return the most specific version tag of an image, or the most specific one that was found within the limit.

    Args:
        ref: the image by tag.
        tags: the tags of its repository.
        registry: answers.
        limit: the limit of requested tags.

    Returns:
        None if no version tag was found.
    """
    digest = registry.digests([ref])[ref]
    if isinstance(digest, Failed):
        return None
    tag = ref.tag or ""
    known: dict[str, str | None] = {tag: digest}

    def ask(names: Collection[str]) -> int:
        refs = {name: ref.with_tag(name) for name in names if name not in known}
        answers = registry.digests(list(refs.values()))
        for name, one in refs.items():
            answer = answers[one]
            known[name] = None if isinstance(answer, Failed) else answer
        return len(refs)

    try:
        return Search(tag, tags, known, ask).run(digest, limit)
    except Undecided as undecided:
        return undecided.best
