"""The plan of a release: what happens to each tag, from one list of the repository."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial
from typing import Final

from imgref.errors import InvalidTag
from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient
from imgref.registry.listing import TagView, retried, view_tags
from imgref.registry.origins import Origins
from imgref.registry.release.model import WAITS, Action, Release, TagOutcome, conflict, digests_of_version
from imgref.repository import Repository
from imgref.tags import ExistingTags, TagPlan, TagPolicy, exact_tags, is_tag_of, plan_tags

__all__ = ["plan_release"]

_FEW: Final = 32
"""How many versions are requested before a held tag is left alone."""


def plan_release(
    client: RegistryClient,
    repository: ImageReference | Repository,
    version: str,
    digest: str,
    *,
    policy: TagPolicy | None = None,
    existing: Iterable[ExistingTags] = (),
    force_exact: bool = False,
    force_floating: Collection[str] = (),
    only_exact: bool = False,
    known: Collection[str] = (),
) -> Release:
    """Plan the tags of a version from those of a repository.

    Args:
        client: the client to use.
        repository: where the tags go.
        version: the version to release.
        digest: the digest of the image, which need not be on the registry yet.
        policy: how tags are derived.
        existing: further sources of versions, besides the registry.
        force_exact: whether the exact tag may move from another image.
        force_floating: floating tags that may move from an image that no listed version explains.
        only_exact: whether to leave the floating tags alone.
        known: tags that exist; a list that lacks one is unreliable.

    Raises:
        TagConflict: the exact tag points to another image, or a floating tag to one that no listed version explains.
        UnreliableTagList: the registry's list of tags cannot be read, or contradicts the tags that exist.
        InvalidVersion: the policy's scheme does not read the version.
        InvalidTag: one of ``force_floating`` is not a floating tag of the version.
        RegistryError: the registry refuses or fails.
    """
    place = Repository.of(repository).reference
    policy, sources = policy or TagPolicy(), tuple(existing)
    exact = exact_tags(version, policy=policy)
    forced = frozenset(force_floating)

    def planned(listed: ExistingTags) -> TagPlan:
        plan = plan_tags(version, existing=[listed, *sources], policy=policy)
        return _only(plan, exact) if only_exact else plan

    _check_forced(forced, plan_tags(version, policy=policy).tags, exact)
    excused = {*forced, *(exact if force_exact else ())}
    look = partial(view_tags, client, place, planned, excused=excused, known=known)

    origins = Origins(client, place, version, policy)

    def release() -> Release:
        view = look()
        for tag in exact:
            before = view.digests.get(tag)
            if tag in view.plan.tags and before not in (None, digest) and not force_exact:
                raise conflict(place, tag, str(before), digest)
        draft = Release(place, version, digest, view.plan, policy, (), forced)
        return replace(draft, outcomes=_Planner(client, draft, view, origins).outcomes())

    return retried(client, release, WAITS)


def _only(plan: TagPlan, tags: Collection[str]) -> TagPlan:
    held = tuple(held for held in plan.held if held.tag in tags)
    return replace(plan, tags=tuple(tag for tag in plan.tags if tag in tags), held=held)


def _check_forced(forced: Collection[str], tags: Collection[str], exact: Collection[str]) -> None:
    floating = [tag for tag in tags if tag not in exact]
    for tag in sorted(forced):
        if tag not in floating:
            raise InvalidTag(
                tag, f"it is not a floating tag of this version, which are {', '.join(floating) or 'none'}"
            )


class _Planner:
    """Decides what happens to each tag of a release, from one list of the repository."""

    def __init__(self, client: RegistryClient, release: Release, view: TagView, origins: Origins) -> None:
        self._client = client
        self._release = release
        self._view = view
        self._origins = origins

    def outcomes(self) -> tuple[TagOutcome, ...]:
        release, digests = self._release, self._view.digests
        given = [
            TagOutcome(tag, _action(digests[tag], release.digest), digests[tag], release.digest)
            for tag in release.plan.tags
        ]
        self._refuse_unexplained(given)
        corrected = self._corrections()
        held = [TagOutcome(held.tag, "held", digests[held.tag], because=held.because) for held in release.plan.held]
        return (*given, *(corrected.get(outcome.tag, outcome) for outcome in held))

    def _refuse_unexplained(self, given: Iterable[TagOutcome]) -> None:
        fixed = {*self._release.exact, *self._release.forced}
        moving = {o.tag: str(o.before) for o in given if o.action == "moved" and o.tag not in fixed}
        names = self._view.listed.names
        if missing := self._origins.unexplained(self._release.plan, names, moving):
            raise self._origins.refusal({tag: moving[tag] for tag in missing})

    def _corrections(self) -> dict[str, TagOutcome]:
        """Return what to do with the held tags that point to a listed version other than the one that holds them."""
        found = {}
        for tag, because in self._release.plan.held:
            before = self._view.digests[tag]
            listed = because in self._view.listed.names and is_tag_of(tag, because, policy=self._release.policy)
            if before is None or not listed or tag in self._release.exact:
                continue
            holders = digests_of_version(self._client, self._release, self._view.listed.names, because)
            after = holders.get(because)
            if after is not None and before not in holders.values():
                found[tag] = TagOutcome(tag, "moved", before, after, because)
        names, tags = self._view.listed.names, {tag: str(outcome.before) for tag, outcome in found.items()}
        for tag in self._origins.unexplained(self._release.plan, names, tags, most=_FEW):
            del found[tag]
        return found


def _action(before: str | None, after: str) -> Action:
    return "created" if before is None else "unchanged" if before == after else "moved"
