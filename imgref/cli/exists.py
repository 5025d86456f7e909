"""``imgref exists``: whether images exist on their registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from imgref.cli import EXIT_MISSING
from imgref.cli._registry import platform_option, with_client
from imgref.errors import NotFound
from imgref.reference import parse

if TYPE_CHECKING:
    from imgref.platforms import Platform
    from imgref.registry.client import RegistryClient

__all__ = ["command"]


@click.command()
@click.argument("references", metavar="REF...", nargs=-1)
@platform_option("Require an image for this platform.")
@with_client
def command(client: RegistryClient, references: tuple[str, ...], platform: Platform | None) -> int:
    """Report by exit code whether every REF exists on its registry.

    The exit code is 0 if every image exists and 4 if one does not. Nothing is printed, except for errors: if imgref
    cannot find out, for example because the registry requires authentication, the exit code is 3.
    """
    if not references:
        raise click.UsageError("no REF given (an unset variable?)")
    code = 0
    # Every reference is checked before the first request: bad input must not look like a missing image.
    for ref in [parse(text) for text in references]:
        try:
            client.resolve(ref, platform)
        except NotFound:
            code = EXIT_MISSING
    return code
