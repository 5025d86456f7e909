"""A registry's list of tags, compared with the tags that exist.

A list that lacks a version lets a floating tag move backwards, and registries do send such lists: while a push
settles, during maintenance, or from a stale cache. So imgref asks for the tags of a plan one by one as well. A tag that
exists and is not listed, or is listed and does not exist, proves the list wrong.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from imgref.errors import NotFound, RegistryError, UnreliableTagList
from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient
from imgref.registry.threads import run_all
from imgref.registry.transport import Event
from imgref.tags import ExistingTags, TagPlan, TagPolicy, plan_tags

__all__ = ["PATIENCE", "TagView", "digest_at", "existing_tags", "find_digests", "retried", "view_tags"]

PATIENCE: Final = 30.0
"""Seconds in which a list that lags behind a push must catch up."""

_FIRST_WAIT: Final = 0.2
_JOBS: Final = 8

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class TagView:
    """What a registry lists, and where the tags point that a plan is about.

    Attributes:
        listed: the names and where they come from.
        plan: the tags of the version, as far as the registry's list decides.
        digests: for each tag of the plan, moved or held, the digest that it points to, or None if it does not exist.
    """

    listed: ExistingTags
    plan: TagPlan
    digests: Mapping[str, str | None]


def view_tags(
    client: RegistryClient,
    repository: ImageReference,
    plan: Callable[[ExistingTags], TagPlan],
    *,
    excused: Collection[str] = (),
    known: Iterable[str] = (),
) -> TagView:
    """List a repository's tags and ask for each tag of the resulting plan.

    Args:
        client: the client to use.
        repository: the repository.
        plan: plans the tags from the listed ones.
        excused: tags that may be listed though they do not exist, because the user decided to move them.
        known: further tags that exist.

    Raises:
        UnreliableTagList: the list cannot be read, or contradicts the tags that exist.
        RegistryError: the registry refuses or fails.
    """
    try:
        names = tuple(client.list_tags(repository))
    except NotFound:
        # Proven below: none of the plan's tags may exist in a repository that has no tags.
        names = ()
    listed = ExistingTags(names, f"registry {repository.repository}", "registry")
    planned = plan(listed)
    tags = dict.fromkeys([*planned.tags, *(held.tag for held in planned.held)])
    digests = {tag: digest_at(client, repository, tag) for tag in tags}
    exist = {tag for tag, digest in digests.items() if digest is not None} | set(known)
    unlisted, gone = exist - set(names), (set(tags) & set(names)) - exist - set(excused)
    if unlisted or gone:
        raise _contradiction(repository, min(unlisted or gone), exists=bool(unlisted))
    return TagView(listed, planned, digests)


def existing_tags(
    client: RegistryClient, repository: ImageReference, version: str, policy: TagPolicy, *, patience: float = PATIENCE
) -> ExistingTags:
    """Return the tags of a repository, which may be known to be empty.

    Args:
        client: the client to use.
        repository: the repository.
        version: the version to be released; the list is compared with its tags.
        policy: how its tags are derived.
        patience: seconds in which a list that is wrong must become right.

    Raises:
        UnreliableTagList: the list cannot be read, or contradicts the tags that exist.
        RegistryError: the registry refuses or fails.
    """

    def plan(listed: ExistingTags) -> TagPlan:
        return plan_tags(version, existing=[listed], policy=policy)

    return retried(client, partial(view_tags, client, repository, plan), {UnreliableTagList: patience}).listed


def retried(client: RegistryClient, look: Callable[[], _T], patience: Mapping[type[RegistryError], float]) -> _T:
    """Return what a look at a registry returns, looking again after errors that may pass.

    Args:
        client: reports the first wait.
        look: raises one of the errors if the registry's list of tags lags behind.
        patience: for each error, the seconds within which to look again, counted from the first look.
    """
    started, wait = time.monotonic(), _FIRST_WAIT
    reported = False
    while True:
        try:
            return look()
        except tuple(patience) as error:
            left = started + patience[type(error)] - time.monotonic()
            if left <= 0:
                raise
            if not reported:
                client.report(Event("retry", f"{error.reason}; listing the tags again for up to {left:.0f} s", wait))
            reported = True
        time.sleep(min(wait, left))
        wait = min(2 * wait, PATIENCE / 4)


def digest_at(client: RegistryClient, repository: ImageReference, tag: str) -> str | None:
    """Return the digest that a tag points to, or None if the tag does not exist."""
    found = client.find(repository.with_tag(tag))
    return None if found is None else found.digest


def find_digests(
    client: RegistryClient,
    repository: ImageReference,
    tags: Iterable[str],
    wanted: Collection[str],
    known: dict[str, str | None] | None = None,
) -> dict[str, str]:
    """Return which of some digests the tags point to, each with the first such tag.

    The tags are requested in their order, the first ones alone: likely tags come first, so that one request is enough.
    Digests that are found are added to ``known``, and not requested again.
    """
    known = {} if known is None else known
    waiting, size = list(tags), 1
    found: dict[str, str] = {}
    while waiting and not found.keys() >= set(wanted):
        batch, waiting = waiting[:size], waiting[size:]
        new = [tag for tag in batch if known.get(tag) is None]
        asked = run_all(_JOBS, [partial(digest_at, client, repository, tag) for tag in new], threading.Event())
        known.update(zip(new, asked, strict=True))
        for tag in batch:
            if (digest := known[tag]) in wanted:
                found.setdefault(str(digest), tag)
        size = min(2 * size, 8 * _JOBS)
    return found


def _contradiction(repository: ImageReference, tag: str, *, exists: bool) -> UnreliableTagList:
    what = "lacks it" if exists else "has it"
    fact = "exists" if exists else "does not exist"
    return UnreliableTagList(
        f"{repository.with_tag(tag)}: the tag {fact}, but the registry's list of tags {what}; newer versions may be"
        " missing from that list"
    )
