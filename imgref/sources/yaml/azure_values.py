"""The parameters and variables of a pipeline of Azure, as far as the file itself sets them.

https://learn.microsoft.com/en-us/azure/devops/pipelines/process/variables
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from imgref.sources.yaml.collector import is_empty
from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence, walk

__all__ = ["AzureValues"]

_NAME: Final = r"[A-Za-z_][A-Za-z0-9_.]*+"
_USE: Final = re.compile(
    rf"\$\{{\{{[ \t]*+(?P<table>parameters|variables)(?:\.(?P<name>{_NAME})|\[[ \t]*+'(?P<key>[^'\n]*+)'[ \t]*+\])"
    rf"[ \t]*+\}}\}}|\$\((?P<macro>{_NAME})\)"
)
_LENGTH: Final = 512
_NESTED: Final = 16


class AzureValues:
    """Substitutes expressions in the values of one file.

    A variable has a value here if the pipeline sets it, and sets it nowhere to anything else: jobs, stages and
    conditions can set variables of the same name.

    Args:
        document: the file.
    """

    def __init__(self, document: Mapping) -> None:
        self._tables = {"parameters": _parameters(document), "variables": _variables(document)}

    def resolve(self, node: Scalar) -> str | None:
        """Return the value of a string with expressions, or None if they are not all known or there are none."""
        if node.is_block or "$" not in node.value:
            return None
        text = node.value
        for _ in range(_NESTED):
            if len(text) > _LENGTH:
                return None
            longer = _USE.sub(self._value, text)
            if longer == text:
                break
            text = longer
        return None if "$" in text or "{{" in text else text

    def _value(self, match: re.Match[str]) -> str:
        table = self._tables[match["table"] or "variables"]
        return table.get((match["name"] or match["key"] or match["macro"] or "").lower(), match[0])


def _parameters(document: Mapping) -> dict[str, str]:
    """Return the defaults of the parameters of a pipeline or template, which are a list or a mapping."""
    parameters = document.get("parameters")
    found = dict(_entries(parameters)) if isinstance(parameters, Mapping) else dict(_items(parameters, "default"))
    return {name: value.value for name, value in found.items() if _is_plain(value)}  # type: ignore[union-attr]


def _variables(document: Mapping) -> dict[str, str]:
    settings = document.get("variables")
    top = dict(_entries(settings)) if isinstance(settings, Mapping) else dict(_items(settings, "value"))
    if not top:
        return {}
    values: dict[str, set[str]] = {}
    for mapping in walk(document):
        for part in mapping.every("variables"):
            for name, value in _everywhere(part):
                values.setdefault(name, set()).add(value.value if isinstance(value, Scalar) else "")
    return {
        name: value.value  # type: ignore[union-attr]
        for name, value in top.items()
        if _is_plain(value) and len(values[name]) == 1
    }


def _everywhere(variables: Node) -> Iterator[tuple[str, Node | None]]:
    """Yield what variables are set to, also below conditions, which are keys."""
    yield from _items(variables, "value")
    for mapping in walk(variables):
        yield from ((name, value) for name, value in _entries(mapping) if not isinstance(value, Mapping))
        for _, value in mapping.entries():
            yield from _items(value, "value")


def _entries(mapping: Mapping) -> Iterator[tuple[str, Node]]:
    return ((name.lower(), value) for name, value in mapping.entries())


def _items(node: Node | None, key: str) -> Iterator[tuple[str, Node | None]]:
    """Yield the name and the value of each item of a list."""
    for item in node.items if isinstance(node, Sequence) else ():
        name = item.get("name") if isinstance(item, Mapping) else None
        if isinstance(item, Mapping) and isinstance(name, Scalar):
            yield name.value.lower(), item.get(key)


def _is_plain(node: Node | None) -> bool:
    return isinstance(node, Scalar) and not is_empty(node) and not node.is_block and len(node.value) <= _LENGTH
