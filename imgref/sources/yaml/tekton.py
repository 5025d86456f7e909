"""Tekton: the images of steps and sidecars, bundles, and the parameters of the same file that name them.

https://tekton.dev/docs/pipelines/tasks/
https://tekton.dev/docs/pipelines/bundle-resolver/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imgref.sources.yaml.collector import is_empty
from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence
from imgref.sources.yaml.objects import text_of, type_of
from imgref.sources.yaml.variables import Resolved

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found

__all__ = ["is_tekton", "read"]

_CONTAINERS: Final = frozenset({
    "containers", "ephemeralContainers", "initContainers", "sidecars", "stepTemplate", "steps",
})  # fmt: skip
_NOT_SPECIFIED: Final = frozenset({"status", "metadata"})
_PARAMETER: Final = re.compile(r"\$\((?:inputs\.)?params(?:\.([A-Za-z0-9_.-]+)|\[(['\"])([^'\"\]]+)\2\])\)")
_LENGTH: Final = 512
"""The longest value that is followed; hardly any reference is longer."""

_NESTED: Final = 16
"""How deep parameters in the values of parameters are followed."""

_EFFORT: Final = 100_000
"""How often parameters are looked up for one object."""

_Table = dict[str, tuple[Scalar | None, Scalar | None]]


def is_tekton(document: Node) -> bool:
    """Return whether this is an object of Tekton."""
    kind = type_of(document)
    return kind is not None and kind.is_in("tekton.dev")


class _Parameters:
    """The parameters that are known at a position: those of a mapping, then those around it."""

    def __init__(self, table: _Table, around: _Parameters | None, effort: Iterator[int]) -> None:
        self.table = table
        self.around = around
        self._effort = effort

    def inside(self, table: _Table) -> _Parameters:
        return _Parameters(table, self, self._effort)

    def resolve(self, text: str, depth: int = 0) -> Resolved:
        """Substitute the parameters of a string: a value that a run sets, or else the default."""
        parts: list[str] = []
        at = 0
        for match in _PARAMETER.finditer(text):
            value = self._value(match[1] or match[3], depth)
            if value is None or len(value) > _LENGTH:
                return Resolved(None, f"the parameter {match[1] or match[3]} has no value")
            parts += [text[at : match.start()], value]
            at = match.end()
        whole = "".join((*parts, text[at:]))
        return Resolved(None, "the value of its variable is not known here") if "$" in whole else Resolved(whole)

    def _value(self, name: str, depth: int) -> str | None:
        if depth >= _NESTED or next(self._effort, None) is None:
            return None
        scope: _Parameters | None = self
        default: tuple[Scalar, _Parameters] | None = None
        while scope is not None:
            value, preset = scope.table.get(name, (None, None))
            if value is not None:
                # The value is written outside of what declares the parameter, and refers to what is known there.
                around = scope.around or scope
                return around.resolve(value.value, depth + 1).text if len(value.value) <= _LENGTH else None
            default = default or (None if preset is None else (preset, scope))
            scope = scope.around
        return None if default is None else default[1].resolve(default[0].value, depth + 1).text


def read(document: Node, found: Found) -> None:
    """Find the images of an object of Tekton, and those of objects in it."""
    tables: dict[int, _Table] = {}
    waiting: list[tuple[Node, _Parameters]] = [(document, _Parameters({}, None, iter(range(_EFFORT))))]
    while waiting:
        node, scope = waiting.pop()
        if isinstance(node, Scalar) or not found.once(node, "tekton"):
            continue
        if isinstance(node, Sequence):
            waiting += ((item, scope) for item in reversed(node.items))
            continue
        parameters = node.get("params")
        if isinstance(parameters, Sequence):
            if id(parameters) not in tables:
                tables[id(parameters)] = _table(parameters)
            scope = scope.inside(tables[id(parameters)])
        _mapping(node, scope, found)
        is_object = type_of(node) is not None
        waiting += (
            (value, scope)
            for name, value in reversed(node.pairs)
            if not (is_object and isinstance(name, Scalar) and name.value in _NOT_SPECIFIED)
        )


def _table(parameters: Sequence) -> _Table:
    """Return the value and the default of each parameter in a list."""
    found: _Table = {}
    for item in parameters.items:
        if isinstance(item, Mapping) and (name := text_of(item, "name")):
            value, default = item.own("value"), item.own("default")
            found[name] = (value if _is_plain(value) else None, default if _is_plain(default) else None)  # type: ignore[assignment]
    return found


def _is_plain(node: Node | None) -> bool:
    return isinstance(node, Scalar) and not node.is_block and not node.is_null


def _mapping(mapping: Mapping, scope: _Parameters, found: Found) -> None:
    for name, value in mapping.pairs:
        if isinstance(name, Scalar) and name.value in _CONTAINERS:
            items = value.items if isinstance(value, Sequence) else [value]
            for container in items if found.once(value, "containers") else ():
                for image in container.every("image") if isinstance(container, Mapping) else ():
                    found.image(image, f"{name.value}.image", resolve=scope.resolve)
    kind = type_of(mapping)
    if kind is not None and kind.kind == "StepAction" and isinstance(spec := mapping.get("spec"), Mapping):
        parameters = spec.get("params")
        inner = scope.inside(_table(parameters)) if isinstance(parameters, Sequence) else scope
        for image in spec.every("image"):
            found.image(image, "spec.image", resolve=inner.resolve)
    for bundle in mapping.every("bundle"):
        if isinstance(bundle, Scalar):
            found.image(bundle, "bundle", resolve=scope.resolve, unsure=True)
    if text_of(mapping, "resolver") == "bundles":
        _resolver(mapping.get("params"), scope, found)


def _resolver(parameters: Node | None, scope: _Parameters, found: Found) -> None:
    for item in parameters.items if isinstance(parameters, Sequence) else ():
        if text_of(item, "name") == "bundle" and isinstance(item, Mapping):
            value = item.own("value")
            if isinstance(value, Scalar) and not is_empty(value):
                found.image(value, "resolver.bundle", resolve=scope.resolve, unsure=True)
