"""A bar on stderr for work of which the number of steps is known, if a person watches."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from imgref.cli import _console

__all__ = ["counting"]


@contextmanager
def counting(label: str, total: int) -> Iterator[Callable[[object], None] | None]:
    """Draw a bar while a block runs, and yield what advances it by a step; None if stderr is not a terminal.

    Args:
        label: what is counted.
        total: the number of steps.
    """
    if total < 2 or not _console.is_terminal(sys.stderr) or os.environ.get("TERM") == "dumb":
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=30), MofNCompleteColumn())
    colours = bool(_console.styled("", "red", sys.stderr))
    with Progress(*columns, console=Console(stderr=True, no_color=not colours), transient=True) as drawn:
        task = drawn.add_task(_console.shown(label), total=total)
        yield lambda _: drawn.advance(task)
