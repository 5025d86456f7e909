"""What all files of one syntax have in common, whatever kind they are: comments, lines and encodings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["DOCKERFILE", "GROOVY", "HCL", "JSON", "JSONC", "TOML", "UNIT", "YAML", "Syntax"]


@dataclass(frozen=True, slots=True)
class Syntax:
    """The syntax of a file.

    Attributes:
        name: its name in messages.
        line_end: what ends a line.
        comments: what a comment to the end of the line begins with; empty if there are none.
        prologue: what else a line can begin with above the content of a file.
        bytewise: whether the consumer reads bytes: a byte that is not UTF-8 is not a problem, but UTF-16 is.
    """

    name: str
    line_end: re.Pattern[str]
    comments: tuple[str, ...] = ("#",)
    prologue: tuple[str, ...] = ()
    bytewise: bool = False


_NEWLINE: Final = re.compile("\n")

DOCKERFILE: Final = Syntax("a Dockerfile", _NEWLINE, bytewise=True)
YAML: Final = Syntax("YAML", re.compile(r"\r\n?|\n"), prologue=("---", "%"))
GROOVY: Final = Syntax("Groovy", _NEWLINE, comments=("//",))
HCL: Final = Syntax("HCL", _NEWLINE, comments=("#", "//"))
JSON: Final = Syntax("JSON", _NEWLINE, comments=())
JSONC: Final = Syntax("JSON with comments", _NEWLINE, comments=("//",))
TOML: Final = Syntax("TOML", _NEWLINE)
UNIT: Final = Syntax("a systemd unit", _NEWLINE, comments=("#", ";"))
