"""Quadlet: the images of Podman's systemd units.

https://docs.podman.io/en/latest/markdown/podman-systemd.unit.5.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from imgref.sources.collected import SPLIT, Collected, Written
from imgref.sources.contract import Context
from imgref.sources.kinds import lines_of
from imgref.sources.occurrence import Reading

__all__ = ["is_quadlet", "read"]

_HEADER: Final = re.compile(r"^\[(?:Container|Image|Volume|Pod|Build|Kube)\][ \t\r]*$", re.MULTILINE)
_WITH_IMAGE: Final = frozenset({"Container", "Image", "Volume"})
_SECTION: Final = re.compile(r"\s*\[([^\]\[]*+)\]\s*")
_SETTING: Final = re.compile(r"\s*([^=\s]++)[ \t]*=")
_COMMENT: Final = re.compile(r"[ \t]*[#;]")
_CONTINUATION: Final = re.compile(r"\\\r?\n(?:[ \t]*[#;][^\n]*\n)*")
_UNIT: Final = (".image", ".build")
_OTHER_TRANSPORT: Final = re.compile(r"(?:docker-archive|docker-daemon|oci-archive|oci|dir|containers-storage|sif):")
_UNKNOWN: Final = re.compile(r"%%|(?P<specifier>%.)|(?P<variable>\$\{?\w+)", re.DOTALL)
_OPTION: Final = re.compile(r"\s*([^=,]*+)(?:=([^,]*+))?(?:,|$)")
_AUTO_UPDATE: Final = re.compile(r"(?:io\.containers\.autoupdate=)?registry")
_MOVED: Final = "AutoUpdate=registry follows its tag, and does not accept a digest"


def is_quadlet(text: str) -> bool:
    r"""Return whether content has a section of Quadlet.

    >>> is_quadlet("[Unit]\nDescription=x\n\n[Container]\nImage=nginx\n")
    True
    """
    return _HEADER.search(text) is not None


def read(text: str, _: Context = Context()) -> Reading:  # noqa: B008  immutable
    r"""Find the images of a Quadlet unit.

    >>> [(one.line, one.column, one.text) for one in read("[Container]\nImage=nginx:1.27\n").occurrences]
    [(2, 7, 'nginx:1.27')]
    """
    found = Collected("quadlet", text)
    comments: list[tuple[int, int]] = []
    continued: list[tuple[int, int]] = []
    settings: list[_Setting] = []
    section = ""
    for start, end, is_continued in _statements(text, comments):
        if is_continued and comments:
            continued.append((start, end))
        statement = text[start:end]
        header = _SECTION.fullmatch(statement)
        if header is not None:
            section = header[1]
        elif section in _WITH_IMAGE and (setting := _setting(statement, start, section)) is not None:
            settings.append(setting)
    found.comments(comments)
    unpinnable = _MOVED if any(map(_is_auto_updated, settings)) else ""
    for setting in settings:
        if setting.name == "Image":
            _image(setting.value, setting.start, f"quadlet.{setting.section}.Image", found, unpinnable)
        elif setting.name == "Mount" and setting.section == "Container":
            _mount(setting, found)
    lines = lines_of("quadlet", text) if continued else None
    return found.reading(
        range(lines.place(start)[0], lines.place(end)[0] + 1) for start, end in continued if lines is not None
    )


class _Setting(NamedTuple):
    """A setting in a section: its name, and its value without quotes and where that begins."""

    section: str
    name: str
    value: str
    start: int


def _statements(text: str, comments: list[tuple[int, int]]) -> Iterator[tuple[int, int, bool]]:
    """Yield where statements begin and end, and whether they have several lines; a long one is kept once only."""
    at = 0
    while at < len(text):
        end = _end_of_line(text, at)
        if _COMMENT.match(text, at, end) is not None:
            comments.append((end - len(text[at:end].lstrip()), end))
            at = end + 1
            continue
        start, first_end = at, end
        while end < len(text) and text[at:end].rstrip("\r").endswith("\\"):
            at, end = end + 1, _end_of_line(text, end + 1)
            while end < len(text) and _COMMENT.match(text, at, end) is not None:
                at, end = end + 1, _end_of_line(text, end + 1)
        yield start, end, end > first_end
        at = end + 1


def _end_of_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _setting(statement: str, start: int, section: str) -> _Setting | None:
    """Return a setting that matters. What continues a line is replaced by blanks, so that offsets stay the same."""
    found = _SETTING.match(statement)
    if found is None or found[1] not in {"Image", "Mount", "AutoUpdate", "Label"}:
        return None
    value = _CONTINUATION.sub(lambda end: " " * len(end[0]), statement[found.end() :])
    blank = len(value) - len(value.lstrip())
    inner, at = _unquoted(value.strip(), start + found.end() + blank)
    return _Setting(section, found[1], inner, at)


def _is_auto_updated(setting: _Setting) -> bool:
    return setting.name in {"AutoUpdate", "Label"} and _AUTO_UPDATE.fullmatch(setting.value) is not None


def _unquoted(value: str, start: int) -> tuple[str, int]:
    """Return a value without the quotes around it, and where it begins."""
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1], start + 1
    return value, start


def _image(value: str, start: int, construct: str, found: Collected, unpinnable: str = "") -> None:
    """Add an image, unless the value is another unit or an image that comes from elsewhere than a registry."""
    if value.endswith(_UNIT) or _OTHER_TRANSPORT.match(value):
        return
    unknown = next((one for one in _UNKNOWN.finditer(value) if one.lastgroup is not None), None)
    reason = None
    if unknown is not None:
        what = "specifier" if unknown.lastgroup == "specifier" else "variable"
        reason = f"the {what} {unknown[0].replace('{', '')} has no value"
    resolved = value.replace("%%", "%") if reason is None else None
    written = Written(value, start, resolved, reason, SPLIT if "%" in value else "", unpinnable)
    found.image(written, construct, scheme="docker://")


def _mount(setting: _Setting, found: Collected) -> None:
    """``type=image,source=…``, in any order."""
    options: dict[str, tuple[str, int]] = {}
    for option in _OPTION.finditer(setting.value):
        if option[2] is not None:
            options[option[1]] = option[2].rstrip(), setting.start + option.start(2)
    if options.get("type", ("", 0))[0] == "image":
        for name in ("source", "src"):
            if name in options:
                _image(*options[name], "quadlet.Container.Mount", found)
