"""Bake files: images that targets use as contexts, and generators of attestations.

What a target builds (``tags``, ``output``), its caches and its build arguments are not references that it pulls.
https://docs.docker.com/build/bake/reference/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from imgref.sources.collected import Collected, Written
from imgref.sources.contract import Context
from imgref.sources.hcl.bake_builds import bake_builds
from imgref.sources.hcl.json_syntax import blocks, parse_either
from imgref.sources.hcl.nodes import Entry, Node, Object, Template, walk
from imgref.sources.hcl.values import Lookup, Values
from imgref.sources.occurrence import Reading

__all__ = ["is_bake", "read"]

_TARGET: Final = re.compile(r'^[ \t]*target[ \t]+"[^"\n]*+"[ \t]*\{', re.MULTILINE)
_SCHEME: Final = "docker-image://"
_CONTEXT: Final = "bake.contexts"
_ATTEST: Final = "bake.attest"
_GENERATOR: Final = re.compile(r"(?:^|,)[ ]*generator=([^,]*+)")
_WORDS: Final = (_SCHEME, "generator", "imgref:")


def is_bake(text: str) -> bool:
    r"""Return whether content has a target of bake.

    >>> is_bake('group "default" {}\ntarget "app" {\n}\n')
    True
    """
    return _TARGET.search(text) is not None


def read(text: str, _: Context = Context()) -> Reading:  # noqa: B008  immutable
    r"""Find the images of a bake file, in HCL or JSON.

    >>> text = 'target "a" {\n  contexts = { base = "docker-image://alpine:3" }\n}\n'
    >>> [(one.line, one.column, one.text, one.resolved) for one in read(text).occurrences]
    [(2, 24, 'docker-image://alpine:3', 'alpine:3')]
    """
    found = Collected("bake", text)
    document = parse_either(text)
    found.document(document.comments, document.errors, incomplete=document.is_incomplete)
    variables = _variables(document.root)
    if any(word in text for word in _WORDS):
        values = Values(text, variables)
        for _labels, body in blocks(document.root, "target", 1):
            for entry in body.entries:
                if entry.key == "contexts":
                    _contexts(entry, values, found)
                elif entry.key == "attest":
                    _attestations(entry, values, found)
    builds = (replace(one, line=found.line_of(at)) for at, one in bake_builds(document.root, text, variables))
    return replace(found.reading(), builds=() if document.is_incomplete else tuple(builds))


def _variables(root: Object) -> Lookup:
    """Return the lookup of ``variable`` blocks, by their default, and of attributes of the file."""
    table = {
        entry.key: entry.value
        for entry in root.entries
        if entry.key is not None and not entry.is_block and entry.key not in {"variable", "target", "group", "function"}
    }
    for labels, body in blocks(root, "variable", 1):
        if labels and (default := body.get("default")) is not None:
            table[labels[0]] = default

    def lookup(parts: Sequence[str]) -> tuple[Node | None, Sequence[str]]:
        return table.get(parts[0]), parts[1:]

    return lookup


def _contexts(contexts: Entry, values: Values, found: Collected) -> None:
    for _path, entry in walk(contexts.value):
        for node in _choices(entry.value):
            written = values.written(node)
            if (written.resolved or written.text).startswith(_SCHEME):
                _context(written, found)


def _choices(value: Node) -> Iterator[Node]:
    """Yield what the value can be: itself, or each string that is a term of it, such as those of a conditional."""
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Object):
            continue
        if isinstance(node, Template) or node is value:
            yield node
        if not isinstance(node, Template):
            waiting.extend(getattr(node, "items", ()))


def _context(written: Written, found: Collected) -> None:
    resolved = written.resolved
    if resolved == f"{_SCHEME}scratch":
        found.add(written, _CONTEXT, "scratch", "scratch")
    else:
        found.image(written, _CONTEXT, scheme=_SCHEME)


def _attestations(attest: Entry, values: Values, found: Collected) -> None:
    """``attest`` is a list of strings with ``generator=…`` in them, or of objects with that key."""
    for _path, entry in walk(attest.value):
        if entry.key == "generator":
            found.image(values.written(entry.value), _ATTEST)
    for node in _choices(attest.value):
        written = values.written(node)
        generator = _GENERATOR.search(written.text) if isinstance(node, Template) else None
        if generator is not None:
            value = generator if "${" not in generator[1] else _GENERATOR.search(written.resolved or "")
            start = written.start + generator.start(1)
            resolved = None if value is None else value[1]
            found.image(Written(generator[1], start, resolved, written.reason, written.fixed), _ATTEST)
