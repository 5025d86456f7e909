"""The tokens of Groovy: names, strings, brackets and ends of lines; everything else is an operator.

https://groovy-lang.org/syntax.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

__all__ = ["Token", "Tokens", "tokens"]

Kind = Literal["word", "string", "gstring", "mark", "newline"]

_TOKEN: Final = re.compile(
    r"(?P<blank>[ \t\r\f]++|\\\n)|(?P<newline>\n)|(?P<comment>//[^\n]*+|/\*(?s:.*?)(?:\*/|\Z)|\A\#![^\n]*+)"
    r"|(?P<long>'''(?s:(?:[^'\\]|\\.|'(?!''))*+)(?:'''|\Z)|\"\"\"(?s:(?:[^\"\\]|\\.|\"(?!\"\"))*+)(?:\"\"\"|\Z))"
    r"|(?P<short>'(?:[^'\\\n]|\\(?s:.))*+'|\"(?:[^\"\\\n]|\\(?s:.))*+\")"
    r"|(?P<dollar>\$/(?s:.*?)(?:/\$|\Z))"
    r"|(?P<word>[^\W\d][\w$]*(?:\??\.[^\W\d][\w$]*)*|[0-9][\w.]*)"
    r"|(?P<mark>.)"
)
_SLASHY: Final = re.compile(r"/(?:[^/\\\n]|\\.)++/")
_BEFORE_SLASHY: Final = frozenset("(,=[{~:;!&|?")


class Token(NamedTuple):
    """A token.

    Attributes:
        kind: what it is; a ``gstring`` has expressions that are substituted.
        start: where it begins, with quotes.
        end: where it ends.
        text: the content of a string without its quotes, or the token itself.
        quotes: how long each of its quotes is.
    """

    kind: Kind
    start: int
    end: int
    text: str
    quotes: int = 0

    @property
    def is_string(self) -> bool:
        """Whether it is a string."""
        return self.kind in {"string", "gstring"}


@dataclass(slots=True)
class Tokens:
    """The tokens of a file.

    Attributes:
        items: the tokens, in order.
        comments: the spans of comments.
    """

    items: list[Token] = field(default_factory=list)
    comments: list[tuple[int, int]] = field(default_factory=list)


def tokens(text: str) -> Tokens:
    """Return the tokens of a source; anything that is not Groovy is read as far as it resembles it.

    >>> [token.text for token in tokens("image 'nginx' // web").items]
    ['image', 'nginx']
    """
    found = Tokens()
    at = plain_until = 0
    while at < len(text):
        # A slash is the start of a string only where no operand is before it, and on a line on which it ends.
        if text[at] == "/" and at >= plain_until and _may_be_slashy(text, at, found):
            slashy = _SLASHY.match(text, at)
            if slashy is not None:
                found.items.append(Token("gstring", at, slashy.end(), slashy[0][1:-1], 1))
                at = slashy.end()
                continue
            end = text.find("\n", at)
            plain_until = len(text) if end < 0 else end
        token = _TOKEN.match(text, at)
        if token is None:  # pragma: no cover  the last alternative and the newline match everything
            at += 1
            continue
        start, at = token.span()
        _add(found, token, start)
    return found


def _may_be_slashy(text: str, at: int, found: Tokens) -> bool:
    if text.startswith(("//", "/*"), at):
        return False
    before = found.items[-1] if found.items else None
    return before is None or before.kind == "newline" or (before.kind == "mark" and before.text in _BEFORE_SLASHY)


def _add(found: Tokens, token: re.Match[str], start: int) -> None:
    kind, text, end = token.lastgroup, token[0], token.end()
    if kind == "comment":
        found.comments.append((start, end))
    elif kind == "newline":
        found.items.append(Token("newline", start, end, text))
    elif kind == "word":
        found.items.append(Token("word", start, end, text))
    elif kind in {"long", "short", "dollar"}:
        quotes = {"long": 3, "short": 1, "dollar": 2}[kind]
        content = text[quotes : max(quotes, len(text) - quotes)]
        is_fixed = text[0] == "'" or not re.search(r"(?<!\\)\$", content)
        found.items.append(Token("string" if is_fixed else "gstring", start, end, content, quotes))
    elif kind == "mark":
        found.items.append(Token("mark", start, end, text))
