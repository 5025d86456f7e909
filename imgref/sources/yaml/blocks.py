"""YAML in a block scalar of YAML, with its positions in the file."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from imgref.sources.yaml.composer import compose
from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence

__all__ = ["Block", "nodes_in"]

_HEADER: Final = re.compile(r"\|[-+]?(?:[ \t]+#[^\r\n]*)?[ \t]*(?:\r\n?|\n)")
_LINE: Final = re.compile(r"([ \t]*)([^\r\n]*)(?:\r\n?|\n|$)")


class Block(NamedTuple):
    """The content of a block scalar, with its positions in the file.

    Attributes:
        documents: the documents.
        start: where the lines of the block begin.
        quoted: start and end of every quoted or block scalar in it.
    """

    documents: list[Node]
    start: int
    quoted: list[tuple[int, int]]


def nodes_in(node: Scalar, text: str) -> Block | None:
    """Return what is in a literal block scalar, or None if it is not YAML or not such a scalar.

    Args:
        node: the scalar.
        text: the content of the file.
    """
    header = _HEADER.match(text, node.place(text)) if node.style == "|" else None
    if header is None:
        return None
    start = header.end()
    composition = compose(text[start : _end(text, start)])
    if composition.problems or composition.aliased:
        return None
    for document in composition.documents:
        _move(document, start)
    return Block(composition.documents, start, [(first + start, last + start) for first, last in composition.quoted])


def _end(text: str, start: int) -> int:
    """Return where the lines of a block end: the first one with content determines the indentation."""
    indent = 0
    while start < len(text) and (line := _LINE.match(text, start)) is not None:
        if line[2]:
            indent = indent or len(line[1])
            if len(line[1]) < indent or not indent:
                break
        start = line.end()
    return start


def _move(root: Node, offset: int) -> None:
    """Add an offset to the positions of all nodes, each once."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Sequence):
            waiting += node.items
            continue
        node.start += offset
        if isinstance(node, Mapping):
            waiting += node.flat
