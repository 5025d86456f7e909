"""What every command that uses a registry shares: its options, its client, and how it reports retries.

A command puts :func:`with_client` on itself and gets an open client as its argument ``client``; one that only looks
images up puts :func:`with_lookup` on itself and gets a lookup, which asks the configured mirrors too. One that asks a
registry only sometimes puts :func:`client_options` on itself, and calls :func:`open_client` where it has to.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar, cast

import click

from imgref.cli import _console
from imgref.errors import InvalidReference
from imgref.reference import ImageReference, parse

if TYPE_CHECKING:
    from imgref.platforms import Platform
    from imgref.registry.client import RegistryClient
    from imgref.registry.hosts import Hosts
    from imgref.registry.lookup import Lookup
    from imgref.registry.transport import Event
    from imgref.tags import TagPolicy

__all__ = [
    "ClientOptions",
    "client_options",
    "list_existing",
    "open_client",
    "open_lookup",
    "platform_option",
    "read_repository",
    "tell_event",
    "with_client",
    "with_lookup",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])

SECONDS: Final = 60.0


class ClientOptions(NamedTuple):
    """The options for how registries are reached."""

    insecure: tuple[str, ...] = ()
    cacert: str | None = None
    timeout: float = SECONDS
    verbose: int = 0

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> ClientOptions:
        """Select them from all options of a command, such as its context's ``params``."""
        return cls(*(values[name] for name in cls._fields))


_OPTIONS: Final = (
    click.option("--insecure", metavar="HOST", multiple=True, help="Allow http or unverified https; repeatable"),
    click.option("--cacert", metavar="FILE", type=click.Path(dir_okay=False), help="Trust the CAs in this PEM file"),
    click.option(
        "--timeout",
        metavar="SECONDS",
        type=click.FloatRange(min=0, min_open=True),
        default=SECONDS,
        show_default=True,
        help="How long to wait for a response",
    ),
    click.option("-v", "--verbose", count=True, help="Print each request; twice: each connection as well"),
)


def client_options(command: _Command) -> _Command:
    """Add the options for how registries are reached to a command; :meth:`ClientOptions.of` reads them."""
    decorated: Callable[..., Any] = command
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return cast("_Command", decorated)


def with_client(command: _Command) -> _Command:
    """Add those options to a command, and pass it the client as ``client``, which is closed when it ends."""
    return _opening(command, "client", open_client)


def with_lookup(command: _Command) -> _Command:
    """Add those options to a command, and pass it the lookup as ``lookup``, which is closed when it ends."""
    return _opening(command, "lookup", open_lookup)


def _opening(command: _Command, argument: str, opener: Callable[[ClientOptions], RegistryClient | Lookup]) -> _Command:
    @wraps(command)
    def opened(*args: Any, **values: Any) -> Any:  # noqa: ANN401 - whatever the command takes
        options = ClientOptions.of(values)
        rest = {name: value for name, value in values.items() if name not in ClientOptions._fields}
        with opener(options) as client:
            return command(*args, **{argument: client}, **rest)

    return cast("_Command", client_options(opened))


def open_client(options: ClientOptions = ClientOptions()) -> RegistryClient:  # noqa: B008 - immutable
    """Create a client from the options, the environment and the settings.

    Raises:
        click.ClickException: urllib3 is not installed.
        ConfigError: settings are corrupt.
    """
    hosts = _hosts(options)
    from imgref.registry.client import RegistryClient

    return RegistryClient(hosts, on_event=tell_event, timeout=options.timeout)


def open_lookup(options: ClientOptions = ClientOptions()) -> Lookup:  # noqa: B008 - immutable
    """Create a lookup from the options, the environment and the settings; raises what open_client raises."""
    hosts = _hosts(options)
    from imgref.registry.lookup import Lookup
    from imgref.registry.mirrors import Mirrors

    return Lookup(hosts, mirrors=Mirrors.load(os.environ), on_event=tell_event, timeout=options.timeout)


def _hosts(options: ClientOptions) -> Hosts:
    """Return which hosts are trusted how, once it is clear that registries can be asked at all."""
    try:
        import imgref.registry.transport  # noqa: F401 - only whether its dependency is installed
    except ModuleNotFoundError as error:
        if error.name != "urllib3":
            raise
        raise click.ClickException("registries need urllib3: pip install 'imgref[registry]'") from error
    if options.verbose:
        _log_to_stderr(options.verbose)
    from pathlib import Path

    from imgref.registry.hosts import Hosts

    cacert = None if options.cacert is None else Path(options.cacert)
    return Hosts.load(insecure=options.insecure, cacert=cacert, environ=os.environ)


def list_existing(
    options: ClientOptions, version: str, policy: TagPolicy, repository: ImageReference
) -> tuple[str, ...]:
    """Return every tag that a repository has before a version is released; none if it is known to be empty.

    Raises:
        RegistryError: the tags cannot be listed, or the list contradicts the tags that exist.
    """
    with open_client(options) as client:
        from imgref.registry.listing import existing_tags

        return existing_tags(client, repository, version, policy).names


def tell_event(event: Event) -> None:
    """Report a retry or a warning on stderr."""
    (_console.warn if event.kind == "warning" else _console.note)(event.message)


def read_repository(text: str, asked: str = "what is asked for is") -> ImageReference:
    """Read a reference that must be a repository.

    Args:
        text: the reference.
        asked: the beginning of the error message for anything but a repository.

    Raises:
        InvalidReference: it is none, or carries a tag or a digest.
    """
    ref = parse(text, default_tag=None)
    if ref.tag is None and ref.digest is None:
        return ref
    start = len(text) - len(str(ref)) + len(ref.repository)
    raise InvalidReference(text, (start, len(text)), f"{asked} a repository, without tag and digest", ref.repository)


def _platform(context: click.Context, parameter: click.Parameter, value: str | None) -> Platform | None:
    from imgref.platforms import Platform

    try:
        return None if value is None else Platform.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error), context, parameter) from error


def platform_option(text: str) -> Callable[[_Command], _Command]:
    """Return the decorator that puts ``--platform`` on a command, with its help."""
    return click.option("--platform", metavar="OS/ARCH[/VARIANT]", callback=_platform, help=text)


def _log_to_stderr(verbose: int) -> None:
    import logging

    class Handler(logging.Handler):
        """Writes as everything else is written."""

        def emit(self, record: logging.LogRecord) -> None:
            _console.note(record.getMessage())

    handler = Handler()
    for name in ("imgref", "urllib3")[:verbose]:
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
