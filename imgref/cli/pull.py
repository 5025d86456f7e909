"""``imgref pull``: an image on a registry to disk."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click

from imgref.cli import _console
from imgref.cli._help import Command
from imgref.cli._registry import platform_option, with_client
from imgref.cli._transfer import transfer_options, watching
from imgref.reference import parse

if TYPE_CHECKING:
    from imgref.platforms import Platform
    from imgref.registry.client import RegistryClient

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("reference", metavar="REF")
@click.argument("file")
@platform_option("Pull the image for this platform only; without it, all of them.")
@transfer_options
@with_client
def command(
    client: RegistryClient,
    reference: str,
    file: str,
    platform: Platform | None,
    jobs: int,
    style: str,
    quiet: bool,
) -> int:
    """Pull an image into an OCI layout or a tar archive.

    FILE is a tar if its name ends in .tar, otherwise a directory. An existing layout keeps its other images. FILE is
    written whole or not at all. A single - writes a tar to standard output.
    """
    from imgref.registry.transfer.moves import pull

    ref = parse(reference)
    if file != "-":
        with watching(style, quiet=quiet, pulls=True) as watcher:
            pull(client, ref, file, platform=platform, jobs=jobs, watcher=watcher)
        return 0
    if _console.is_terminal():
        raise click.UsageError(
            "a tar is not written to a terminal; send it somewhere, as in imgref pull REF - | docker load"
        )
    from imgref.archive._staging import scratch_directory

    with scratch_directory() as folder, watching("none", quiet=True, pulls=True) as watcher:
        tar = folder / "image" / "image.tar"
        tar.parent.mkdir()
        pull(client, ref, str(tar), platform=platform, jobs=jobs, watcher=watcher)
        with tar.open("rb") as stream:
            shutil.copyfileobj(stream, sys.stdout.buffer, 1 << 20)
    return 0
