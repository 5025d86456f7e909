"""Releasing a version: its tags put on a registry, and never one of them backwards.

A registry has no way to move a tag only if nobody else has. So a release puts its exact tag first, then its floats, and
then looks whether a float that it put belongs to a version that appeared meanwhile. Whoever puts a float last looks
last, and finds every exact tag there: releases at the same time end as if one had waited for the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from imgref.archive.manifest import Manifest
from imgref.errors import NotFound, RegistryError, TagConflict
from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient
from imgref.tags import ExistingTags, TagPlan, TagPolicy, exact_tags, plan_tags

__all__ = ["Release", "TagOutcome", "apply_release", "plan_release"]

_ROUNDS: Final = 20
_PAUSE: Final = 0.2

Action = Literal["created", "moved", "unchanged", "held"]


@dataclass(frozen=True, slots=True)
class TagOutcome:
    """What a release does, or did, with a tag.

    Attributes:
        tag: its name.
        action: ``held`` where it belongs to a later version.
        before: the digest that it named before, or None; not asked for where it is held.
        after: the digest that it names now, or None where it is held and was not put.
        because: the version that holds it, as its source spells it.
    """

    tag: str
    action: Action
    before: str | None = None
    after: str | None = None
    because: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A version of an image, and what becomes of each of its tags.

    Attributes:
        repository: where the tags are.
        version: as it was asked for, with the policy's prefix.
        digest: of the image.
        plan: the tags that it gets, and those that are held.
        policy: how the tags were derived.
        outcomes: one a tag, most specific first, then the held ones; before it is applied, what is to be done.
    """

    repository: ImageReference
    version: str
    digest: str
    plan: TagPlan
    policy: TagPolicy
    outcomes: tuple[TagOutcome, ...]


def plan_release(
    client: RegistryClient,
    repository: ImageReference,
    version: str,
    digest: str,
    *,
    policy: TagPolicy | None = None,
    existing: Iterable[ExistingTags] = (),
    force_exact: bool = False,
) -> Release:
    """Look at a repository's tags, and plan those of a version.

    Args:
        client: speaks to the registry.
        repository: where the tags go.
        version: the version to release.
        digest: of the image that is released, which need not be there yet.
        policy: how tags are derived.
        existing: further sources of versions, besides the registry.
        force_exact: whether the exact tag may be taken from another image.

    Raises:
        TagConflict: the exact tag names another image.
        InvalidVersion: the policy's scheme does not read the version.
        RegistryError: the registry refuses, or fails again and again.
    """
    policy = policy or TagPolicy()
    plan = plan_tags(version, existing=[_listed(client, repository), *existing], policy=policy)
    exact = exact_tags(version, policy=policy)
    outcomes = []
    for tag in plan.tags:
        before = _named(client, repository, tag)
        if tag in exact and before not in (None, digest) and not force_exact:
            raise _conflict(repository, tag, str(before), digest)
        outcomes.append(TagOutcome(tag, _action(before, digest), before, digest))
    held = [TagOutcome(held.tag, "held", because=held.because) for held in plan.held]
    return Release(repository, version, digest, plan, policy, (*outcomes, *held))


def apply_release(client: RegistryClient, release: Release) -> Release:
    """Put a release's tags on the registry; interrupted anywhere, it can be planned and applied again.

    Returns:
        the release, with what became of its tags.

    Raises:
        TagConflict: someone else took the exact tag meanwhile.
        RegistryError: the registry refuses, or fails again and again; or the tags keep moving.
    """
    return _Releaser(client, release).apply()


class _Releaser:
    def __init__(self, client: RegistryClient, release: Release) -> None:
        self._client = client
        self._release = release
        self._repository = release.repository
        self._exact = exact_tags(release.version, policy=release.policy)
        self._floats = [tag for tag in release.plan.tags if tag not in self._exact]
        self._manifests: dict[str, Manifest] = {}
        self._holders: dict[str, str] = {}

    def apply(self) -> Release:
        planned = {outcome.tag: outcome for outcome in self._release.outcomes if outcome.action != "held"}
        for tag in planned:
            if tag in self._exact:
                self._put_exact(tag, planned[tag].before)
        for tag in self._floats:
            self._put(tag, self._release.digest)
        self._settle()
        for tag in planned:
            if tag in self._exact:
                self._check_exact(tag)
        return self._outcome(planned)

    def _put_exact(self, tag: str, before: str | None) -> None:
        digest, now = self._release.digest, _named(self._client, self._repository, tag)
        if now == digest:
            return
        if now is not None and now != before:
            # Whoever released it since the plan was made was first.
            raise _conflict(self._repository, tag, now, digest)
        self._client.put_manifest(*self._at(tag, digest), read_back=False)
        self._check_exact(tag)

    def _check_exact(self, tag: str) -> None:
        for wait in (0.0, _PAUSE, 5 * _PAUSE):
            time.sleep(wait)
            now = _named(self._client, self._repository, tag)
            if now == self._release.digest:
                return
        raise _conflict(self._repository, tag, str(now), self._release.digest)

    def _put(self, tag: str, digest: str) -> bool:
        """Put a tag on a digest, unless it is there."""
        if _named(self._client, self._repository, tag) == digest:
            return False
        self._client.put_manifest(*self._at(tag, digest), read_back=False)
        return True

    def _at(self, tag: str, digest: str) -> tuple[ImageReference, bytes, str]:
        if digest not in self._manifests:
            self._manifests[digest] = self._client.get_manifest(self._repository.with_digest(digest))
        manifest = self._manifests[digest]
        return self._repository.with_tag(tag), manifest.raw, manifest.media_type

    def _settle(self) -> None:
        """Put each float on the highest version that it stands for, until a listing shows nothing to put back."""
        for number in range(_ROUNDS):
            if not self._put_back():
                return
            time.sleep(_PAUSE * min(number, 5))
        reason = f"{self._repository.repository}: the tags of {self._release.version} keep moving; release it again"
        raise RegistryError(reason)

    def _put_back(self) -> bool:
        if not self._floats:
            return False
        listed = _listed(self._client, self._repository)
        plan = plan_tags(self._release.version, existing=[listed], policy=self._release.policy)
        self._holders = {held.tag: held.because for held in plan.held}
        moved = False
        for tag in self._floats:
            holder = self._holders.get(tag)
            wanted = self._release.digest if holder is None else _named(self._client, self._repository, holder)
            # A holder that is gone again is no holder; the next listing shows it.
            moved |= wanted is None or self._put(tag, wanted)
        return moved

    def _outcome(self, planned: dict[str, TagOutcome]) -> Release:
        outcomes = []
        for tag, was in planned.items():
            because = self._holders.get(tag) if tag in self._floats else None
            if because is None:
                outcomes.append(was)
            else:
                after = _named(self._client, self._repository, tag)
                outcomes.append(TagOutcome(tag, "held", was.before, after, because))
        held = [outcome for outcome in self._release.outcomes if outcome.action == "held"]
        release = self._release
        return Release(
            release.repository,
            release.version,
            release.digest,
            release.plan,
            release.policy,
            (*outcomes, *held),
        )


def _listed(client: RegistryClient, repository: ImageReference) -> ExistingTags:
    try:
        names: Sequence[str] = client.list_tags(repository)
    except NotFound:
        # A repository that nobody has pushed to, or one that has no tag yet.
        names = ()
    return ExistingTags(tuple(names), f"registry {repository.repository}", "registry")


def _named(client: RegistryClient, repository: ImageReference, tag: str) -> str | None:
    found = client.find(repository.with_tag(tag))
    return None if found is None else found.digest


def _action(before: str | None, after: str) -> Action:
    return "created" if before is None else "unchanged" if before == after else "moved"


def _conflict(repository: ImageReference, tag: str, before: str, digest: str) -> TagConflict:
    return TagConflict(
        f"{repository.with_tag(tag)}: names {before} already, and a released version does not move to {digest};"
        " --force-exact moves it all the same"
    )
