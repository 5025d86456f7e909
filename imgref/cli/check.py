"""``imgref check``: is every image in these files one that we trust?"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from imgref._printable import masked
from imgref.check.baseline import Baseline
from imgref.check.finding import Finding, Occurrence
from imgref.check.policy import Policy
from imgref.check.reports import report
from imgref.check.reports.text import Drawing, full
from imgref.check.rules import RULES
from imgref.check.runner import Checked, Options, Task, check, list_tasks
from imgref.check.sources import is_candidate
from imgref.check.walk import Listing
from imgref.cli import EXIT_FINDINGS, _console
from imgref.cli._check_options import BY_WHAT, HOW, WHAT, Request, refuse_contradictions
from imgref.cli._policy import Policies, read_policy
from imgref.config import load_config

if TYPE_CHECKING:
    from datetime import date

__all__ = ["command"]

_STDIN: Final = "<stdin>"


@click.command()
@WHAT
@BY_WHAT
@HOW
def command(**options: object) -> int:
    """Check that every image in a tree is one that you trust.

    Dockerfiles, Compose files, manifests, charts and CI files are found below each PATH (default: here), and each
    image reference in them is held to the policy in .imgref.toml. What git ignores is not looked at; a file that is
    given by name always is. A single - reads standard input.

    Exit codes: 0 no findings, 1 findings, 2 could not run.
    """
    request = Request(**options)  # type: ignore[arg-type]  # click gives what the decorators say
    refuse_contradictions(request)
    # A path or a comment may hold what the terminal's encoding does not.
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    baseline = None if request.baseline is None else Baseline.read(request.baseline, _text_of(request.baseline))
    policies = _policies(request)
    listing = Listing(is_candidate, os.environ)
    tasks = _tasks(request, policies, listing)
    for warning in listing.warnings:
        _console.warn(warning)
    options_of_reading = Options(
        request.build_args,
        request.platform,
        request.max_size,
        judging=not request.show_references,
        keep=request.show_references or request.show_unresolved,
    )
    results = check(tasks, policies.found, options_of_reading)
    if request.show_references:
        return _list_references(request, results)
    _warn_of_policies(policies.found)
    return _report(request, results, baseline)


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError as error:
        raise click.UsageError(f"{path}: there is no such baseline; --write-baseline {path} makes one") from error


def _policies(request: Request) -> Policies:
    def policy_of(file: Path | None, root: Path | None = None) -> Policy:
        config = load_config(file)
        return read_policy(config, root=root, select=request.select, ignore=request.ignore, today=_today())

    fixed = None if request.config is None else policy_of(Path(request.config), Path.cwd())
    return Policies(policy_of, fixed)


def _today() -> date:
    """Give the day here: an exception ends with the day of whoever runs the check."""
    from datetime import date

    return date.today()


def _tasks(request: Request, policies: Policies, listing: Listing) -> list[Task]:
    paths = [path for path in request.paths or (".",) if path != "-"]
    tasks = list_tasks(paths, policies.number, policies.found, listing)
    if "-" in request.paths:
        name = request.stdin_filename or _STDIN
        data = b"" if sys.stdin is None else sys.stdin.buffer.read(request.max_size + 1)
        tasks.append(Task(name, True, policies.number(os.path.dirname(name) or "."), data))
    return tasks


def _warn_of_policies(policies: Sequence[Policy]) -> None:
    """Tell which exceptions have expired, and so have no effect."""
    told: dict[str, None] = {}
    for policy in policies:
        for entry in policy.exceptions:
            if policy.has_expired(entry):
                reason = "" if entry.reason is None else f" ({entry.reason})"
                text = f"the exception for {entry.image.text}{reason} expired on {entry.expires}, and does not count"
                told[f"{entry.where}: {text}"] = None
    for warning in told:
        _console.warn(warning)


@dataclass(slots=True)
class _Totals:
    """What is counted while results go by."""

    files: int = 0
    references: int = 0
    unresolved: int = 0
    waiting: int = 0
    dirty: set[str] = field(default_factory=set)
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, result: Checked) -> None:
        self.files += result.kind is not None
        self.references += result.references
        self.unresolved += result.unresolved
        for warning in result.warnings:
            _console.warn(warning)

    def count(self, findings: Sequence[Finding]) -> None:
        self.codes.update(finding.code for finding in findings)
        self.dirty.update(finding.path for finding in findings)

    def summary(self) -> str:
        looked = f"{_number(self.files, 'file')}, {_number(self.references, 'reference')}"
        unresolved = f", {self.unresolved} unresolved" if self.unresolved else ""
        waiting = f", {self.waiting} in the baseline" if self.waiting else ""
        found = self.codes.total()
        where = f" in {_number(len(self.dirty), 'file')}" if found else ""
        return f"{_number(found, 'finding')}{where} ({looked}{unresolved}{waiting})"


def _number(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def _report(request: Request, results: Iterator[Checked], baseline: Baseline | None) -> int:
    totals = _Totals()
    found: list[Finding] = []
    all_found: list[Finding] = []
    write = _writer(request)
    for result in results:
        totals.add(result)
        if request.write_baseline is not None:
            all_found += result.findings
        findings = list(result.findings) if baseline is None else baseline.new(result.findings)
        totals.waiting += len(result.findings) - len(findings)
        totals.count(findings)
        if write is None:
            found += findings
        elif findings:
            write(findings, result)
        if request.show_unresolved:
            _show_unresolved(result)
    if request.statistics:
        _show_statistics(request, totals.codes)
    elif write is None:
        _console.write_json(report(request.format)(found))
    if request.write_baseline is not None:
        _write_whole(request.write_baseline, Baseline(request.write_baseline).written(all_found))
    if baseline is not None and baseline.gone:
        _console.note(f"{_number(baseline.gone, 'finding')} of the baseline are gone: write it anew to forget them")
    _console.note(totals.summary())
    failed = totals.codes and not request.exit_zero and request.write_baseline is None
    return EXIT_FINDINGS if failed else 0


def _writer(request: Request) -> Callable[[list[Finding], Checked], None] | None:
    """Give what writes the findings of a file as they come; None for formats that are one whole."""
    if request.statistics:
        return lambda findings, result: None
    if request.format == "full":
        from shutil import get_terminal_size

        terminal, columns = _console.is_terminal(), get_terminal_size().columns
        drawing = Drawing(
            columns if terminal else None,
            lambda text, colour: _console.styled(text, colour, sys.stdout),
            partial(_console.underlined, columns=columns if terminal else 120),
        )
        return lambda findings, result: _console.write(full(findings, result.lines, drawing), drawn=True)
    if request.format in {"concise", "github"}:
        return lambda findings, result: _console.write(report(request.format)(findings))
    return None


def _show_statistics(request: Request, codes: Counter[str]) -> None:
    rows = [(code, RULES[code].name, codes[code]) for code in sorted(codes, key=lambda code: (-codes[code], code))]
    if request.format == "json":
        fields = [{"code": code, "name": name, "count": count} for code, name, count in rows]
        _console.say_json(fields, indent=2)
        return
    width = max((len(str(count)) for _, _, count in rows), default=0)
    for code, name, count in rows:
        _console.say(f"{count:>{width}} {code} {name}")


def _show_unresolved(result: Checked) -> None:
    for occurrence in result.occurrences:
        if occurrence.role == "unresolved":
            reason = "" if occurrence.reason is None else f": {occurrence.reason}"
            _console.note(f"{_at(result, occurrence)} unresolved {_texts(occurrence)[0]}{reason}")


def _at(result: Checked, occurrence: Occurrence) -> str:
    return f"{result.path}:{occurrence.line}:{occurrence.column}:"


def _list_references(request: Request, results: Iterator[Checked]) -> int:
    totals, listed = _Totals(), []
    for result in results:
        totals.add(result)
        for occurrence in result.occurrences:
            if not (_is_reference(result, occurrence) or request.show_unresolved):
                continue
            if request.format == "json":
                listed.append(_fields(result, occurrence))
            else:
                text, resolved = _texts(occurrence)
                meant = f" -> {resolved}" if occurrence.resolved not in {None, occurrence.text} else ""
                _console.say(_console.shown(f"{_at(result, occurrence)} {occurrence.role} {text}{meant}"))
    if request.format == "json":
        _console.say_json(listed, indent=2)
    unresolved = f", {totals.unresolved} unresolved" if totals.unresolved else ""
    _console.note(f"{_number(totals.references, 'reference')}{unresolved} in {_number(totals.files, 'file')}")
    return 0


def _is_reference(result: Checked, occurrence: Occurrence) -> bool:
    """Tell whether an occurrence is a reference: in YAML what cannot be told is none, while a FROM always is one."""
    return occurrence.role != "unresolved" or result.kind == "dockerfile"


def _texts(occurrence: Occurrence) -> tuple[str, str | None]:
    """Return what is written and what it resolves to, each without credentials."""
    resolved = None if occurrence.resolved is None else masked(occurrence.resolved, whole=True)
    return masked(occurrence.text, whole=True), resolved


def _fields(result: Checked, occurrence: Occurrence) -> dict[str, str | int | None]:
    text, resolved = _texts(occurrence)
    return {
        "path": result.path,
        "line": occurrence.line,
        "column": occurrence.column,
        "text": text,
        "resolved": resolved if occurrence.role != "unresolved" else None,
        "role": occurrence.role,
        "construct": occurrence.construct,
    }


def _write_whole(path: str, text: str) -> None:
    """Write a file so that it is never seen half written."""
    beside = f"{path}.{os.getpid()}.tmp"
    try:
        Path(beside).write_text(text, encoding="utf-8", errors="surrogateescape")
        Path(beside).replace(path)
    finally:
        Path(beside).unlink(missing_ok=True)
