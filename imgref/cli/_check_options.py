"""The options of ``imgref check``: what to read, by which policy, how to report."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

import click

from imgref.check.finding import Severity
from imgref.check.reports import FORMATS
from imgref.check.rules import ONLINE, codes_of
from imgref.check.runner import MAX_SIZE
from imgref.cli import _console
from imgref.cli._jobs import JOBS, jobs_option
from imgref.cli._registry import SECONDS
from imgref.errors import ImgrefError
from imgref.platforms import Platform
from imgref.sources.kinds import KINDS

__all__ = ["BY_WHAT", "HOW", "ONLINE_OPTIONS", "WHAT", "Request", "refuse_contradictions"]

_UNITS: Final = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}

_F = TypeVar("_F", bound=Callable[..., object])


def _size(context: click.Context, parameter: click.Parameter, value: str) -> int:
    found = re.fullmatch(r"([0-9]{1,12})([KMG]?)(?:I?B)?", value.strip().upper(), re.ASCII)
    if found is None or int(found[1]) == 0:
        raise click.BadParameter(f"{value!r} is not a size; write bytes, or a number such as 500K or 20M")
    return int(found[1]) * _UNITS[found[2]]


def _build_args(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Parse NAME=VALUE; NAME alone takes its value from the environment, as in ``docker build``."""
    args = {}
    for word in values:
        name, equals, value = word.partition("=")
        if not name:
            raise click.BadParameter(f"{word!r} has no name; write NAME=VALUE")
        if equals:
            args[name] = value
        elif name in os.environ:
            args[name] = os.environ[name]
    return args


def _platform(context: click.Context, parameter: click.Parameter, value: str) -> str:
    try:
        Platform.parse(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return value


def _codes(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    """Parse codes, separated by commas or passed one by one."""
    codes = tuple(code.strip() for value in values for code in value.split(",") if code.strip())
    try:
        codes_of(codes)
    except ImgrefError as error:
        raise click.BadParameter(str(error)) from error
    return codes


def _options(*options: Callable[[_F], _F]) -> Callable[[_F], _F]:
    def decorate(function: _F) -> _F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


WHAT = _options(
    click.argument("paths", nargs=-1, metavar="[PATH]..."),
    click.option("--stdin-filename", metavar="PATH", help="Name of standard input in findings and for its kind"),
    click.option("--as", "kind", metavar="KIND", type=click.Choice(sorted(KINDS)),
                 help=f"Read files that are given by name as files of this kind: {', '.join(sorted(KINDS))}."),
    click.option("--force-exclude", is_flag=True, help="Apply exclude also to files that you pass by name"),
    click.option("--ignore-unknown", is_flag=True, help="Skip files of unknown kinds that you pass by name"),
    click.option("--build-arg", "build_args", multiple=True, metavar="NAME=VALUE", callback=_build_args,
                 help="Set a variable of Dockerfiles; repeatable"),
    click.option("--platform", default="linux/amd64", show_default=True, metavar="OS/ARCH", callback=_platform,
                 help="Platform for the platform variables of Dockerfiles"),
    click.option("--max-size", default=f"{MAX_SIZE >> 20}M", show_default=True, metavar="SIZE", callback=_size,
                 help="The largest file to read, in bytes, or such as 500K or 20M"),
)  # fmt: skip

BY_WHAT = _options(
    click.option("--config", metavar="FILE", help="Use this settings file instead of the nearest one"),
    click.option("--enforce", metavar="FILE",
                 help="Use the policy in this file, which nothing in the tree can weaken"),
    click.option("--select", multiple=True, metavar="CODES", callback=_codes,
                 help="Check only these rules: codes or prefixes, separated by commas"),
    click.option("--ignore", multiple=True, metavar="CODES", callback=_codes, help="Do not check these rules"),
    click.option("--baseline", metavar="FILE", help="Ignore the findings in this file; only new ones fail"),
    click.option("--write-baseline", metavar="FILE", help="Write all findings to this file"),
)  # fmt: skip

HOW = _options(
    click.option("--format", "style", type=click.Choice(["full", *FORMATS]),
                 help="Output format; by default full on a terminal, otherwise concise"),
    click.option("--group-by", metavar="WHAT", type=click.Choice(["image", "rule", "file"]),
                 help="Print one entry per image, rule or file with all its places; for full and concise"),
    click.option("--statistics", is_flag=True, help="Count the findings of each rule instead of listing them"),
    click.option("--show-references", is_flag=True,
                 help="List all references with their roles instead of checking them"),
    click.option("--show-unresolved", is_flag=True, help="Also list the references that cannot be resolved"),
    click.option("--show-skipped", is_flag=True,
                 help="List excluded files and files of unknown kinds, with the reason"),
    click.option("--fail-on", metavar="SEVERITY", type=click.Choice(["error", "warning"]),
                 help="Exit 1 only for findings that are at least this severe: error, or warning (the default)"),
    click.option("--exit-zero", is_flag=True, help="Exit 0 even if there are findings"),
)  # fmt: skip


ONLINE_OPTIONS = _options(
    click.option("--online", is_flag=True,
                 help="Also look up images on registries: outdated pins and tags, missing images"),
    jobs_option,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """The options, by name."""

    paths: tuple[str, ...] = ()
    stdin_filename: str | None = None
    kind: str | None = None
    force_exclude: bool = False
    ignore_unknown: bool = False
    build_args: dict[str, str] = field(default_factory=dict)
    platform: str = "linux/amd64"
    max_size: int = MAX_SIZE
    config: str | None = None
    enforce: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    baseline: str | None = None
    write_baseline: str | None = None
    style: str | None = None
    statistics: bool = False
    show_references: bool = False
    show_unresolved: bool = False
    show_skipped: bool = False
    group_by: str | None = None
    fail_on: Severity | None = None
    exit_zero: bool = False
    online: bool = False
    jobs: int = JOBS
    insecure: tuple[str, ...] = ()
    cacert: str | None = None
    timeout: float = SECONDS
    verbose: int = 0

    @property
    def format(self) -> str:
        return self.style or ("full" if _console.is_terminal() else "concise")


_WEAKENING: Final = {
    "config": "--config",
    "select": "--select",
    "ignore": "--ignore",
    "baseline": "--baseline",
    "write_baseline": "--write-baseline",
    "kind": "--as",
    "ignore_unknown": "--ignore-unknown",
    "build_args": "--build-arg",
    "show_references": "--show-references",
    "fail_on": "--fail-on",
    "exit_zero": "--exit-zero",
}
"""Options that ``--enforce`` refuses, since they would accept files or findings that the policy does not."""


def refuse_contradictions(request: Request) -> None:
    """Refuse options that contradict each other, and paths that do not exist, before anything is read.

    Raises:
        click.UsageError: with the reason.
    """
    if request.stdin_filename is not None and "-" not in request.paths:
        raise click.UsageError("--stdin-filename needs a - among the paths")
    if request.paths.count("-") > 1:
        raise click.UsageError("standard input can be read only once")
    _refuse_weakening(request)
    _refuse_offline(request)
    structured = request.style not in {None, "full", "concise", "json"}
    if structured and (request.show_references or request.statistics):
        option = "--show-references" if request.show_references else "--statistics"
        raise click.UsageError(f"{option} goes with the formats full, concise and json only")
    if request.group_by is not None and (structured or request.style == "json"):
        raise click.UsageError("--group-by goes with the formats full and concise only")
    if request.group_by is not None and (request.show_references or request.statistics):
        option = "--show-references" if request.show_references else "--statistics"
        raise click.UsageError(f"{option} cannot be combined with --group-by")
    _refuse_paths(request)


def _refuse_weakening(request: Request) -> None:
    for name, option in _WEAKENING.items() if request.enforce is not None else ():
        if getattr(request, name):
            raise click.UsageError(f"{option} cannot be combined with --enforce, whose policy it could weaken")


def _refuse_offline(request: Request) -> None:
    """Refuse what would check nothing, and so pass."""
    if request.online and request.show_references:
        raise click.UsageError("--show-references checks nothing, and cannot be combined with --online")
    for code in () if request.online else request.select:
        if code != "ALL" and codes_of([code]) <= ONLINE:
            raise click.UsageError(f"{code} needs registries: add --online")


def _refuse_paths(request: Request) -> None:
    if request.kind is not None:
        directory = next((path for path in request.paths or (".",) if os.path.isdir(path)), None)
        if directory is not None:
            raise click.UsageError(f"--as is for files that are given by name, and {directory} is a directory")
    for path in request.paths:
        if path != "-" and not os.path.lexists(path):
            raise click.UsageError(f"{path}: there is no such file or directory")
