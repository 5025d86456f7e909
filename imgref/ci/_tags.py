"""The tags of a build that need no rules."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from imgref._grammar import TAG_MAX
from imgref.ci._build import Build
from imgref.errors import InvalidVersion, UnknownBuild
from imgref.tags import MOVING, ExistingTags, TagPlan, TagPolicy, plan_tags, sanitize_tag, suffixed
from imgref.versions import SCHEMES, read_name

__all__ = [
    "BuildTags",
    "is_reserved",
    "name_of_branch",
    "plan_of_names",
    "plan_of_sha",
    "tags_of_build",
]


@dataclass(frozen=True, slots=True)
class BuildTags:
    """The tags of a build, and notes about them for the user."""

    plan: TagPlan
    notes: tuple[str, ...] = ()


def tags_of_build(
    build: Build,
    *,
    existing: Iterable[str | ExistingTags] | None = None,
    policy: TagPolicy | None = None,
    default_branch: str | None = None,
    any_tag: bool = False,
    sha: bool = False,
) -> BuildTags:
    """Return the tags of a build: the plan of a git tag's version, or those of a branch, pull request or schedule.

    Args:
        build: what :func:`imgref.ci.detect` read.
        existing: as for :func:`imgref.plan_tags`; asked only where the git tag is a version.
        policy: how tags are derived; its suffixes apply to every tag.
        default_branch: the default branch, if the build does not have it; it also gets ``edge``.
        any_tag: accept a git tag that is not a version, and sanitize it.
        sha: add ``sha-`` and the first 7 digits of the commit.

    Raises:
        InvalidVersion: the git tag is not a version, and ``any_tag`` is not set.
        InvalidTag: no tag can be made of the name.
        UnknownBuild: ``sha`` is set, but the commit is not known; or it is not set, and a merge group is built.

    >>> from imgref.ci import detect
    >>> build = detect({"GITLAB_CI": "true", "CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"})
    >>> tags_of_build(build).plan.tags
    ('main', 'edge')
    """
    policy = policy or TagPolicy()
    notes: list[str] = []
    if build.event == "tag":
        plan = _plan_of_tag(build, existing, policy, notes, any_tag=any_tag)
    elif build.event == "pull-request":
        plan = plan_of_names([f"pr-{build.pull_request}"], policy)
    elif build.event == "schedule":
        plan = plan_of_names(["nightly"], policy)
    elif build.event == "merge-group":
        if not sha:
            raise UnknownBuild("a merge group gets no tag but sha- and the commit; pass --sha for it", build.system)
        return BuildTags(plan_of_sha(build, policy))
    else:
        plan = _plan_of_branch(build.branch or "", build.default_branch or default_branch, policy, notes)
    if sha:
        plan = replace(plan, tags=(*plan.tags, *plan_of_sha(build, policy).tags))
    return BuildTags(plan, tuple(notes))


def plan_of_sha(build: Build, policy: TagPolicy) -> TagPlan:
    """Return the tag of the commit.

    Raises:
        UnknownBuild: it is not known.
    """
    if build.sha is None or not re.fullmatch("[0-9a-fA-F]{7,}", build.sha):
        raise UnknownBuild("--sha: no variable has the commit", build.system)
    return plan_of_names([f"sha-{build.sha[:7].lower()}"], policy)


def _plan_of_tag(
    build: Build,
    existing: Iterable[str | ExistingTags] | None,
    policy: TagPolicy,
    notes: list[str],
    *,
    any_tag: bool,
) -> TagPlan:
    assert build.tag is not None
    try:
        return plan_tags(build.tag, existing=existing, policy=policy)
    except InvalidVersion as error:
        if any_tag:
            slug = sanitize_tag(build.tag)
            if is_reserved(slug, policy):
                notes.append(f"the git tag {build.tag!r} is taken as it is, and overwrites {slug} if that exists")
            return plan_of_names([build.tag], policy)
        reason = f"{error.reason} (the git tag; --any-tag takes it as it is)"
        raise InvalidVersion(error.text, reason, error.hint) from None


def name_of_branch(branch: str, policy: TagPolicy) -> str:
    """Return the name of a branch, or one from which no other kind of tag is made."""
    return f"branch-{branch}" if is_reserved(sanitize_tag(branch), policy) else branch


def _plan_of_branch(branch: str, default_branch: str | None, policy: TagPolicy, notes: list[str]) -> TagPlan:
    slug, name = sanitize_tag(branch), name_of_branch(branch, policy)
    if name != branch:
        notes.append(f"the branch {branch!r} gets the tag {sanitize_tag(name)}, so that it cannot overwrite {slug}")
    if default_branch is None:
        notes.append("no edge: no default branch is known (--default-branch names it)")
    return plan_of_names([name, "edge"] if branch == default_branch else [name], policy)


def plan_of_names(names: list[str], policy: TagPolicy) -> TagPlan:
    """Return the tags of names that are not versions, with each suffix."""
    tags = []
    for suffix in policy.suffixes:
        room = TAG_MAX - len(suffixed("x", suffix)) + 1
        tags += [suffixed(sanitize_tag(name, longest=room), suffix) for name in names]
    return TagPlan(sanitize_tag(names[0]), None, False, tuple(dict.fromkeys(tags)))


def is_reserved(slug: str, policy: TagPolicy) -> bool:
    """Return whether a branch's tag could be mistaken for, or overwrite, one of another kind."""
    if slug.startswith(("pr-", "sha-")) or slug in policy.suffixes:
        return True
    plain = {slug, *(slug.removesuffix(f"-{suffix}") for suffix in policy.suffixes)}
    if plain & {*MOVING} or any(read_name(text, scheme) for text in plain for scheme in SCHEMES):
        return True
    return policy.channels and any(re.fullmatch(_CHANNEL_TAG, text) for text in plain)


_CHANNEL_TAG: Final = r"(?:v?[0-9]+\.[0-9]+-)?(?:alpha|beta|rc|dev)"
