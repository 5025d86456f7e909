"""The actions of Go templates: which parts are literal, and what a template renders right behind a value.

https://pkg.go.dev/text/template
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

__all__ = ["MASK", "Masked", "is_continued", "mask"]

MASK: Final = "\0"
"""What replaces each character of an action."""

_COMMENT: Final = re.compile(r"\{\{(?:-[ \t\r\n])?[ \t\r\n]*+/\*")
_COMMENT_END: Final = re.compile(r"\*/(?:[ \t\r\n]++-)?\}\}")
_ACTION: Final = re.compile(r"""\{\{(?:[^"`'}]|"(?:[^"\\\n]|\\.)*+"|`[^`]*+`|'(?:[^'\\\n]|\\.)*+'|\}(?!\}))*+\}\}""")
_BREAK: Final = re.compile("[\r\x85\u2028\u2029]")
_SPACE: Final = re.compile(r"[ \t\r\n]*+")
_BLANK: Final = re.compile(r"[ \t]*+(?=[\r\n]|\Z)|[ \t]++#")
_SILENT: Final = re.compile(
    r"\{\{(?:-[ \t\r\n])?[ \t\r\n]*+(?:/\*|(?:if|else|end|with|range|define|break|continue)\b|\$\w*+[ \t]*+:?=)"
)
"""Actions that render nothing themselves."""

_NEXT_LINE: Final = re.compile(r"\|[ \t]*+nindent[ \t]++[0-9]++[ \t]*+-?\}\}\Z")
"""The end of an action that renders a new line first."""


class Masked(NamedTuple):
    """Content whose actions are replaced, with all other characters at their offsets.

    Attributes:
        text: the content, whose lines all end with a line feed; comments of templates are spaces.
        end: where an unterminated action begins, or the end.
    """

    text: str
    end: int


def mask(text: str) -> Masked:
    """Replace the actions of a template.

    >>> mask("a: {{ .b }}{{/* c */}}d").text.replace(MASK, "?")
    'a: ????????           d'
    """
    parts = []
    at, end = 0, len(text)
    while (start := text.find("{{", at)) >= 0:
        after = _end_of(text, start)
        if after is None:
            end = start
            break
        fill = " " if _COMMENT.match(text, start) else MASK
        action = _BREAK.sub("\n", text[start:after])
        parts += [text[at:start], "\n".join(fill * len(line) for line in action.split("\n"))]
        at = after
    return Masked(_BREAK.sub("\n", "".join((*parts, text[at:]))), end)


def _end_of(text: str, start: int) -> int | None:
    comment = _COMMENT.match(text, start)
    if comment is None:
        found = _ACTION.match(text, start)
    else:
        close = text.find("*/", comment.end())
        found = _COMMENT_END.match(text, close) if close >= 0 else None
    return None if found is None else found.end()


def is_continued(text: str, at: int) -> bool:
    r"""Return whether a template may render something right behind a value: ``{{-`` removes the space before it.

    >>> is_continued("a\n{{- .tag }}", 1), is_continued("a\n{{- if .b }}\n", 1), is_continued("a\nb", 1)
    (True, False, False)
    """
    trims = False
    while True:
        start = _after_space(text, at)
        if not text.startswith("{{" if trims else "{{-", start):
            return trims and start < len(text)
        after = _end_of(text, start)
        if after is None:
            return True
        if not _SILENT.match(text, start):
            return not _NEXT_LINE.search(text, start, after)
        trims = text.startswith("-", after - len("-}}"))
        if not trims:
            if _BLANK.match(text, after):
                return False
            trims = True
        at = after


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return at if found is None else found.end()
