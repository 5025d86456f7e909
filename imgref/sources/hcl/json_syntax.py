"""The JSON syntax of HCL, as nodes: objects are bodies, and strings are templates.

https://github.com/hashicorp/hcl/blob/main/json/spec.md
"""

from __future__ import annotations

from collections.abc import Iterator

from imgref.sources.hcl.nodes import Entry, Group, Node, Object, Template, Word
from imgref.sources.hcl.parser import Document, parse, parse_template
from imgref.sources.jsonc import document as jsonc

__all__ = ["blocks", "from_json", "parse_either"]


def parse_either(text: str) -> Document:
    """Parse a file in either syntax; no body in HCL begins with a brace.

    >>> parse_either('{"a": "b"}').root.entries[0].key, parse_either("a = 1").root.entries[0].key
    ('a', 'a')
    """
    if not text.lstrip().startswith("{"):
        return parse(text)
    document = jsonc.parse(text)
    root = None if document.root is None else from_json(document.root, text)
    errors = [] if document.error is None else [document.error]
    body = root if isinstance(root, Object) else Object(0, len(text))
    return Document(body, document.comments, errors, is_incomplete=bool(errors))


def from_json(value: jsonc.Value, text: str) -> Node:
    """Return a JSON value as a node."""
    if isinstance(value, jsonc.Text):
        if value.is_plain:
            return parse_template(text, value.start + 1, value.end - 1)
        return Template(value.start + 1, value.end - 1, [value.value], is_plain=False)
    if isinstance(value, jsonc.Array):
        return Group(value.start, value.start + 1, "[", [from_json(item, text) for item in value.items])
    if isinstance(value, jsonc.Object):
        entries = [Entry(key.value, (), from_json(item, text), key.start) for key, item in value.members]
        return Object(value.start, value.start + 1, entries)
    return Word(value.start, value.start + len(value.text), value.text)


def blocks(root: Object, key: str, labels: int) -> Iterator[tuple[tuple[str, ...], Object]]:
    """Yield the labels and the body of each block of a kind, in either syntax: in JSON, labels are nested keys."""
    for entry in root.entries:
        if entry.key == key and entry.is_block and isinstance(entry.value, Object):
            yield entry.labels, entry.value
        elif entry.key == key and not entry.is_block:
            yield from _nested(entry.value, (), labels)


def _nested(value: Node, names: tuple[str, ...], labels: int) -> Iterator[tuple[tuple[str, ...], Object]]:
    for item in value.items if isinstance(value, Group) else (value,):
        if not isinstance(item, Object):
            continue
        if not labels:
            yield names, item
            continue
        for entry in item.entries:
            yield from _nested(entry.value, (*names, entry.key or ""), labels - 1)
