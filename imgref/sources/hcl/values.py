"""The values of expressions in HCL that the file itself contains: strings, and variables with defaults."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from imgref.errors import quote
from imgref.sources.collected import IN_VARIABLE, SPLIT, Written
from imgref.sources.hcl.json_syntax import blocks
from imgref.sources.hcl.nodes import Group, Index, Node, Object, Template, Word

__all__ = ["Lookup", "Values", "with_terraform_variables"]

_NESTED: Final = 16
_LENGTH: Final = 512
_EFFORT: Final = 500_000
_HEREDOC: Final = "it is the text of a heredoc"

Lookup = Callable[[Sequence[str]], "tuple[Node | None, Sequence[str]]"]
"""Returns the value that a name has in the file, and what of the name is left: the attributes of that value."""


class _Value(NamedTuple):
    """A value: a string, an object or a list; or None and why it is not known."""

    node: str | Object | Group | None
    reason: str = ""


class Values:
    """Evaluates expressions of one file.

    Args:
        text: the content of the file.
        lookup: finds the variables of the file.
    """

    def __init__(self, text: str, lookup: Lookup) -> None:
        self._text = text
        self._lookup = lookup
        self._known: dict[str, _Value] = {}
        self._effort = _EFFORT

    def written(self, node: Node) -> Written:
        """Return an expression as it is written, with its value."""
        value = self._value(node, 0)
        resolved, reason = (value.node, None) if isinstance(value.node, str) else (None, value.reason)
        if resolved is None and not reason:
            reason = "it is not a string"
        if isinstance(node, Template):
            text = self._text[node.start : node.end]
            fixed = "" if node.is_plain else SPLIT if "${" not in text else IN_VARIABLE
            return Written(text, node.start, resolved, reason, fixed)
        return Written(self._text[node.start : node.end], node.start, resolved, reason, IN_VARIABLE)

    def string(self, node: Node | None) -> str | None:
        """Return the value of an expression if it is known and a string."""
        value = None if node is None else self._value(node, 0).node
        return value if isinstance(value, str) else None

    def _value(self, node: Node, depth: int) -> _Value:
        self._effort -= 1
        if depth > _NESTED or self._effort < 0:
            return _Value(None, "it has too many variables in variables")
        if isinstance(node, Template):
            return self._template(node, depth)
        if isinstance(node, Word):
            return self._word(node.text, depth)
        if isinstance(node, Object):
            return _Value(node)
        if isinstance(node, Group):
            is_list = node.mark == "["
            return _Value(node) if is_list or len(node.items) != 1 else self._value(node.items[0], depth + 1)
        if isinstance(node, Index) and len(node.items) == 1:
            base, key = self._value(node.base, depth + 1), self._value(node.items[0], depth + 1)
            if isinstance(key.node, str) and base.node is not None:
                return self._element(base.node, key.node, depth)
        return _Value(
            None, f"the value of the expression {_shown(self._text[node.start : node.end])} is not known here"
        )

    def _template(self, template: Template, depth: int) -> _Value:
        if template.is_heredoc:
            return _Value(None, _HEREDOC)
        parts: list[str] = []
        length = 0
        for part in template.parts:
            value = _Value(part) if isinstance(part, str) else _Value(None)
            if part is not None and not isinstance(part, str):
                value = self._value(part, depth + 1)
            if not isinstance(value.node, str):
                return _Value(None, value.reason or "the value of its template is not known here")
            parts.append(value.node)
            length += len(value.node)
            if depth and length > _LENGTH:
                return _Value(None, "its variables make it longer than a reference can be")
        return _Value("".join(parts))

    def _word(self, name: str, depth: int) -> _Value:
        if name[0].isdigit() or name in {"true", "false"}:
            return _Value(name)
        if name not in self._known:
            self._known[name] = _Value(None, f"the variable {_shown(name)} refers to itself")
            self._known[name] = self._variable(name, depth)
        return self._known[name]

    def _variable(self, name: str, depth: int) -> _Value:
        node, rest = self._lookup(name.split("."))
        if node is None or (isinstance(node, Word) and node.text == "null"):
            return _Value(None, f"the variable {_shown(name)} has no value and no default")
        value = self._value(node, depth + 1)
        for key in rest:
            if value.node is not None:
                value = self._element(value.node, key, depth)
        return value

    def _element(self, node: str | Object | Group, key: str, depth: int) -> _Value:
        item: Node | None = None
        if isinstance(node, Object):
            self._effort -= len(node.entries)
            item = node.get(key)
        elif isinstance(node, Group) and key.isdecimal() and len(key) < 6 and int(key) < len(node.items):
            item = node.items[int(key)]
        return _Value(None, f"there is no {_shown(key)} in it") if item is None else self._value(item, depth + 1)


def _shown(text: str) -> str:
    return quote(text.partition("\n")[0])


def with_terraform_variables(root: Object) -> Lookup:
    """Return the lookup of ``var.x``, the default of a ``variable`` block, and ``local.x``, an entry of ``locals``."""
    tables: dict[str, dict[str, Node]] = {"var": {}, "local": {}}
    for _labels, body in blocks(root, "locals", 0):
        tables["local"].update({entry.key: entry.value for entry in body.entries if entry.key is not None})
    for labels, body in blocks(root, "variable", 1):
        if labels and (default := body.get("default")) is not None:
            tables["var"][labels[0]] = default

    def lookup(parts: Sequence[str]) -> tuple[Node | None, Sequence[str]]:
        table = tables.get(parts[0])
        return (None, ()) if table is None or len(parts) == 1 else (table.get(parts[1]), parts[2:])

    return lookup
