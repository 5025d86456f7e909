"""``imgref info``: how registries are trusted, and where that is configured."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import cast

import click

from imgref import __version__
from imgref.cli import _console
from imgref.cli._help import Command
from imgref.reference import DEFAULT_REGISTRY
from imgref.registry.credentials import Credentials
from imgref.registry.hosts import Hosts
from imgref.registry.mirrors import Mirror, Mirrors

__all__ = ["command"]

Rows = list[dict[str, str]]


@click.command(cls=Command)
@click.option("--insecure", metavar="HOST", multiple=True, help="Allow http or unverified https; repeatable")
@click.option(
    "--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True, help="Output format"
)
def command(insecure: tuple[str, ...], style: str) -> int:
    """Show how registries are reached and configured.

    This includes mirrors, the configuration files, and the registries with credentials, but no secrets. It sends no
    requests.
    """
    hosts, mirrors = Hosts.load(insecure=insecure, environ=os.environ), Mirrors.load(os.environ)
    fields = _fields(hosts, Credentials(os.environ), mirrors)
    if style == "json":
        _console.say_json(fields, indent=2)
        return 0
    rows = [("imgref", __version__), ("default registry", DEFAULT_REGISTRY)]
    rows.append(("insecure", "localhost, *.localhost, 127.0.0.0/8, ::1  (loopback)"))
    declared = cast("Rows", fields["insecure_registries"])
    rows += [("insecure", f"{row['host']}  ({row['source']})") for row in declared]
    rows += [(str(row["kind"]), _described(row)) for row in cast("list[dict[str, object]]", fields["mirrors"])]
    rows += [("proxy", f"{scheme}  {proxy}") for scheme, proxy in cast("dict[str, str]", fields["proxies"]).items()]
    rows += [("read", path) for path in cast("list[str]", fields["files"])]
    known = cast("Rows", fields["credentials"])
    rows += [("credentials", f"{row['registry']}  ({row['source']})") for row in known]
    if not known:
        rows.append(("credentials", "none"))
    _console.say(_console.parts(rows), drawn=True)
    return 0


def _fields(hosts: Hosts, credentials: Credentials, mirrors: Mirrors) -> dict[str, object]:
    files = [*hosts.files, *(path for path in mirrors.files if path not in hosts.files), *credentials.files]
    return {
        "version": __version__,
        "default_registry": DEFAULT_REGISTRY,
        "insecure_registries": [{"host": item.host, "source": item.source} for item in hosts.declared],
        "mirrors": [*_mirrors(mirrors)],
        "proxies": hosts.proxies.shown(),
        "files": [str(path) for path in files],
        "credentials": [{"registry": registry, "source": source} for registry, source in credentials.known()],
    }


def _mirrors(mirrors: Mirrors) -> Iterator[dict[str, object]]:
    """Yield what is configured for lookups: mirrors, other locations, and what is blocked."""
    for mirror in mirrors.hub:
        yield _mirror(DEFAULT_REGISTRY, mirror)
    for namespace in mirrors.namespaces:
        prefix, source = namespace.prefix, namespace.source
        for mirror in namespace.mirrors:
            yield _mirror(prefix, mirror)
        if namespace.blocked:
            yield {"kind": "blocked", "prefix": prefix, "location": None, "source": source}
        elif namespace.location:
            insecure = namespace.insecure
            yield {
                "kind": "location", "prefix": prefix, "location": namespace.location, "insecure": insecure,
                "source": source,
            }  # fmt: skip


def _mirror(prefix: str, mirror: Mirror) -> dict[str, object]:
    return {
        "kind": "mirror",
        "prefix": prefix,
        "location": mirror.location,
        "insecure": mirror.insecure,
        "pull": mirror.pull,
        "source": mirror.source,
    }


def _described(row: dict[str, object]) -> str:
    marks = [str(row.get("pull", "all"))] * (row.get("pull", "all") != "all") + ["insecure"] * bool(row.get("insecure"))
    place = f" -> {row['location']}" if row["location"] else ""
    return f"{row['prefix']}{place}  ({', '.join([*marks, str(row['source'])])})"
