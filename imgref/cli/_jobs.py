"""How commands that ask registries about many images do so: ``--jobs``, and the lookups that are opened when needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from imgref.cli._registry import ClientOptions, client_options, open_lookup

if TYPE_CHECKING:
    from imgref.cli._lookups import Lookups
    from imgref.registry.lookup import Lookup

__all__ = ["JOBS", "jobs_option", "lookups"]

JOBS: Final = 8

_Command = TypeVar("_Command", bound=Callable[..., Any])


def jobs_option(command: _Command) -> _Command:
    """Add the options for asking registries."""
    option = click.option("--jobs", metavar="N", type=click.IntRange(1, 64), default=JOBS, show_default=True,
                          help="How many images to look up at the same time")  # fmt: skip
    return option(client_options(command))


@contextmanager
def lookups(options: ClientOptions, jobs: int) -> Iterator[Lookups]:
    """Yield what asks registries; a client is opened once something is asked."""
    from imgref.cli._lookups import Lookups

    opened: list[Lookup] = []

    def client() -> Lookup:
        if not opened:
            opened.append(open_lookup(options))
        return opened[0]

    try:
        yield Lookups(client, jobs)
    finally:
        for one in opened:
            one.close()
