"""Development containers: the image of ``devcontainer.json``, and the images that its build takes a cache from.

https://containers.dev/implementors/json_reference/
"""

from __future__ import annotations

import re
from typing import Final

from imgref.sources.collected import IN_VARIABLE, SPLIT, Collected, Written
from imgref.sources.contract import Context
from imgref.sources.jsonc.document import Array, Object, Other, Text, Value, parse
from imgref.sources.occurrence import Reading

__all__ = ["read"]

_VARIABLE: Final = re.compile(r"\$\{(?:(?:localEnv|env):[^:{}]*+:([^{}]*+)|([^{}]*+))\}")
"""https://containers.dev/implementors/json_reference/#variables-in-devcontainerjson"""


def read(text: str, _: Context = Context()) -> Reading:  # noqa: B008  immutable
    r"""Find the images of a ``devcontainer.json``.

    >>> [(one.column, one.text) for one in read('{"image": "debian:12"} // base').occurrences]
    [(12, 'debian:12')]
    """
    document = parse(text)
    found = Collected("devcontainer", text)
    found.document(document.comments, [] if document.error is None else [document.error], incomplete=True)
    root = document.root
    if isinstance(root, Object):
        _image(root.get("image"), "devcontainer.image", found)
        build = root.get("build")
        _caches(build.get("cacheFrom") if isinstance(build, Object) else None, found)
    elif document.error is None:
        found.problem(0 if root is None else root.start, "a devcontainer.json is a JSON object", incomplete=True)
    return found.reading()


def _caches(value: Value | None, found: Collected) -> None:
    """An image, or a list of images; ``type=…`` names a cache of BuildKit instead."""
    for item in value.items if isinstance(value, Array) else (value,):
        if isinstance(item, Text) and "type=" not in item.value:
            _image(item, "devcontainer.build.cacheFrom", found)


def _image(value: Value | None, construct: str, found: Collected) -> None:
    if isinstance(value, Text):
        found.image(_written(value), construct)
    elif isinstance(value, Other) and value.text != "null":
        written = Written(value.text, value.start, value.text)
        found.add(written, construct, value.text, "invalid", reason="an image is a string: put it in quotes")


def _written(value: Text) -> Written:
    """Substitute the defaults of variables."""
    unknown = ""
    parts: list[str] = []
    at = 0
    for variable in _VARIABLE.finditer(value.value):
        parts += [value.value[at : variable.start()], variable[1] or ""]
        at = variable.end()
        unknown = unknown or (variable[2] or "")
    fixed = "" if value.is_plain else SPLIT
    if unknown:
        return Written(value.value, value.start + 1, None, f"the variable {unknown} has no value", fixed)
    resolved = "".join((*parts, value.value[at:]))
    return Written(value.value, value.start + 1, resolved, None, IN_VARIABLE if parts else fixed)
