"""Quadlet: the images of Podman's systemd units.

https://docs.podman.io/en/latest/markdown/podman-systemd.unit.5.html
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from imgref.sources._lines import TextLines
from imgref.sources.collected import SPLIT, Collected, Written
from imgref.sources.contract import Context
from imgref.sources.kinds import lines_of
from imgref.sources.occurrence import Reading

__all__ = ["is_quadlet", "read"]

_HEADER: Final = re.compile(r"^\[(?:Container|Image|Volume|Pod|Build|Kube)\][ \t\r]*$", re.MULTILINE)
_WITH_IMAGE: Final = frozenset({"Container", "Image", "Volume"})
_SECTION: Final = re.compile(r"\s*\[([^\]\[]*+)\]\s*")
_SETTING: Final = re.compile(r"\s*([^=\s]++)\s*=\s*(.*)", re.DOTALL)
_UNIT: Final = (".image", ".build")
_OTHER_TRANSPORT: Final = re.compile(r"(?:docker-archive|docker-daemon|oci-archive|oci|dir|containers-storage|sif):")
_UNKNOWN: Final = re.compile(r"%%|(?P<specifier>%.)|(?P<variable>\$\{?\w+)", re.DOTALL)
_OPTION: Final = re.compile(r"\s*([^=,]*+)(?:=([^,]*+))?(?:,|$)")
_AUTO_UPDATE: Final = re.compile(r"(?:io\.containers\.autoupdate=)?registry")
_MOVED: Final = "AutoUpdate=registry follows its tag, and does not accept a digest"


def is_quadlet(text: str) -> bool:
    r"""Return whether a text has a section of Quadlet's.

    >>> is_quadlet("[Unit]\nDescription=x\n\n[Container]\nImage=nginx\n")
    True
    """
    return _HEADER.search(text) is not None


def read(text: str, _: Context = Context()) -> Reading:  # noqa: B008  immutable
    r"""Find the images of a Quadlet unit.

    >>> [(one.line, one.column, one.text) for one in read("[Container]\nImage=nginx:1.27\n").occurrences]
    [(2, 7, 'nginx:1.27')]
    """
    lines = lines_of("quadlet", text)
    comments: list[tuple[int, int]] = []
    found = Collected("quadlet", text)
    statements = list(_statements(lines, comments))
    found.comments(comments)
    unpinnable = _MOVED if any(map(_is_auto_updated, statements)) else ""
    section = ""
    for statement in statements:
        header = _SECTION.fullmatch(statement.text)
        if header is not None:
            section = header[1]
        elif section in _WITH_IMAGE and (setting := _SETTING.fullmatch(statement.text)) is not None:
            value, start = _unquoted(setting[2].rstrip(), setting.start(2))
            if setting[1] == "Image":
                _image(statement, value, start, f"quadlet.{section}.Image", found, unpinnable)
            elif setting[1] == "Mount" and section == "Container":
                _mount(statement, value, start, found)
    return found.reading(range(one.first, one.last + 1) for one in statements if one.first < one.last)


@dataclass(slots=True)
class _Statement:
    """A line, with those that continue it.

    Attributes:
        first: the number of its first line.
        last: the number of its last line.
        text: the lines without the backslashes, joined by blanks.
        pieces: where each line begins in the text, and in the file.
    """

    first: int
    last: int
    text: str
    pieces: list[tuple[int, int]] = field(default_factory=list)

    def place(self, index: int) -> int:
        """Return the offset in the file of a character of the text."""
        start, offset = self.pieces[bisect_right(self.pieces, index, key=_first) - 1]
        return offset + index - start


def _first(piece: tuple[int, int]) -> int:
    return piece[0]


def _statements(lines: TextLines, comments: list[tuple[int, int]]) -> Iterator[_Statement]:
    """Yield the statements. Comments inside of one are skipped, as systemd skips them."""
    parts: list[str] = []
    pieces: list[tuple[int, int]] = []
    first, length = 0, 0
    for number in range(1, len(lines) + 1):
        line = lines[number - 1].rstrip("\r")
        stripped = line.lstrip()
        offset = lines.offset(number, 1)
        if stripped.startswith(("#", ";")):
            comments.append((offset + len(line) - len(stripped), offset + len(line)))
            continue
        if not parts:
            first = number
        pieces.append((length, offset))
        is_continued = line.endswith("\\")
        parts.append(line[:-1] + " " if is_continued else line)
        length += len(parts[-1])
        if not is_continued or number == len(lines):
            yield _Statement(first, number, "".join(parts), pieces)
            parts, pieces, length = [], [], 0


def _is_auto_updated(statement: _Statement) -> bool:
    setting = _SETTING.fullmatch(statement.text)
    return (
        setting is not None
        and setting[1] in {"AutoUpdate", "Label"}
        and _AUTO_UPDATE.fullmatch(_unquoted(setting[2].rstrip(), 0)[0]) is not None
    )


def _unquoted(value: str, start: int) -> tuple[str, int]:
    """Return a value without the quotes around it, and where it begins."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1], start + 1
    return value, start


def _image(
    statement: _Statement, value: str, start: int, construct: str, found: Collected, unpinnable: str = ""
) -> None:
    """Add an image, unless the value is another unit or an image that comes from elsewhere than a registry."""
    if value.endswith(_UNIT) or _OTHER_TRANSPORT.match(value):
        return
    unknown = next((one for one in _UNKNOWN.finditer(value) if one.lastgroup is not None), None)
    reason = None
    if unknown is not None:
        what = "specifier" if unknown.lastgroup == "specifier" else "variable"
        reason = f"the {what} {unknown[0].replace('{', '')} has no value"
    at = statement.place(start)
    is_split = statement.place(start + len(value)) != at + len(value)
    resolved = value.replace("%%", "%") if reason is None else None
    written = Written(value, at, resolved, reason, SPLIT if is_split or "%" in value else "", unpinnable)
    found.image(written, construct, scheme="docker://")


def _mount(statement: _Statement, value: str, start: int, found: Collected) -> None:
    """``type=image,source=…``, in any order."""
    options: dict[str, tuple[str, int]] = {}
    for option in _OPTION.finditer(value):
        if option[2] is not None:
            options[option[1]] = option[2], start + option.start(2)
    if options.get("type", ("", 0))[0] == "image":
        for name in ("source", "src"):
            if name in options:
                _image(statement, *options[name], "quadlet.Container.Mount", found)
