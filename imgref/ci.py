"""What the CI environment says of this build: its system, the git tag, branch or pull request, and the tags to give.

The systems are a table of data, :mod:`imgref._ci_systems`. Nothing is guessed: what no variable says is not known.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from imgref._ci_systems import REMOTE, SAYS_NOTHING, SYSTEMS, System
from imgref._grammar import TAG_MAX
from imgref.errors import InvalidVersion, UnknownBuild
from imgref.tags import MOVING, ExistingTags, TagPlan, TagPolicy, plan_tags, sanitize_tag, suffixed
from imgref.versions import SCHEMES, read_name

__all__ = ["Build", "BuildTags", "detect", "tags_of_build"]

Event = Literal["tag", "branch", "pull-request", "schedule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """What a CI system says of a build.

    Attributes:
        system: its name.
        event: what is built: a git ``tag``, a ``branch``, a ``pull-request``, or a ``schedule``.
        tag: the git tag, or None.
        branch: the branch, or None.
        pull_request: the number of the pull or merge request, or None.
        sha: the commit in hexadecimal digits, or None.
        default_branch: the repository's default branch, or None where no variable says.
        source: the address of the repository, without credentials, or None.
        told_by: which variable (or file and key) told each of these.
    """

    system: str
    event: Event
    tag: str | None = None
    branch: str | None = None
    pull_request: str | None = None
    sha: str | None = None
    default_branch: str | None = None
    source: str | None = None
    told_by: Mapping[str, str]


def detect(environ: Mapping[str, str] | None = None) -> Build:
    """Read what the CI system says of this build.

    Args:
        environ: the environment; by default that of this process.

    Raises:
        UnknownBuild: no system was detected, or its variables do not say what is built.

    >>> detect({"GITLAB_CI": "true", "CI_COMMIT_TAG": "v2.1.3"}).tag
    'v2.1.3'
    """
    environ = os.environ if environ is None else environ
    system = next((system for system in SYSTEMS if _is_here(system, environ)), None)
    if system is None:
        markers = (f"{name} ({_marker(system)})" for system in SYSTEMS if (name := system.name))
        raise UnknownBuild(f"no CI system was detected; looked for {', '.join(markers)}")
    return _read(system, environ)


def _marker(system: System) -> str:
    return " or ".join(variable if value is None else f"{variable}={value}" for variable, value in system.markers)


def _is_here(system: System, environ: Mapping[str, str]) -> bool:
    return any(environ.get(name, "") == value if value else environ.get(name) for name, value in system.markers)


@dataclass(slots=True)
class _Facts:
    """The facts as they are gathered; the first to tell one counts."""

    values: dict[str, str]
    told_by: dict[str, str]

    def add(self, fact: str, value: str | None, told_by: str) -> None:
        if value and fact not in self.values:
            self.values[fact] = value
            self.told_by[fact] = told_by


def _read(system: System, environ: Mapping[str, str]) -> Build:
    facts = _Facts({}, {})
    payload = _Payload(environ.get(system.event_file, "") if system.event_file else "")
    base_only = system.base_ref_event is not None and environ.get(system.base_ref_event[0]) == system.base_ref_event[1]
    if base_only:
        facts.add(
            "pull_request", payload.at("number") or payload.at("pull_request", "number"), payload.told_by("number")
        )
        if "pull_request" not in facts.values:
            raise UnknownBuild(f"{system.event_file} names no file that tells the pull request's number", system.name)
    elif system.ref:
        _add_ref(facts, environ.get(system.ref, ""), system.ref)
    for fact in ("tag", "branch", "pull_request", "sha", "default_branch"):
        for variable in getattr(system, fact):
            value = environ.get(variable, "").removeprefix(REMOTE.get(variable, ""))
            if value != SAYS_NOTHING.get(variable):
                facts.add(fact, _cleaned(fact, value), variable)
    facts.add(
        "default_branch", payload.at("repository", "default_branch"), payload.told_by("repository.default_branch")
    )
    if system.primary and environ.get(system.primary) == "true" and "branch" in facts.values:
        facts.add("default_branch", facts.values["branch"], system.primary)
    for template in system.source:
        _add_source(facts, template, environ)
    return _build(system, facts, environ)


def _build(system: System, facts: _Facts, environ: Mapping[str, str]) -> Build:
    event: Event
    if system.schedule and environ.get(system.schedule[0]) == system.schedule[1]:
        event = "schedule"
        facts.told_by["event"] = system.schedule[0]
    elif "tag" in facts.values:
        event = "tag"
    elif "pull_request" in facts.values:
        event = "pull-request"
    elif "branch" in facts.values:
        event = "branch"
    else:
        asked = [system.ref] if system.ref else [*system.tag, *system.branch, *system.pull_request]
        said = ", ".join(f"{name} is {_said(environ, name)}" for name in asked)
        raise UnknownBuild(f"neither a git tag, nor a branch, nor a pull request: {said}", system.name)
    facts.told_by.setdefault("event", facts.told_by.get(event.replace("-", "_"), ""))
    values = facts.values
    return Build(
        system=system.name,
        event=event,
        tag=values.get("tag"),
        branch=values.get("branch"),
        pull_request=values.get("pull_request"),
        sha=values.get("sha"),
        default_branch=values.get("default_branch"),
        source=values.get("source"),
        told_by=facts.told_by,
    )


def _said(environ: Mapping[str, str], name: str) -> str:
    return "not set" if name not in environ else "empty" if not environ[name] else repr(environ[name])


def _add_ref(facts: _Facts, ref: str, variable: str) -> None:
    if found := re.fullmatch(r"refs/(heads|tags|pull)/(.+)", ref):
        kind, name = found.groups()
        if kind == "pull":
            facts.add("pull_request", name.partition("/")[0], variable)
        else:
            facts.add("tag" if kind == "tags" else "branch", name, variable)


def _cleaned(fact: str, value: str) -> str | None:
    if fact == "pull_request":
        found = re.search(r"(?:^|/)([0-9]+)/?$", value.strip())
        return found[1] if found else None
    if fact in ("branch", "default_branch"):
        return value.removeprefix("refs/heads/")
    return value.removeprefix("refs/tags/") if fact == "tag" else value


def _add_source(facts: _Facts, template: str, environ: Mapping[str, str]) -> None:
    names = re.findall(r"\{(\w+)\}", template)
    if all(environ.get(name) for name in names):
        address = template.format_map(environ)
        # Some systems hand over the address that they clone from, with a token in it.
        facts.add("source", re.sub(r"(?<=://)[^/]*@", "", address).removesuffix(".git"), ", ".join(names))


class _Payload:
    """The file that describes a GitHub event; empty where there is none."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._data: object = {}
        if path:
            import json

            try:
                self._data = json.loads(Path(path).read_bytes())
            except (OSError, ValueError):
                self._data = {}

    def at(self, *keys: str) -> str | None:
        value = self._data
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None

    def told_by(self, keys: str) -> str:
        return f"GITHUB_EVENT_PATH ({keys})"


# The tags of a build


@dataclass(frozen=True, slots=True)
class BuildTags:
    """The tags that a build should have, and what its owner should know of them."""

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
    """Give the tags of a build: the plan of a git tag's version, or those of a branch, pull request or schedule.

    Args:
        build: what :func:`detect` read.
        existing: as for :func:`imgref.plan_tags`; asked only where the git tag is a version.
        policy: how tags are derived; its suffixes hold for every tag.
        default_branch: the default branch where the build does not say; it gets ``edge`` too.
        any_tag: take a git tag that is no version as it is, sanitised, rather than refuse it.
        sha: add ``sha-`` and the first 7 digits of the commit.

    Raises:
        InvalidVersion: the git tag is no version, and ``any_tag`` is not given.
        InvalidTag: no tag can be made of the name.
        UnknownBuild: ``sha`` is asked for, and the commit is not known.

    >>> build = detect({"GITLAB_CI": "true", "CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"})
    >>> tags_of_build(build).plan.tags
    ('main', 'edge')
    """
    policy = policy or TagPolicy()
    notes: list[str] = []
    if build.event == "tag":
        plan = _plan_of_tag(build, existing, policy, notes, any_tag=any_tag)
    elif build.event == "pull-request":
        plan = _plan_of_names([f"pr-{build.pull_request}"], policy)
    elif build.event == "schedule":
        plan = _plan_of_names(["nightly"], policy)
    else:
        plan = _plan_of_branch(build.branch or "", build.default_branch or default_branch, policy, notes)
    if sha:
        if build.sha is None or not re.fullmatch("[0-9a-fA-F]{7,}", build.sha):
            raise UnknownBuild("--sha: no variable tells the commit", build.system)
        extra = _plan_of_names([f"sha-{build.sha[:7].lower()}"], policy).tags
        plan = replace(plan, tags=(*plan.tags, *extra))
    return BuildTags(plan, tuple(notes))


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
            if _is_reserved(slug, policy):
                notes.append(f"the git tag {build.tag!r} is taken as it is, and overwrites {slug} if that exists")
            return _plan_of_names([build.tag], policy)
        reason = f"{error.reason} (the git tag; --any-tag takes it as it is)"
        raise InvalidVersion(error.text, reason, error.hint) from None


def _plan_of_branch(branch: str, default_branch: str | None, policy: TagPolicy, notes: list[str]) -> TagPlan:
    slug = sanitize_tag(branch)
    name = branch
    if _is_reserved(slug, policy):
        name = f"branch-{branch}"
        notes.append(f"the branch {branch!r} gets the tag {sanitize_tag(name)}, so that it cannot overwrite {slug}")
    if default_branch is None:
        notes.append("no edge: no default branch is known (--default-branch names it)")
    return _plan_of_names([name, "edge"] if branch == default_branch else [name], policy)


def _plan_of_names(names: list[str], policy: TagPolicy) -> TagPlan:
    tags = []
    for suffix in policy.suffixes:
        room = TAG_MAX - len(suffixed("x", suffix)) + 1
        tags += [suffixed(sanitize_tag(name, longest=room), suffix) for name in names]
    return TagPlan(sanitize_tag(names[0]), None, False, tuple(dict.fromkeys(tags)))


def _is_reserved(slug: str, policy: TagPolicy) -> bool:
    """Tell whether a branch's tag could be taken for, or overwrite, one of another kind."""
    if slug.startswith(("pr-", "sha-")) or slug in policy.suffixes:
        return True
    plain = {slug, *(slug.removesuffix(f"-{suffix}") for suffix in policy.suffixes)}
    if plain & {*MOVING} or any(read_name(text, scheme) for text in plain for scheme in SCHEMES):
        return True
    return policy.channels and any(re.fullmatch(_CHANNEL_TAG, text) for text in plain)


_CHANNEL_TAG: Final = r"(?:v?[0-9]+\.[0-9]+-)?(?:alpha|beta|rc|dev)"
