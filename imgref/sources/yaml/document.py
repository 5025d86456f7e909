r"""YAML as nodes with positions, which :mod:`imgref.sources.yaml.composer` creates.

Keys may be repeated, tags are not resolved, and aliases, also cyclic ones, are their nodes: code that walks the
nodes meets each once.

Lines end as YAML 1.2 ends them, at ``\n``, ``\r\n`` and ``\r``: https://yaml.org/spec/1.2.2/#54-line-break-characters
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from typing import Final, cast

__all__ = ["Lines", "Mapping", "Node", "Scalar", "Sequence", "after_properties", "walk"]

_MERGED: Final = 32
"""How many mappings one mapping may merge with ``<<``; real files never have more."""

_SMALL: Final = 8
"""How many pairs are searched one by one: a table for each of a file's many small mappings takes much memory."""

_PIECE: Final = 1 << 16
_NEXT: Final = (1).__add__
_BREAK: Final = re.compile(r"\r\n?|\n")
_PROPERTIES: Final = re.compile(r"(?:[!&][^\s]*+(?:\s|(?<=\s)#[^\r\n]*+)*+)*+")
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_NOT_TEXT: Final = re.compile(
    r"[Tt]rue|TRUE|[Ff]alse|FALSE|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+",
    re.ASCII,
)


class Scalar:
    """A scalar, with the index at which it (or the anchor or tag before it) begins, and how it is quoted.

    ``style`` is empty for a plain one, else its quote, ``|`` or ``>``.
    """

    __slots__ = ("start", "style", "tag", "value", "with_properties")

    def __init__(self, value: str, start: int, style: str, tag: str | None, with_properties: bool) -> None:
        self.value = value
        self.start = start
        self.style = style
        self.tag = tag
        self.with_properties = with_properties

    @property
    def is_null(self) -> bool:
        """Whether nothing is written here, by YAML 1.2's core schema."""
        if self.tag is not None:
            return self.tag == "tag:yaml.org,2002:null"
        return not self.style and self.value in _NULLS

    @property
    def is_text(self) -> bool:
        """Whether this is neither a number nor a boolean in YAML 1.2's core schema."""
        return bool(self.style) or self.tag is not None or _NOT_TEXT.fullmatch(self.value) is None

    @property
    def is_block(self) -> bool:
        """Whether this is a block scalar."""
        return self.style in {"|", ">"}

    def place(self, text: str) -> int:
        """The index in ``text`` of the first character, behind anchor, tag and quote."""
        start = after_properties(text, self.start) if self.with_properties else self.start
        return start + (self.style in {"'", '"'})


class Sequence:
    """A list of nodes."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: list[Node] = []

    def close(self) -> None:
        """Take no more items, and no more memory than these need."""
        self.items = cast("list[Node]", tuple(self.items))


class Mapping:
    """Pairs of nodes in the order of the file, with the index at which the first begins; a key may repeat.

    ``flat`` has keys and values in turn, since a tuple for each pair would be most of what a file takes in memory.
    """

    __slots__ = ("_table", "flat", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.flat: list[Node] = []
        self._table: dict[str, Node] | None = None

    @property
    def pairs(self) -> list[tuple[Node, Node]]:
        """The pairs of keys and values."""
        return list(zip(self.flat[::2], self.flat[1::2], strict=True))

    def close(self) -> None:
        """Take no more pairs, and no more memory than these need."""
        self.flat = cast("list[Node]", tuple(self.flat))

    def own(self, key: str) -> Node | None:
        """The last value that is written for ``key`` here."""
        flat = self.flat
        if len(flat) <= 2 * _SMALL:
            for at in range(len(flat) - 2, -1, -2):
                name = flat[at]
                if type(name) is Scalar and name.value == key:
                    return flat[at + 1]
            return None
        if self._table is None:
            self._table = {name.value: value for name, value in self.pairs if isinstance(name, Scalar)}
        return self._table.get(key)

    def get(self, key: str) -> Node | None:
        """The value of ``key``, from here or from what is merged in with ``<<``; the nearest one."""
        value = self.own(key)
        if value is not None or self.own("<<") is None:
            return value
        return next((value for mapping in self.merged() if (value := mapping.own(key)) is not None), None)

    def every(self, key: str) -> list[Node]:
        """All that is written for ``key`` here, as often as it is repeated; or else what is merged in."""
        if self.own(key) is not None:
            return [value for name, value in self.pairs if isinstance(name, Scalar) and name.value == key]
        value = self.get(key)
        return [] if value is None else [value]

    def entries(self) -> Iterator[tuple[str, Node]]:
        """The pairs whose key is a string, and instead of ``<<`` those that are merged."""
        for mapping in (self, *self.merged()):
            for name, value in mapping.pairs:
                if isinstance(name, Scalar) and name.value != "<<":
                    yield name.value, value

    def merged(self) -> list[Mapping]:
        """The mappings that ``<<`` takes in, nearest first, each once: https://yaml.org/type/merge.html."""
        found: list[Mapping] = []
        seen = {id(self)}
        waiting: list[Mapping] = [self]
        while waiting and len(found) < _MERGED:
            merge = waiting.pop().own("<<")
            parents = merge.items[:_MERGED] if isinstance(merge, Sequence) else [merge]
            new = [parent for parent in parents if isinstance(parent, Mapping) and id(parent) not in seen]
            seen.update(map(id, new))
            found += new
            waiting += reversed(new)
        return found


Node = Scalar | Sequence | Mapping


class Lines:
    """Maps an index to its 1-based line and column."""

    def __init__(self, text: str) -> None:
        self._starts = array("I", [0])
        if "\r" in text:
            self._starts.extend(found.end() for found in _BREAK.finditer(text))
            return
        for start in range(0, len(text), _PIECE):
            # All of this is done in C: of each line its length, and their sums.
            lengths = map(len, text[start : start + _PIECE].split("\n"))
            ends = accumulate(map(_NEXT, lengths), initial=start)
            next(ends)
            self._starts.extend(ends)
            self._starts.pop()  # what is behind the last line feed ends later

    def at(self, index: int) -> tuple[int, int]:
        r"""Return line and column of the character at ``index``.

        >>> Lines("a\nbc").at(3)
        (2, 2)
        """
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1


def after_properties(text: str, start: int) -> int:
    """Return the index behind an optional anchor and tag at ``start``, with the comments between them."""
    found = _PROPERTIES.match(text, start)
    return found.end() if found else start


def walk(root: Node) -> Iterator[Mapping]:
    """Yield every mapping from ``root`` down, each once, however often and from where it is aliased."""
    seen: set[int] = set()
    waiting: list[Node] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Scalar) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Sequence):
            waiting += reversed(node.items)
        else:
            yield node
            waiting += reversed(node.flat[1::2])
