"""``imgref pin``: adds digests to references."""

from __future__ import annotations

from typing import Any

import click

from imgref.cli._help import Command
from imgref.cli._update import Job, edit_options, finish, jobs_option, lookups, select_options
from imgref.update.pinning import plan_pin

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--refresh", is_flag=True, help="Also replace digests that no longer match their tag")
@click.option("--exact", is_flag=True, help="First replace a floating tag by the most specific version tag")
@click.option("--helm-tag", is_flag=True, help="Write digests into the tag of Helm maps without a digest key")
@select_options
@edit_options
@jobs_option
@click.pass_context
def command(
    context: click.Context, /, paths: tuple[str, ...], refresh: bool, exact: bool, helm_tag: bool, **_: Any
) -> int:
    """Add digests to the image references in files.

    imgref reads the files below each PATH (default: here). It keeps the tag and adds the digest that the tag
    points to: nginx:1.27.3@sha256:… Nothing else in a file changes. References that cannot be edited safely are left
    alone and listed, and so are those with a comment "# imgref: keep REASON".

    \b
    Examples:
      imgref pin                      pin everything below this directory
      imgref pin --diff               show what would change
      imgref pin --only 'ghcr.io/**'  only images of one registry

    Exit codes: 0 done or nothing to do, 1 --diff with changes or --strict with references left alone, 2 bad usage or
    a file failed, 3 a registry failed.
    """  # noqa: D301
    job = Job(context.params)
    job.read(paths)
    found, left = job.spots()
    with lookups(context.params) as registry:
        plan = plan_pin(found, left, registry, refresh=refresh, helm_tag=helm_tag, exact=exact)
        return finish(job, plan, "pinned", registry)
