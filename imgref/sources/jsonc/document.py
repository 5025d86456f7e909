"""JSON as values with positions; comments and trailing commas are accepted, as in editors.

What comes before an error is kept: the containers that are open there are closed.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Final, TypeAlias

__all__ = ["Array", "Document", "Object", "Other", "Text", "Value", "parse"]

_DEPTH: Final = 200
_TOKEN: Final = re.compile(
    r'[ \t\r\n]++|(?P<comment>//[^\n]*+|/\*(?s:.*?)\*/)|(?P<text>"(?:[^"\\\n]|\\[^\n])*+")'
    r"|(?P<mark>[{}\[\],:])|(?P<word>[^\s{}\[\],:\"/]++)|(?P<wrong>.)"
)


@dataclass(slots=True, frozen=True)
class Text:
    """A string: its value, and the offsets of its quotes' outer sides."""

    value: str
    start: int
    end: int

    @property
    def is_plain(self) -> bool:
        """Whether the value is in the file as it is, without escapes."""
        return self.end - self.start == len(self.value) + 2


@dataclass(slots=True, frozen=True)
class Other:
    """A number, a boolean or null, as written."""

    text: str
    start: int


@dataclass(slots=True)
class Array:
    """An array."""

    start: int
    items: list[Value] = field(default_factory=list)


@dataclass(slots=True)
class Object:
    """An object; a repeated key occurs twice."""

    start: int
    members: list[tuple[Text, Value]] = field(default_factory=list)

    def get(self, key: str) -> Value | None:
        """Return the value of a key, the last one if there are several."""
        return next((value for name, value in reversed(self.members) if name.value == key), None)


Value: TypeAlias = Text | Other | Array | Object


@dataclass(slots=True)
class Document:
    """A parsed document.

    Attributes:
        root: the outermost value, or None if there is none.
        comments: the spans of comments.
        error: the offset of the first error and what is wrong, or None.
    """

    root: Value | None = None
    comments: list[tuple[int, int]] = field(default_factory=list)
    error: tuple[int, str] | None = None


def parse(text: str) -> Document:
    """Parse JSON with comments.

    >>> parse('{"image": "nginx", } // web').root.get("image").value
    'nginx'
    """
    document = Document()
    parser = _Parser(document)
    at = 0
    while at < len(text) and document.error is None:
        found = _TOKEN.match(text, at)
        if found is None:  # a line that ends inside of a string
            document.error = at, "this is not valid JSON"
            break
        at = found.end()
        if found.lastgroup == "comment":
            document.comments.append(found.span())
        elif found.lastgroup is not None:
            parser.take(found.lastgroup, found[0], found.start())
    if document.error is None and not parser.is_complete:
        document.error = len(text), "this is not valid JSON: it ends too early"
    return document


class _Parser:
    """Puts values together without recursion."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._open: list[Array | Object] = []
        self._key: Text | None = None
        self._wants = "value"  # or "key", "colon", "comma", "end"

    @property
    def is_complete(self) -> bool:
        return self._wants == "end"

    def take(self, kind: str, text: str, start: int) -> None:
        """Take the next token."""
        if kind == "mark":
            self._mark(text, start)
        elif kind == "wrong":
            self._fail(start)
        elif kind == "text" and self._wants == "key":
            self._key = _text(text, start)
            self._wants = "colon"
        elif self._wants != "value":
            self._fail(start)
        else:
            self._add(_text(text, start) if kind == "text" else Other(text, start))
            self._after_value()

    def _mark(self, mark: str, start: int) -> None:
        inner = self._open[-1] if self._open else None
        if mark in "{[" and self._wants == "value":
            if len(self._open) >= _DEPTH:
                self._document.error = start, "this JSON is nested too deeply"
                return
            value: Array | Object = Object(start) if mark == "{" else Array(start)
            self._add(value)
            self._open.append(value)
            self._wants = "key" if mark == "{" else "value"
        elif (mark == "}" and isinstance(inner, Object) and self._wants in {"key", "comma"}) or (
            mark == "]" and isinstance(inner, Array) and self._wants in {"value", "comma"}
        ):
            self._open.pop()
            self._after_value()
        elif mark == ":" and self._wants == "colon":
            self._wants = "value"
        elif mark == "," and self._wants == "comma":
            self._wants = "key" if isinstance(inner, Object) else "value"
        else:
            self._fail(start)

    def _add(self, value: Value) -> None:
        if not self._open:
            self._document.root = value
        elif isinstance(inner := self._open[-1], Array):
            inner.items.append(value)
        elif self._key is not None:
            inner.members.append((self._key, value))
            self._key = None

    def _after_value(self) -> None:
        self._wants = "comma" if self._open else "end"

    def _fail(self, start: int) -> None:
        self._document.error = start, "this is not valid JSON"


def _text(written: str, start: int) -> Text:
    try:
        value = json.loads(written, strict=False) if "\\" in written else written[1:-1]
    except ValueError:  # an escape that does not exist
        value = written[1:-1]
    return Text(value, start, start + len(written))
