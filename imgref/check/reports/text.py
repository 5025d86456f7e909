"""``concise`` and ``full``: what a person reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from imgref._printable import printable
from imgref.check.finding import Finding

__all__ = ["Drawing", "Repeated", "concise", "full", "full_end"]

_SHOWN: Final = 5
"""How many locations of a repeated finding are listed."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """How to draw on a terminal, passed in by the caller.

    Attributes:
        columns: its width, or None where lines are not wrapped.
        coloured: colors a string.
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


@dataclass(slots=True)
class Repeated:
    """The locations of findings that repeat earlier ones, so that each is printed once.

    Attributes:
        places: the messages of one line, and where they are repeated.
        first: the rule of the first finding, or None.
    """

    places: dict[tuple[tuple[str, str], ...], list[str]] = field(default_factory=dict)
    first: str | None = None

    def is_known(self, findings: Sequence[Finding]) -> bool:
        """Return whether the findings of a line repeat earlier ones, and record their location if so."""
        self.first = self.first or findings[0].code
        said = tuple((finding.code, finding.message) for finding in findings)
        if said not in self.places:
            self.places[said] = []
            return False
        self.places[said].append(_place(findings[0]).removesuffix(":"))
        return True


def full(
    findings: Sequence[Finding], lines: Mapping[int, str], drawing: Drawing, repeated: Repeated | None = None
) -> str:
    """Return the findings of one file: each source line once with all that is wrong there, a caret, and what to do.

    Args:
        findings: the findings, in the order of their lines.
        lines: the lines by their numbers.
        drawing: how to draw.
        repeated: what was drawn before; the same is not drawn again.
    """
    texts = []
    for _, of_line in groupby(findings, key=lambda finding: finding.line):
        there = list(of_line)
        if repeated is None or not repeated.is_known(there):
            texts.append(_drawn(there, lines.get(there[0].line), drawing) + "\n")
    return "".join(texts)


def full_end(repeated: Repeated, drawing: Drawing) -> str:
    """Return what follows the findings of all files: where the same was found again, and how to read more."""
    texts = []
    for said, places in repeated.places.items():
        if not places:
            continue
        for code, message in said:
            texts.append(
                _wrapped(f"{code} {printable(message)}", drawing).replace(code, drawing.coloured(code, "red"), 1)
            )
        texts.append("  the same at:" if len(places) == 1 else f"  the same at {len(places)} places:")
        texts += [f"    {place}" for place in places[:_SHOWN]]
        if len(places) > _SHOWN:
            texts.append(f"    and {len(places) - _SHOWN} more; --format concise lists all")
        texts.append("")
    if repeated.first is not None:
        texts.append(f"More about this rule: imgref explain {repeated.first}")
    return "".join(f"{text}\n" for text in texts)


def _drawn(findings: Sequence[Finding], line: str | None, drawing: Drawing) -> str:
    text = "".join(_head(finding, drawing) for finding in findings)
    if line is not None and line.strip():
        drawn = ""
        for finding in sorted({(one.column, one.end_column): one for one in findings}.values(), key=_column):
            source, caret = drawing.underlined(*_source(line, finding))
            text += ("" if source == drawn else f"  {source}\n") + f"  {drawing.coloured(caret, 'red')}\n"
            drawn = source
    for hint in dict.fromkeys(finding.hint for finding in findings if finding.hint is not None):
        help_text = _wrapped(f"help: {printable(hint)}", drawing)
        text += drawing.coloured("help", "cyan") + help_text.removeprefix("help") + "\n"
    return text


def _column(finding: Finding) -> int:
    return finding.column


def _head(finding: Finding, drawing: Drawing) -> str:
    place = _place(finding)
    head = _wrapped(f"{place} {finding.code} {printable(finding.message)}", drawing)
    before, after = head[: len(place)], head[len(place) :]
    return before + after.replace(finding.code, drawing.coloured(finding.code, "red"), 1) + "\n"


def _source(line: str, finding: Finding) -> tuple[str, tuple[int, int]]:
    """Return the line without indentation and with tabs as single spaces, so that carets are aligned."""
    text = line.rstrip().replace("\t", " ")
    start = min(finding.column - 1, len(text))
    end = max(start + 1, min(finding.end_column - 1, len(text)))
    margin = min(len(text) - len(text.lstrip()), start)
    return text[margin:], (start - margin, end - margin)


def _wrapped(text: str, drawing: Drawing) -> str:
    if drawing.columns is None:
        return text
    import textwrap

    return textwrap.fill(
        text, max(drawing.columns, 20), subsequent_indent="    ", break_long_words=False, break_on_hyphens=False
    )
