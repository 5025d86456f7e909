"""``imgref digest``: the digest that a reference stands for now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from imgref.cli import _console
from imgref.cli._registry import platform_option, with_client
from imgref.reference import parse

if TYPE_CHECKING:
    from imgref.platforms import Platform
    from imgref.registry.client import RegistryClient

__all__ = ["command"]


@click.command()
@click.argument("reference", metavar="REF")
@click.option("--pin", is_flag=True, help="Print the whole reference, with its tag and the digest.")
@platform_option("The digest of this platform's image, where REF is an index.")
@with_client
def command(client: RegistryClient, reference: str, pin: bool, platform: Platform | None) -> int:
    """Print the digest of an image that is on a registry.

    Nothing is pulled: the registry is asked by HEAD, which it does not count.
    """
    ref = parse(reference)
    digest = client.resolve(ref, platform).digest
    _console.say(str(ref.with_digest(digest)) if pin else digest)
    return 0
