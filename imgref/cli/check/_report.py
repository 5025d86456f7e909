"""The output of ``imgref check``: findings and totals, or a list of references."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from imgref._printable import masked
from imgref.check.finding import Finding
from imgref.check.reports import report
from imgref.check.reports.grouped import grouped
from imgref.check.reports.text import Drawing, Repeated, full, full_end
from imgref.check.result import Checked
from imgref.check.rules import RULES
from imgref.check.severity import failing
from imgref.cli import EXIT_BAD_INPUT, EXIT_FINDINGS, EXIT_REGISTRY, _console
from imgref.cli._check_options import Request
from imgref.cli._job_summary import JobSummary
from imgref.cli._skipped import show_skipped, with_skipped
from imgref.sources.occurrence import Occurrence

__all__ = ["Reporter", "Totals", "list_references"]


@dataclass(slots=True)
class Totals:
    """Counts results as they arrive. Files that were not checked are reported at once.

    Attributes:
        request: the options.
        finished: whether every result has gone by.
        failures: what registries could not be asked, each with the reason.
    """

    request: Request
    files: int = 0
    references: int = 0
    unresolved: int = 0
    waiting: int = 0
    of_unknown_kinds: int = 0
    unchecked: int = 0
    failing: int = 0
    passed_over: list[Checked] = field(default_factory=list)
    not_checked: list[Checked] = field(default_factory=list)
    failed: bool = False
    unanswered: bool = False
    finished: bool = False
    dirty: set[str] = field(default_factory=set)
    codes: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, result: Checked) -> None:
        if result.unanswered:
            self.unanswered = True
            if not self.failures:
                _console.error(f"{result.path}: changed while registries were asked about it")
        self.files += result.kind is not None and result.is_examined
        self.references += result.references
        self.unresolved += result.unresolved
        if result.status not in {"checked", "nothing"}:
            self.not_checked.append(result)
        if result.status in {"unrecognized", "excluded"}:
            self.passed_over.append(result)
        elif result.status == "unknown" and self.request.ignore_unknown:
            self.of_unknown_kinds += 1
            if result.reason:
                self.passed_over.append(result)
        elif result.status not in {"checked", "nothing"}:
            self._add_unchecked(result)

    def _add_unchecked(self, result: Checked) -> None:
        self.unchecked += 1
        reason = result.reason
        if result.status == "unknown":
            because = f" ({reason})" if reason else ""
            reason = (
                f"the kind of this file is unknown{because}; name it with --as KIND or in [check.files], "
                "or skip such files with --ignore-unknown"
            )
        if result.status == "skipped" and self.request.enforce is None:
            _console.warn(f"{result.path}: not checked: {reason}")
        else:
            self.failed = True
            _console.error(f"{result.path}: {reason}")

    def count(self, findings: Sequence[Finding]) -> None:
        self.codes.update(finding.code for finding in findings)
        self.failing += len(failing(findings, self.request.fail_on or "warning"))
        self.dirty.update(finding.path for finding in findings)

    @property
    def exit_code(self) -> int:
        """The exit code: what was not checked counts for more than what was found."""
        if self.unanswered:
            return EXIT_REGISTRY
        if self.failed:
            return EXIT_BAD_INPUT
        if self.request.exit_zero or self.request.write_baseline is not None:
            return 0 if self.finished or self.request.exit_zero else EXIT_FINDINGS
        return EXIT_FINDINGS if self.failing or not self.finished else 0

    def tell(self) -> int:
        """Report the end of a check: what registries could not be asked, and the summary; returns the exit code."""
        for about, reason in self.failures.items():
            _console.error(reason if about in reason else f"{about}: {reason}")
        _console.note(self.summary())
        return self.exit_code

    def summary(self) -> str:
        """Return one line about everything; it contains "no findings" only for what was checked."""
        found = self.codes.total()
        where = f" in {_number(len(self.dirty), 'file')}" if found else ""
        if missing := self.missing():
            where += f", {'and' if found else 'but'} {missing}"
        return f"{_number(found, 'finding')}{where} ({', '.join(self._details())}{self.hint()})"

    def missing(self) -> str:
        """Return which files were not checked although they may have images, or an empty string."""
        parts = []
        if self.unchecked:
            parts.append(f"{_number(self.unchecked, 'file')} {_was(self.unchecked)} not checked")
        if self.not_understood:
            parts.append(self.told_not_understood())
        return " and ".join(parts)

    def told_not_understood(self) -> str:
        """Return how many files that may use images were not understood."""
        count = self.not_understood
        return f"{_number(count, 'file')} that may use images {_was(count)} not understood"

    def _details(self) -> Iterator[str]:
        yield _number(self.files, "file")
        yield _number(self.references, "reference")
        if self.request.fail_on == "error" and self.codes:
            yield _number(self.failing, "error")
        if self.unresolved:
            yield f"{self.unresolved} unresolved"
        if self.waiting:
            yield f"{self.waiting} in the baseline"
        if self.of_unknown_kinds:
            yield f"{self.of_unknown_kinds} of unknown kinds"
        if excluded := len(self.passed_over) - self.not_understood:
            yield f"{excluded} excluded"

    @property
    def not_understood(self) -> int:
        """How many files of no known kind seem to have images."""
        return sum(result.status != "excluded" for result in self.passed_over)

    def hint(self) -> str:
        """Return how to list the files that were not understood, where they are not listed."""
        return "; --show-skipped lists them" if self.not_understood and not self.request.show_skipped else ""


def _number(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def _was(count: int) -> str:
    return "was" if count == 1 else "were"


class Reporter:
    """Writes the findings of files as they come, or at the end in formats that are one whole.

    Args:
        request: the options.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._found: list[Finding] = []
        self._repeated = Repeated()
        self._write = _writer(request, self._repeated)
        self._job_summary = JobSummary(wanted=request.format == "github")

    def add(self, findings: list[Finding], result: Checked) -> None:
        """Take in the findings of one file."""
        self._job_summary.add(findings)
        if self._write is None:
            self._found += findings
        elif findings:
            self._write(findings, result)
        if self._request.show_unresolved:
            _show_unresolved(result)

    def finish(self, totals: Totals) -> None:
        """Write what comes at the end."""
        self._job_summary.write(totals.summary())
        in_json = False
        if self._request.statistics:
            _show_statistics(self._request, totals.codes)
        elif self._request.group_by is not None:
            _console.write(grouped(self._found, self._request.group_by))
        elif self._request.format == "full":
            _console.write(full_end(self._repeated, _drawing()), drawn=True)
        elif self._write is None:
            text = self._whole(totals)
            if in_json := self._request.format == "json" and self._request.show_skipped:
                text = with_skipped(text, totals.not_checked)
            _console.write_json(text)
        if self._request.show_skipped and not in_json:
            show_skipped(totals.passed_over)
        if self._request.format == "github" and totals.not_understood:
            _console.write(f"::notice title=imgref::{totals.told_not_understood()}{totals.hint()}\n")

    def _whole(self, totals: Totals) -> str:
        """Return the report in a format that is a single document. Only SARIF includes what was not checked."""
        if self._request.format != "sarif":
            return report(self._request.format)(self._found)
        from imgref.check.reports.notifications import Notes
        from imgref.check.reports.sarif import sarif

        return sarif(self._found, Notes(totals.not_checked, totals.failures, failed=totals.failed))


def _writer(request: Request, repeated: Repeated) -> Callable[[list[Finding], Checked], None] | None:
    """Return what writes the findings of a file as they come; None for formats that are one whole."""
    if request.statistics:
        return lambda findings, result: None
    if request.group_by is not None:
        return None
    if request.format == "full":
        drawing = _drawing()
        return lambda findings, result: _console.write(full(findings, result.lines, drawing, repeated), drawn=True)
    if request.format in {"concise", "github"}:
        return lambda findings, result: _console.write(report(request.format)(findings))
    return None


def _drawing() -> Drawing:
    from shutil import get_terminal_size

    terminal, columns = _console.is_terminal(), get_terminal_size().columns
    return Drawing(
        columns if terminal else None,
        lambda text, colour: _console.styled(text, colour, sys.stdout),
        partial(_console.underlined, columns=columns if terminal else 120),
    )


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


def list_references(request: Request, results: Iterator[Checked], totals: Totals) -> int:
    """Write every reference, and return the exit code: listing checks nothing, so only what was not read fails it."""
    listed = []
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
    if request.show_skipped:
        show_skipped(totals.passed_over)
    unresolved = f", {totals.unresolved} unresolved" if totals.unresolved else ""
    missing = f", but {missing}" if (missing := totals.missing()) else ""
    listed_in = f"{_number(totals.references, 'reference')}{unresolved} in {_number(totals.files, 'file')}"
    _console.note(f"{listed_in}{missing}{totals.hint().replace('; ', ' (') + ')' if totals.hint() else ''}")
    return EXIT_BAD_INPUT if totals.failed else 0


def _is_reference(result: Checked, occurrence: Occurrence) -> bool:
    """Return whether an occurrence is a reference: an unresolved one in YAML is not, but every FROM is."""
    return occurrence.role != "unresolved" or occurrence.is_base


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
