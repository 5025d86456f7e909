"""The build parameters of TeamCity, which are in files and not in the environment.

https://www.jetbrains.com/help/teamcity/predefined-build-parameters.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ["read_properties", "with_properties"]

_CONFIGURATION: Final = "teamcity.configuration.properties.file"
"""The property with the path of a second file, which has the parameters about branches and pull requests."""

_OF_ROOTS: Final = ("teamcity.build.vcs.branch", "build.vcs.number")
"""Parameters that end in the ID of a VCS root: they count where all roots of the build have the same value."""

_ESCAPES: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_LARGEST: Final = 1 << 24


def with_properties(environ: Mapping[str, str], path: str) -> Mapping[str, str]:
    """Return the environment with the properties in a file, and in the file that it names, beside the variables.

    Args:
        environ: the variables; a property never replaces one.
        path: the file; empty for none. One that cannot be read has no properties.
    """
    if not path:
        return environ
    properties = _read(path)
    properties = {**_read(properties.get(_CONFIGURATION, "")), **properties}
    for name in _OF_ROOTS:
        values = {value for key, value in properties.items() if key.startswith(f"{name}.")}
        if len(values) == 1:
            properties.setdefault(name, *values)
    return {**properties, **environ}


def _read(path: str) -> dict[str, str]:
    if not path:
        return {}
    try:
        with Path(path).open("rb") as file:
            return read_properties(file.read(_LARGEST).decode("latin-1"))
    except (OSError, ValueError):
        return {}


def read_properties(text: str) -> dict[str, str]:
    r"""Read a Java properties file.

    >>> read_properties("# comment\nvcsroot.url=https\\://host/app\nname: caf\\u00e9\n")
    {'vcsroot.url': 'https://host/app', 'name': 'café'}
    """
    properties = {}
    joined = re.sub(r"(?<!\\)((?:\\\\)*)\\(?:\r\n|\n|\r)[ \t\f]*", r"\1", text)
    for line in re.split(r"[\r\n]+", joined):
        stripped = line.lstrip(" \t\f")
        if not stripped or stripped[0] in "#!":
            continue
        key, value = re.fullmatch(r"((?:[^\\=: \t\f]|\\.?)*)[ \t\f]*[=:]?[ \t\f]*(.*)", stripped, re.DOTALL).groups()  # type: ignore[union-attr]
        properties[_unescaped(key)] = _unescaped(value)
    return properties


def _unescaped(text: str) -> str:
    plain = re.sub(
        r"\\(?:u([0-9a-fA-F]{4})|(.?))",
        lambda found: chr(int(found[1], 16)) if found[1] else _ESCAPES.get(found[2], found[2]),
        text,
        flags=re.DOTALL,
    )
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
