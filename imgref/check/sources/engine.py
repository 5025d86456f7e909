"""Engine settings: the registries that ``daemon.json`` and ``registries.conf`` declare insecure.

Insecure means plain HTTP, or a certificate that nobody checks. Loopback addresses are declared here like any other;
whether that is a finding is for the rule to say.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from imgref.check.finding import Declaration, Problem, Reading
from imgref.check.sources import _json_places, _toml_places
from imgref.errors import quote

__all__ = ["read_daemon_json", "read_registries_conf"]

_KIND: Final = "engine"
_Table = dict[str, Any]
_SCHEME: Final = re.compile("https?://", re.IGNORECASE)
_NETWORK: Final = re.compile("[0-9a-fA-F.:]+/[0-9]+")
_TOML_PLACE: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)")


class _Found:
    """Collects what a file declares and what is wrong in it, by offsets; ``reading`` turns them into places."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.hosts: list[tuple[int, str]] = []
        self.wrong: list[tuple[int, str]] = []

    def host(self, value: object, offset: int, what: str) -> None:
        """Take one setting; it stands in quotes at ``offset``."""
        if not isinstance(value, str):
            self.wrong.append((offset, f"{what} is a text, and not {quote(str(value))}"))
            return
        scheme = _SCHEME.match(value)
        begin = 0 if scheme is None else scheme.end()
        host = value[begin:]
        if _NETWORK.fullmatch(host) is None:
            host = host.partition("/")[0]
        if host:
            quotes = 3 if self.text[offset : offset + 3] in ('"""', "'''") else 1
            self.hosts.append((offset + quotes + begin, host))

    def reading(self) -> Reading:
        problems = [Problem(line, column, "IMG901", message) for line, column, message in self._placed(self.wrong)]
        hosts = [Declaration(line, column, host) for line, column, host in self._placed(self.hosts)]
        return Reading(_KIND, problems=tuple(problems), declarations=tuple(hosts))

    def _placed(self, found: list[tuple[int, str]]) -> Iterator[tuple[int, int, str]]:
        line, at = 1, 0
        for offset, what in sorted(found):
            line += self.text.count("\n", at, offset)
            at = offset
            yield line, offset - self.text.rfind("\n", 0, offset), what


def read_daemon_json(text: str) -> Reading:
    r"""Find what Docker's ``daemon.json`` declares insecure: its ``insecure-registries``, hosts and networks.

    https://docs.docker.com/reference/cli/dockerd/#daemon-configuration-file

    >>> read_daemon_json('{"insecure-registries": ["registry.local:5001"]}').declarations
    (Declaration(line=1, column=27, host='registry.local:5001'),)
    """
    if not text.strip():  # dockerd takes an empty file
        return Reading(_KIND)
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        return _unreadable(error.lineno, error.colno, f"this is no JSON: {error.msg}")
    except (ValueError, RecursionError):
        return _unreadable(1, 1, "this is no JSON that can be read: it nests too deep, or has a number too long")
    if not isinstance(value, dict):
        return _unreadable(1, 1, "the settings of a daemon are a JSON object")
    found = _Found(text)
    # dockerd takes the last one of a key that is given twice.
    places = {key: place for key, _, place, _ in _json_places.members(text, _json_places.start(text))}
    key = "insecure-registries"
    if isinstance(value.get(key), list):
        for element, offset in _json_places.elements(text, places[key]):
            found.host(element, offset, "an insecure registry")
    elif value.get(key) is not None:
        found.wrong.append((places[key], f"{key} is an array of texts"))
    return found.reading()


def read_registries_conf(text: str) -> Reading:
    r"""Find what ``registries.conf`` declares insecure, in its first version or its second.

    https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md

    >>> read_registries_conf('[[registry]]\nlocation = "registry.local:5001/team"\ninsecure = true\n').declarations
    (Declaration(line=2, column=13, host='registry.local:5001'),)
    """
    try:
        settings = tomllib.loads(text.replace("\r\n", "\n"))
        places = _toml_places.places(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _TOML_PLACE.search(message)
        reason = f"this is no TOML: {_TOML_PLACE.sub('', message)}"
        if place is not None and place[1]:
            return _unreadable(int(place[1]), int(place[2]), reason)
        return _unreadable(text.count("\n") + 1, len(text) - text.rfind("\n"), reason)
    except (ValueError, RecursionError):
        return _unreadable(1, 1, "this is no TOML that can be read: it nests too deep, or has a number too long")
    found = _Found(text)
    _first_version(settings, places, found)
    _second_version(settings, places, found)
    return found.reading()


def _first_version(settings: _Table, places: Mapping[_toml_places.Path, int], found: _Found) -> None:
    """``[registries.insecure]`` with an array ``registries``."""
    path: _toml_places.Path = ("registries", "insecure", "registries")
    value: object = settings
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    for index, host in enumerate(value if isinstance(value, list) else ()):
        found.host(host, places.get((*path, index), 0), "an insecure registry")


def _second_version(settings: _Table, places: Mapping[_toml_places.Path, int], found: _Found) -> None:
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


def _tables(table: _Table, path: _toml_places.Path, key: str) -> Iterator[tuple[_toml_places.Path, _Table]]:
    value = table.get(key)
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        if isinstance(entry, dict):
            yield (*path, key, index), entry


def _unreadable(line: int, column: int, message: str) -> Reading:
    return Reading(_KIND, problems=(Problem(line, column, "IMG901", message),), incomplete=True)
