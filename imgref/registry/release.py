"""Releases: the tags of a version on a registry, none of which ever moves backwards.

A registry has no way to move a tag only if nobody else has. So a release sets its exact tag first, then its floating
tags, and then checks whether one of these belongs to a version that appeared meanwhile. Whoever sets a floating tag
last checks last, and finds every exact tag: simultaneous releases end as if one had waited for the other.

All of this rests on the registry's list of tags, so nothing is set before :mod:`imgref.registry.listing` finds no
contradiction in that list, and a floating tag moves only from an image that one of the listed versions explains.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import eq
from typing import Final, Literal

from imgref.archive.manifest import Manifest
from imgref.errors import InvalidTag, RegistryError, TagConflict, UnreliableTagList
from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient
from imgref.registry.listing import PATIENCE, TagView, digest_at, retried, view_tags
from imgref.registry.origins import Origins, UnexplainedTag
from imgref.registry.overwrite import set_tag
from imgref.repository import Repository
from imgref.tags import ExistingTags, TagPlan, TagPolicy, exact_tags, is_tag_of, plan_tags, same_version

__all__ = ["Release", "TagOutcome", "apply_release", "plan_release"]

_ROUNDS: Final = 20
_PAUSE: Final = 0.2

_REFUSALS: Final = frozenset({400, 403, 405, 409, 412})
"""How registries with immutable tags answer to a tag that would move."""

Action = Literal["created", "moved", "unchanged", "held", "refused"]


_PATIENCE: Final = {UnreliableTagList: PATIENCE, UnexplainedTag: PATIENCE / 4}
"""Seconds to wait for the list of tags. That a floating tag is not explained is less often the fault of the list."""

_FEW: Final = 32
"""How many versions are asked for before a held tag is left alone."""


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
    """Plan the tags of a version, given those of a repository.

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
                raise _conflict(place, tag, str(before), digest)
        draft = Release(place, version, digest, view.plan, policy, (), forced)
        return replace(draft, outcomes=_Planner(client, draft, view, origins).outcomes())

    return retried(client, release, _PATIENCE)


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
    """Decides what happens to each tag of a release, given one view of the repository."""

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


def digests_of_version(
    client: RegistryClient, release: Release, names: Iterable[str], name: str
) -> dict[str, str | None]:
    """Return the digests of a version, which several tags may name: 2.0.0 and v2.0.0, or two builds of it."""
    same = same_version(names, name, policy=release.policy) or (name,)
    return {other: digest_at(client, release.repository, other) for other in same}


def apply_release(
    client: RegistryClient, release: Release, *, on_outcome: Callable[[TagOutcome], None] | None = None
) -> Release:
    """Set a release's tags on the registry; interrupted anywhere, it can be planned and applied again.

    Args:
        client: the client to use.
        release: the plan.
        on_outcome: receives each outcome as it happens; of a tag that another release moves meanwhile, a second one.

    Returns:
        the release, with what happened to its tags.

    Raises:
        TagConflict: someone else took the exact tag meanwhile, or a floating tag moved to an image that no listed
            version explains.
        UnreliableTagList: the registry's list of tags stays wrong, so the floating tags cannot be verified.
        RegistryError: the registry refuses or fails, or the tags keep moving.
    """
    return _Releaser(client, release, on_outcome or (lambda _: None)).apply()


class _Releaser:
    def __init__(self, client: RegistryClient, release: Release, on_outcome: Callable[[TagOutcome], None]) -> None:
        self._client = client
        self._release = release
        self._repository = release.repository
        self._exact = release.exact
        self._on_outcome = on_outcome
        self._planned = {outcome.tag: outcome for outcome in release.outcomes if outcome.action != "held"}
        self._outcomes: dict[str, TagOutcome] = {}
        self._manifests: dict[str, Manifest] = {}
        self._origins = Origins(client, release.repository, release.version, release.policy)

    def apply(self) -> Release:
        exact = [outcome for outcome in self._planned.values() if outcome.tag in self._exact]
        self._set_tags(exact, [outcome for outcome in self._planned.values() if outcome.tag not in self._exact])
        for outcome in exact:
            if self._outcomes[outcome.tag].action != "refused":
                self._check_exact(outcome.tag)
        for outcome in self._release.outcomes:
            if outcome.action == "held":
                self._report(outcome)
        return replace(self._release, outcomes=tuple(self._outcomes.get(o.tag, o) for o in self._release.outcomes))

    def _set_tags(self, exact: Sequence[TagOutcome], floating: Sequence[TagOutcome]) -> None:
        # If the exact tag moves, it moves last: until then it explains where the floating tags point, so that an
        # interrupted release can be repeated.
        last = exact if any(outcome.action == "moved" for outcome in exact) else []
        for outcome in [] if last else exact:
            self._set_exact(outcome)
        for outcome in floating:
            self._set_floating(outcome)
        for outcome in last:
            self._set_exact(outcome)
        if any(self._outcomes[outcome.tag].action == "refused" for outcome in last):
            self._move_back(floating)
        else:
            self._settle()

    def _report(self, outcome: TagOutcome) -> None:
        if self._outcomes.get(outcome.tag) != outcome:
            self._outcomes[outcome.tag] = outcome
            self._on_outcome(outcome)

    def _set_exact(self, planned: TagOutcome) -> None:
        tag, digest = planned.tag, self._release.digest

        def may_move(before: str | None) -> bool:
            if before not in (None, planned.before):
                # Someone else released it since the plan was made.
                raise _conflict(self._repository, tag, str(before), digest)
            return True

        if self._put(planned, may_move, may_refuse=planned.before is not None):
            self._check_exact(tag)
            self._report(planned)

    def _check_exact(self, tag: str) -> None:
        now = None
        for wait in (0.0, _PAUSE, 5 * _PAUSE, 10 * _PAUSE):
            time.sleep(wait)
            now = digest_at(self._client, self._repository, tag)
            if now == self._release.digest:
                return
        if now is None:
            raise RegistryError(f"{self._repository.with_tag(tag)}: was set, but cannot be read back; release it again")
        raise _conflict(self._repository, tag, now, self._release.digest)

    def _set_floating(self, planned: TagOutcome) -> None:
        # A tag that someone else moved since the plan was made waits for a new list of tags.
        if self._put(planned, lambda before: before == planned.before, may_refuse=True):
            self._report(planned)

    def _put(self, outcome: TagOutcome, may_move: Callable[[str | None], bool], *, may_refuse: bool) -> bool:
        """Set a tag and return whether it points to its digest now; report that the registry refuses it."""
        after = str(outcome.after)
        if after not in self._manifests:
            self._manifests[after] = self._client.get_manifest(self._repository.with_digest(after))
        tag = self._repository.with_tag(outcome.tag)
        try:
            return set_tag(self._client, tag, self._manifests[after], may_move, read_back=False)
        except TagConflict:
            raise
        except RegistryError as error:
            if not may_refuse or error.status not in _REFUSALS:
                raise
            self._report(replace(outcome, action="refused", reason=error.reason))
            return False

    def _move_back(self, floating: Iterable[TagOutcome]) -> None:
        """Move floating tags back after the registry refused to move the exact tag, which still is what it was."""
        for outcome in floating:
            if outcome.action == "moved":
                back = replace(outcome, before=outcome.after, after=outcome.before)
                if self._put(back, partial(eq, outcome.after), may_refuse=True):
                    reason = "the registry refused the exact tag"
                    self._report(replace(outcome, action="refused", after=outcome.before, reason=reason))
                elif self._outcomes[outcome.tag].action != "refused":
                    self._report(replace(outcome, action="refused", after=None, reason="someone else moved the tag"))

    def _settle(self) -> None:
        """Set each floating tag to the highest version that it refers to, until a list shows nothing to correct."""
        for number in range(_ROUNDS):
            try:
                if not retried(self._client, self._correct, _PATIENCE):
                    return
            except UnreliableTagList as error:
                advice = "the tags are set, but imgref cannot verify them; run the release again"
                raise UnreliableTagList(f"{error.reason}; {advice}") from error
            time.sleep(_PAUSE * min(number, 5))
        reason = f"{self._repository.repository}: the tags of {self._release.version} keep moving; release it again"
        raise RegistryError(reason)

    def _correct(self) -> bool:
        """Correct the floating tags by a new list of tags, and return whether anything was to correct."""
        refused = {tag for tag, outcome in self._outcomes.items() if outcome.action == "refused"}
        floating = [tag for tag in self._planned if tag not in {*self._exact, *refused}]
        if not floating:
            return False
        view = view_tags(self._client, self._repository, self._plan, excused={*refused, *self._release.forced})
        holders = {held.tag: held.because for held in view.plan.held}
        changed = [self._correct_tag(tag, holders.get(tag), view) for tag in floating]
        return any(changed)

    def _correct_tag(self, tag: str, holder: str | None, view: TagView) -> bool:
        now = view.digests[tag]
        wanted = self._wanted(tag, holder, view)
        if wanted is None:
            # The version that holds it does not exist any more; the next list shows that.
            return True
        if wanted.after == now:
            self._report(wanted)
            return False
        self._check_explained(tag, view)
        if not self._put(wanted, lambda before: before == now, may_refuse=True):
            return self._outcomes.get(tag, wanted).action != "refused"
        self._report(wanted)
        return True

    def _plan(self, listed: ExistingTags) -> TagPlan:
        return plan_tags(self._release.version, existing=[listed], policy=self._release.policy)

    def _wanted(self, tag: str, holder: str | None, view: TagView) -> TagOutcome | None:
        planned = self._planned[tag]
        if holder is None:
            return planned
        if not is_tag_of(tag, holder, policy=self._release.policy):
            # The holder only ends a channel of pre-releases; the tag stays where it is.
            return planned
        holders = digests_of_version(self._client, self._release, view.listed.names, holder)
        now = view.digests[tag]
        after = now if now in holders.values() else holders.get(holder)
        if after is None:
            return None
        if planned.because is not None:
            return replace(planned, after=after, because=holder)
        return TagOutcome(tag, "held", planned.before, after, holder)

    def _check_explained(self, tag: str, view: TagView) -> None:
        now = view.digests[tag]
        if now in (None, self._release.digest, self._planned[tag].before, self._planned[tag].after):
            return
        if self._origins.unexplained(self._release.plan, view.listed.names, {tag: str(now)}):
            raise self._origins.refusal({tag: str(now)})


def _action(before: str | None, after: str) -> Action:
    return "created" if before is None else "unchanged" if before == after else "moved"


def _conflict(repository: ImageReference, tag: str, before: str, digest: str) -> TagConflict:
    return TagConflict(
        f"{repository.with_tag(tag)}: already points to {before}, and a released version does not move to {digest};"
        " --force-exact moves it anyway"
    )
