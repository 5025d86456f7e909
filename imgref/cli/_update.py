"""What the commands that edit references share: options, the files, and the report."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from imgref.check.patterns import ImagePattern, PatternError
from imgref.check.policy import Policy
from imgref.check.runner import unlisted
from imgref.check.settings import Policies, read_policy
from imgref.check.tasks import Task, declared_kind, list_tasks
from imgref.cli import EXIT_BAD_INPUT, EXIT_FINDINGS, EXIT_REGISTRY, _console
from imgref.cli._durations import read_duration
from imgref.cli._jobs import jobs_option
from imgref.cli._jobs import lookups as lookups_with
from imgref.cli._lookups import Lookups
from imgref.cli._registry import ClientOptions
from imgref.cli._update_policy import read_update_policy
from imgref.cli._update_report import plan_as_json, say_diff, say_plan, say_summary
from imgref.config import Config, find_config, load_config
from imgref.errors import ImgrefError
from imgref.reference import ImageReference
from imgref.sources.decoding import Unreadable
from imgref.sources.recognition import Place, Places, is_candidate
from imgref.sources.walk import Listing, shown_path
from imgref.update.apply import apply_file
from imgref.update.dotenv import with_dotenv
from imgref.update.plan import Left, Plan, Spot, spots
from imgref.update.policy import LEVELS, UpdatePolicy
from imgref.update.source import Source, Unread, read_source

if TYPE_CHECKING:
    from datetime import timedelta

__all__ = ["Job", "edit_options", "finish", "jobs_option", "level_options", "lookups", "select_options"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _patterns(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[ImagePattern, ...]:
    try:
        return tuple(map(ImagePattern, values))
    except PatternError as error:
        raise click.BadParameter(str(error)) from error


def _duration(context: click.Context, parameter: click.Parameter, value: str | None) -> timedelta | None:
    try:
        return None if value is None else read_duration(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _decorated(command: _Command, options: Sequence[Callable[[Any], Any]]) -> _Command:
    decorated: Any = command
    for option in reversed(options):
        decorated = option(decorated)
    return cast("_Command", decorated)


def select_options(command: _Command) -> _Command:
    """Add the options that select files and images."""
    return _decorated(
        command,
        (
            click.option("--only", metavar="PATTERN", multiple=True, callback=_patterns,
                         help="Only these images, such as ghcr.io/acme/**; repeatable"),
            click.option("--except", "but", metavar="PATTERN", multiple=True, callback=_patterns,
                         help="All images except these; repeatable"),
            click.option("--config", metavar="FILE", help="Use this settings file instead of the nearest one"),
        ),
    )  # fmt: skip


def level_options(command: _Command) -> _Command:
    """Add the options that limit how far tags may move."""
    return _decorated(
        command,
        (
            click.option("--to", type=click.Choice(LEVELS),
                         help="The largest version change; digest keeps the tags; by default the settings, or minor"),
            click.option("--min-age", metavar="DURATION", callback=_duration,
                         help="How old a new image must be, such as 7d or 12h; by default the settings, or 0"),
            click.option("--pre", is_flag=True, help="Allow pre-releases"),
        ),
    )  # fmt: skip


def edit_options(command: _Command) -> _Command:
    """Add the options for what is done with a plan."""
    return _decorated(
        command,
        (
            click.option("--diff", is_flag=True, help="Print a diff and change nothing; exit 1 if it is not empty"),
            click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True,
                         help="Output format"),
            click.option("--strict", is_flag=True, help="Exit 1 if a reference could not be edited"),
        ),
    )  # fmt: skip


@dataclass(slots=True)
class Job:
    """The files and images that a command is for.

    Args:
        options: the command's options, by name.

    Attributes:
        sources: the files with references.
        failed: whether a file could not be read.
    """

    options: dict[str, Any]
    sources: list[Source] = field(default_factory=list)
    failed: bool = False
    _policies: dict[str, UpdatePolicy] = field(default_factory=dict)

    def read(self, paths: Sequence[str]) -> None:
        """Read the files below some paths, each once, whatever links point to it."""
        # A path or a reference may have characters that the terminal's encoding does not.
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        for path in paths:
            if not os.path.lexists(path):
                raise click.UsageError(f"{path}: there is no such file or directory")
        rules: list[UpdatePolicy] = []
        tasks = self._tasks(paths or (".",), rules)
        places = Places()
        seen: set[str] = set()
        # A link comes after its target, so that a file is listed under its own name.
        for task in sorted(tasks, key=lambda task: os.path.islink(task.path)):  # noqa: PTH114
            real = os.path.realpath(task.path)
            if real in seen:
                continue
            seen.add(real)
            source = self._source(task, places)
            if source is not None:
                self.sources.append(source)
                self._policies[source.path] = rules[task.policy]
        self._add_dotenv()
        self.sources.sort(key=lambda source: source.path.split("/"))

    def _add_dotenv(self) -> None:
        """Add the ``.env`` files that contain references of the Compose files, with the same settings."""
        rules = {os.path.dirname(source.path): self._policies[source.path] for source in self.sources}
        self.sources = with_dotenv(self.sources, Listing(lambda path: False, os.environ).ignores)
        for source in self.sources:
            self._policies.setdefault(source.path, rules[os.path.dirname(source.path)])

    def _tasks(self, paths: Sequence[str], rules: list[UpdatePolicy]) -> list[Task]:
        def policy_of(file: Path | None, root: Path | None = None) -> Policy:
            config = load_config(file)
            rules.append(self._rules(config))
            return read_policy(config, root=root)

        file = self.options.get("config")
        policies = Policies(policy_of, None if file is None else policy_of(Path(file), Path.cwd()))

        def wanted(path: str) -> bool:
            number = policies.number(os.path.dirname(path) or ".")
            return is_candidate(path) or declared_kind(path, policies.found[number]) is not None

        listing = Listing(wanted, os.environ)
        tasks = list_tasks(list(paths), policies.number, policies.found, listing).tasks
        for warning in listing.warnings:
            _console.warn(warning)
        for result in unlisted(listing, policies.number, policies.found):
            self._refuse(result.path, result.reason, named=result.status == "unread")
        return tasks

    def _rules(self, config: Config) -> UpdatePolicy:
        options = self.options
        return read_update_policy(
            config, to=options.get("to"), min_age=options.get("min_age"), pre=bool(options.get("pre"))
        )

    @property
    def policy_here(self) -> UpdatePolicy:
        """The update settings of the working directory, for references on the command line."""
        file = self.options.get("config")
        return self._rules(load_config(find_config() if file is None else Path(file)))

    def _source(self, task: Task, places: Places) -> Source | None:
        place = places.of(task.path) if task.kind is None else Place.declared(task.kind)
        shown = shown_path(task.path)
        try:
            return read_source(task.path, place, shown=shown, named=task.named)
        except (Unread, Unreadable) as error:
            self._refuse(shown, str(error), named=task.named)
        except OSError as error:
            self._refuse(shown, f"cannot be read: {error.strerror}", named=task.named)
        except ImgrefError:
            raise
        except Exception as error:  # noqa: BLE001  a mistake of ours in one file must not stop the others
            self._refuse(shown, f"cannot be read by a mistake in imgref: {type(error).__name__}: {error}", named=True)
        return None

    def _refuse(self, path: str, reason: str, *, named: bool) -> None:
        self.failed |= named
        (_console.error if named else _console.warn)(f"{path}: {reason}")

    def spots(self) -> tuple[tuple[Spot, ...], tuple[Left, ...]]:
        """Return the references that may change, and those that are left alone."""
        return spots(self.sources, self.selects)

    def selects(self, ref: ImageReference) -> bool:
        """Whether ``--only`` and ``--except`` select an image."""
        only, but = self.options["only"], self.options["but"]
        return (not only or any(one.matches(ref) for one in only)) and not any(one.matches(ref) for one in but)

    def policy_for(self, spot: Spot) -> UpdatePolicy:
        """Return the update settings that apply to a file."""
        return self._policies[spot.source.path]


def lookups(options: dict[str, Any]) -> AbstractContextManager[Lookups]:
    """Return the access to registries that the options of a command select."""
    return lookups_with(ClientOptions.of(options), options["jobs"])


def finish(job: Job, plan: Plan, verb: str, asked: Lookups | None = None) -> int:
    """Show a plan, carry it out, and return the exit code.

    Args:
        job: the command.
        plan: the plan.
        verb: what happens to a reference, such as ``pinned``.
        asked: what asked registries, if anything did.
    """
    options = job.options
    failures = {} if asked is None else asked.failures
    refused: dict[str, str] = {}
    if not options["diff"]:
        refused = {file.source.path: reason for file in plan.files if (reason := apply_file(file)) is not None}
    if options["style"] == "json":
        _console.say_json(plan_as_json(plan, failures, refused, applied=not options["diff"]), indent=2)
    elif options["diff"]:
        for file in plan.files:
            say_diff(file)
    else:
        say_plan(plan, refused)
    for about, reason in failures.items():
        _console.error(reason if about in reason else f"{about}: {reason}")
    for path, reason in refused.items():
        _console.error(f"{path}: {reason}")
    for bug in plan.bugs:
        _console.error(bug)
    say_summary(plan, refused, verb, diff=options["diff"])
    if failures:
        return EXIT_REGISTRY
    if job.failed or refused or plan.bugs:
        return EXIT_BAD_INPUT
    pending = options["diff"] and bool(plan.files)
    return EXIT_FINDINGS if pending or (options["strict"] and any(left.counts for left in plan.left)) else 0
