"""Templates of Helm charts: the images that are written in them literally, found line by line.

A template is not YAML before it is rendered. Each ``image`` is found, and one counts as a reference only if its
line and the lines around it are unambiguous. Any other is unresolved, never omitted.

https://helm.sh/docs/chart_template_guide/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from imgref.sources.occurrence import Occurrence, Role
from imgref.sources.roles import is_source, is_template, role_of
from imgref.sources.target import UNSURE, Target, TextSpan
from imgref.sources.yaml.actions import MASK, is_continued, mask
from imgref.sources.yaml.document import Lines
from imgref.sources.yaml.objects import Type
from imgref.sources.yaml.resources import DATA, NO_IMAGE, has_images

__all__ = ["chart_images"]

_POD: Final = frozenset({"containers", "initContainers", "ephemeralContainers"})
_VOLUMES: Final = "volumes"
_SPLIT: Final = "it is written with escapes or over several lines"
_BLOCK: Final = "it is in a block scalar"
_PLACE: Final = "it may not be an image for containers"
_MADE: Final = "it is made by a template"

_LEAD: Final = re.compile(rf"[ \t{MASK}]*+(?:-(?=[ \t\n]|\Z)[ \t]*+)*+")
_KEY: Final = re.compile(
    r"""(?:"[^"\n]*+"|'[^'\n]*+'|(?![\s"'{[#&*!|>%@`])(?:[^:\n]|:(?![ \t\n]|\Z))++)[ \t]*+:(?=[ \t\n]|\Z)"""
)
_PROPERTIES: Final = re.compile(r"[ \t]*+(?:[&!]\S*+[ \t]++)*+")
_QUOTED: Final = re.compile(r""""(?P<double>[^"\n]*+)"|'(?P<single>[^'\n]*+)'""")
_COMMENT: Final = re.compile(r"[ 	]#")
_HEADER: Final = re.compile(r"[|>][-+0-9]{0,2}[ \t]*+(?:#[^\n]*+)?(?=\n|\Z)")
_REST: Final = re.compile(r"[ \t]*+(?:,[ \t]*+)?(?:#[^\n]*+)?(?=\n|\Z)")
_ENTRY: Final = (
    r"""[{,][ \t]*+(?:["']image["'][ \t]*+:[ \t]*+|image[ \t]*+:[ \t]++)"""
    r"""(?P<value>"[^"\n]*+"|'[^'\n]*+'|[^\s,{}\[\]"'][^,}\]\n]*+)"""
)
_FLOW: Final = re.compile(_ENTRY)
_FLOW_REFERENCE: Final = re.compile(_ENTRY.replace("image", "reference"))
_NULL: Final = frozenset({"null", "Null", "NULL", "~"})


class _Image(NamedTuple):
    """An image as it is written.

    Attributes:
        start: where it begins.
        text: its content.
        parent: the key above it.
        reason: why it is unresolved, or an empty string.
    """

    start: int
    text: str
    parent: str
    reason: str


@dataclass
class _Scan:
    """Reads the lines of a template.

    Attributes:
        text: the content of the file.
        shown: the same with its actions masked.
        end: where an action begins that never ends.
        keys: the keys around the line, with their columns.
        block: the column that the lines of a block scalar exceed, or None outside of one.
        is_made: whether an action begins the line, so that it may be another one when rendered.
        waiting: the column of an ``image`` whose value may be on the next line, or None.
        images: the images of the document.
        groups: the API groups that the document names.
        kinds: the kinds that it names.
    """

    text: str
    shown: str
    end: int
    keys: list[tuple[int, str]] = field(default_factory=list)
    block: int | None = None
    is_made: bool = False
    waiting: int | None = None
    images: list[_Image] = field(default_factory=list)
    groups: set[str] = field(default_factory=set)
    kinds: set[str] = field(default_factory=set)

    def line(self, start: int, end: int) -> None:
        """Read a line."""
        lead = _LEAD.match(self.shown, start, end)
        at = start if lead is None else lead.end()
        if at == end or self.shown[at] == "#":
            return
        indent = _indent(self.shown, start)
        is_action = self.shown[start + indent] == MASK
        if self.block is not None and not is_action and indent <= self.block:
            self.block = None
        self.is_made = MASK in self.shown[start:at]
        key = _KEY.match(self.shown, at, end)
        column = at - start
        if self.block is None:
            if self.waiting is not None and key is None and column > self.waiting and "-" not in self.shown[start:at]:
                self._value(at, end, self.waiting)
            self.waiting = None
            while self.keys and self.keys[-1][0] >= column:
                self.keys.pop()
        name = "" if key is None else self.shown[at : key.end() - 1].strip().strip("\"'")
        value = at if key is None else _after_properties(self.shown, key.end())
        if name == "image" or (name == "reference" and self._is_in_volume()):
            self._value(value, end, column)
        self._flow(value, end, name)
        if self.block is None:
            self._enter(name, column, value, end, indent)

    def _is_in_volume(self) -> bool:
        """Return whether the line is in the ``image`` of a volume."""
        return [name for _, name in self.keys[-2:]] == [_VOLUMES, "image"]

    def _enter(self, name: str, column: int, value: int, end: int, indent: int) -> None:
        if name:
            self.keys.append((column, name))
        if column == 0 and name in {"kind", "apiVersion"}:
            word = self.shown[value:end].partition(" #")[0].strip().strip("\"'")
            is_whole = name == "kind" or MASK in word
            (self.kinds if name == "kind" else self.groups).add(word if is_whole else word.rpartition("/")[0])
        if _HEADER.match(self.shown, value):
            self.block = column if name else indent

    def _value(self, start: int, end: int, column: int) -> None:
        """Read the value of an ``image``."""
        first = self.shown[start:end].lstrip()[:1]
        if first in {"", "#"}:
            self.waiting = column if self.block is None else None
            return
        if first in {"{", "["}:
            return
        quoted = _QUOTED.match(self.shown, start, end)
        comment = _COMMENT.search(self.shown, start, end)
        span = (start, start + len(self.shown[start : end if comment is None else comment.start()].rstrip()))
        after, reason = span[1], ""
        if quoted is not None:
            span = quoted.span("double" if quoted["single"] is None else "single")
            after = quoted.end()
            if "\\" in quoted[0] or not _REST.match(self.shown, after):
                reason = _SPLIT
        elif first in {'"', "'"}:
            span, reason = (start + 1, span[1]), _SPLIT
        elif first in {"|", ">"}:
            reason = _BLOCK
        elif first == "*":
            reason = "it is an alias"
        elif self.shown[span[0] : span[1]] in _NULL:
            return
        elif self.shown[span[1] - 1] == ",":
            span = (span[0], span[1] - 1)
        if not reason and quoted is None and self._goes_on(end, column):
            reason = _SPLIT
        self._add(span, after, reason)

    def _add(self, span: tuple[int, int], after: int, reason: str) -> None:
        start, end = span
        if start == end:
            return
        text = self.text[start:end]
        parent = next((name for _, name in reversed(self.keys) if name != "image"), "")
        is_made = self.is_made or end > self.end or MASK in self.shown[start:end] or is_template(text)
        if is_made or is_continued(self.text, after):
            reason = _MADE
        elif self.block is not None:
            reason = _BLOCK
        elif "$" in text:
            reason = "the value of its variable is not known here"
        if not is_source(text):
            self.images.append(_Image(start, text, parent, reason))

    def _goes_on(self, at: int, column: int) -> bool:
        """Return whether the next line that is not empty continues a value: it is indented further than its key."""
        while at < len(self.shown):
            start = at + 1
            at = self.shown.find("\n", start)
            at = len(self.shown) if at < 0 else at
            indent = _indent(self.shown, start)
            if start + indent < at and self.shown[start + indent] not in {MASK, "#"}:
                return indent > column
        return False

    def _flow(self, start: int, end: int, name: str) -> None:
        """Read the images in a mapping or list in brackets."""
        if self.shown[start : start + 1] not in {"{", "["}:
            return
        is_volume = name == "image" and [key for _, key in self.keys[-1:]] == [_VOLUMES]
        for found in (_FLOW_REFERENCE if is_volume else _FLOW).finditer(self.shown, start, end):
            value = found["value"].rstrip()
            first = found.start("value")
            is_quoted = value[0] in "\"'"
            span = (first + is_quoted, first + len(value) - is_quoted)
            if value not in _NULL:
                if name:
                    self.keys.append((end, name))
                self._add(span, found.end(), _SPLIT if "\\" in value else "")
                if name:
                    self.keys.pop()

    def finished(self) -> Iterator[_Image]:
        """Yield the images of the document, and begin the next one."""
        for image in self.images:
            reason = image.reason
            if not reason and not self._is_certain(image):
                reason = _PLACE
            yield image._replace(reason=reason)
        self.images, self.keys, self.block, self.waiting = [], [], None, None
        self.groups, self.kinds = set(), set()

    def _is_certain(self, image: _Image) -> bool:
        """Return whether an image is one for containers, going by the object and the key that it is in."""
        if self.kinds and self.kinds <= DATA:
            return False
        if image.parent in {*_POD, _VOLUMES}:
            return True
        if image.parent == "rbd" or NO_IMAGE.match(image.text) or role_of(image.text) == "invalid":
            return False
        known = {group for group in self.groups if MASK not in group}
        return not known or any(has_images(Type(group, "")) and not group.endswith(".k8s.io") for group in known)


def chart_images(text: str) -> tuple[Occurrence, ...]:
    r"""Find the images in a template of a chart.

    >>> [(found.text, found.role) for found in chart_images("a:\n- image: nginx:1\n- image: {{ .Values.b }}")]
    [('nginx:1', 'external'), ('{{ .Values.b }}', 'unresolved')]
    """
    if "image" not in text:
        return ()
    masked = mask(text)
    scan = _Scan(text, masked.text, masked.end)
    images: list[_Image] = []
    start = 0
    while start <= len(masked.text):
        end = masked.text.find("\n", start)
        end = len(masked.text) if end < 0 else end
        if masked.text.startswith("---", start) and not masked.text[start + 3 : end].strip():
            images += scan.finished()
        else:
            scan.line(start, end)
        start = end + 1
    images += scan.finished()
    lines = Lines(text)
    return tuple(_occurrence(image, lines) for image in sorted(images))


def _occurrence(image: _Image, lines: Lines) -> Occurrence:
    line, column = lines.at(image.start)
    role: Role = "unresolved" if image.reason else role_of(image.text)
    target = None
    if role == "external":
        whole = TextSpan(image.start, image.start + len(image.text))
        target = Target(whole=whole, unpinnable="" if image.parent in _POD else UNSURE)
    resolved = None if image.reason else image.text
    construct = "template.image"
    return Occurrence(line, column, image.text, resolved, role, construct, reason=image.reason or None, target=target)


def _indent(text: str, start: int) -> int:
    at = start
    while text[at : at + 1] in {" ", "\t"}:
        at += 1
    return at - start


def _after_properties(text: str, at: int) -> int:
    found = _PROPERTIES.match(text, at)
    return at if found is None else found.end()
