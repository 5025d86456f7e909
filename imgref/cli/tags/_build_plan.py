"""Plans the tags of a build or of a version for ``imgref tags``."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

import click

from imgref.cli import _console
from imgref.cli._build_options import read_build
from imgref.cli._plan import PlanOptions, read_existing
from imgref.cli._registry import ClientOptions, list_existing
from imgref.errors import ConfigError, InvalidTag
from imgref.tags import ExistingTags, TagPlan, is_release, plan_tags

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from imgref.ci import Build, BuildPolicy, TagRule

__all__ = ["Planned", "created", "plan_of_build", "plan_of_version"]

_RULE_KINDS = {"tag": "strings", "on": "strings", "branch": "strings"}


class Planned(NamedTuple):
    """A plan, and the build that it is for; a version alone has none."""

    plan: TagPlan
    build: Build | None = None


def plan_of_version(context: click.Context, options: PlanOptions, version: str) -> Planned:
    """Plan the tags of a version, and those of the rules.

    Raises:
        ImgrefError: the version, a rule or a source cannot be used.
    """
    version = options.version_of(version)
    existing = _existing(context, options, version)
    plan = plan_tags(version, existing=existing, policy=options.policy)
    sha = context.params["commit"]
    if not _has_rules(context, options) and sha is None:
        return Planned(plan)
    from imgref.ci import adjusted_build, manual_build, plan_build

    build = adjusted_build(manual_build(f"refs/tags/{version}"), sha=sha)
    tags = plan_build(build, _policy(context, options, existing))
    for note in tags.notes:
        _console.note(note)
    return Planned(tags.plan, build if sha is not None else None)


def plan_of_build(context: click.Context, options: PlanOptions) -> Planned:
    """Plan the tags of the build that the options or the CI system describe.

    Raises:
        ImgrefError: the build, a rule or a source cannot be used.
    """
    from dataclasses import replace

    from imgref.ci import matched_build, plan_build
    from imgref.cli._git import default_branch

    branch = options.values["default-branch"]
    if branch is None:
        branch = default_branch()
    build = read_build(context.params, branch)
    if options.values["match"]:
        build, matched = matched_build(build, options.values["match"])
        if matched:
            _console.note(matched)
    existing = None
    if build.event == "tag" and is_release(build.tag or "", policy=options.policy):
        existing = _existing(context, options, build.tag or "")
    how = replace(
        _policy(context, options, existing),
        default_branch=branch,
        any_tag=options.values["any-tag"],
        sha=options.values["sha"],
    )
    tags = plan_build(build, how)
    for note in (*tags.notes, *_notes_of_source(context, build)):
        _console.note(note)
    return Planned(tags.plan, build)


def _notes_of_source(context: click.Context, build: Build) -> tuple[str, ...]:
    asked = context.params["labels"] or context.params["style"] in ("github", "args", "dotenv", "bake", "json")
    return build.notes if asked and not context.params["source"] else ()


def _existing(context: click.Context, options: PlanOptions, version: str) -> list[ExistingTags] | None:
    """Read the sources of ``--existing`` for a version; None without the option."""
    list_registry = partial(list_existing, ClientOptions.of(context.params), version, options.policy)
    return read_existing(options, list_registry, released=version)


def _has_rules(context: click.Context, options: PlanOptions) -> bool:
    return bool(context.params["templates"] or options.values["rules"] or not options.values["default-tags"])


def _policy(context: click.Context, options: PlanOptions, existing: list[ExistingTags] | None) -> BuildPolicy:
    from imgref.ci import BuildPolicy, TagRule
    from imgref.cli._git import commit_time

    templates = [TagRule(template) for template in context.params["templates"]]
    rules = [*_rules_of_settings(options), *templates]
    if not rules and not options.values["default-tags"]:
        raise click.UsageError("--no-default-tags needs --tag, or [[tags.rules]] in the settings")
    return BuildPolicy(
        policy=options.policy,
        existing=existing,
        rules=rules,
        default_tags=options.values["default-tags"],
        now=created(),
        commit_time=commit_time,
    )


def _rules_of_settings(options: PlanOptions) -> Iterator[TagRule]:
    """Yield the rules in ``[[tags.rules]]``.

    Raises:
        ConfigError: one of them cannot be used.
    """
    from imgref.ci import TagRule
    from imgref.config import table_settings

    for entry in options.values["rules"]:
        rule = {
            key: cast("list[str]", setting.value)
            for key, setting in table_settings(entry, "tags.rules", _RULE_KINDS).items()
        }
        if not rule.get("tag"):
            raise ConfigError("a rule in [[tags.rules]] needs tag, the template of a tag", entry.path, entry.line)
        for template in rule.pop("tag"):
            try:
                yield TagRule(template, **{key: tuple(words) for key, words in rule.items()})
            except (InvalidTag, ValueError) as error:
                raise ConfigError(f"[[tags.rules]]: {error}", entry.path, entry.line) from None


def created() -> datetime:
    """Return the time of the build, or that of https://reproducible-builds.org/specs/source-date-epoch/.

    Raises:
        UsageError: ``SOURCE_DATE_EPOCH`` is not a number of seconds.
    """
    from datetime import UTC, datetime

    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    if not epoch:
        return datetime.now(UTC)
    try:
        if epoch.isascii() and epoch.isdigit():
            return datetime.fromtimestamp(int(epoch), UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise click.UsageError(f"SOURCE_DATE_EPOCH is not a number of seconds: {epoch!r}")
