"""Reports: turn findings into output for a person, a program or a platform, one function per format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Final

from imgref.check.finding import Finding

__all__ = ["FORMATS", "report"]

FORMATS: Final = {
    "concise": "text",
    "json": "data",
    "github": "platforms",
    "gitlab": "platforms",
    "sarif": "sarif",
}
"""Every format that needs nothing but findings, and the module here that has it."""


def report(name: str) -> Callable[[Sequence[Finding]], str]:
    r"""Return the function of a format; its output ends with a newline, or is empty if there is nothing to report.

    >>> report("json")([])
    '[]\n'
    """
    function: Callable[[Sequence[Finding]], str] = getattr(import_module(f"{__name__}.{FORMATS[name]}"), name)
    return function
