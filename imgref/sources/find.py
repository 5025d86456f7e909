"""Finds the image references in one file: decides its kind by name and content, and calls the kind's reader."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from imgref.errors import ImgrefError
from imgref.sources.beside import files_beside
from imgref.sources.contract import Context, Reader
from imgref.sources.decoding import Unreadable, decode, is_binary
from imgref.sources.kinds import KINDS, Kind, loaded
from imgref.sources.occurrence import Problem, Reading
from imgref.sources.recognition import Place, Places
from imgref.sources.syntax import YAML

__all__ = ["find_references", "read"]

_UNKNOWN: Final = Reading("unknown")
_NOT_DECODED: Final = re.compile("[\ud800-\udc7f\udd00-\udfff]")
_OBJECT: Final = re.compile(r'"apiVersion"[ \t\r\n]*:[ \t\r\n]*"')
_NONE: Final[Mapping[str, str]] = {}


def find_references(
    content: str | bytes,
    *,
    path: str | os.PathLike[str],
    kind: str | None = None,
    build_args: Mapping[str, str] = _NONE,
    platform: str = "linux/amd64",
) -> Reading:
    r"""Return the image references in a file, each with its exact position.

    Nothing in the content raises an error: what cannot be read is one of the problems of the result. The kind of a
    file in which nothing is recognized is ``unknown``.

    Args:
        content: what is in the file; it is not opened.
        path: where the file is; together with the content this decides its kind. The variables of a Compose file take
            their values from the file ``.env`` in the same directory, as Compose reads it; no other file is opened.
        kind: one of :data:`~imgref.sources.kinds.KINDS`, if the path does not matter.
        build_args: variables of a Dockerfile, as ``docker build --build-arg`` sets them.
        platform: the platform that the platform variables of a Dockerfile have.

    Raises:
        ImgrefError: the file may be YAML, and PyYAML is not installed.
        ValueError: the kind does not exist.

    >>> reading = find_references("services:\n  web:\n    image: nginx:1.27.3\n", path="compose.yaml")
    >>> [(found.line, found.column, found.text) for found in reading.occurrences]
    [(3, 12, 'nginx:1.27.3')]
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"invalid kind {kind!r}: choose one of {', '.join(sorted(KINDS))}")
    place = Places().of(os.fspath(path)) if kind is None else Place.declared(kind)
    if isinstance(content, str):
        # What no bytes can be decoded to becomes one other character, so that columns stay the same.
        content = _NOT_DECODED.sub("\ufffd", content).encode("utf-8", "surrogateescape")
    context = Context(build_args, platform, beside=files_beside(path))
    try:
        reading, _ = read(place, content, named=True, context=context)
    except Unreadable as error:
        name = "unknown" if place.kind is None else place.kind.name
        return Reading(name, problems=(Problem(1, 1, "IMG901", f"the file {error}"),), incomplete=True)
    return _UNKNOWN if reading is None else reading


def read(
    place: Place,
    data: bytes,
    *,
    named: bool = False,
    strict: bool = False,
    context: Context = Context(),  # noqa: B008
) -> tuple[Reading | None, str]:
    """Find the references in a file.

    Args:
        place: the classification of its path.
        data: its bytes.
        named: whether it was passed by name, so that it is read whatever its name is.
        strict: whether YAML that cannot be parsed is a problem even if the name is not that of a known YAML file.
        context: what readers know besides the content.

    Returns:
        What was found, or None for a file of an unknown kind; and its content, without a byte order mark.

    Raises:
        Unreadable: it is not text.
        ImgrefError: it is YAML, and PyYAML is not installed.
    """
    kind = place.kind
    is_suggested = kind is None and not place.yaml and not named
    if not named and place.may_be_binary and is_binary(data):
        return None, ""
    try:
        text, problem = decode(data, None if kind is None else kind.syntax)
    except Unreadable:
        if is_suggested:
            return None, ""
        raise
    if kind is None and (kind := _kind_of(text, place, named=named)) is not None:
        text, problem = decode(data, kind.syntax)
    if kind is None and is_suggested and not (place.json and _OBJECT.search(text)):
        return None, text
    if kind is None or kind.syntax is YAML:
        if place.json:
            # JSON has tabs between its tokens only, where YAML does not always accept them.
            text = text.replace("\t", " ")
        strict = strict or place.json or place.yaml or kind is not None
        reading = _read_yaml(kind, text, context, named=named and strict, template=place.template)
    else:
        reader: Reader = loaded(kind.reader)
        reading = reader(text, context)
        if kind.syntax.bytewise:
            problem = None
    if problem is not None and reading is not None and (named or place.is_certain):
        reading = replace(reading, problems=(problem, *reading.problems))
    return reading, text


def _kind_of(text: str, place: Place, *, named: bool) -> Kind | None:
    """Return the kind that content certainly is, among those that its name suggests; for a file passed by name, any."""
    suggested = place.maybe or (() if place.yaml or not named else tuple(KINDS.values()))
    probes = ((kind, loaded(kind.test)) for kind in suggested if kind.test and kind.syntax is not YAML)
    return next((kind for kind, probe in probes if probe(text)), None)


def _read_yaml(kind: Kind | None, text: str, context: Context, *, named: bool, template: bool) -> Reading | None:
    name = None if kind is None else kind.name
    try:
        from imgref.sources.yaml.reader import read_yaml

        return read_yaml(text, kind=name, named=named, template=template, context=context)
    except ModuleNotFoundError as error:
        if error.name != "yaml":
            raise
        raise ImgrefError("YAML is read with PyYAML, which is not installed: pip install 'imgref[check]'") from error
