"""Commands that take several references: each is requested, and one that fails does not hide the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

import click

from imgref.cli import EXIT_MISSING, EXIT_REGISTRY, _console
from imgref.cli._exit_codes import exit_code
from imgref.errors import RegistryError
from imgref.reference import ImageReference, parse

__all__ = ["for_each_reference", "read_references"]

_JOBS: Final = 8
_SEVERITY: Final = (0, EXIT_MISSING, EXIT_REGISTRY)
"""Exit codes, the worst last: nothing is known about a reference whose request failed."""

_T = TypeVar("_T")


def read_references(texts: Iterable[str]) -> list[ImageReference]:
    """Parse the references before the first request, since bad input must not look like a result.

    Raises:
        click.UsageError: there is none.
        InvalidReference: one is not valid.
    """
    refs = [parse(text) for text in texts]
    if not refs:
        raise click.UsageError("no REF given (an unset variable?)")
    return refs


def for_each_reference(
    refs: list[ImageReference],
    ask: Callable[[ImageReference], _T],
    show: Callable[[_T], None],
    *,
    jobs: int = _JOBS,
) -> int:
    """Ask about references, show the answers in their order, report failures, and return the worst exit code.

    Args:
        refs: the references.
        ask: returns the answer about a reference, or raises what is wrong with it.
        show: prints an answer.
        jobs: how many to ask about at a time.
    """
    import threading

    from imgref.registry.threads import run_all

    def attempt(ref: ImageReference) -> _T | RegistryError:
        try:
            return ask(ref)
        except RegistryError as error:
            return error

    worst = 0
    # One reference needs no thread; the first of many is printed before the others are requested.
    for start in range(0, len(refs), jobs):
        batch = refs[start : start + jobs]
        outcomes = run_all(jobs, [lambda ref=ref: attempt(ref) for ref in batch], threading.Event())  # type: ignore[misc]
        for outcome in outcomes:
            if isinstance(outcome, RegistryError):
                _console.show_error(outcome)
                worst = max(worst, exit_code(outcome), key=_SEVERITY.index)
            else:
                show(outcome)
    return worst
