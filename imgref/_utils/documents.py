"""Reads TOML and JSON from untrusted sources, so that no value makes a later step fail.

The standard library's readers raise several kinds of errors, and return values that cannot be printed: numbers of more
digits than Python converts, and values that are nested deeper than it recurses.
"""

from __future__ import annotations

from typing import Final

__all__ = ["DocumentError", "parse_json", "parse_toml"]

_DEPTH: Final = 100
"""How deeply values may be nested; real settings are never that deep."""

_BITS: Final = 64
"""How large a number may be in TOML: https://toml.io/en/v1.0.0#integer."""


class DocumentError(ValueError):
    """A document that cannot be used; ``reason`` continues a sentence that begins with the name of the file.

    Attributes:
        reason: what is wrong.
        line: the 1-based line, or None where it is not known.
        column: the 1-based column, or None.
    """

    def __init__(self, reason: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column


def parse_json(text: str | bytes) -> object:
    """Parse JSON.

    Raises:
        DocumentError: the string is not valid JSON, or too large or deep. It contains nothing of the string.

    >>> parse_json('{"a": [1]}')
    {'a': [1]}
    """
    import json

    try:
        value: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise DocumentError(f"is not valid JSON: {error.msg}", error.lineno, error.colno) from None
    except RecursionError:
        raise DocumentError("is nested too deeply") from None
    except UnicodeDecodeError:
        raise DocumentError("is not UTF-8") from None
    except ValueError:
        raise DocumentError("has a number with too many digits") from None
    _check(value)
    return value


def parse_toml(text: str) -> dict[str, object]:
    r"""Parse TOML.

    Raises:
        DocumentError: the string is not valid TOML, or too large or deep.

    >>> parse_toml("[a]\nb = 1")
    {'a': {'b': 1}}
    """
    import re
    import tomllib

    try:
        table: dict[str, object] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL)
        if found is None:
            raise DocumentError(f"is not valid TOML: {error}") from None
        line = int(found[2]) if found[2] else text.count("\n") + 1
        column = int(found[3]) if found[3] else len(text) - text.rfind("\n")
        raise DocumentError(f"is not valid TOML: {found[1]}", line, column) from None
    except RecursionError:
        raise DocumentError("is nested too deeply") from None
    except ValueError:
        raise DocumentError("has a number with too many digits") from None
    _check(table, bits=_BITS)
    return table


def _check(value: object, *, bits: int | None = None) -> None:
    """Refuse what is nested too deeply, or too large for the language."""
    level = [value]
    for _ in range(_DEPTH):
        level = [item for one in level for item in _items(one)]
        if not level:
            return
        if bits and any(isinstance(item, int) and item.bit_length() > bits for item in level):
            raise DocumentError("has a number that is too large")
    raise DocumentError("is nested too deeply")


def _items(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
