"""``imgref images``: the images that files use, and what is built on what."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, Final

import click

from imgref.check.result import Checked
from imgref.check.runner import Options, check
from imgref.check.tasks import Task
from imgref.cli import EXIT_BAD_INPUT, EXIT_MISSING, _console
from imgref.cli._check_files import files_of, policies_of
from imgref.cli._check_options import WHAT, Request, refuse_contradictions
from imgref.cli._help import Command
from imgref.inventory.graph import Query, around
from imgref.inventory.model import Inventory, Unread
from imgref.inventory.take import take_inventory

if TYPE_CHECKING:
    from imgref.sources.occurrence import Reading

__all__ = ["command"]

_FORMATS: Final = {
    "table": "_text",
    "json": "_data",
    "lines": "_data",
    "mermaid": "_mermaid",
    "html": "_html",
}
"""Each format, and the module with the function ``write_…`` that writes it."""


@click.command(cls=Command)
@WHAT
@click.option("--config", metavar="FILE", help="Use this settings file instead of the nearest one")
@click.option("--of", metavar="IMAGE", help="Only what IMAGE is built on and what is built on it. Without a tag, all"
              " tags of it.")  # fmt: skip
@click.option("--format", "style", type=click.Choice(list(_FORMATS)), default="table", show_default=True,
              help="Output format; lines prints the references that can be pulled")  # fmt: skip
def command(of: str | None, style: str, **options: object) -> int:
    """List the images that files use, and what is built on what.

    imgref reads the files below each PATH (default: here) as imgref check does, and groups the references by image:
    the tags and digests in use, whether a digest pins them, what they are used for, and where. The FROM lines of
    Dockerfiles and the builds of Compose and bake files show which images are built on which.

    \b
    Examples:
      imgref images
      imgref images --format html > images.html
      imgref images --of nginx

    Exit codes: 0 success, 2 bad usage or a file could not be read, 4 nothing here uses IMAGE.
    """  # noqa: D301
    query = None if of is None else Query.parse(of)
    request = Request(**options)  # type: ignore[arg-type]  # click passes what the decorators declare
    refuse_contradictions(request)
    # A path or a reference may contain characters that the terminal's encoding lacks.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    whole, not_understood = _inventory(request)
    for gap in whole.unread:
        if gap.path not in not_understood or gap.is_error:
            (_console.error if gap.is_error else _console.warn)(f"{gap.place}: not read: {gap.reason}")
    if not_understood:
        _console.warn(_told(len(not_understood)))
    failed = EXIT_BAD_INPUT if any(gap.is_error for gap in whole.unread) else 0
    shown = whole if query is None else around(whole, query)
    if query is not None and not shown.images and not shown.builds:
        _console.error(f"{of}: nothing here uses this image")
        return failed or EXIT_MISSING
    write: Callable[[Inventory, Query | None], None]
    write = getattr(import_module(f"imgref.cli.images.{_FORMATS[style]}"), f"write_{style}")
    write(shown, query)
    return failed


def _told(count: int) -> str:
    files = "1 file that may use images was" if count == 1 else f"{count} files that may use images were"
    return f"{files} not understood; imgref check --show-skipped lists {'it' if count == 1 else 'them'}"


def _inventory(request: Request) -> tuple[Inventory, set[str]]:
    """Return the inventory, and the files that may use images and were not understood."""
    policies = policies_of(request)
    files = files_of(request, policies)

    def options_with(build_args: Mapping[str, str]) -> Options:
        return Options(build_args, request.platform, request.max_size, checking=False, keep=True)

    def reread(path: str, args: Mapping[str, str]) -> Reading | None:
        # What the command line sets counts for every build.
        task = Task(path, True, 0, kind="dockerfile")
        result = next(check([task], policies.found, options_with({**args, **request.build_args}), jobs=1), None)
        return None if result is None else result.reading

    checked = check(files.tasks, policies.found, options_with(request.build_args))
    results = list(chain(files.unread, checked, files.passed_over()))
    readings = ((result.path, result.reading) for result in results if result.reading is not None)
    inventory = take_inventory(readings, reread=reread, unread=_unread(results, request))
    return inventory, {result.path for result in results if result.status == "unrecognized"}


def _unread(results: Iterable[Checked], request: Request) -> Iterator[Unread]:
    """Yield the files of which nothing was read; take_inventory finds those with a part that was not."""
    for result in results:
        if result.status in {"checked", "nothing", "excluded"} or result.reading is not None:
            continue
        if result.status == "unknown" and request.ignore_unknown:
            continue
        reason = result.reason
        if result.status == "unknown":
            reason = "the kind of this file is unknown; name it with --as KIND or in [check.files], or skip such files"
            reason += " with --ignore-unknown"
        yield Unread(result.path, reason, result.line or None, is_error=result.status in {"unknown", "unread"})
