"""Template sources that are not YAML yet: their ``image`` lines are counted, and never read as references."""

from __future__ import annotations

import re
from typing import Final

from imgref.sources.occurrence import Occurrence
from imgref.sources.yaml.document import Lines

__all__ = ["looks_like_template", "template_images"]

_LINE: Final = re.compile(r"""^[ \t]*+(?:-[ \t]++)?["']?image["']?[ \t]*+:[ \t]++(?P<value>[^\s#].*+)""", re.MULTILINE)
_COMMENT: Final = re.compile(r"[ \t]#")
_EXPRESSION: Final = re.compile(r"\$\{\{")
_EMPTY: Final = frozenset({"", "|", ">", "|-", ">-", "null", "~", '""', "''"})


def looks_like_template(text: str, kind: str | None) -> bool:
    """Whether ``{{`` or ``{%`` explains why a file is not valid YAML; GitHub's ``${{`` occurs in valid YAML."""
    if kind == "github-actions":
        text = _EXPRESSION.sub("", text)
    return "{{" in text or "{%" in text


def template_images(text: str) -> tuple[Occurrence, ...]:
    """Find the ``image`` lines of a template.

    >>> template_images("image: '{{ .Values.image }}'")[0].text
    '{{ .Values.image }}'
    """
    lines: Lines | None = None
    found = []
    for match in _LINE.finditer(text):
        value = match["value"].rstrip()
        start = match.start("value")
        if value[0] in {"'", '"'}:
            start += 1
            quote = value[0]
            value = value[1:].removesuffix(quote) if value.count(quote) != len("''") else value[1:].partition(quote)[0]
        elif comment := _COMMENT.search(value):
            value = value[: comment.start()].rstrip()
        if value in _EMPTY or (value[0] in "{[&*" and not value.startswith(("{{", "{%"))):
            continue
        lines = lines or Lines(text)
        line, column = lines.at(start)
        reason = "it is in a template"
        found.append(Occurrence(line, column, value, None, "unresolved", "template.image", reason=reason))
    return tuple(found)
