"""``imgref unpin``: removes digests from references."""

from __future__ import annotations

from typing import Any

import click

from imgref.cli._help import Command
from imgref.cli._update import Job, edit_options, finish, select_options
from imgref.update.pinning import plan_unpin

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@select_options
@edit_options
@click.pass_context
def command(context: click.Context, /, paths: tuple[str, ...], **_: Any) -> int:
    """Remove digests from the image references in files.

    imgref reads the files below each PATH (default: here), and removes digests where a tag stays. This undoes imgref
    pin. A reference with only a digest is left alone.

    Exit codes: 0 done or nothing to do, 1 --diff with changes or --strict with references left alone, 2 bad usage or
    a file failed.
    """
    job = Job(context.params)
    job.read(paths)
    return finish(job, plan_unpin(*job.spots()), "unpinned")
