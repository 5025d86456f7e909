"""Container configuration: the registries that ``daemon.json`` and ``registries.conf`` list as insecure.

Insecure means plain HTTP, or a certificate that is not verified. Loopback addresses are listed like any other;
the rule decides whether that is a finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from imgref._utils import toml_places
from imgref._utils.documents import DocumentError, parse_json, parse_toml
from imgref.errors import quote
from imgref.sources import _json_places
from imgref.sources._lines import TextLines
from imgref.sources.contract import Context
from imgref.sources.occurrence import Declaration, Problem, Reading

__all__ = ["read_daemon_json", "read_registries_conf"]

_NEWLINE: Final = re.compile("\n")
_DAEMON: Final = "daemon.json"
_REGISTRIES: Final = "registries.conf"
_Table = dict[str, Any]
_SCHEME: Final = re.compile("https?://", re.IGNORECASE)
_NETWORK: Final = re.compile("[0-9a-fA-F.:]+/[0-9]+")


class _Found:
    """Collects the entries and problems of a file, by offsets; ``reading`` turns them into positions."""

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self.text = text
        self.hosts: list[tuple[int, str]] = []
        self.wrong: list[tuple[int, str]] = []

    def host(self, value: object, offset: int, what: str) -> None:
        """Add one setting, which is in quotes at ``offset``."""
        if not isinstance(value, str):
            self.wrong.append((offset, f"{what} must be a string, not {quote(str(value))}"))
            return
        scheme = _SCHEME.match(value)
        # Neither a scheme nor a user is part of the host.
        begin = max(0 if scheme is None else scheme.end(), value.rfind("@") + 1)
        host = value[begin:]
        if _NETWORK.fullmatch(host) is None:
            host = host.partition("/")[0]
        if host:
            quotes = 3 if self.text[offset : offset + 3] in ('"""', "'''") else 1
            self.hosts.append((offset + quotes + begin, host))

    def reading(self) -> Reading:
        problems = [Problem(line, column, "IMG901", message) for line, column, message in self._placed(self.wrong)]
        hosts = [Declaration(line, column, host) for line, column, host in self._placed(self.hosts)]
        return Reading(self.kind, problems=tuple(problems), declarations=tuple(hosts))

    def _placed(self, found: list[tuple[int, str]]) -> Iterator[tuple[int, int, str]]:
        lines = TextLines(self.text, _NEWLINE)
        for offset, what in sorted(found):
            yield *lines.place(offset), what


def read_daemon_json(text: str, _: Context = Context()) -> Reading:  # noqa: B008  immutable
    r"""Find what Docker's ``daemon.json`` declares insecure: its ``insecure-registries``, hosts and networks.

    https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file

    >>> read_daemon_json('{"insecure-registries": ["registry.local:5001"]}').declarations
    (Declaration(line=1, column=27, host='registry.local:5001'),)
    """
    if not text.strip():  # dockerd takes an empty file
        return Reading(_DAEMON)
    try:
        value = parse_json(text)
    except DocumentError as error:
        return _unreadable(_DAEMON, error.line or 1, error.column or 1, f"this {error.reason}")
    if not isinstance(value, dict):
        return _unreadable(_DAEMON, 1, 1, "the settings of a daemon are a JSON object")
    found = _Found(_DAEMON, text)
    key = "insecure-registries"
    listed, value = value.get(key), None  # what else there is need not stay in memory
    # dockerd uses the last value of a repeated key.
    places = [place for name, _, place, _ in _json_places.members(text, _json_places.start(text)) if name == key]
    if isinstance(listed, list):
        for element, offset in _json_places.elements(text, places[-1]):
            found.host(element, offset, "an insecure registry")
    elif listed is not None:
        found.wrong.append((places[-1], f"{key} must be an array of strings"))
    return found.reading()


def read_registries_conf(text: str, _: Context = Context()) -> Reading:  # noqa: B008  immutable
    r"""Find what ``registries.conf`` declares insecure, in its first version or its second.

    https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md

    >>> read_registries_conf('[[registry]]\nlocation = "registry.local:5001/team"\ninsecure = true\n').declarations
    (Declaration(line=2, column=13, host='registry.local:5001'),)
    """
    try:
        settings = parse_toml(text)
    except DocumentError as error:
        return _unreadable(_REGISTRIES, error.line or 1, error.column or 1, f"this {error.reason}")
    places = toml_places.places(text)
    found = _Found(_REGISTRIES, text)
    _first_version(settings, places, found)
    _second_version(settings, places, found)
    return found.reading()


def _first_version(settings: _Table, places: Mapping[toml_places.Path, int], found: _Found) -> None:
    """``[registries.insecure]`` with an array ``registries``."""
    path: toml_places.Path = ("registries", "insecure", "registries")
    value: object = settings
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    for index, host in enumerate(value if isinstance(value, list) else ()):
        found.host(host, places.get((*path, index), 0), "an insecure registry")


def _second_version(settings: _Table, places: Mapping[toml_places.Path, int], found: _Found) -> None:
    """``[[registry]]`` tables and the ``[[registry.mirror]]`` tables in them; what is blocked is never asked."""
    for path, registry in _tables(settings, (), "registry"):
        if registry.get("blocked") is True:
            continue
        for inner, table in ((path, registry), *_tables(registry, path, "mirror")):
            insecure = table.get("insecure", False)
            if not isinstance(insecure, bool):
                found.wrong.append((places.get((*inner, "insecure"), 0), "insecure is either true or false"))
            elif insecure:
                key = "location" if table.get("location") else "prefix"
                if key in table:
                    found.host(table[key], places.get((*inner, key), 0), f"the {key} of a registry")


def _tables(table: _Table, path: toml_places.Path, key: str) -> Iterator[tuple[toml_places.Path, _Table]]:
    value = table.get(key)
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        if isinstance(entry, dict):
            yield (*path, key, index), entry


def _unreadable(kind: str, line: int, column: int, message: str) -> Reading:
    return Reading(kind, problems=(Problem(line, column, "IMG901", message),), incomplete=True)
