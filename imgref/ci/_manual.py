"""A build that somebody describes, rather than a CI system's variables."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, NamedTuple

from imgref.ci._build import Build, build_of
from imgref.ci._forms import MERGE_QUEUE, REF_FORMS
from imgref.ci._read import Facts
from imgref.ci._source_url import source_url
from imgref.errors import UnknownBuild

__all__ = ["EVENTS", "Checkout", "adjusted_build", "manual_build"]

EVENTS: Final = {"tag": "tag", "branch": "branch", "pr": "pull-request", "schedule": "schedule"}
"""What can be built, in the words of ``--event``, and as :attr:`Build.event` has it."""


class Checkout(NamedTuple):
    """The build that a git checkout describes.

    Attributes:
        sha: the commit.
        branch: the branch, or None if HEAD is detached.
        tags: the git tags on the commit.
        source: the address of the remote, or None.
        default_branch: the remote's default branch, or None.
    """

    sha: str
    branch: str | None = None
    tags: tuple[str, ...] = ()
    source: str | None = None
    default_branch: str | None = None


def manual_build(
    ref: str | None = None,
    *,
    event: str | None = None,
    pull_request: str | None = None,
    sha: str | None = None,
    checkout: Checkout | None = None,
) -> Build:
    """Return the build that these facts describe; what they do not name comes from the checkout, if there is one.

    Args:
        ref: the full ref, such as ``refs/heads/main``; with an event that is a tag or a branch, also its name.
        event: ``tag``, ``branch``, ``pr`` or ``schedule``; by default what the ref, number or checkout is.
        pull_request: the number of the pull or merge request.
        sha: the commit.
        checkout: the facts of a git checkout.

    Raises:
        UnknownBuild: they contradict each other, or leave open what is built.

    >>> manual_build("refs/tags/v2.1.3").tag, manual_build(pull_request="42").event
    ('v2.1.3', 'pull-request')
    """
    facts = Facts()
    if pull_request is not None:
        if not re.fullmatch("[1-9][0-9]{0,17}", pull_request):
            raise UnknownBuild(f"--pr: {pull_request!r} is not the number of a pull request")
        facts.add("pull_request", pull_request, "--pr")
    if ref is not None:
        facts.add(*_named(ref, event), "--ref")
    facts.add("sha", _commit(sha), "--commit")
    if checkout is not None:
        _add_checkout(facts, checkout, event)
    facts.event = _event(facts, event)
    return build_of(facts, "git" if checkout else "command line")


def adjusted_build(build: Build, *, event: str | None = None, sha: str | None = None) -> Build:
    """Return the build of a CI system, with what its variables lack added.

    Args:
        build: the detected build.
        event: ``schedule`` for a branch whose system has no variable for scheduled builds; any other must match.
        sha: the commit.

    Raises:
        UnknownBuild: the build is not of this event.
    """
    if sha is not None:
        build = replace(build, sha=_commit(sha), told_by={**build.told_by, "sha": "--commit"})
    if event is None or EVENTS[event] == build.event or (event == "schedule" and build.event == "tag"):
        return build
    if event == "schedule" and build.event == "branch":
        return replace(build, event="schedule", told_by={**build.told_by, "event": "--event"})
    raise UnknownBuild(f"--event {event}: this is a build of another event ({build.event})", build.system)


def _commit(sha: str | None) -> str | None:
    if sha is not None and not (re.fullmatch("[0-9a-fA-F]{7,64}", sha) and sha.strip("0")):
        raise UnknownBuild(f"--commit: {sha!r} is not a commit of 7 to 64 hexadecimal digits")
    return sha


def _named(ref: str, event: str | None) -> tuple[str, str]:
    """Return what a ref is, and its name."""
    for fact, pattern in REF_FORMS:
        if found := re.fullmatch(pattern, ref, re.DOTALL):
            return fact, found[1]
    if event in ("tag", "branch") and ref and not ref.startswith("refs/"):
        return event, ref
    raise UnknownBuild(
        f"--ref: {ref!r} may be a branch or a git tag; write refs/heads/… or refs/tags/…, or pass --event"
        if ref and not ref.startswith("refs/")
        else f"--ref: {ref!r} is not the ref of a branch, a git tag or a pull request"
    )


def _add_checkout(facts: Facts, checkout: Checkout, event: str | None) -> None:
    if not facts.has("pull_request", "tag", "branch"):
        if event != "tag":
            facts.add("branch", checkout.branch, "git")
        if not facts.has("branch") and event != "branch":
            if len(checkout.tags) > 1:
                tags = ", ".join(checkout.tags)
                raise UnknownBuild(f"several git tags are on the commit ({tags}); name one with --ref")
            facts.add("tag", "".join(checkout.tags), "git")
        if not facts.has("branch", "tag") and event not in ("schedule", "pr"):
            where = "the checkout is on no branch" if checkout.branch is None else "this is asked of the commit"
            raise UnknownBuild(f"{where}, and no git tag is on the commit; name what is built with --ref")
    facts.add("sha", checkout.sha, "git")
    facts.add("default_branch", checkout.default_branch, "git")
    if checkout.source is not None:
        facts.add("source", source_url(checkout.source), "git")


def _event(facts: Facts, event: str | None) -> str:
    """Return what is built, which an event must not contradict."""
    known = next((fact for fact in ("pull_request", "tag", "branch") if facts.has(fact)), "")
    kind = known.replace("_", "-")
    facts.told_by["event"] = facts.told_by.get(known, "--event")
    if kind == "branch" and facts.values["branch"].startswith(MERGE_QUEUE):
        return "merge-group"
    if event == "schedule" and kind in ("branch", ""):
        facts.told_by["event"] = "--event"
        return "schedule"
    if event is not None and event != "schedule" and kind != EVENTS[event]:
        what = {
            "pr": "--pr or a --ref such as refs/pull/42/head",
            "tag": "--ref refs/tags/…",
            "branch": "--ref refs/heads/…",
        }
        raise UnknownBuild(
            f"--event {event} needs {what[event]}" + (f", not a {kind.replace('-', ' ')}" if kind else "")
        )
    if not kind:
        raise UnknownBuild("what is built is not known; name it with --ref, --pr or --event schedule")
    return kind
