"""A release and the outcome of each of its tags, and what its plan and its application share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from imgref.errors import TagConflict, UnreliableTagList
from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient
from imgref.registry.listing import PATIENCE, digest_at
from imgref.registry.origins import UnexplainedTag
from imgref.tags import TagPlan, TagPolicy, exact_tags, same_version

__all__ = ["WAITS", "Release", "TagOutcome", "conflict", "digests_of_version"]

Action = Literal["created", "moved", "unchanged", "held", "refused"]


WAITS: Final = {UnreliableTagList: PATIENCE, UnexplainedTag: PATIENCE / 4}
"""Seconds to wait for the list of tags. That a floating tag is not explained is less often the fault of the list."""


@dataclass(frozen=True, slots=True)
class TagOutcome:
    """What a release does, or did, with a tag.

    Attributes:
        tag: the tag.
        action: ``held`` if it belongs to a later version, ``refused`` if the registry refused to set it.
        before: the digest that it pointed to, or None.
        after: the digest that it points to now, or None if it is held and was not set.
        because: the version that holds it, as its source spells it. A held tag that pointed to another listed version
            is ``moved`` to this one.
        reason: why the registry refused it, or None.
    """

    tag: str
    action: Action
    before: str | None = None
    after: str | None = None
    because: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A version of an image, and what happens to each of its tags.

    Attributes:
        repository: where the tags are.
        version: the version, with the policy's prefix.
        digest: the digest of the image.
        plan: the tags that it gets, and those that are held.
        policy: how the tags were derived.
        outcomes: one for each tag, most specific first, then the held ones; before the release is applied, what is
            planned.
        forced: floating tags that may move from an image that no listed version explains.
    """

    repository: ImageReference
    version: str
    digest: str
    plan: TagPlan
    policy: TagPolicy
    outcomes: tuple[TagOutcome, ...]
    forced: frozenset[str] = frozenset()

    @property
    def exact(self) -> tuple[str, ...]:
        """The tags that mean this version and no other."""
        return exact_tags(self.version, policy=self.policy)


def digests_of_version(
    client: RegistryClient, release: Release, names: Iterable[str], name: str
) -> dict[str, str | None]:
    """Return the digests of a version, which several tags may name: 2.0.0 and v2.0.0, or two builds of it."""
    same = same_version(names, name, policy=release.policy) or (name,)
    return {other: digest_at(client, release.repository, other) for other in same}


def conflict(repository: ImageReference, tag: str, before: str, digest: str) -> TagConflict:
    """Return the error for an exact tag that points to another image."""
    return TagConflict(
        f"{repository.with_tag(tag)}: already points to {before}, and a released version does not move to {digest};"
        " --force-exact moves it anyway"
    )
