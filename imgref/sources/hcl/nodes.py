"""The nodes of a file in HCL; each has the offsets of its start and end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

__all__ = ["Entry", "FunctionCall", "Group", "Index", "Node", "Object", "Other", "Template", "Word", "walk"]


@dataclass(slots=True)
class Word:
    """A name with its attributes (``var.image``), a number, an operator or a keyword."""

    start: int
    end: int
    text: str


@dataclass(slots=True)
class Template:
    """A string: literal parts, and the expressions that are substituted between them.

    Attributes:
        start: where its content begins, behind the quote.
        end: where its content ends.
        parts: literal strings with escapes resolved, and expressions; one of None cannot be evaluated.
        is_plain: whether the content is the value, as written.
        is_heredoc: whether it is a heredoc, whose parts are not read.
    """

    start: int
    end: int
    parts: list[str | Node | None] = field(default_factory=list)
    is_plain: bool = True
    is_heredoc: bool = False


@dataclass(slots=True)
class Group:
    """A list in brackets, or an expression in parentheses."""

    start: int
    end: int
    mark: str
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class FunctionCall:
    """A call of a function."""

    start: int
    end: int
    name: str
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Index:
    """An element of a list or of an object: ``local.images["web"]``."""

    start: int
    end: int
    base: Node
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Other:
    """Several terms with operators between them."""

    start: int
    end: int
    items: list[Node]


@dataclass(slots=True)
class Entry:
    """An attribute, or a block, of a body or an object.

    Attributes:
        key: its name, or None where it is computed, or where this is an element of a ``for`` expression.
        labels: the labels of a block.
        value: the value, or the body of a block.
        start: where it begins.
        is_block: whether it is a block.
    """

    key: str | None
    labels: tuple[str, ...]
    value: Node
    start: int
    is_block: bool = False


@dataclass(slots=True)
class Object:
    """What is in braces: an object, or the body of a block or of the file."""

    start: int
    end: int
    entries: list[Entry] = field(default_factory=list)

    def get(self, key: str) -> Node | None:
        """Return the value of an attribute or the body of a block, the last one if there are several."""
        return next((entry.value for entry in reversed(self.entries) if entry.key == key), None)

    def blocks(self, *keys: str) -> Iterator[Entry]:
        """Yield the blocks with one of some names that have a body."""
        return (entry for entry in self.entries if entry.key in keys and isinstance(entry.value, Object))


Node: TypeAlias = Word | Template | Group | FunctionCall | Index | Other | Object


def walk(node: Node) -> Iterator[tuple[tuple[str, ...], Entry]]:
    """Yield every entry below a node in order, each after its path of keys, and of functions with ``()``.

    A dynamic block has the name of the blocks that it generates.

    >>> from imgref.sources.hcl.parser import parse
    >>> [(path, entry.key) for path, entry in walk(parse("a { b = [{ c = 1 }] }").root)]
    [((), 'a'), (('a',), 'b'), (('a', 'b'), 'c')]
    """
    waiting: list[tuple[tuple[str, ...], Node | Entry]] = [((), node)]
    while waiting:
        path, item = waiting.pop()
        if isinstance(item, Entry):
            yield path, item
            waiting.append((_below(path, item), item.value))
        elif isinstance(item, Object):
            waiting.extend((path, entry) for entry in reversed(item.entries))
        elif isinstance(item, Template):
            waiting.extend(
                (path, part) for part in reversed(item.parts) if part is not None and not isinstance(part, str)
            )
        elif isinstance(item, FunctionCall):
            waiting.extend(((*path, f"{item.name}()"), one) for one in reversed(item.items))
        elif not isinstance(item, Word):
            waiting.extend((path, one) for one in reversed(item.items))


def _below(path: tuple[str, ...], entry: Entry) -> tuple[str, ...]:
    if entry.key == "dynamic" and entry.labels:
        return (*path, entry.labels[0])
    return path if entry.key is None else (*path, entry.key)
