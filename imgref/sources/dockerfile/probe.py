"""Whether content is a Dockerfile, for files whose name does not decide it."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["is_dockerfile"]

_FIRST: Final = re.compile(
    r"(?:\s*(?:#[^\n]*+)?\n)*+\s*"
    r"(?:ARG(?:[ \t]++[a-z_]\w*+)++[ \t\r]*+(?:[=\n]|\Z)"
    r"|FROM[ \t]++(?:--[^\s]++[ \t]++)?[^\s]++(?:[ \t]++AS[ \t]++[^\s]++)?[ \t\r]*+(?:\n|\Z)"
    r"|(?:ARG|FROM)[ \t][^\n]*[\\`][ \t\r]*\n)",
    re.IGNORECASE | re.ASCII,
)


def is_dockerfile(text: str) -> bool:
    r"""Return whether the first instruction is a FROM or an ARG: prose and programs begin otherwise.

    >>> is_dockerfile("# a comment\n\nFROM nginx AS web\n"), is_dockerfile("From here on, use images.\n")
    (True, False)
    """
    return _FIRST.match(text) is not None
