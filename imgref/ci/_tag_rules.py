"""The rules that add tags to a build, none of which can be the tag of another version."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final, Literal

from imgref._grammar import TAG_MAX
from imgref.ci._build import Build
from imgref.ci._tag_templates import UNIQUE, Facts, NoTag, Template
from imgref.ci._tags import BuildTags, is_reserved, name_of_branch, plan_of_sha, tags_of_build
from imgref.errors import InvalidTag, InvalidVersion, UnknownBuild
from imgref.tags import FLOATING, ExistingTags, HeldTag, TagPlan, TagPolicy, is_release, sanitize_tag, suffixed
from imgref.versions import Version, read_name, read_version

__all__ = ["ON", "BuildPolicy", "TagRule", "matched_build", "matched_version", "plan_build"]

ON: Final = {
    "tag": "tag",
    "branch": "branch",
    "pr": "pull-request",
    "schedule": "schedule",
    "default-branch": "branch",
}
"""The conditions of a rule, and the event of each."""

_DATE_DIGITS: Final = 8


@dataclass(frozen=True, slots=True)
class TagRule:
    """A rule that adds a tag.

    Attributes:
        tag: the template.
        on: the builds for which it applies: ``tag``, ``branch``, ``pr``, ``schedule``, ``default-branch``; none means
            all.
        branch: patterns of which one must match the branch, such as ``release/*``; none means any build.

    Raises:
        InvalidTag: the template cannot result in a tag.
        ValueError: a condition is not known.
    """

    tag: str
    on: Sequence[str] = ()
    branch: Sequence[str] = ()

    def __post_init__(self) -> None:
        Template(self.tag)
        for word in self.on:
            if word not in ON:
                raise ValueError(f"on is one of {', '.join(ON)}, not {word!r}")


def _unknown_time(sha: str) -> int | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildPolicy:
    """How the tags of a build are made.

    Attributes:
        policy: how those of a version are derived; its suffixes apply to every tag.
        existing: the tags that exist, as for :func:`imgref.plan_tags`.
        default_branch: the default branch, if the build does not have it.
        any_tag: whether a git tag that is not a version is used as it is.
        sha: whether to add ``sha-`` and the first 7 digits of the commit.
        rules: what adds further tags.
        default_tags: whether there are any tags but those of the rules.
        now: the time of the build.
        commit_time: returns the time of a commit in seconds, or None if it cannot be known.
    """

    policy: TagPolicy = field(default_factory=TagPolicy)
    existing: Sequence[str | ExistingTags] | None = None
    default_branch: str | None = None
    any_tag: bool = False
    sha: bool = False
    rules: Sequence[TagRule] = ()
    default_tags: bool = True
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    commit_time: Callable[[str], int | None] = _unknown_time


def matched_version(name: str, pattern: str) -> str | None:
    """Return the version that a pattern finds in a name, or None if it does not match the whole name.

    It is the group ``version``, else the first group, else everything.

    >>> matched_version("app/v1.2.3", r"app/(.+)"), matched_version("web/v1.2.3", r"app/(.+)")
    ('v1.2.3', None)
    """
    found = re.fullmatch(pattern, name)
    if found is None:
        return None
    if "version" in found.re.groupindex:
        return found["version"]
    return found[1] if found.re.groups else found[0]


def matched_build(build: Build, pattern: str) -> tuple[Build, str]:
    """Return the build with the version that a pattern finds in its git tag or branch, and a note about it.

    A branch that matches is built like a git tag: ``release/1.2.3`` is the version 1.2.3.

    Raises:
        InvalidVersion: the git tag does not match.
    """
    if build.tag is not None:
        version = matched_version(build.tag, pattern)
        if not version:
            raise InvalidVersion(build.tag, f"--match {pattern} finds no version in it", None)
        return replace(build, tag=version), ""
    version = matched_version(build.branch or "", pattern)
    if version and build.event in ("branch", "schedule"):
        note = f"the branch {build.branch!r} is built as the version {version} (--match)"
        return replace(build, event="tag", tag=version), note
    return build, ""


def plan_build(build: Build, how: BuildPolicy) -> BuildTags:
    """Return the tags of a build: those that every build has, and those of the rules.

    A tag that looks like a version or a floating tag is used only if the plan of the build has it, and held if the plan
    holds it. ``latest`` is also used for the default branch.

    Raises:
        InvalidVersion: the git tag is not a version, and ``any_tag`` is not set.
        InvalidTag: a rule results in a tag that could belong to another version, or in no valid tag.
        UnknownBuild: something that a tag needs is not known.

    >>> from imgref.ci import manual_build
    >>> build = manual_build("refs/heads/main", sha="0123456789")
    >>> plan_build(build, BuildPolicy(rules=[TagRule("{branch}-{sha}")])).plan.tags
    ('main', 'main-0123456')
    """
    options = {"existing": how.existing, "default_branch": how.default_branch, "any_tag": how.any_tag}
    if not how.rules and how.default_tags:
        return tags_of_build(build, policy=how.policy, sha=how.sha, **options)  # type: ignore[arg-type]
    if build.event == "merge-group":
        base = BuildTags(replace(plan_of_sha(build, how.policy), tags=()))
        everything = base.plan
    else:
        base = tags_of_build(build, policy=how.policy, **options)  # type: ignore[arg-type]
        full = replace(how.policy, floating=FLOATING)
        everything = base.plan
        if full != how.policy:
            everything = tags_of_build(build, policy=full, **options).plan  # type: ignore[arg-type]
    notes = list(base.notes)
    made = _Made(base.plan, how.default_tags, build.event == "merge-group")
    guard = _Guard(build, how, everything)
    for rule in how.rules:
        try:
            if guard.holds(rule):
                made.add(guard.tags(rule))
        except NoTag as reason:
            notes.append(f"no tag from {rule.tag!r}: {reason}")
    if how.sha:
        made.add((tag, None) for tag in plan_of_sha(build, how.policy).tags)
    return BuildTags(made.plan(), tuple(dict.fromkeys(notes)))


class _Made:
    """The tags of a plan as they are collected."""

    def __init__(self, plan: TagPlan, default_tags: bool, merge_group: bool) -> None:
        self._plan = plan
        keep = default_tags and not merge_group
        self._tags: dict[str, None] = dict.fromkeys(plan.tags if keep else ())
        self._held: dict[str, str] = {held.tag: held.because for held in plan.held} if keep else {}

    def add(self, tags: Iterator[tuple[str, str | None]]) -> None:
        """Add tags, each with the version that holds it, or None."""
        for tag, because in tags:
            if because is None:
                self._tags[tag] = None
            else:
                self._held[tag] = because

    def plan(self) -> TagPlan:
        """Return the plan with what was collected."""
        held = tuple(HeldTag(tag, because) for tag, because in self._held.items() if tag not in self._tags)
        return replace(self._plan, tags=tuple(self._tags), held=held)


class _Guard:
    """What decides whether a rule applies to a build, and whether its tag may be used."""

    def __init__(self, build: Build, how: BuildPolicy, plan: TagPlan) -> None:
        self._build, self._policy = build, how.policy
        self._default = build.default_branch or how.default_branch
        self._tags = {*plan.tags}
        self._held = {held.tag: held.because for held in plan.held}
        self._version = self._own_version(plan)
        branch = sanitize_tag(name_of_branch(build.branch, how.policy)) if build.branch is not None else None
        self._facts = Facts(build, self._version, branch, how.now, how.commit_time)

    def _own_version(self, plan: TagPlan) -> Version | None:
        if plan.scheme is None or self._build.tag is None or not is_release(self._build.tag, policy=self._policy):
            return None
        return read_version(self._build.tag[len(self._policy.prefix) :], plan.scheme)

    def holds(self, rule: TagRule) -> bool:
        """Return whether the conditions of a rule are those of the build.

        Raises:
            NoTag: the default branch is not known.
        """
        if rule.branch and not any(fnmatchcase(self._build.branch or "", pattern) for pattern in rule.branch):
            return False
        if not rule.on:
            return True
        events = {ON[word] for word in rule.on if word != "default-branch"}
        if self._build.event in events:
            return True
        if "default-branch" not in rule.on or self._build.event != "branch":
            return False
        if self._default is None:
            raise NoTag("no default branch is known (--default-branch names it)")
        return self._build.branch == self._default

    def tags(self, rule: TagRule) -> Iterator[tuple[str, str | None]]:
        """Yield the tags of a rule, one for each suffix, each with the version that holds it, or None.

        Raises:
            NoTag: there is none for this build.
            InvalidTag: it could be the tag of another version.
        """
        template = Template(rule.tag)
        text = template.render(self._facts)
        for suffix in self._policy.suffixes:
            room = TAG_MAX - len(suffixed("x", suffix)) + 1
            name = sanitize_tag(text, longest=room)
            tag = suffixed("" if name == "latest" else name, suffix)
            bare = tag.removeprefix("v")
            if tag in self._tags or bare in self._tags:
                yield tag, None
            elif because := self._held.get(tag, self._held.get(bare)):
                yield tag, because
            else:
                self._check(name, template)
                yield tag, None

    def _check(self, name: str, template: Template) -> None:
        """Refuse a tag that the plan of the build does not have and that could be another version's."""
        if name == "latest" and self._is_latest():
            return
        own = self._relation(name)
        if own == "floating":
            text = self._version.text if self._version else ""
            raise NoTag(f"{text} does not move {name}")
        if own == "exact" and template.names & UNIQUE and template.begins_with("version"):
            return
        if self._is_commit(name) or self._is_date(name, template):
            return
        if is_reserved(name, self._policy) and not self._is_own(name):
            reason = "it could be the tag of another version" if name != "latest" else "only the default branch gets it"
            hint = "; --suffix makes the tags of a variant" if own == "exact" else ""
            raise InvalidTag(name, f"{template.text!r} makes it for this build, but {reason}{hint}")

    def _is_latest(self) -> bool:
        if self._build.event not in ("branch", "schedule"):
            return False
        if self._default is None:
            raise UnknownBuild(
                "latest is only for the default branch, which is not known (--default-branch names it)",
                self._build.system,
            )
        return self._build.branch == self._default

    def _relation(self, name: str) -> Literal["", "floating", "exact"]:
        """Return whether a tag is a floating tag of the version that is built, or its exact tag and something more."""
        if self._version is None:
            return ""
        if name == "latest":
            return "floating"
        bare = name.removeprefix("v")
        if bare.startswith(f"{self._version.text}-"):
            return "exact"
        read = read_name(bare, self._version.scheme)
        parts = read.parts if read is not None and read.is_plain else ()
        return "floating" if parts and self._version.parts[: len(parts)] == parts else ""

    def _is_commit(self, name: str) -> bool:
        """Return whether a tag is the commit by itself, which only looks like a number by chance."""
        sha = (self._build.sha or "").lower()
        reads = self._policy.scheme != "semver" and read_name(name, self._policy.scheme) is not None
        return len(name) >= len("0123456") and sha.startswith(name) and not reads

    def _is_own(self, name: str) -> bool:
        """Return whether a tag names the commit or the pull request that is built."""
        number = self._build.pull_request
        of_commit = name.startswith("sha-") and self._is_commit(name.removeprefix("sha-"))
        return of_commit or (number is not None and name.startswith(f"pr-{number}-"))

    def _is_date(self, name: str, template: Template) -> bool:
        """Return whether a tag is a date without dots, perhaps with a time, which no version in SemVer is."""
        dated = bool(template.names & {"date", "commit-date"})
        digits = rf"[0-9]{{{_DATE_DIGITS},}}(?:-[0-9]+)*"
        return dated and self._policy.scheme == "semver" and re.fullmatch(digits, name) is not None
