"""``# syntax=``: the image of the frontend that reads the rest of a Dockerfile.

BuildKit looks for it before it reads anything else, and by laxer rules than for the other directives: after a ``#!``
line, behind ``//``, or as a member of a JSON object, since a frontend may have its own language.
https://docs.docker.com/build/buildkit/frontend/
"""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

from imgref.sources._json_places import members, start
from imgref.sources.dockerfile.shell_words import SPACE

__all__ = ["Frontend", "find_frontend"]

_NAMES: Final = frozenset({"syntax", "escape", "check"})
_DIRECTIVE: Final = re.compile(
    f"(?:#|//)[{SPACE}]*([a-zA-Z][a-zA-Z0-9]*)[\\t\\n\\f\\r ]*=[\\t\\n\\f\\r ]*([^\\t\\n\\f\\r ][^ ]*)"
)


class Frontend(NamedTuple):
    """The frontend's image, as written and as read; ``foreign`` where the rest cannot be a Dockerfile as such."""

    line: int
    column: int
    text: str
    image: str
    foreign: bool


def find_frontend(text: str) -> Frontend | None:
    r"""Find the frontend that a file asks for.

    >>> find_frontend("# syntax=docker/dockerfile:1\n")
    Frontend(line=1, column=10, text='docker/dockerfile:1', image='docker/dockerfile:1', foreign=False)
    """
    if "syntax" not in text.lower():
        return None
    skipped = text.find("\n") + 1 or len(text) if text.startswith("#!") else 0
    return _directive(text, skipped, "#") or _directive(text, skipped, "//") or _json_member(text, skipped)


def _directive(text: str, at: int, mark: str) -> Frontend | None:
    seen: set[str] = set()
    number = 2 if at else 1
    while text.startswith(mark, at):
        end = text.find("\n", at)
        line = text[at : end if end >= 0 else len(text)]
        match = _DIRECTIVE.match(line)
        name = "" if match is None else match[1].lower()
        if match is None or name not in _NAMES or name in seen:
            break
        if name == "syntax":
            image = match[2].rstrip()
            return Frontend(number, match.start(2) + 1, image, image, foreign=mark != "#")
        seen.add(name)
        if end < 0:
            break
        at, number = end + 1, number + 1
    return None


def _json_member(text: str, at: int) -> Frontend | None:
    if not text[at:].lstrip(" \t\r\n").startswith("{"):
        return None
    document = text[at:]
    try:
        value = json.loads(document).get("syntax")
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, str):
        return None
    begin, end = [span for key, _, *span in members(document, start(document)) if key == "syntax"][-1]
    before = text[: at + begin]
    column = at + begin - before.rfind("\n")
    return Frontend(before.count("\n") + 1, column, document[begin:end], value, foreign=True)
