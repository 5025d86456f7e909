"""Everything that draws: errors with their caret, notes, tables. Results go to stdout, all else to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

import click

from imgref.errors import ImgrefError, InvalidReference

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = [
    "console",
    "error",
    "is_terminal",
    "note",
    "parts",
    "printable",
    "say",
    "show_error",
    "styled",
    "table",
    "underlined",
    "warn",
]

_NARROW = 20


def is_terminal(stream: TextIO | None = None) -> bool:
    """Tell whether stdout, or another stream, is a terminal, and so read by a person."""
    return (sys.stdout if stream is None else stream).isatty()


def styled(text: str, colour: str, stream: TextIO) -> str:
    """Colour a text for a stream, unless that is no terminal or ``NO_COLOR`` is set."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not is_terminal(stream)
    return text if plain else click.style(text, fg=colour, bold=True)


def say(text: str) -> None:
    """Write one line of a result to stdout."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Tell something beside the result, on stderr."""
    _tell(text)


def warn(text: str) -> None:
    """Tell what may not be as it should, on stderr."""
    _tell(f"{styled('warning', 'yellow', sys.stderr)}: {text}")


def error(text: str, *, help_text: str | None = None) -> None:
    """Tell what is wrong, and perhaps what to do, on stderr."""
    _tell(f"{styled('error', 'red', sys.stderr)}: {printable(text)}")
    if help_text is not None:
        _help(help_text)


def show_error(problem: ImgrefError, *, where: str = "") -> None:
    """Explain an error on stderr; an invalid reference is drawn with a caret under what is wrong.

    Args:
        problem: the error.
        where: its place in a stream, such as ``line 3``.
    """
    place = f"{where}: " if where else ""
    if not isinstance(problem, InvalidReference):
        error(f"{place}{problem}")
        return
    error(f"{place}{problem.reason}")
    text, span = problem.shown()
    from shutil import get_terminal_size

    line, caret = underlined(text, span, get_terminal_size().columns)
    if line:
        _tell(f"  {line}\n  {styled(caret, 'red', sys.stderr)}")
    if problem.hint is not None:
        _help(f"did you mean {problem.hint!r}?")


def _tell(text: str) -> None:
    # What was printed so far belongs before this, where both go to one terminal or log.
    sys.stdout.flush()
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _help(text: str) -> None:
    _tell(f"{styled('help', 'cyan', sys.stderr)}: {text}")


def underlined(text: str, span: tuple[int, int], columns: int) -> tuple[str, str]:
    """Draw a text on one line, and carets under its span; a long text is cut around the span."""
    room = max(columns - 4, _NARROW - 4)
    start, end = span
    first = max(0, min(start - room // 3, len(text) - room))
    last = min(len(text), first + room)
    cells = [_cell(character) for character in text[first:last]]
    widths = [_width(cell) for cell in cells]
    lead, tail = ("…" if first else ""), ("…" if last < len(text) else "")
    before = len(lead) + sum(widths[: start - first])
    marked = sum(widths[start - first : max(start, min(end, last)) - first])
    return lead + "".join(cells) + tail, " " * before + "^" * max(marked, 1)


def printable(text: str) -> str:
    r"""Escape what a terminal would obey: text that comes from elsewhere must not.

    >>> printable("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return text if text.isprintable() else "".join(map(_cell, text))


def _cell(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]


def _width(cell: str) -> int:
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1 for character in cell)


# Tables: rich is imported only where one is drawn.


def console(stream: TextIO | None = None) -> Console:
    """Give a rich console on stdout, or on another stream that is drawn on as stdout would be."""
    from rich.console import Console

    like = Console(file=sys.stdout)
    coloured = styled("", "red", sys.stdout) != ""
    return Console(
        file=stream or sys.stdout, highlight=False, width=like.width, force_terminal=coloured, no_color=not coloured
    )


def parts(rows: Iterable[tuple[str, str]]) -> str:
    """Draw labels and their values, a pair a line."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in rows:
        grid.add_row(label, Text(printable(value)))
    return _drawn(grid)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Draw a table with a header on stdout."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for header in headers:
        drawn.add_column(header, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(printable(cell)) for cell in row))
    say(_drawn(drawn))


def _drawn(table: Table) -> str:
    """Give what rich would print; it goes to stdout as every result does, so that a closed pipe is told apart."""
    from io import StringIO

    drawn = StringIO()
    console(drawn).print(table)
    return "\n".join(line.rstrip() for line in drawn.getvalue().splitlines())
