"""The ``.env`` file beside a Compose file, read as Compose reads it, without the environment of the process.

https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final, NamedTuple

from imgref.sources.contract import Context
from imgref.sources.decoding import Unreadable
from imgref.sources.occurrence import Problem
from imgref.sources.target import TextSpan
from imgref.sources.yaml.variables import Resolved, interpolate

__all__ = ["DotenvError", "Variables", "literal_values", "parse_dotenv"]

_NAME: Final = ".env"
_NOT_KNOWN: Final = f"{_NAME} does not determine the value of "
_BETWEEN: Final = re.compile(r"(?:\s|#[^\n]*+)*+")
_EXPORT: Final = re.compile(r"export\s[^\S\n]*+")
_KEY: Final = re.compile(r"(?:[\w.\-\[\]]|[^\S\n])*+")
_SPACE: Final = re.compile(r"[^\S\n]*+")
_LINE: Final = re.compile(r"[^\n]*+")
_QUOTED: Final = {
    "'": re.compile(r"'((?:[^'\\]|\\.)*+)'", re.DOTALL),
    '"': re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL),
}
_PAIR: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPE: Final = re.compile(r'\\(?:([abfnrtv$"\\])|0([0-3][0-7]{2}))')
# A dollar sign that is meant as one is written twice for the substitution that follows.
_ESCAPED: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "$": "$$"}


class DotenvError(Exception):
    """Why Compose does not accept a ``.env`` file: the line, and nothing of what is in it, which may be secret."""


class _Written(NamedTuple):
    """A value as written.

    Attributes:
        text: the value, without quotes and escapes.
        substituted: whether variables in it are substituted.
        start: where the value begins, behind its quotation mark.
        end: where the next statement begins.
        uncertain: whether it is one version of Compose's comment, and another one's value.
    """

    text: str
    substituted: bool
    start: int
    end: int
    uncertain: bool = False


def parse_dotenv(text: str) -> dict[str, Resolved]:
    r"""Return the variables that a ``.env`` file sets; the value of one that depends on the environment is not known.

    Raises:
        DotenvError: Compose does not accept the file.

    >>> found = parse_dotenv("export TAG='1.27' # current\nIMAGE=nginx:${TAG}\nOTHER=$HOME/x\n")
    >>> found["IMAGE"].text, found["OTHER"].text
    ('nginx:1.27', None)
    """
    values: dict[str, Resolved] = {}
    for name, value in _settings(text):
        values[name] = _resolved(name, value, values)
    return values


def literal_values(text: str) -> dict[str, TextSpan]:
    r"""Return where the values are that are written as they are: without variables and escapes, on one line.

    A variable that is set more than once has its last value.

    Raises:
        DotenvError: Compose does not accept the file.

    >>> text = "TAG='1.27' # current\nIMAGE=nginx:${TAG}\n"
    >>> {name: text[span.start:span.end] for name, span in literal_values(text).items()}
    {'TAG': '1.27'}
    """
    found: dict[str, TextSpan] = {}
    for name, value in _settings(text):
        found.pop(name, None)
        is_literal = text.startswith(value.text, value.start) and not set(value.text) & set("$\\\n")
        if value.text and is_literal and not value.uncertain:
            found[name] = TextSpan(value.start, value.start + len(value.text))
    return found


def _settings(text: str) -> Iterator[tuple[str, _Written]]:
    """Yield the variables that a file sets, in its order.

    Raises:
        DotenvError: Compose does not accept the file.
    """
    at = _after(_BETWEEN, text, 0)
    while at < len(text):
        export = _EXPORT.match(text, at)
        start = export.end() if export else at
        end = _after(_KEY, text, start)
        name = text[start:end].rstrip()
        sign = text[end : end + 1]
        if sign not in {"=", ":", "\n", ""} or " " in name:
            raise _invalid(text, start, "not a valid variable name")
        # A name alone takes its value from the environment of the process, which is not read.
        if sign in {"=", ":"}:
            value = _value(text, end + 1)
            end = value.end
            yield name, value
        at = _after(_BETWEEN, text, end)


def _value(text: str, start: int) -> _Written:
    at = _after(_SPACE, text, start)
    quote = text[at : at + 1]
    if quote in _QUOTED:
        found = _QUOTED[quote].match(text, at)
        if found is None:
            raise _invalid(text, at, "the closing quotation mark is missing")
        value = _PAIR.sub(lambda pair: quote if pair[1] == quote else pair[0], found[1])
        if quote == "'":
            return _Written(value, False, at + 1, found.end())
        return _Written(_ESCAPE.sub(_unescaped, value), True, at + 1, found.end())
    end = _after(_LINE, text, at)
    return _Written(text[at:end].partition(" #")[0].rstrip(), True, at, end, quote == "#" and at > start)


def _unescaped(escape: re.Match[str]) -> str:
    return chr(int(escape[2], 8)) if escape[2] else _ESCAPED.get(escape[1], escape[1])


def _resolved(name: str, value: _Written, values: dict[str, Resolved]) -> Resolved:
    if not value.substituted:
        return Resolved(value.text, outside=True)
    resolved = interpolate(value.text, values.get)
    if value.uncertain:
        return Resolved(None, f"{_NOT_KNOWN}{name}: write it in quotes, or leave out the comment")
    if resolved.text is not None:
        return Resolved(resolved.text, outside=True)
    if resolved.reason is not None and resolved.reason.startswith(_NOT_KNOWN):
        # For a chain of variables, only the first reason is kept: longer ones would take quadratic time.
        return Resolved(None, resolved.reason)
    # The content of the file is not repeated unless it is the name of a variable.
    why = "it is not valid" if resolved.refused else resolved.reason
    return Resolved(None, f"{_NOT_KNOWN}{name}: {why}")


def _after(pattern: re.Pattern[str], text: str, start: int) -> int:
    found = pattern.match(text, start)
    return found.end() if found else start


def _invalid(text: str, at: int, reason: str) -> DotenvError:
    return DotenvError(f"line {text.count(chr(10), 0, at) + 1}: {reason}")


class Variables:
    """The variables of a file from outside of it: those of the context, then those of the ``.env`` file beside it.

    The file is read when the first variable is looked up, and once.

    Args:
        context: has both.

    Attributes:
        problems: why the ``.env`` file could not be read, after it was needed.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.problems: list[Problem] = []

    def lookup(self, name: str) -> Resolved | None:
        """Return the value of a variable, or an unknown value with the reason, or None if it is not set."""
        given = self._context.variables.get(name)
        if given is not None:
            return Resolved(given, outside=True)
        return self._unknown if self._beside is None else self._beside.get(name)

    @cached_property
    def _beside(self) -> dict[str, Resolved] | None:
        """The variables of the file, or None if it cannot be read."""
        try:
            text = self._context.beside(_NAME)
            return {} if text is None else parse_dotenv(text)
        except (Unreadable, DotenvError) as error:
            message = f"the file {_NAME} {error}" if isinstance(error, Unreadable) else f"{_NAME}: {error}"
            self.problems.append(Problem(1, 1, "IMG901", message))
            return None

    @cached_property
    def _unknown(self) -> Resolved:
        return Resolved(None, f"the file {_NAME} beside it could not be read")
