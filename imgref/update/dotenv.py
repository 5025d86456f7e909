"""Edits the file ``.env`` beside Compose files: its variables contain references, or their tags.

A value is edited only if everything that uses its variable is known and is the same reference. All Compose files of the
directory count, whether or not they are edited themselves.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from imgref.sources.contract import Context
from imgref.sources.decoding import Unreadable, encoding_of
from imgref.sources.find import read
from imgref.sources.occurrence import Occurrence, Reading
from imgref.sources.recognition import Place, Places
from imgref.sources.target import Outside, Target, TextSpan
from imgref.sources.yaml.dotenv import DotenvError, literal_values
from imgref.update.consumers import DOTENV
from imgref.update.source import Source, Unread, read_bytes, read_source

__all__ = ["with_dotenv"]

_NAME: Final = ".env"
_USE: Final = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_MENTION: Final = re.compile(r"(?<![\w.-])\.env(?![\w.-])")
_TAG_PIN: Final = "a variable holds its tag, and a digest would freeze it"


def with_dotenv(sources: Sequence[Source], is_ignored: Callable[[str], bool]) -> list[Source]:
    """Return the files, with the ``.env`` files that contain references of the Compose files among them.

    A reference whose edit belongs into an ``.env`` file is marked as such, and any other one with the reason.

    Args:
        sources: files that are to be edited.
        is_ignored: whether git ignores a file; an ignored one is read, but never edited.
    """
    directories: dict[str, list[Source]] = {}
    for source in sources:
        if any(_outside(occurrence) is not None for occurrence in source.reading.occurrences):
            directories.setdefault(os.path.dirname(source.path), []).append(source)
    changed: dict[str, Source] = {}
    added: list[Source] = []
    for directory, here in directories.items():
        values, reason = _values_in(directory, here, is_ignored)
        if values is not None and values.source is not None:
            added.append(values.source)
        for source in here:
            changed[source.path] = _marked(source, values, reason)
    return [*(changed.get(source.path, source) for source in sources), *added]


def _outside(occurrence: Occurrence) -> Outside | None:
    return None if occurrence.target is None else occurrence.target.outside


class _Use(NamedTuple):
    """A reference that has the value of a variable.

    Attributes:
        file: the number of its Compose file.
        occurrence: the reference.
        outside: the variable.
        kept: whether a comment keeps it.
    """

    file: int
    occurrence: Occurrence
    outside: Outside
    kept: bool


@dataclass(frozen=True, slots=True)
class _Compose:
    """A Compose file of the directory.

    Attributes:
        place: its kind.
        data: its bytes.
        text: its content.
    """

    place: Place
    data: bytes
    text: str


@dataclass(frozen=True, slots=True)
class _Values:
    """What is known of the variables in an ``.env`` file.

    Attributes:
        source: the file, with the references that can be edited; None if there are none.
        reasons: why the value of a variable is not edited.
    """

    source: Source | None
    reasons: dict[str, str]


def _values_in(directory: str, here: Sequence[Source], is_ignored: Callable[[str], bool]) -> tuple[_Values | None, str]:
    """Return the values of the ``.env`` file in a directory, or why it is not edited at all."""
    path = os.path.join(directory, _NAME)
    try:
        if os.path.islink(path):  # noqa: PTH114
            return None, "the file .env is a link, which other directories may use too"
        if is_ignored(path):
            return None, "git ignores the file .env, which is not edited"
        data = read_bytes(path)
        files = _compose_files(directory, here)
    except (Unread, Unreadable) as error:
        return None, f"a file that may use its variable {error}"
    except OSError as error:
        return None, f"a file that may use its variable cannot be read: {error.strerror}"
    if encoding_of(data)[0] != "utf-8":
        return None, "the file .env is not in UTF-8"
    if any(_MENTION.search(file.text) for file in files):
        return None, "a Compose file names the file .env itself, so that its variables have other uses"
    reading, text, reasons = _read(data, files)
    if not reading.occurrences:
        return _Values(None, reasons), ""

    def reread(data: bytes) -> tuple[Reading, str]:
        return _read(data, files)[:2]

    source = Source(path, os.path.realpath(path), data, text, Places().of(path), False, reading, reader=reread)
    return _Values(source, reasons), ""


def _compose_files(directory: str, here: Iterable[Source]) -> list[_Compose]:
    """Return all Compose files of a directory, whether or not they use a variable.

    Raises:
        Unread: one cannot be read.
        Unreadable: one cannot be understood.
        OSError: one cannot be read.
    """
    known = {source.path: source for source in here}
    places = Places()
    for entry in sorted(os.scandir(directory or "."), key=lambda entry: entry.name):
        path = os.path.join(directory, entry.name)
        if path not in known and path.endswith((".yml", ".yaml")) and entry.is_file():
            source = read_source(path, places.of(path), shown=path, named=False)
            if source is not None and source.reading.kind == "compose":
                known[path] = source
    return [_Compose(source.place, source.data, source.text) for source in known.values()]


def _read(data: bytes, files: Sequence[_Compose]) -> tuple[Reading, str, dict[str, str]]:
    """Return the references in an ``.env`` file, its content, and why the values of other variables are not edited.

    Raises:
        Unreadable: a Compose file cannot be understood.
    """
    text = data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    try:
        literals = literal_values(text)
    except DotenvError:
        return Reading(DOTENV), text, {}
    written = Counter(_USE.findall(text))
    for file in files:
        written.update(_USE.findall(file.text))
    uses: dict[str, list[_Use]] = {}
    for use in _uses(files, text):
        uses.setdefault(use.outside.name, []).append(use)
    found, reasons = [], {}
    for name, users in uses.items():
        reason = _why_not(name, users, literals, text, written[name])
        if reason is None:
            found.append(_occurrence(users[0], literals[name], text))
        else:
            reasons[name] = reason
    return Reading(DOTENV, tuple(sorted(found, key=lambda one: (one.line, one.column)))), text, reasons


def _uses(files: Iterable[_Compose], text: str) -> Iterator[_Use]:
    context = Context(beside=lambda name: text if name == _NAME else None)
    for number, file in enumerate(files):
        reading, compose_text = read(file.place, file.data, named=False, context=context)
        if reading is None:
            continue
        kept = Source("", "", file.data, compose_text, file.place, False, reading).kept()
        for occurrence in reading.occurrences:
            outside = _outside(occurrence)
            if outside is not None:
                yield _Use(number, occurrence, outside, kept.reason(occurrence) is not None)


def _why_not(name: str, uses: Sequence[_Use], literals: dict[str, TextSpan], text: str, written: int) -> str | None:
    """Return why the value of a variable is not edited, or return None."""
    if name not in literals:
        return f"the value of {name} in the file .env is not written there as it is"
    if any(use.kept for use in uses):
        return f"a comment keeps a reference that uses the variable {name}"
    places = {(use.file, use.occurrence.line, use.occurrence.column) for use in uses}
    if written != len(places) or len({use.outside.repository for use in uses}) > 1:
        return f"the variable {name} in the file .env is used for something else too"
    repository = uses[0].outside.repository
    value = text[slice(*literals[name])]
    expected = value if repository is None else f"{repository}:{value}"
    if any(use.occurrence.resolved != expected for use in uses):
        return f"the variable {name} in the file .env is only a part of it"
    return None


def _occurrence(use: _Use, span: TextSpan, text: str) -> Occurrence:
    """Return the value of a variable as a reference in the ``.env`` file."""
    is_tag = use.outside.repository is not None
    target = Target(tag=span, unpinnable=_TAG_PIN) if is_tag else Target(whole=span)
    line_start = text.rfind("\n", 0, span.start) + 1
    line, column = text.count("\n", 0, span.start) + 1, span.start - line_start + 1
    return Occurrence(
        line, column, text[slice(*span)], use.occurrence.resolved, "external", use.occurrence.construct, target=target
    )


def _marked(source: Source, values: _Values | None, reason: str) -> Source:
    """Return a Compose file whose references have the planned changes of their variables."""

    def marked(occurrence: Occurrence) -> Occurrence:
        outside = _outside(occurrence)
        if outside is None or occurrence.target is None:
            return occurrence
        why = reason if values is None else values.reasons.get(outside.name, "")
        return occurrence.with_target(occurrence.target._replace(fixed=why))

    occurrences = tuple(map(marked, source.reading.occurrences))
    return replace(source, reading=replace(source.reading, occurrences=occurrences))
