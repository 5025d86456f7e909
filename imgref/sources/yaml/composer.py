"""Composes YAML: PyYAML's events (libyaml's if it is built in) become nodes with positions.

Composing is done here, and in a loop, since PyYAML's own composers recurse (libyaml's overflows the stack of the
process), stop at an anchor that is set twice, and lose everything before an error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence as Several
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from imgref.sources.occurrence import Problem
from imgref.sources.yaml.document import Lines, Mapping, Node, Scalar, Sequence

__all__ = ["DEPTH", "Composition", "Part", "compose"]

DEPTH: Final = 256
"""How deeply collections may be nested. libyaml's time for a token grows with the depth."""

_TEXTS: Final = 10_000
"""How many short strings are cached, so that each is stored once: keys are repeated throughout a file."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@dataclass(slots=True)
class Composition:
    """The documents of a file. If it cannot be parsed, ``problems`` has the reason, and earlier ones are included.

    ``stopped`` is the line at which the parser gave up, or None; its content is not reliable. ``quoted`` are
    start and end of every quoted or block scalar, where a ``#`` does not begin a comment.
    ``aliased`` has the keys that each aliased scalar is the value of, by its ``id``; None if it is not a value.
    """

    documents: list[Node] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    quoted: list[tuple[int, int]] = field(default_factory=list)
    stopped: int | None = None
    aliased: dict[int, set[str | None]] = field(default_factory=dict)


class Part(NamedTuple):
    """A part of a file that has whole documents.

    Attributes:
        start: where it begins.
        end: where it ends.
        known: a substitute for its document if nothing more of it is needed; then only its syntax is checked.
    """

    start: int
    end: int
    known: Node | None = None


def compose(text: str, parts: Several[Part] = ()) -> Composition:
    """Compose all the documents of ``text``, which has no byte order mark.

    Args:
        text: the string.
        parts: its parts, in order and without gaps; by default, it is one.

    >>> compose("image: nginx").documents[0].get("image").value
    'nginx'
    >>> compose("a: [").problems[0].line
    1
    """
    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)
    composer, complete = _composed(text, parts or (Part(0, len(text)),))
    composition = Composition(composer.documents, quoted=composer.quoted, aliased=composer.aliased)
    if composer.problems:
        lines = Lines(text)
        composition.problems = [Problem(*lines.at(index), "IMG901", reason) for index, reason in composer.problems]
        composition.stopped = None if complete else composition.problems[-1].line
    return composition


def _composed(text: str, parts: Several[Part]) -> tuple[_Composer, bool]:
    """Compose parts; whether that was everything.

    The parser's message depends on what follows. So from the part with an error on, the rest is one part.
    """
    from yaml import YAMLError
    from yaml.reader import ReaderError

    composer = _Composer("#" in text and "imgref:" in text)
    waiting = list(reversed(parts))
    while waiting:
        start, end, known = waiting.pop()
        piece = text if end - start == len(text) else text[start:end]
        before = composer.mark()
        try:
            if known is not None and _is_checked(piece):
                composer.documents.append(known)
            elif not composer.read(_parser(piece), start):
                return composer, False
        except YAMLError as error:
            # The parser reads ahead: it reports an illegal character before the events that precede it.
            early = isinstance(error, ReaderError) and start > 0
            if known is None and end == len(text) and not early:
                index, reason = _explained(error, piece)
                composer.problem(index + start, reason)
                return composer, False
            composer.back(0, 0, 0) if early else composer.back(*before)
            waiting = [Part(0 if early else start, len(text))]
    return composer, True


class _Composer:
    def __init__(self, quoted: bool) -> None:
        self._quoted = quoted
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
        self._dropped: list[Node] = []
        self._offset = 0

    def problem(self, index: int, reason: str) -> None:
        self.problems.append((index, reason))

    def mark(self) -> tuple[int, int, int]:
        """Return what :meth:`back` needs to take back what is composed from here on."""
        return len(self.documents), len(self.problems), len(self.quoted)

    def back(self, documents: int, problems: int, quoted: int) -> None:
        # No later node may have the id of one that is discarded.
        self._dropped += self.documents[documents:]
        del self.documents[documents:], self.problems[problems:], self.quoted[quoted:]
        self._open.clear()
        self._inner = self._key = None

    def read(self, parser: Any, offset: int = 0) -> bool:  # noqa: ANN401  untyped in its stubs
        """Compose the parser's events from an offset on; return whether that was everything.

        Most of the time of a check is spent here.
        """
        from yaml import events

        scalar, mapping, sequence = events.ScalarEvent, events.MappingStartEvent, events.SequenceStartEvent
        ends = frozenset((events.MappingEndEvent, events.SequenceEndEvent))
        get_event, add, known = parser.get_event, self._add, self._keys.get
        self._offset = offset
        while True:
            event = get_event()
            kind = type(event)
            if kind is scalar:
                if self._key is None and type(self._inner) is Mapping and not event.style and event.anchor is None:
                    # The positions of keys are not used, and files repeat them.
                    self._key = known(event.value) if event.tag is None else None
                    if self._key is not None:
                        continue
                add(self._scalar(event))
            elif kind is mapping or kind is sequence:
                start = event.start_mark.index + offset
                if len(self._open) >= DEPTH:
                    self.problem(start, f"collections are nested more than {DEPTH} deep")
                    return False
                collection = Mapping(start) if kind is mapping else Sequence()
                if event.anchor is not None:
                    self._anchors[event.anchor] = collection
                add(collection)
                self._open.append((collection, self._key))
                self._inner, self._key = collection, None
            elif kind in ends:
                self._open.pop()[0].close()
                self._inner, self._key = self._open[-1] if self._open else (None, None)
            elif kind is events.AliasEvent:
                add(self._aliased(event))
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
        """Return one node for all plain keys of the same name."""
        if not isinstance(key, Scalar) or key.style or key.with_properties or len(self._keys) >= _TEXTS:
            return key
        return self._keys.setdefault(key.value, key)

    def _scalar(self, event: Any) -> Scalar:  # noqa: ANN401
        start = event.start_mark.index + self._offset
        style = event.style or ""
        if style and self._quoted:
            self.quoted.append((start, event.end_mark.index + self._offset))
        value = event.value
        if len(self._texts) < _TEXTS or value in self._texts:
            value = self._texts.setdefault(value, value)
        anchor, tag = event.anchor, event.tag
        node = Scalar(value, start, style, tag, anchor is not None or tag is not None)
        if anchor is not None:
            self._anchors[anchor] = node
            self._anchored[id(node)] = self._key_name()
        return node

    def _key_name(self) -> str | None:
        """The key whose value comes next, if it is a string."""
        return self._key.value if isinstance(self._key, Scalar) else None

    def _aliased(self, event: Any) -> Node:  # noqa: ANN401
        node = self._anchors.get(event.anchor)
        if node is None:
            self.problem(
                event.start_mark.index + self._offset, f"the alias *{event.anchor} refers to no earlier anchor"
            )
            # Reported once, not for each further use.
            node = self._anchors[event.anchor] = Scalar("", event.start_mark.index + self._offset, "", None, False)
        elif isinstance(node, Scalar):
            self.aliased.setdefault(id(node), {self._anchored.get(id(node))}).add(self._key_name())
        return node


def _is_checked(text: str) -> bool:
    """Check the syntax without composing nodes, which takes a small part of the time.

    Returns:
        False where libyaml is not built in, so that this takes all the time.

    Raises:
        YAMLError: it is not valid YAML.
    """
    try:
        from yaml.cyaml import CParser  # type: ignore[attr-defined]  # left out of the stubs' exports
    except ImportError:
        return False
    CParser(text).raw_parse()
    return True


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
