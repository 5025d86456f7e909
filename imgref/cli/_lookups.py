"""Asks registries about many images: each once, several at a time, and one that fails does not stop the others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import TYPE_CHECKING, Final, TypeVar

from imgref.cli._progress import counting
from imgref.errors import ImgrefError, NotFound
from imgref.reference import ImageReference, parse
from imgref.update.registry import Failed

if TYPE_CHECKING:
    from datetime import datetime

    from imgref.archive.manifest import Descriptor
    from imgref.registry.lookup import Lookup

__all__ = ["Lookups"]

_MANY: Final = 5
"""From how many questions on a terminal shows how far they are."""

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


class Lookups:
    """Answers what :class:`imgref.update.registry.Registry` asks, from registries.

    Args:
        client: opens the client; called when there is something to ask.
        jobs: how many questions are asked at a time.

    Attributes:
        failures: the questions that a registry failed to answer, by what was requested.
    """

    def __init__(self, client: Callable[[], Lookup], jobs: int) -> None:
        self.failures: dict[str, str] = {}
        self._client = client
        self._jobs = jobs
        self._descriptors: dict[ImageReference, Descriptor | Failed] = {}
        self._children: dict[ImageReference, frozenset[str] | Failed] = {}
        self._tags: dict[str, tuple[str, ...] | Failed] = {}
        self._created: dict[ImageReference, datetime | Failed | None] = {}

    def digests(self, images: Collection[ImageReference]) -> Mapping[ImageReference, str | Failed]:
        """Return the digest that each tag points to."""
        found = self.descriptors(images)
        return {ref: one if isinstance(one, Failed) else one.digest for ref in images for one in (found[ref],)}

    def descriptors(self, images: Collection[ImageReference]) -> Mapping[ImageReference, Descriptor | Failed]:
        """Return the digest and the media type of what each reference names, by HEAD."""
        return self._ask(images, self._descriptors, lambda ref: self._client().resolve(ref), "images")

    def children(self, images: Collection[ImageReference]) -> Mapping[ImageReference, frozenset[str] | Failed]:
        """Return the digests that each index lists."""

        def digests(ref: ImageReference) -> frozenset[str]:
            return frozenset(child.digest for child in self._client().get_manifest(ref).children)

        return self._ask(images, self._children, digests, "indexes")

    def tags(self, repositories: Collection[str]) -> Mapping[str, tuple[str, ...] | Failed]:
        """Return all tags of each repository."""

        def list_tags(repository: str) -> tuple[str, ...]:
            return tuple(self._client().list_tags(parse(repository, default_tag=None)))

        return self._ask(repositories, self._tags, list_tags, "repositories")

    def created(self, images: Collection[ImageReference]) -> Mapping[ImageReference, datetime | Failed | None]:
        """Return when each image was created; None if its configuration has no credible time."""
        return self._ask(images, self._created, lambda ref: _created(self._client(), ref), "images")

    def _ask(
        self, keys: Collection[_K], known: dict[_K, _V | Failed], ask: Callable[[_K], _V], noun: str
    ) -> Mapping[_K, _V | Failed]:
        new = [key for key in dict.fromkeys(keys) if key not in known]

        def task(key: _K) -> tuple[_K, _V | Failed]:
            try:
                return key, ask(key)
            except NotFound as error:
                return key, Failed(str(error), missing=True)
            except ImgrefError as error:
                return key, Failed(str(error))

        if new:
            from imgref.registry.threads import run_all

            self._client()  # in this thread, so that an error in the settings is raised once
            with counting(noun, len(new) if len(new) >= _MANY else 0) as step:
                answers = run_all(
                    self._jobs,
                    [lambda key=key: task(key) for key in new],  # type: ignore[misc]
                    threading.Event(),
                    step,
                )
            known.update(answers)
            for key, answer in answers:
                if isinstance(answer, Failed) and not answer.missing:
                    self.failures.setdefault(str(key), answer.reason)
        return known


def _created(client: Lookup, ref: ImageReference) -> datetime | None:
    from imgref.registry.catalog import read_details

    return read_details(client, ref).created
