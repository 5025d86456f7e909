"""``imgref logout``: credentials are forgotten."""

from __future__ import annotations

import click

from imgref.cli import _console
from imgref.cli._help import Command
from imgref.cli.login import read_host
from imgref.registry.credentials import Credentials

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("host", metavar="HOST")
def command(host: str) -> int:
    """Remove the credentials for a registry.

    They are in Docker's config.json, or in its credential helper.
    """
    registry = read_host(host)
    credentials = Credentials()
    erased = credentials.erase(registry)
    if erased:
        _console.note(f"logged out of {registry}; erased from {' and '.join(erased)}")
    else:
        _console.note(f"nobody was logged in to {registry}")
    left = credentials.find(registry)
    if left is not None:
        _console.warn(f"{left.source} still has credentials for {registry}, of {left.username!r}")
    return 0
