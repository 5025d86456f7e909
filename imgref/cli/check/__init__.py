"""``imgref check``: is every image in these files one that we trust?"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Final, cast

import click

from imgref._utils.files import replace_file
from imgref.check.baseline import Baseline, Examined
from imgref.check.finding import Finding
from imgref.check.policy import Policy
from imgref.check.result import Checked
from imgref.check.runner import Options, check
from imgref.check.tasks import Task, examined
from imgref.cli import ClosedPipe, _console
from imgref.cli._check_files import files_of, policies_of
from imgref.cli._check_options import BY_WHAT, HOW, ONLINE_OPTIONS, WHAT, Request, refuse_contradictions
from imgref.cli._help import Command
from imgref.cli.check._report import Reporter, Totals, list_references
from imgref.errors import ConfigError
from imgref.sources.walk import shown_path

__all__ = ["command"]

_NOWHERE: Final = Path()


@click.command(cls=Command)
@WHAT
@BY_WHAT
@HOW
@ONLINE_OPTIONS
def command(**options: object) -> int:
    """Check the image references in files against a policy.

    imgref reads the files below each PATH (default: here): Dockerfiles, Compose files, manifests, charts, CI files and
    more. It checks each image reference against the policy in .imgref.toml. Files that git ignores are skipped, unless
    you pass them by name. A single - reads standard input.

    With --online, imgref also looks up the images on their registries: rules IMG601 to IMG604.

    Exit codes: 0 no findings, 1 findings, 2 bad usage or a file could not be checked, 3 a registry failed.
    """
    request = Request(**options)  # type: ignore[arg-type]  # click passes what the decorators declare
    refuse_contradictions(request)
    # A path or a comment may contain characters that the terminal's encoding lacks.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    baselines = _Baselines(request)
    totals = Totals(request)
    try:
        return _check(request, baselines, totals)
    except BrokenPipeError as error:
        # Readers of the list of references may stop early, as in `| head -1`; a check has to report whether it passes.
        raise error if request.show_references else ClosedPipe(totals.exit_code) from error


def _check(request: Request, baselines: _Baselines, totals: Totals) -> int:
    policies = policies_of(request)
    files = files_of(request, policies)
    tasks = files.tasks
    options = _options(request)
    if request.online:
        from imgref.cli.check._online import ask_registries

        policies.found, totals.failures = ask_registries(request, tasks, policies, options)
    results = check(tasks, policies.found, options)
    baselines.read(policies.found if options.checking else ())
    if request.show_references:
        return list_references(request, chain(files.unread, results, files.passed_over()), totals)
    _warn_of_policies(policies.found)
    reporter = Reporter(request)
    waiting: list[tuple[list[Finding], Checked]] = []
    for result in files.unread:
        totals.add(result)
    for task, result in zip(tasks, results, strict=True):
        totals.add(result)
        findings = baselines.new(task, result, policies.found)
        totals.waiting += len(result.findings) - len(findings)
        totals.count(findings)
        if request.write_baseline is None:
            reporter.add(findings, result)
        else:
            waiting.append((findings, result))
    for result in files.passed_over():
        totals.add(result)
    totals.finished = True
    # The baseline is written even if the report is not read to its end.
    baselines.write()
    for findings, result in waiting:
        reporter.add(findings, result)
    reporter.finish(totals)
    baselines.tell_gone()
    return totals.tell()


def _options(request: Request) -> Options:
    return Options(
        request.build_args,
        request.platform,
        request.max_size,
        checking=not request.show_references,
        keep=request.show_references or request.show_unresolved,
    )


def _warn_of_policies(policies: Sequence[Policy]) -> None:
    """Report which exceptions have expired, and so have no effect."""
    told: dict[str, None] = {}
    for policy in policies:
        for entry in policy.exceptions:
            if policy.has_expired(entry):
                reason = "" if entry.reason is None else f" ({entry.reason})"
                text = f"the exception for {entry.image.text}{reason} expired on {entry.expires}, and does not count"
                told[f"{entry.where}: {text}"] = None
    for warning in told:
        _console.warn(warning)


class _Baselines:
    """The baseline whose findings wait, and the one that is written.

    Args:
        request: the options.

    Raises:
        ConfigError: a file is not a baseline.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._known = None if request.baseline is None else Baseline.read(request.baseline, _text_of(request.baseline))
        self._set: dict[Path, Baseline] = {}
        self._target = request.write_baseline
        self._before = None if self._target is None else _existing(self._target)
        self._found: list[Finding] = []
        self._examined = Examined(path for path in request.paths or (".",) if os.path.isdir(path))

    def read(self, policies: Sequence[Policy]) -> None:
        """Read the baselines in the settings, unless an option replaces them.

        Raises:
            ConfigError: one does not exist, except if a baseline is written now, or is not a baseline.
        """
        for path in [] if self._known is not None else {policy.baseline for policy in policies} - {None}:
            shown = shown_path(str(path))
            if self._target is not None and not os.path.lexists(shown):
                continue
            self._set[cast("Path", path)] = Baseline.read(shown, _text_of(shown))

    def new(self, task: Task, result: Checked, policies: Sequence[Policy]) -> list[Finding]:
        """Return the findings that are not known, and remember what was examined."""
        known = self._known or self._set.get(policies[task.policy].baseline or _NOWHERE)
        if known is None and self._before is None:
            return list(result.findings)
        if self._before is not None:
            self._found += result.findings
        if result.is_examined or result.findings:
            codes = examined(task, policies) - result.unanswered
            # Where the reading stopped, only what could be found up to there is certain.
            self._examined.add(result.path, codes if result.complete else frozenset({"IMG901"}) & codes)
        return list(result.findings) if known is None else known.new(result.findings)

    def tell_gone(self) -> None:
        """Report how many known findings were not found any more."""
        known = [*self._set.values()] if self._known is None else [self._known]
        gone = sum(baseline.gone(self._examined) for baseline in known)
        if gone:
            one = f"{gone} finding of the baseline is" if gone == 1 else f"{gone} findings of the baseline are"
            _console.note(f"{one} gone: write it again with --write-baseline to forget them")

    def write(self) -> None:
        """Write the baseline: what was found, and from before what was not looked for."""
        if self._target is not None and self._before is not None:
            text = self._before.written(self._found, self._examined)
            replace_file(self._target, text.encode("utf-8", "surrogateescape"))


def _text_of(path: str) -> str:
    # Reading a FIFO would wait for somebody who writes to it.
    if Path(path).exists() and not os.path.isfile(path):
        raise ConfigError("is not a baseline: it is not a regular file", path)
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise click.UsageError(f"{path}: there is no such baseline; --write-baseline {path} makes one") from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not a baseline: it is not UTF-8", path) from error


def _existing(path: str) -> Baseline:
    """Read the baseline that is about to be written again; a file that is something else is not overwritten."""
    if not os.path.lexists(path):
        directory = os.path.dirname(path) or "."
        if not os.path.isdir(directory):
            raise ConfigError("cannot be written: there is no such directory", path)
        return Baseline(path)
    if not os.path.isfile(path):
        raise ConfigError("cannot be written: it is not a regular file", path)
    text = _text_of(path)
    return Baseline.read(path, text) if text.strip() else Baseline(path)
