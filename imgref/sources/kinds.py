"""Readers: from the text of a file to the image references in it, one module a kind of file.

This module tells from a path and bytes which reader is asked. A Dockerfile is known by its name, and so are an
engine's settings; YAML is known by its ending, and by what it says.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from imgref.errors import ImgrefError
from imgref.sources._lines import TextLines
from imgref.sources.occurrence import Problem, Reading

__all__ = [
    "ENGINE_SETTINGS",
    "KINDS",
    "Place",
    "Places",
    "Unreadable",
    "encoding_of",
    "is_candidate",
    "is_known_by_name",
    "lines_of",
    "read",
]

_DOCKERFILE: Final = re.compile(r"(?:docker|container)file(?:[.-].*)?|.*\.(?:docker|container)file", re.DOTALL)
_NO_DOCKERFILE: Final = (".dockerignore", ".j2", ".tmpl", ".tpl", ".md")
_CODE: Final = re.compile(
    r"dockerfile\.(?:[ch]|cc|cpp|cs|css|el|go|html|java|js|json|jsx|kt|lock|lua|mjs|php|pl|py|pyi|rb|rs|scss|snap|svg"
    r"|toml|ts|tsx|vim|xml|ya?ml)"
)
"""Programs about Dockerfiles. ``Dockerfile.go`` with a capital is one, though, and ``dockerfile.dev`` too."""

ENGINE_SETTINGS: Final = ("daemon.json", "registries.conf")
"""The names of files in which an engine is told which registries are insecure."""

KINDS: Final = (
    "bitbucket",
    "circleci",
    "cloud-build",
    "compose",
    "dockerfile",
    "drone",
    "github-actions",
    "gitlab-ci",
    "helm-values",
    "kubernetes",
    "kustomize",
    "woodpecker",
    *ENGINE_SETTINGS,
)
"""Every kind of file, by the name that ``--as`` and ``[check.files]`` use."""

_YAML: Final = (".yml", ".yaml")
_FROM: Final = re.compile(r"(?:\s*(?:#[^\n]*+)?\n)*+\s*(?:FROM|ARG)\s", re.IGNORECASE | re.ASCII)
_NEWLINE: Final = re.compile("\n")
_YAML_BREAK: Final = re.compile(r"\r\n?|\n")

_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


class Unreadable(Exception):
    """A file that is no text; says why. Whoever asked for it decides whether that is a finding or a warning."""


class Place(NamedTuple):
    """What a path tells about a file.

    Attributes:
        kind: ``dockerfile``, the name of an engine's settings file, ``yaml``, or None for anything else.
        yaml_kind: which kind of YAML its name says that it is, or None where the name does not tell.
        template: whether it stands below the ``templates`` of a chart.
        json: whether its name says that it is JSON.
    """

    kind: str | None
    yaml_kind: str | None = None
    template: bool = False
    json: bool = False

    @classmethod
    def declared(cls, kind: str) -> Place:
        """Return the place of a file that is declared to be of one of :data:`KINDS`, whatever its name.

        >>> Place.declared("compose")
        Place(kind='yaml', yaml_kind='compose', template=False, json=False)
        """
        return cls(kind) if kind == "dockerfile" or kind in ENGINE_SETTINGS else cls("yaml", kind)

    @property
    def may_be_about_anything(self) -> bool:
        """Whether a file with such a name is one of YAML or JSON, which may be about anything but images."""
        return self.kind == "yaml" or self.json


class _Directory(NamedTuple):
    """What a directory tells: which kind all YAML in it is, if it tells; and how it stands to a chart."""

    kind: str | None
    below_chart: bool
    templates: bool


class Places:
    """Tells what paths tell; every directory is looked at once."""

    def __init__(self) -> None:
        self._charts: dict[str, str | None] = {}
        self._directories: dict[str, _Directory] = {}
        self._names: dict[tuple[str, bool], str | None] = {}

    def of(self, path: str) -> Place:
        """Tell the kind of a file by its name, and whether it belongs to a Helm chart."""
        kind = _kind(path)
        if kind != "yaml":
            return Place(kind, json=path.lower().endswith(".json"))
        before, _, name = path.rpartition("/")
        directory = self._directory(f"{before}/" if path.startswith("/") else before)
        return Place(kind, directory.kind or self._named(name, directory), directory.templates)

    def _named(self, name: str, directory: _Directory) -> str | None:
        key = name, directory.below_chart
        if key not in self._names:
            from imgref.sources.yaml.reader import yaml_kind

            self._names[key] = yaml_kind(PurePosixPath(name), beside_chart=directory.below_chart)
        return self._names[key]

    def _directory(self, written: str) -> _Directory:
        known = self._directories.get(written)
        if known is None:
            from imgref.sources.yaml.reader import yaml_kind

            # The directories above count, also those above the working directory.
            path = os.path.abspath(written)  # noqa: PTH100  a link's name counts, not what it leads to
            chart = self._chart(path)
            templates = chart is not None and f"{path}/".startswith(f"{chart.rstrip('/')}/templates/")
            kind = yaml_kind(PurePosixPath(path, "any.yaml"))
            known = self._directories[written] = _Directory(kind, chart is not None, templates)
        return known

    def _chart(self, directory: str) -> str | None:
        """Give the nearest directory upwards with a ``Chart.yaml``, up to the top of a repository."""
        if directory not in self._charts:
            parent = os.path.dirname(directory)
            found: str | None = None
            if os.path.isfile(f"{directory}/Chart.yaml"):
                found = directory
            elif parent != directory and not os.path.lexists(f"{directory}/.git"):
                found = self._chart(parent)
            self._charts[directory] = found
        return self._charts[directory]


def is_candidate(path: str) -> bool:
    """Tell from its name alone whether a file may hold references.

    >>> [is_candidate(name) for name in ("a/Dockerfile.dev", "a/Dockerfile.dev.md", "x.yml", "dockerfile.py")]
    [True, False, True, False]
    """
    return _kind(path) is not None


def _kind(path: str) -> str | None:
    name = path.rpartition("/")[2]
    if name in ENGINE_SETTINGS:
        return name
    low = name.lower()
    if _DOCKERFILE.fullmatch(low) and not low.endswith(_NO_DOCKERFILE) and not _CODE.fullmatch(name):
        return "dockerfile"
    return "yaml" if low.endswith(_YAML) else None


def read(
    place: Place,
    data: bytes,
    *,
    named: bool = False,
    strict: bool = False,
    build_args: Mapping[str, str] | None = None,
    platform: str = "linux/amd64",
) -> tuple[Reading | None, str]:
    """Find the references in a file.

    Args:
        place: what its path tells.
        data: its bytes.
        named: whether it was given by name, and so is read whatever it is called.
        strict: whether YAML that cannot be parsed is a problem also where no name says that it is YAML.
        build_args: variables of a Dockerfile that are set from outside.
        platform: what the platform variables of a Dockerfile are set to.

    Returns:
        What was found, or None for a file of no kind that is known; and its text, without a byte order mark.

    Raises:
        Unreadable: it is no text.
        ImgrefError: it is YAML, and PyYAML is not installed.
    """
    kind = place.kind
    text, problem = _decoded(data, may_be_wide=kind != "dockerfile")
    if kind is None and named:
        kind = "dockerfile" if _FROM.match(text) else "yaml"
    reading: Reading | None = None
    if kind == "dockerfile":
        from imgref.sources.dockerfile.reader import read_dockerfile

        # To BuildKit a byte that is not UTF-8 is a byte like any other: it is no problem by itself.
        return read_dockerfile(text, build_args=build_args or {}, platform=platform), text
    if kind in ENGINE_SETTINGS:
        from imgref.sources import engine_settings

        reading = (
            engine_settings.read_daemon_json(text)
            if kind == "daemon.json"
            else engine_settings.read_registries_conf(text)
        )
    elif kind == "yaml":
        strict = strict or place.json or place.kind is not None
        if place.json:
            # JSON has tabs between its tokens only, where YAML does not always take them.
            text = text.replace("\t", " ")
        reading = _read_yaml(place, text, named=named and strict)
    if problem is not None and reading is not None and (named or is_known_by_name(place)):
        reading = replace(reading, problems=(problem, *reading.problems))
    return reading, text


def _read_yaml(place: Place, text: str, *, named: bool) -> Reading | None:
    from imgref.sources.yaml.reader import read_yaml

    try:
        return read_yaml(text, kind=place.yaml_kind, named=named, template=place.template)
    except ModuleNotFoundError as error:
        raise ImgrefError("YAML is read with PyYAML, which is not installed: pip install 'imgref[check]'") from error


def is_known_by_name(place: Place) -> bool:
    """Tell whether the name alone says what kind of file this is, so that it must be readable."""
    return place.kind is not None if place.kind != "yaml" else place.yaml_kind is not None and not place.template


def lines_of(kind: str, text: str) -> TextLines:
    """Split a text into lines as the reader of its kind counts them."""
    return TextLines(text, _NEWLINE if kind == "dockerfile" else _YAML_BREAK)


def encoding_of(data: bytes) -> tuple[str, int]:
    """Return the encoding of a file, and how many bytes its byte order mark has.

    >>> encoding_of(b"FROM a"), encoding_of("FROM a".encode("utf-16"))[1]
    (('utf-8', 0), 2)
    """
    return next(((encoding, len(mark)) for mark, encoding in _MARKS if data.startswith(mark)), ("utf-8", 0))


def _decoded(data: bytes, *, may_be_wide: bool) -> tuple[str, Problem | None]:
    encoding, _ = encoding_of(data)
    if encoding != "utf-8":
        if not may_be_wide:
            raise Unreadable(f"is {encoding.upper()[:-3]}, and a Dockerfile must be UTF-8")
        try:
            return data.decode(encoding).removeprefix("\ufeff"), None
        except UnicodeDecodeError as error:
            raise Unreadable(f"is no {encoding.upper()[:-3]}: {error.reason}") from error
    if b"\0" in data:
        raise Unreadable("is no text: it has a NUL byte")
    try:
        return data.decode("utf-8").removeprefix("\ufeff"), None
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8").removeprefix("\ufeff")
        lines = _YAML_BREAK.split(before)
        reason = f"the byte 0x{data[error.start]:02X} is not UTF-8"
        problem = Problem(len(lines), len(lines[-1]) + 1, "IMG901", reason)
        return data.decode("utf-8", "surrogateescape").removeprefix("\ufeff"), problem
