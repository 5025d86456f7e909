"""``imgref update``: moves tags to newer ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click

from imgref.cli._help import Command
from imgref.cli._update import Job, edit_options, finish, jobs_option, level_options, lookups, select_options
from imgref.update.moving import plan_update

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@level_options
@select_options
@edit_options
@jobs_option
@click.pass_context
def command(context: click.Context, /, paths: tuple[str, ...], **_: Any) -> int:
    """Update the tags and digests in files to newer versions.

    imgref reads the files below each PATH (default: here). A tag keeps its variant: 1.25.3-alpine3.18 may become
    1.27.3-alpine3.20, never 1.27.3. Stable versions do not move to pre-releases. References without a digest stay
    without one.

    --min-age goes by the time in the image's configuration, which its publisher sets: it protects against accidents,
    not against attackers.

    \b
    Examples:
      imgref update --diff        show what would change
      imgref update --to patch    only patches
      imgref update --to digest   keep the tags and refresh digests

    Exit codes: 0 done or nothing to do, 1 --diff with changes or --strict with references left alone, 2 bad usage or
    a file failed, 3 a registry failed.
    """  # noqa: D301
    job = Job(context.params)
    job.read(paths)
    found, left = job.spots()
    with lookups(context.params) as registry:
        now = datetime.now(UTC)
        plan = plan_update(found, left, registry, lambda spot: job.policy_for(spot).rule_for(spot.ref), now)
        return finish(job, plan, "updated", registry)
