"""``concise`` and ``full``: what a person reads."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from imgref._printable import printable
from imgref.check.finding import Finding

__all__ = ["Drawing", "concise", "full"]


@dataclass(frozen=True, slots=True)
class Drawing:
    """How a terminal is drawn on; given by whoever knows the terminal.

    Attributes:
        columns: its width, or None where lines are not wrapped.
        coloured: colours a text.
        underlined: draws a line and carets under its span.
    """

    columns: int | None
    coloured: Callable[[str, str], str]
    underlined: Callable[[str, tuple[int, int]], tuple[str, str]]


def concise(findings: Sequence[Finding]) -> str:
    """Return a line a finding: ``path:line:column: CODE message``."""
    return "".join(f"{_place(finding)} {finding.code} {printable(finding.message)}\n" for finding in findings)


def _place(finding: Finding) -> str:
    return f"{printable(finding.path)}:{finding.line}:{finding.column}:"


def full(findings: Sequence[Finding], lines: Mapping[int, str], drawing: Drawing) -> str:
    """Return the findings of one file, each with its source line, a caret, and what to do."""
    return "".join(_drawn(finding, lines.get(finding.line), drawing) + "\n" for finding in findings)


def _drawn(finding: Finding, line: str | None, drawing: Drawing) -> str:
    place = _place(finding)
    head = _wrapped(f"{place} {finding.code} {printable(finding.message)}", drawing)
    before, after = head[: len(place)], head[len(place) :]
    text = before + after.replace(finding.code, drawing.coloured(finding.code, "red"), 1) + "\n"
    if line is not None and line.strip():
        source, caret = drawing.underlined(*_source(line, finding))
        text += f"  {source}\n  {drawing.coloured(caret, 'red')}\n"
    if finding.hint is not None:
        hint = _wrapped(f"help: {printable(finding.hint)}", drawing)
        text += drawing.coloured("help", "cyan") + hint.removeprefix("help") + "\n"
    return text


def _source(line: str, finding: Finding) -> tuple[str, tuple[int, int]]:
    """Return the line with tabs as single spaces, so that carets stand where they belong, and without its margin."""
    text = line.rstrip().replace("\t", " ")
    start = min(finding.column - 1, len(text))
    end = max(start + 1, min(finding.end_column - 1, len(text)))
    margin = min(len(text) - len(text.lstrip()), start)
    return text[margin:], (start - margin, end - margin)


def _wrapped(text: str, drawing: Drawing) -> str:
    if drawing.columns is None:
        return text
    return textwrap.fill(
        text, max(drawing.columns, 20), subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
