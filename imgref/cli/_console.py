"""Everything that prints: results, errors with their caret, notes, tables. Results go to stdout, all else to stderr.

Nothing else in imgref writes to a stream, so nothing leaves it but through :func:`shown`: without credentials, and
without characters that a terminal or a CI log would obey. JSON goes through ``masked_json``, which keeps it JSON.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

import click

from imgref._printable import masked, masked_json, printable
from imgref.errors import ImgrefError, InvalidReference

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "console",
    "error",
    "is_terminal",
    "note",
    "parts",
    "read_stdin",
    "say",
    "say_json",
    "show_error",
    "show_help",
    "shown",
    "styled",
    "table",
    "underlined",
    "warn",
    "write",
    "write_json",
]

_NARROW = 20
_STYLE = re.compile(r"(\x1b\[(?:3[136]m\x1b\[)?1m|\x1b\[0m)")
"""What :func:`styled` and rich put around a string."""


def is_terminal(stream: TextIO | None = None) -> bool:
    """Return whether stdout, or another stream, is a terminal, and so read by a person."""
    return (sys.stdout if stream is None else stream).isatty()


def styled(text: str, colour: str, stream: TextIO) -> str:
    """Return a string in bold and a color if a stream gets colors."""
    return click.style(text, fg=colour, bold=True) if _coloured(stream) else text


def _coloured(stream: TextIO) -> bool:
    """Return whether a stream gets colors: what the environment demands, otherwise terminals do.

    See https://no-color.org, https://force-color.org and https://bixense.com/clicolors.
    """
    environ = os.environ
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "0") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return environ.get("TERM") != "dumb" and environ.get("CLICOLOR") != "0" and is_terminal(stream)


def shown(text: str, keep: str = "") -> str:
    r"""Return a string as it may be printed.

    Args:
        text: the string.
        keep: control characters that stay.

    >>> shown("https://u:pw@host/app\x1b[2J")
    'https://***@host/app\\x1b[2J'
    """
    return masked(printable(text, keep))


def write(text: str, *, drawn: bool = False) -> None:
    """Write a part of a result to stdout, which may have several lines, with tabs between fields.

    Args:
        text: the part.
        drawn: whether it has colours, which :func:`styled` or a table has put there.
    """
    parts = _STYLE.split(text) if drawn and _coloured(sys.stdout) else [text]
    sys.stdout.write("".join(part if number % 2 else shown(part, "\n\t") for number, part in enumerate(parts)))


def write_bytes(data: bytes) -> None:
    """Write bytes to stdout as they are; on a terminal, as text whose control characters are escaped."""
    if is_terminal() or not hasattr(sys.stdout, "buffer"):
        write(data.decode("utf-8", "backslashreplace"))
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def say(text: str, *, drawn: bool = False) -> None:
    """Write a line of a result to stdout, or several lines, as :func:`write` does."""
    write(text + "\n", drawn=drawn)


def read_stdin() -> bytes:
    """Return all of standard input, or nothing if it is closed."""
    return sys.stdin.buffer.read() if sys.stdin else b""


def write_json(text: str) -> None:
    """Write JSON to stdout; its strings are masked, and it stays JSON."""
    sys.stdout.write(masked_json(text))


def say_json(value: object, indent: int | None = None) -> None:
    """Write a value to stdout as JSON, and a newline."""
    import json

    write_json(json.dumps(value, indent=indent) + "\n")


def note(text: str) -> None:
    """Write one line to stderr, about something beside the result."""
    _tell(shown(text))


def warn(text: str) -> None:
    """Write to stderr what may not be as it should."""
    _tell(f"{styled('warning', 'yellow', sys.stderr)}: {shown(text)}")


def error(text: str, *, help_text: str | None = None) -> None:
    """Write to stderr what is wrong, and perhaps what to do."""
    _tell(f"{styled('error', 'red', sys.stderr)}: {shown(text)}")
    if help_text is not None:
        _help(help_text)


def show_help(text: str) -> None:
    """Write a command's help to stderr, where it was called without what it needs."""
    _tell(shown(text, "\n"))


def show_error(problem: ImgrefError, *, where: str = "") -> None:
    """Explain an error on stderr; an invalid reference is drawn with a caret under what is wrong.

    Args:
        problem: the error.
        where: its position in a stream, such as ``line 3``.
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
        _tell(f"  {shown(line)}\n  {styled(caret, 'red', sys.stderr)}")
    if problem.hint is not None:
        _help(f"did you mean {problem.hint!r}?")


def _tell(text: str) -> None:
    # What was printed so far belongs before this, where both go to one terminal or log.
    sys.stdout.flush()
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _help(text: str) -> None:
    _tell(f"{styled('help', 'cyan', sys.stderr)}: {shown(text)}")


def underlined(text: str, span: tuple[int, int], columns: int) -> tuple[str, str]:
    """Draw a string on one line, and carets under its span; a long string is cut around the span."""
    room = max(columns - 4, _NARROW - 4)
    start, end = span
    first = max(0, min(start - room // 3, len(text) - room))
    last = min(len(text), first + room)
    cells = [printable(character) for character in text[first:last]]
    widths = [_width(cell) for cell in cells]
    lead, tail = ("…" if first else ""), ("…" if last < len(text) else "")
    before = len(lead) + sum(widths[: start - first])
    marked = sum(widths[start - first : max(start, min(end, last)) - first])
    return lead + "".join(cells) + tail, " " * before + "^" * max(marked, 1)


def _width(cell: str) -> int:
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1 for character in cell)


# Tables: rich is imported only where one is drawn.

_UNBROKEN = re.compile(r"\S*(?:sha256|sha384|sha512):[0-9a-f]{32,}\S*", re.ASCII)
"""A word that is never broken, since a broken digest cannot be copied."""

_ROOM = 1 << 20
"""Columns of output that does not go to a terminal, where nothing is wrapped."""


def console(stream: TextIO | None = None, width: int | None = None) -> Console:
    """Return a rich console on stdout, or on another stream that is drawn on as stdout would be."""
    from rich.console import Console

    coloured = _coloured(sys.stdout)
    return Console(
        file=stream or sys.stdout,
        highlight=False,
        width=width or _columns(),
        force_terminal=coloured,
        no_color=not coloured,
    )


def _columns() -> int:
    if not is_terminal():
        return _ROOM
    from shutil import get_terminal_size

    return get_terminal_size().columns


def parts(rows: Iterable[tuple[str, str]]) -> str:
    """Return labels and their values, one pair per line, for :func:`say`."""
    return _drawn(("", ""), list(rows), grid=True)


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table with a header to stdout."""
    say(_drawn(headers, list(rows), grid=False), drawn=True)


def _drawn(headers: Sequence[str], rows: Sequence[Sequence[str]], *, grid: bool) -> str:
    """Draw a table as wide as the terminal, or wider where a digest would be broken."""
    from io import StringIO

    from rich import box
    from rich.table import Table
    from rich.text import Text

    cells = [[shown(cell) for cell in row] for row in rows]
    drawn = Table.grid(padding=(0, 2, 0, 0)) if grid else Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    needed = 0
    for number, header in enumerate(headers):
        label = grid and number == 0
        widest = max((_unbroken(row[number], whole=label) for row in cells), default=0)
        drawn.add_column(
            header, overflow="fold", style="bold" if label else "", no_wrap=label, min_width=widest or None
        )
        needed += widest + 3 if widest else 0
    for row in cells:
        drawn.add_row(*map(Text, row))
    paper = StringIO()
    # It is not drawn on stdout itself, so that a closed pipe is handled as for every result.
    console(paper, max(_columns(), needed + _NARROW if needed else 0)).print(drawn)
    return "\n".join(line.rstrip() for line in paper.getvalue().splitlines())


def _unbroken(cell: str, *, whole: bool) -> int:
    """Return the width of the longest word in a cell that must not be broken."""
    return len(cell) if whole else max(map(len, _UNBROKEN.findall(cell)), default=0)
