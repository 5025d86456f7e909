"""The JSON Schemas of what imgref prints as JSON, and of its settings.

Commands that handle each argument on its own print one JSON object per line, which the schema describes; all others
print one document. Keys are in snake_case. A value that is not known is null, and a key is absent only where it does
not apply. Times are in RFC 3339, in UTC; sizes in bytes; lines and columns count from 1.

>>> from imgref.schemas import names, schema
>>> "parse" in names()
True
>>> import json
>>> json.loads(schema("parse"))["title"]
'imgref parse --format json'
"""

from __future__ import annotations

__all__ = ["names", "schema"]


def names() -> tuple[str, ...]:
    """Return the names of all schemas, in alphabetical order."""
    from pathlib import Path

    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("*.json")))


def schema(name: str) -> str:
    """Return a schema as a string, in JSON Schema draft 2020-12.

    Raises:
        KeyError: there is none of this name.
    """
    if name not in names():
        raise KeyError(name)
    from pathlib import Path

    return Path(__file__).with_name(f"{name}.json").read_text(encoding="utf-8")
