"""The options of commands that set tags: which tags may move, and what would happen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import click

from imgref.cli import _console

if TYPE_CHECKING:
    from imgref.reference import ImageReference
    from imgref.registry.client import RegistryClient
    from imgref.registry.overwrite import Overwrite, TagChange
    from imgref.registry.transfer.moves import Transferred

__all__ = ["note_skipped", "overwrite_of", "overwrite_options", "say_changes"]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_OPTIONS: Final = (
    click.option("--force", is_flag=True, help="Move released versions such as 2.1.3 from another image"),
    click.option("--if-absent", is_flag=True, help="Skip tags that exist"),
    click.option("--dry-run", is_flag=True, help="Show what would happen to each tag and stop"),
)


def overwrite_options(command: _Command) -> _Command:
    """Add ``--force``, ``--if-absent`` and ``--dry-run`` to a command."""
    decorated: Callable[..., Any] = command
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return cast("_Command", decorated)


def overwrite_of(*, force: bool, if_absent: bool) -> Overwrite:
    """Return which tags may move.

    Raises:
        click.UsageError: the options contradict each other.
    """
    if force and if_absent:
        raise click.UsageError("--force and --if-absent cannot be used together")
    return "always" if force else "never" if if_absent else "unless-released"


def say_changes(
    client: RegistryClient,
    targets: Sequence[ImageReference],
    digest: str,
    overwrite: Overwrite,
    *,
    style: str = "text",
) -> int:
    """Print what would happen to each tag, and return the exit code.

    Raises:
        TagConflict: a released version would move.
    """
    from imgref.registry.overwrite import plan_changes

    for change in plan_changes(client, targets, digest, overwrite):
        if style == "json":
            _console.say_json(_fields(change))
        else:
            _console.say(_line(change))
    return 0


def note_skipped(references: Iterable[ImageReference], done: Iterable[Transferred] = ()) -> None:
    """Report on stderr which tags are skipped: those that are not done."""
    arrived = {image.reference for image in done}
    for reference in references:
        if reference not in arrived:
            _console.note(f"{reference}: skipped, because it exists")


def _line(change: TagChange) -> str:
    if change.action == "unchanged":
        return f"{change.reference}: unchanged {change.after}"
    if change.action == "skipped":
        return f"{change.reference}: would be skipped, it points to {change.before}"
    moved = f"{change.before} → " if change.before else ""
    return f"{change.reference}: would be {change.action} {moved}{change.after}"


def _fields(change: TagChange) -> dict[str, object]:
    return {
        "reference": str(change.reference),
        "action": change.action,
        "from": change.before,
        "to": change.after,
        "dry_run": True,
    }
