"""Collects the references of one YAML file: each position once, with its role."""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as Table
from dataclasses import replace
from typing import Final, NamedTuple

from imgref.errors import InvalidReference
from imgref.reference import parse
from imgref.sources.builds import BuildTarget
from imgref.sources.occurrence import Occurrence, Role
from imgref.sources.roles import is_source, is_template, role_of
from imgref.sources.target import UNSURE, Target
from imgref.sources.yaml.document import Lines, Mapping, Node, Scalar
from imgref.sources.yaml.editing import Editing
from imgref.sources.yaml.variables import Lookup, Resolved

__all__ = ["Found", "Resolver", "is_empty", "is_template", "role_of", "unknown_variables"]

Resolver = Callable[[str], Resolved]

_EXPRESSION: Final = re.compile(r"\{\{[^\r\n]{0,512}?\}\}[^\s#,\]}]*+")
"""A template's expression that happens to be YAML, a map in a map."""


def unknown_variables(text: str) -> Resolved:
    """Resolve a string if the file has no values for its variables: a reference has no ``$``."""
    return Resolved(None, "the value of its variable is not known here") if "$" in text else Resolved(text)


def is_empty(node: Node | None) -> bool:
    """Whether there is no value: no node, null, an empty string, or Compose's ``!reset``."""
    if isinstance(node, Scalar):
        return not node.value or node.is_null or node.tag == "!reset"
    return node is None


class Found:
    """The references found so far.

    Args:
        text: the content of the file, without a byte order mark.
        variables: the value of a variable from outside, for the kinds that take them.
        aliased: the keys that each aliased scalar is the value of, by its ``id``.

    Attributes:
        builds: the builds that the file defines.
        blocks: where block scalars begin that are read as YAML, with the quoted and block scalars in each.
    """

    def __init__(
        self,
        text: str,
        variables: Lookup,
        aliased: Table[int, set[str | None]] = {},
    ) -> None:
        self.text = text
        self.editing = Editing(text, aliased)
        self.variables = variables
        self._lines: Lines | None = None
        self._places: dict[int, Occurrence] = {}
        self.builds: list[BuildTarget] = []
        self.blocks: dict[int, list[tuple[int, int]]] = {}
        self._met: set[tuple[int, str]] = set()
        self._built: set[str] = set()
        self._mentioned: dict[tuple[str, ...], bool] = {}

    def line_of(self, index: int) -> int:
        """Return the 1-based line of a character."""
        if self._lines is None:
            self._lines = Lines(self.text)
        return self._lines.at(index)[0]

    def mentions(self, *words: str) -> bool:
        """Whether any of the words is anywhere in the file, which is searched once, however many documents it has."""
        if words not in self._mentioned:
            self._mentioned[words] = any(word in self.text for word in words)
        return self._mentioned[words]

    def occurrences(self) -> tuple[Occurrence, ...]:
        """All of them, in the order of the file."""
        for place, name in self.editing.shared_tags().items():
            fixed = Target(fixed=f"its tag is in the variable {name}, which is used for something else too")
            self._places[place] = self._places[place].with_target(fixed)
        if self._built:
            self._mark_built()
        return tuple(self._places[place] for place in sorted(self._places))

    def made_here(self, reference: str) -> None:
        """Remember an image that the file builds: wherever it is used in the file, it is built here."""
        self._built.add(_canonical(reference))

    def _mark_built(self) -> None:
        for place, one in self._places.items():
            if one.role == "external" and one.resolved is not None and _canonical(one.resolved) in self._built:
                self._places[place] = replace(one, role="built-here", reason=None, target=None)

    def once(self, node: Node, purpose: str = "") -> bool:
        """Whether a collection is visited for the first time: with aliases, it can occur any number of times."""
        key = id(node), purpose
        new = key not in self._met
        self._met.add(key)
        return new

    def image(
        self,
        node: Node | None,
        construct: str,
        *,
        resolve: Resolver = unknown_variables,
        built: bool = False,
        offset: int = 0,
        scheme: str = "",
        kept: str = "",
        unsure: bool = False,
    ) -> None:
        """Add the value of an ``image`` key; nothing if it is not a string, or empty.

        Args:
            node: the value.
            construct: the kind of location.
            resolve: puts variables in.
            built: the same file builds this image.
            offset: how many characters of the value are before the reference.
            scheme: an optional, case-insensitive prefix that is not part of the reference.
            kept: what determines the tag of an image without one, or an empty string.
            unsure: whether the consumer may reject a tag with a digest.
        """
        if isinstance(node, Mapping) and (found := _EXPRESSION.match(self.text, node.start)):
            node = Scalar(found[0], node.start, "", None, False)
        if not isinstance(node, Scalar) or is_empty(node) or is_source(node.value):
            return
        resolved, reason, role, outside = _meaning(node, node.value[offset:], resolve, scheme)
        if built:
            role, reason = "built-here", None
        target = None
        if role == "external" and resolved is not None:
            target = self.editing.literal(node, offset, resolved)
            if outside:
                target = self.editing.from_outside(node, offset)
            elif kept:
                target = Target(fixed="its tag is not in this file")
            elif unsure:
                target = target._replace(unpinnable=UNSURE)
            reason = kept or reason
        self.add(node, construct, resolved, role, reason, offset=offset, target=target)

    def text_or_map(
        self, node: Node, construct: str, key: str, *, resolve: Resolver = unknown_variables, scheme: str = ""
    ) -> None:
        """Add an image that is a string, or a map that has it at ``key``."""
        if isinstance(node, Mapping) and (values := node.every(key)):
            for value in values:
                self.image(value, f"{construct}.{key}", resolve=resolve, scheme=scheme)
        else:
            self.image(node, construct, resolve=resolve, scheme=scheme)

    def add(
        self,
        node: Scalar,
        construct: str,
        resolved: str | None,
        role: Role,
        reason: str | None = None,
        *,
        offset: int = 0,
        target: Target | None = None,
    ) -> None:
        """Add what ``node`` refers to. The first entry for a position counts, unless the image is built here."""
        place = node.place(self.text) + offset
        known = self._places.get(place)
        if known is not None and (role != "built-here" or known.role == role):
            return
        if self._lines is None:
            self._lines = Lines(self.text)
        line, column = self._lines.at(place)
        text = node.value[offset:]
        if node.is_block:
            text = text.strip().partition("\n")[0]
        self._places[place] = Occurrence(line, column, text, resolved, role, construct, reason=reason, target=target)


def _canonical(reference: str) -> str:
    try:
        return str(parse(reference))
    except InvalidReference:
        return reference


class _Meaning(NamedTuple):
    """What a value refers to: the resolved string or None, why it is unknown or invalid, and the role.

    ``outside``: a value from outside of the file is a part of it.
    """

    resolved: str | None
    reason: str | None
    role: Role
    outside: bool = False


def _meaning(node: Scalar, text: str, resolve: Resolver, scheme: str) -> _Meaning:
    """Return what a value refers to, after its variables are substituted."""
    if node.is_block:
        return _Meaning(None, "it is in a block scalar", "unresolved")
    if is_template(text):
        return _Meaning(None, "it is made by a template", "unresolved")
    if not node.is_text:
        return _Meaning(text, "an image must be a string, and this is a number or a boolean: add quotes", "invalid")
    resolved = resolve(text)
    if resolved.text is None:
        return _Meaning(None, resolved.reason, "invalid" if resolved.refused else "unresolved")
    reference = resolved.text
    if scheme and reference[: len(scheme)].lower() == scheme:
        reference = reference[len(scheme) :]
    if not reference or reference.isspace():
        return _Meaning(None, "its variables leave it empty", "unresolved")
    return _Meaning(reference, None, role_of(reference), resolved.outside)
