"""Substitutes variables in strings, or explains why that is not possible."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from imgref.errors import quote
from imgref.sources.yaml.document import Mapping, Node, Scalar

__all__ = ["Resolved", "Scope", "interpolate"]

_NESTED: Final = 16
"""How deep defaults, and variables in the values of variables, are followed."""

_LENGTH: Final = 512
"""The longest value of a variable of the same file that is followed; hardly any reference is longer."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*+")
_OPERATOR: Final = re.compile(r":?[-+?]")
_DOLLAR: Final = re.compile(r"\$")
_DOLLAR_OR_END: Final = re.compile(r"[$}]")

_EFFORT: Final = 100_000
"""How often variables are looked up for one file: every job has its own variables, and so resolves them again."""


class Resolved(NamedTuple):
    """A string with its variables substituted; or None and the reason.

    Attributes:
        text: the string, or None if it is not known.
        reason: why it is not known.
        refused: whether the file's own rules forbid it.
        outside: whether a value from outside of the file is a part of it.
    """

    text: str | None
    reason: str | None = None
    refused: bool = False
    outside: bool = False


Lookup = Callable[[str], str | Resolved | None]
"""Returns the value of a variable, or an unknown value with the reason, or None if it is not set."""


def interpolate(text: str, lookup: Lookup, *, operators: bool = True) -> Resolved:
    """Put variables in as Compose does: ``$X``, ``${X}``, ``$$``, and with ``operators`` ``-``, ``+``, ``?``, ``:-``….

    An unset variable without a default does not count as empty: its value comes from elsewhere.
    https://docs.docker.com/reference/compose-file/interpolation/

    >>> interpolate("nginx:${TAG:-${OLD-1}}", {}.get).text
    'nginx:1'
    >>> interpolate("nginx:$TAG", {}.get).reason
    'the variable TAG has no value and no default'
    """
    if "$" not in text:
        return Resolved(text)
    return _Interpolation(text, lookup, operators).whole()


class _Interpolation:
    """One pass from left to right: a default is read whether or not it is needed, so nothing is read twice."""

    def __init__(self, text: str, lookup: Lookup, operators: bool) -> None:
        self._text = text
        self._limit = len(text) + _LENGTH
        self._lookup = lookup
        self._operators = operators
        self._place = 0
        self._stop: Resolved | None = None

    def whole(self) -> Resolved:
        resolved = self._read(0)
        return self._stop or resolved

    def _read(self, depth: int) -> Resolved:
        """Read to the end, or inside of braces to the one that closes them."""
        if depth > _NESTED:
            return self._stopped(f"its defaults are nested more than {_NESTED} deep")
        parts: list[str] = []
        reason = None
        outside = False
        special = _DOLLAR_OR_END if depth else _DOLLAR
        length = 0
        while self._stop is None:
            if length > self._limit:
                return self._stopped("its variables make it longer than a reference can be")
            found = special.search(self._text, self._place)
            end = found.start() if found else len(self._text)
            parts.append(self._text[self._place : end])
            self._place = end
            if found is None or found[0] == "}":
                break
            value = self._variable(depth)
            parts.append(value.text or "")
            length += len(parts[-1])
            reason = reason or value.reason
            outside = outside or value.outside
        return Resolved(None, reason) if reason else Resolved("".join(parts), outside=outside)

    def _variable(self, depth: int) -> Resolved:
        start = self._place
        after = self._text[start + 1 : start + 2]
        if after == "$":
            self._place += 2
            return Resolved("$")
        braced = after == "{"
        name = _NAME.match(self._text, start + 1 + braced)
        if name is None:
            return self._stopped(f"{quote(self._text[start : start + 20])} is not a variable", refused=True)
        self._place = name.end()
        operator = None
        alternative = Resolved("")
        if braced:
            operator = _OPERATOR.match(self._text, self._place)
            if operator and self._operators:
                self._place = operator.end()
                alternative = self._read(depth + 1)
            if self._text[self._place : self._place + 1] != "}":
                return self._stopped(f"the variable {name[0]} is not valid", refused=True)
            self._place += 1
        return self._valued(name[0], operator[0] if operator else "", alternative)

    def _valued(self, name: str, operator: str, alternative: Resolved) -> Resolved:
        found = self._lookup(name)
        value = Resolved(found) if isinstance(found, str) else found
        if value is not None and value.text is None:
            return value
        present = value is not None and (bool(value.text) or ":" not in operator)
        if operator.endswith("+"):
            return alternative if present else Resolved("")
        if value is not None and present:
            return value
        if operator.endswith("-"):
            return alternative
        if operator.endswith("?"):
            return Resolved(None, f"the variable {name} is required, and has no value")
        return Resolved(None, f"the variable {name} has no value and no default")

    def _stopped(self, reason: str, *, refused: bool = False) -> Resolved:
        self._stop = self._stop or Resolved(None, reason, refused)
        return self._stop


class Scope:
    """Variables that the file itself defines: those of ``table``, then those of the scope ``around`` it.

    The values may use other variables; circles, long chains and values that grow beyond any reference are unknown.
    """

    def __init__(self, table: Node | None, around: Scope | None = None, *, operators: bool = False) -> None:
        outer = around.tables if around else []
        self.tables: list[Mapping] = [table, *outer] if isinstance(table, Mapping) else outer
        self.effort: Iterator[int] = around.effort if around else iter(range(_EFFORT))
        self._operators = operators
        self._known: dict[str, str | None] = {}
        self._depth = 0

    def resolve(self, text: str) -> Resolved:
        """Substitute the variables in ``text``; an unknown one may be the CI system's own, and is unresolved."""
        return interpolate(text, self.lookup, operators=self._operators)._replace(refused=False)

    def lookup(self, name: str) -> str | None:
        """Return the value of a variable, or None if the file does not set it."""
        if next(self.effort, None) is None:
            return None
        if name in self._known:
            return self._known[name]
        self._known[name] = None  # while it is worked out: a circle has no value
        node = next((node for table in self.tables if (node := table.get(name)) is not None), None)
        if isinstance(node, Mapping):
            node = node.get("value")
        if not isinstance(node, Scalar) or node.is_block or len(node.value) > _LENGTH or self._depth >= _NESTED:
            return None
        self._depth += 1
        value = self.resolve(node.value).text
        self._depth -= 1
        self._known[name] = value if value is not None and len(value) <= _LENGTH else None
        return self._known[name]
