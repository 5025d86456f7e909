"""``imgref login``: credentials, checked before they are stored."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import click

from imgref._grammar import REGISTRY, is_a
from imgref.cli import _console
from imgref.cli._help import Command
from imgref.cli._registry import with_client
from imgref.errors import quote
from imgref.hosts import DOCKER_HUB, is_docker_hub

if TYPE_CHECKING:
    from imgref.registry.client import RegistryClient

__all__ = ["command", "read_host"]


@click.command(cls=Command)
@click.argument("host", metavar="HOST")
@click.option("-u", "--username", metavar="NAME", help="Username; prompted for on a terminal by default")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input")
@with_client
def command(client: RegistryClient, host: str, username: str | None, password_stdin: bool) -> int:
    """Log in to a registry.

    imgref stores the credentials where Docker does: with the credential helper in its config.json, otherwise in that
    file.
    """
    registry = read_host(host)
    username, password = _ask(username, from_stdin=password_stdin)
    from imgref.registry.credentials import Credential

    checked = client.check_credential(registry, Credential(username, password, source="the command line"))
    where = client.credentials.store(registry, username, password)
    if not checked:
        _console.warn(f"{registry} asks for no credentials, so these could not be checked")
    _console.note(f"logged in to {registry} as {username}; kept in {where}")
    return 0


def read_host(text: str) -> str:
    """Parse the registry, which may also be a URL or one of Docker Hub's old names."""
    host = re.sub(r"/(?:v[12]/?)?\Z", "", re.sub("^https?://", "", text.strip()))
    if not is_a(REGISTRY, host):
        raise click.UsageError(f"HOST is a registry, as in registry.example or localhost:5000, not {quote(text)}")
    return DOCKER_HUB if is_docker_hub(host) else host


def _ask(username: str | None, *, from_stdin: bool) -> tuple[str, str]:
    if from_stdin:
        if username is None:
            raise click.UsageError("--password-stdin needs --username")
        password = _console.read_stdin().decode("utf-8", "replace").removesuffix("\n").removesuffix("\r")
    elif sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError("cannot prompt without a terminal: pass --username and --password-stdin")
    else:
        username = username or click.prompt("Username", err=True)
        password = click.prompt(f"Password for {_console.shown(username)}", hide_input=True, err=True)
    if not username or ":" in username:
        raise click.UsageError("the user name is empty, or has a ':', which separates it from the password")
    if not password:
        raise click.UsageError("the password is empty (an unset variable?)")
    if "\n" in password or "\r" in password:
        raise click.UsageError("the password has several lines: standard input must hold nothing else")
    return username, password
