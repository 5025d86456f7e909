"""Where the references of a YAML file can be edited."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from imgref.sources.target import Outside, Target, TextSpan
from imgref.sources.yaml.document import Mapping, Node, Scalar

__all__ = ["Editing"]

_DEFAULT: Final = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*+:?-")
_VARIABLE_TAG: Final = re.compile(
    r"(?P<repository>[^$]*[^$:]):\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*+):?-(?P<tag>[A-Za-z0-9_.-]++)\}"
    r"(?:@(?P<digest>[a-z0-9]+:[0-9a-f]+))?"
)
_OUTSIDE: Final = re.compile(
    r"(?:(?P<repository>[^$]*[^$:]):)?"
    r"\$(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*+)|\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*+)(?::?[-?][^{}$]*+)?\})"
)
_USE: Final = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_ANCHOR_LESS: Final[Table[int, set[str | None]]] = {}

_SET_OUTSIDE = "the value of its variable is set in the file .env"
_SPLIT = "it is written with escapes or over several lines"
_VARIABLE = "a variable holds a part of it"
_VARIABLE_TAG_PIN = "a variable holds its tag, and a digest would freeze it"
_SHARED = "an alias uses the same value for something else"


class _TagUse(NamedTuple):
    """A position whose tag comes from the default of a variable."""

    place: int
    repository: str


@dataclass(slots=True)
class Editing:
    """Finds the spans of values in one file.

    Attributes:
        text: the content of the file.
        aliased: the keys that each aliased scalar is the value of, by its ``id``.
    """

    text: str
    aliased: Table[int, set[str | None]] = field(default_factory=lambda: _ANCHOR_LESS)
    _tags: defaultdict[str, list[_TagUse]] = field(default_factory=lambda: defaultdict(list))

    def literal(self, node: Scalar, offset: int, resolved: str) -> Target:
        """Return the target of a reference that is one value.

        Args:
            node: the value.
            offset: how many characters of the value are before the reference and what may be before it.
            resolved: what the value resolves to.
        """
        keys = self.aliased.get(id(node))
        if keys is not None and (len(keys) > 1 or None in keys):
            return Target(fixed=_SHARED)
        span = self._span(node)
        if span is None:
            return Target(fixed=_SPLIT)
        value = node.value
        if value.endswith(resolved) and "$" not in value[offset:]:
            return Target(whole=TextSpan(span.end - len(resolved), span.end))
        return self._in_variable(value[offset:], span.start + offset, resolved)

    def _in_variable(self, value: str, start: int, resolved: str) -> Target:
        at, closing = 0, 0
        while (found := _DEFAULT.match(value, at)) is not None:
            at, closing = found.end(), closing + 1
        if closing and value[at:] == resolved + "}" * closing:
            return Target(whole=TextSpan(start + at, start + at + len(resolved)))
        tag = _VARIABLE_TAG.fullmatch(value)
        if tag is None or resolved.partition("@")[0] != f"{tag['repository']}:{tag['tag']}":
            return Target(fixed=_VARIABLE)
        self._tags[tag["name"]].append(_TagUse(start, tag["repository"]))
        digest = None if tag["digest"] is None else TextSpan(start + tag.start("digest"), start + tag.end("digest"))
        span = TextSpan(start + tag.start("tag"), start + tag.end("tag"))
        return Target(tag=span, digest=digest, unpinnable=_VARIABLE_TAG_PIN)

    def from_outside(self, node: Scalar, offset: int) -> Target:
        """Return the target of a reference that has the value of a variable from the file ``.env``."""
        found = _OUTSIDE.fullmatch(node.value, offset)
        if found is None or id(node) in self.aliased:
            return Target(fixed=_SET_OUTSIDE)
        return Target(fixed=_SET_OUTSIDE, outside=Outside(found["name"] or found["braced"], found["repository"]))

    def shared_tags(self) -> dict[int, str]:
        """Return the variables that are used for more than the tag of one image, by the positions that use them."""
        shared: dict[int, str] = {}
        written = Counter(_USE.findall(self.text)) if self._tags else Counter()
        for name, uses in self._tags.items():
            alone = len({use.repository for use in uses}) == 1
            if not alone or written[name] != len({use.place for use in uses}):
                shared.update({use.place: name for use in uses})
        return shared

    def part(self, mapping: Mapping, key: str) -> TextSpan | None:
        """Return the span of the value that a mapping itself has for a key, or None if it cannot be edited alone."""
        node = mapping.own(key)
        if not isinstance(node, Scalar) or id(node) in self.aliased or mapping.every(key) != [node]:
            return None
        if node.is_null and not node.with_properties:
            return TextSpan(node.start, node.start + len(node.value))
        return self._span(node)

    def _span(self, node: Scalar) -> TextSpan | None:
        start = node.place(self.text)
        end = start + len(node.value)
        if node.is_block or not self.text.startswith(node.value, start):
            return None
        if node.style and self.text[end : end + 1] != node.style:
            return None
        return TextSpan(start, end)

    def parts(self, mapping: Mapping, tags: tuple[str, ...], *, in_tag: bool, why: str) -> Target:
        """Return the target of a reference whose tag and digest have separate keys.

        Args:
            mapping: the mapping that has them.
            tags: the keys that may have the tag; the first that has a value counts.
            in_tag: whether a digest can be written behind the tag.
            why: why no digest is added where the mapping has no key for it, or an empty string.
        """
        key = next((key for key in tags if not _is_empty(mapping.get(key))), None)
        tag = None if key is None else self.part(mapping, key)
        digest = self.part(mapping, "digest")
        if (key is not None and tag is None) or (mapping.get("digest") is not None and digest is None):
            return Target(fixed=_SHARED)
        if digest is not None:
            return Target(tag=tag, digest=digest)
        return Target(tag=tag, in_tag=in_tag, unpinnable=why)


def _is_empty(node: Node | None) -> bool:
    return not isinstance(node, Scalar) or node.is_null or not node.value
