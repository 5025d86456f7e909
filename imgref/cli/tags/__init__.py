"""``imgref tags``: which tags a release, or any build of a CI, should carry."""

from __future__ import annotations

import click

from imgref.cli import _console
from imgref.cli._build_options import build_options, describes_build
from imgref.cli._help import Command
from imgref.cli._plan import (
    PlanOptions,
    gather,
    plan_options,
    tell_existing,
    tell_held,
    tell_nothing_left,
)
from imgref.cli._registry import client_options
from imgref.cli.tags import _formats
from imgref.cli.tags._build_plan import plan_of_build, plan_of_version
from imgref.cli.tags._formats import Printed
from imgref.cli.tags._labels import NO_METADATA, Metadata, read_metadata

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("version", required=False)
@plan_options()
@click.option(
    "--format",
    "style",
    type=click.Choice(_formats.STYLES),
    help="Output format; by default table on a terminal, otherwise lines",
)
@click.option("--bake-target", metavar="NAME", default="imgref", show_default=True, help="The target of a bake file")
@click.option("--ci", is_flag=True, help="Read the environment of the CI system")
@build_options
@click.option(
    "--tag", "templates", metavar="TEMPLATE", multiple=True, help="Add a tag, such as '{branch}-{sha}'; repeatable"
)
@click.option(
    "--default-tags/--no-default-tags", default=True, help="Plan the default tags, or only those of --tag and rules"
)
@click.option("--any-tag", is_flag=True, help="With --ci: accept a git tag that is not a version, and sanitize it")
@click.option("--sha", is_flag=True, help="With --ci: add sha- and the first 7 digits of the commit")
@click.option(
    "--default-branch", metavar="NAME", help="With --ci: the branch that gets edge, if the CI system does not set it"
)
@click.option("--labels", is_flag=True, help="Print the OCI labels of the build instead of tags")
@click.option(
    "--source", metavar="URL", help="For the labels: address of the repository, such as https://github.com/acme/app"
)
@click.option("--revision", metavar="SHA", help="For the labels: the commit")
@click.option("--label", metavar="KEY=VALUE", multiple=True, help="Add or override a label; repeatable")
@click.option("--annotation", metavar="KEY=VALUE", multiple=True, help="Add or override an annotation; repeatable")
@click.option("--show-config", is_flag=True, help="Print where each option comes from, and exit")
@client_options
@click.pass_context
def command(
    context: click.Context, /, version: str | None, style: str | None, bake_target: str, **flags: object
) -> int:
    """Plan the tags for a release or any other build.

    VERSION 2.1.3 gets 2.1.3, 2.1, 2 and latest; with --existing, without those of a newer version. With --ci, omit
    VERSION: imgref plans the tags for the git tag, branch, pull request or schedule that the CI system builds.
    """
    options = gather(context)
    if flags["show_config"]:
        return _show_config(options)
    images = tuple(options.images)
    if flags["ci"] or describes_build(flags):
        if version is not None:
            raise click.UsageError("--ci, --ref, --pr and --git determine the version: omit VERSION")
        planned = plan_of_build(context, options)
    else:
        _require(flags, "--ci", "any_tag", "sha", "default_branch")
        if not flags["labels"]:
            _require(flags, "--labels", "source", "revision")
        if version is None:
            raise click.UsageError("no VERSION is given (an unset variable?); --ci reads it from the CI's environment")
        planned = plan_of_version(context, options, version)
    plan = planned.plan
    tell_existing(plan)
    tell_held(plan)
    if not plan.tags:
        if style == "json" and not flags["labels"]:
            _formats.write_plan(Printed(plan, images), style, bake_target)
        return tell_nothing_left(plan.version, held=bool(plan.held))
    metadata = NO_METADATA
    if planned.build is not None or flags["labels"] or flags["label"] or flags["annotation"]:
        metadata = read_metadata(planned, context.params, options.metadata)
    if flags["labels"]:
        return _print_labels(metadata, style, bake_target)
    return _print(Printed(plan, images, metadata), style, bake_target)


def _require(flags: dict[str, object], option: str, *names: str) -> None:
    """Refuse options that have an effect only with another one."""
    for name in names:
        if flags[name]:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with {option}")


def _show_config(options: PlanOptions) -> int:
    import json

    for key, value in options.values.items():
        value = [entry.value for entry in value] if key == "rules" else value
        _console.say(f"{key} = {json.dumps(value)}  ({options.origins[key]})")
    return 0


def _print(printed: Printed, style: str | None, bake_target: str) -> int:
    style = style or ("table" if _console.is_terminal() else "lines")
    if style in ("args", "bake") and not printed.images:
        _console.warn("without --image these are bare tags, which docker takes for names of images")
    if style == "github":
        from imgref.cli._github import write_github

        path, names = write_github(printed, bake_target)
        _console.note(f"written to {path}: {', '.join(names)}")
    elif style == "table":
        _table(printed)
    else:
        _formats.write_plan(printed, style, bake_target)
    return 0


def _table(printed: Printed) -> None:
    header = "reference" if printed.images else "tag"
    if not printed.plan.held:
        _console.table((header,), [(name,) for name in printed.names])
        return
    rows = [(name, "") for name in printed.names]
    rows += [(held.tag, f"held: {held.because} is newer") for held in printed.plan.held]
    _console.table((header, ""), rows)


def _print_labels(metadata: Metadata, style: str | None, bake_target: str) -> int:
    style = style or "lines"
    if style not in _formats.LABEL_STYLES:
        raise click.UsageError(f"--labels comes as {', '.join(_formats.LABEL_STYLES)}, not as {style}")
    _formats.write_labels(metadata, style, bake_target)
    return 0
