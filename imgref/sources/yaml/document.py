r"""YAML as nodes that know where they stand: PyYAML's events (libyaml where it is built in), composed here.

Composing is done here, and in a loop, since PyYAML's own composers recurse (libyaml's overflows the stack of the
process), stop at an anchor that is set twice, and lose everything before an error. Keys may be repeated, tags are
anybody's, and aliases, cyclic ones too, are the node that they name: whoever walks the nodes meets each once.

Lines end as YAML 1.2 ends them, at ``\n``, ``\r\n`` and ``\r``: https://yaml.org/spec/1.2.2/#54-line-break-characters
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, cast

from imgref.sources.occurrence import Problem

__all__ = ["Composition", "Lines", "Mapping", "Node", "Scalar", "Sequence", "after_properties", "compose", "walk"]

_DEPTH: Final = 256
"""How deep collections may stand in each other. libyaml's time for a token grows with the depth."""

_MERGED: Final = 32
"""How many mappings one mapping takes in through ``<<``, at the most; more are nobody's real file."""

_SMALL: Final = 8
"""How many pairs are searched one by one: a table for each of a file's many small mappings takes much memory."""

_TEXTS: Final = 10_000
"""How many short texts are remembered, so that each is kept once: keys are the same throughout a file."""

_BREAK: Final = re.compile(r"\r\n?|\n")
_PROPERTIES: Final = re.compile(r"(?:[!&][^\s]*+(?:\s|(?<=\s)#[^\r\n]*+)*+)*+")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_NOT_TEXT: Final = re.compile(
    r"[Tt]rue|TRUE|[Ff]alse|FALSE|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+",
    re.ASCII,
)


class Scalar:
    """A text, with the index at which it (or the anchor or tag before it) begins, and how it is quoted.

    ``style`` is empty for a plain one, else its quote, ``|`` or ``>``.
    """

    __slots__ = ("start", "style", "tag", "value", "with_properties")

    def __init__(self, value: str, start: int, style: str, tag: str | None, with_properties: bool) -> None:
        self.value = value
        self.start = start
        self.style = style
        self.tag = tag
        self.with_properties = with_properties

    @property
    def is_null(self) -> bool:
        """Whether nothing is written here, by YAML 1.2's core schema."""
        if self.tag is not None:
            return self.tag == "tag:yaml.org,2002:null"
        return not self.style and self.value in _NULLS

    @property
    def is_text(self) -> bool:
        """Whether this is no number and no boolean, by YAML 1.2's core schema."""
        return bool(self.style) or self.tag is not None or _NOT_TEXT.fullmatch(self.value) is None

    @property
    def is_block(self) -> bool:
        """Whether this is a block scalar."""
        return self.style in {"|", ">"}

    def place(self, text: str) -> int:
        """The index in ``text`` of the first character, behind anchor, tag and quote."""
        start = after_properties(text, self.start) if self.with_properties else self.start
        return start + (self.style in {"'", '"'})


class Sequence:
    """A list of nodes."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: list[Node] = []

    def close(self) -> None:
        """Take no more items, and no more memory than these need."""
        self.items = cast("list[Node]", tuple(self.items))


class Mapping:
    """Pairs of nodes, in the order in which they stand, with the index at which the first begins; a key may repeat.

    ``flat`` has keys and values in turn, since a tuple for each pair would be most of what a file takes in memory.
    """

    __slots__ = ("_table", "flat", "start")

    def __init__(self, start: int) -> None:
        self.start = start
        self.flat: list[Node] = []
        self._table: dict[str, Node] | None = None

    @property
    def pairs(self) -> list[tuple[Node, Node]]:
        """The pairs of keys and values."""
        return list(zip(self.flat[::2], self.flat[1::2], strict=True))

    def close(self) -> None:
        """Take no more pairs, and no more memory than these need."""
        self.flat = cast("list[Node]", tuple(self.flat))

    def own(self, key: str) -> Node | None:
        """The last value that is written for ``key`` here."""
        if len(self.flat) <= 2 * _SMALL:
            last = (value for name, value in reversed(self.pairs) if isinstance(name, Scalar) and name.value == key)
            return next(last, None)
        if self._table is None:
            self._table = {name.value: value for name, value in self.pairs if isinstance(name, Scalar)}
        return self._table.get(key)

    def get(self, key: str) -> Node | None:
        """The value of ``key``, from here or from what is merged in with ``<<``; the nearest one."""
        value = self.own(key)
        if value is not None or self.own("<<") is None:
            return value
        return next((value for mapping in self.merged() if (value := mapping.own(key)) is not None), None)

    def every(self, key: str) -> list[Node]:
        """All that is written for ``key`` here, as often as it is repeated; or else what is merged in."""
        if self.own(key) is not None:
            return [value for name, value in self.pairs if isinstance(name, Scalar) and name.value == key]
        value = self.get(key)
        return [] if value is None else [value]

    def entries(self) -> Iterator[tuple[str, Node]]:
        """The pairs whose key is a text, and in the place of ``<<`` those that are merged in."""
        for mapping in (self, *self.merged()):
            for name, value in mapping.pairs:
                if isinstance(name, Scalar) and name.value != "<<":
                    yield name.value, value

    def merged(self) -> list[Mapping]:
        """The mappings that ``<<`` takes in, nearest first, each once: https://yaml.org/type/merge.html."""
        found: list[Mapping] = []
        seen = {id(self)}
        waiting: list[Mapping] = [self]
        while waiting and len(found) < _MERGED:
            merge = waiting.pop().own("<<")
            parents = merge.items[:_MERGED] if isinstance(merge, Sequence) else [merge]
            new = [parent for parent in parents if isinstance(parent, Mapping) and id(parent) not in seen]
            seen.update(map(id, new))
            found += new
            waiting += reversed(new)
        return found


Node = Scalar | Sequence | Mapping


@dataclass(slots=True)
class Composition:
    """The documents of a text. Where it cannot be read, ``problems`` says so, and what stood before is given.

    ``stopped`` is the line at which the parser gave up, or None; what stands there is not to be trusted. ``quoted`` are
    start and end of every quoted or block scalar, where a ``#`` begins no comment. ``aliased`` has the keys that each
    aliased scalar is the value of, by its ``id``; None is what is no value of a key.
    """

    documents: list[Node] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    quoted: list[tuple[int, int]] = field(default_factory=list)
    stopped: int | None = None
    aliased: dict[int, set[str | None]] = field(default_factory=dict)


class Lines:
    """From an index in a text to its 1-based line and column."""

    def __init__(self, text: str) -> None:
        self._starts = array("I", [0])
        self._starts.extend(found.end() for found in _BREAK.finditer(text))

    def at(self, index: int) -> tuple[int, int]:
        r"""Return line and column of the character at ``index``.

        >>> Lines("a\nbc").at(3)
        (2, 2)
        """
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1


def after_properties(text: str, start: int) -> int:
    """Return the index behind an anchor and a tag, with the comments between them, that may stand at ``start``."""
    found = _PROPERTIES.match(text, start)
    return found.end() if found else start


def compose(text: str) -> Composition:
    """Compose all the documents of ``text``, which has no byte order mark.

    >>> compose("image: nginx").documents[0].get("image").value
    'nginx'
    >>> compose("a: [").problems[0].line
    1
    """
    from yaml import YAMLError

    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)
    composer = _Composer()
    complete = False
    try:
        complete = composer.read(_parser(text))
    except YAMLError as error:
        composer.problem(*_explained(error, text))
    composition = Composition(composer.documents, quoted=composer.quoted, aliased=composer.aliased)
    if composer.problems:
        lines = Lines(text)
        composition.problems = [Problem(*lines.at(index), "IMG901", reason) for index, reason in composer.problems]
        composition.stopped = None if complete else composition.problems[-1].line
    return composition


class _Composer:
    def __init__(self) -> None:
        self.documents: list[Node] = []
        self.problems: list[tuple[int, str]] = []
        self.quoted: list[tuple[int, int]] = []
        self.aliased: dict[int, set[str | None]] = {}
        self._anchored: dict[int, str | None] = {}
        self._open: list[tuple[Sequence | Mapping, Node | None]] = []
        self._inner: Sequence | Mapping | None = None
        self._key: Node | None = None
        self._anchors: dict[str, Node] = {}
        self._texts: dict[str, str] = {}
        self._keys: dict[str, Scalar] = {}

    def problem(self, index: int, reason: str) -> None:
        self.problems.append((index, reason))

    def read(self, parser: Any) -> bool:  # noqa: ANN401  PyYAML's stubs leave its parsers untyped
        """Compose what the parser tells; whether that was everything."""
        from yaml import events

        while True:
            event = parser.get_event()
            kind = type(event)
            if kind is events.ScalarEvent:
                self._add(self._scalar(event))
            elif kind is events.MappingStartEvent or kind is events.SequenceStartEvent:
                if len(self._open) >= _DEPTH:
                    self.problem(event.start_mark.index, f"collections are nested more than {_DEPTH} deep")
                    return False
                start = event.start_mark.index
                collection = Mapping(start) if kind is events.MappingStartEvent else Sequence()
                if event.anchor is not None:
                    self._anchors[event.anchor] = collection
                self._add(collection)
                self._open.append((collection, self._key))
                self._inner, self._key = collection, None
            elif kind is events.MappingEndEvent or kind is events.SequenceEndEvent:
                self._open.pop()[0].close()
                self._inner, self._key = self._open[-1] if self._open else (None, None)
            elif kind is events.AliasEvent:
                self._add(self._aliased(event))
            elif kind is events.DocumentStartEvent:
                self._anchors.clear()
            elif kind is events.StreamEndEvent or event is None:
                return True

    def _add(self, node: Node) -> None:
        inner = self._inner
        if inner is None:
            self.documents.append(node)
        elif isinstance(inner, Sequence):
            inner.items.append(node)
        elif self._key is None:
            self._key = self._shared(node)
        else:
            inner.flat += (self._key, node)
            self._key = None

    def _shared(self, key: Node) -> Node:
        """Return one node for all plain keys of the same name: nobody asks where a key is, and files repeat them."""
        if not isinstance(key, Scalar) or key.style or key.tag is not None or key.with_properties:
            return key
        if len(self._keys) >= _TEXTS and key.value not in self._keys:
            return key
        return self._keys.setdefault(key.value, key)

    def _scalar(self, event: Any) -> Scalar:  # noqa: ANN401
        start = event.start_mark.index
        style = event.style or ""
        if style:
            self.quoted.append((start, event.end_mark.index))
        value = event.value
        if len(self._texts) < _TEXTS or value in self._texts:
            value = self._texts.setdefault(value, value)
        node = Scalar(value, start, style, event.tag, event.anchor is not None or event.tag is not None)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
            self._anchored[id(node)] = self._key_name()
        return node

    def _key_name(self) -> str | None:
        """The key whose value comes next, if it is a text."""
        return self._key.value if isinstance(self._key, Scalar) else None

    def _aliased(self, event: Any) -> Node:  # noqa: ANN401
        node = self._anchors.get(event.anchor)
        if node is None:
            self.problem(event.start_mark.index, f"the alias *{event.anchor} refers to no earlier anchor")
            # Told once: its further uses mean the same nothing.
            node = self._anchors[event.anchor] = Scalar("", event.start_mark.index, "", None, False)
        elif isinstance(node, Scalar):
            self.aliased.setdefault(id(node), {self._anchored.get(id(node))}).add(self._key_name())
        return node


def _parser(text: str) -> Any:  # noqa: ANN401
    try:
        from yaml.cyaml import CParser  # type: ignore[attr-defined]  # left out of the stubs' exports
    except ImportError:
        return _python_parser(text)
    return CParser(text)


def _python_parser(text: str) -> Any:  # noqa: ANN401
    from yaml.parser import Parser
    from yaml.reader import Reader
    from yaml.scanner import Scanner

    class PythonParser(Reader, Scanner, Parser):
        def __init__(self) -> None:
            Reader.__init__(self, text)
            Scanner.__init__(self)
            Parser.__init__(self)

    return PythonParser()


def _explained(error: Any, text: str) -> tuple[int, str]:  # noqa: ANN401
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        reason = error.problem or error.context or "it cannot be read"
        context = f" {error.context}" if error.problem and error.context else ""
        return min(mark.index, len(text)), f"this is not YAML: {reason}{context}"
    # The reader's errors have no mark. libyaml counts bytes, the other one characters.
    position = getattr(error, "position", 0)
    if getattr(error, "encoding", None) == "?":
        position = len(text.encode()[:position].decode(errors="ignore"))
    return min(position, len(text)), "this is not YAML: it has a character that YAML does not allow"


def walk(root: Node) -> Iterator[Mapping]:
    """Yield every mapping from ``root`` down, each once, however often and from where it is aliased."""
    seen: set[int] = set()
    waiting: list[Node] = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Scalar) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Sequence):
            waiting += reversed(node.items)
        else:
            yield node
            waiting += reversed(node.flat[1::2])
