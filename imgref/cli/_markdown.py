"""Markdown on a terminal: as much of it as the pages of rules have, with every word in one piece.

rich could draw it, but breaks lines of code and long words, which then cannot be copied.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

__all__ = ["render"]

Styled = Callable[[str, str], str]

_FENCE: Final = "```"
_HEADING: Final = re.compile(r"#{1,6} +(?P<text>.*)")


def render(text: str, columns: int, styled: Styled) -> str:
    r"""Return Markdown as it is to be drawn: headings and code coloured, code indented, paragraphs filled.

    Args:
        text: headings, paragraphs with `` `code` ``, and blocks of code between fences.
        columns: the width to fill; a word that is longer sticks out.
        styled: colors a string.

    >>> print(render("## A b\n\nSee `c d`.\n\n```sh\nls\n```\n", 6, lambda text, colour: text), end="")
    A b
    <BLANKLINE>
    See c
    d.
    <BLANKLINE>
        ls
    """
    lines: list[str] = []
    in_code = False
    for line in text.splitlines():
        if line.startswith(_FENCE):
            in_code = not in_code
        elif in_code:
            lines.append(f"    {line}" if line else "")
        elif heading := _HEADING.fullmatch(line):
            lines.append(styled(heading["text"], "yellow"))
        else:
            lines += _filled(line, columns, styled)
    return "".join(f"{line}\n" for line in lines)


def _filled(text: str, columns: int, styled: Styled) -> Iterator[str]:
    """Yield the lines of a paragraph, none of which is wider than the columns if its words allow that."""
    line: list[str] = []
    width = 0
    for word, drawn in _words(text, styled):
        if line and width + 1 + len(word) > columns:
            yield " ".join(line)
            line, width = [], 0
        width += len(word) + bool(line)
        line.append(drawn)
    yield " ".join(line)


def _words(text: str, styled: Styled) -> Iterator[tuple[str, str]]:
    """Yield each word without its backquotes, plain and as it is drawn."""
    in_code = False
    for word in text.split():
        parts = word.split("`")
        drawn = ""
        for number, part in enumerate(parts):
            in_code ^= number > 0
            drawn += styled(part, "cyan") if part and in_code else part
        yield "".join(parts), drawn
