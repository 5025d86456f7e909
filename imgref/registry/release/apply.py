"""The application of a release: sets its tags, and corrects them until the list of tags shows nothing to correct."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from operator import eq
from typing import Final

from imgref.archive.manifest import Manifest
from imgref.errors import RegistryError, TagConflict, UnreliableTagList
from imgref.registry.client import RegistryClient
from imgref.registry.listing import TagView, digest_at, retried, view_tags
from imgref.registry.origins import Origins
from imgref.registry.overwrite import set_tag
from imgref.registry.release.model import WAITS, Release, TagOutcome, conflict, digests_of_version
from imgref.tags import ExistingTags, TagPlan, is_tag_of, plan_tags

__all__ = ["apply_release"]

_ROUNDS: Final = 20
_PAUSE: Final = 0.2

_REFUSALS: Final = frozenset({400, 403, 405, 409, 412})
"""How registries with immutable tags answer to a tag that would move."""


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
                raise conflict(self._repository, tag, str(before), digest)
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
        raise conflict(self._repository, tag, now, self._release.digest)

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
                if not retried(self._client, self._correct, WAITS):
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
