"""``imgref info``: which registries are trusted how, and where that is said."""

from __future__ import annotations

import os
from typing import cast

import click

from imgref import __version__
from imgref.cli import _console
from imgref.reference import DEFAULT_REGISTRY
from imgref.registry.credentials import Credentials
from imgref.registry.hosts import Hosts

__all__ = ["command"]

Rows = list[dict[str, str]]


@click.command()
@click.option("--insecure", metavar="HOST", multiple=True, help="As for the commands that ask registries. Repeatable.")
@click.option(
    "--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True, help="How to print."
)
def command(insecure: tuple[str, ...], style: str) -> int:
    """Show which registries are trusted how, and where that is said.

    Also which files were read, and for which registries there are credentials; never a secret. No registry is asked.
    """
    fields = _fields(Hosts.load(insecure=insecure, environ=os.environ), Credentials(os.environ))
    if style == "json":
        _console.say_json(fields, indent=2)
        return 0
    rows = [("imgref", __version__), ("default registry", DEFAULT_REGISTRY)]
    rows.append(("insecure", "localhost, *.localhost, 127.0.0.0/8, ::1  (loopback)"))
    declared = cast("Rows", fields["insecure_registries"])
    rows += [("insecure", f"{row['host']}  ({row['source']})") for row in declared]
    rows += [("proxy", f"{scheme}  {proxy}") for scheme, proxy in cast("dict[str, str]", fields["proxies"]).items()]
    rows += [("read", path) for path in cast("list[str]", fields["files"])]
    known = cast("Rows", fields["credentials"])
    rows += [("credentials", f"{row['registry']}  ({row['source']})") for row in known]
    if not known:
        rows.append(("credentials", "none"))
    _console.say(_console.parts(rows), drawn=True)
    return 0


def _fields(hosts: Hosts, credentials: Credentials) -> dict[str, object]:
    files = [*hosts.files, *credentials.files]
    return {
        "version": __version__,
        "default_registry": DEFAULT_REGISTRY,
        "insecure_registries": [{"host": item.host, "source": item.source} for item in hosts.declared],
        "proxies": hosts.proxies.shown(),
        "files": [str(path) for path in files],
        "credentials": [{"registry": registry, "source": source} for registry, source in credentials.known()],
    }
