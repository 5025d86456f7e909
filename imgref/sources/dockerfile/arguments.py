"""The ARGs that a FROM may use: those before the first FROM, what ``--build-arg`` sets, and the predefined ones.

A FROM is read with them as BuildKit does. But where BuildKit continues with an empty string for a variable that it does
not know, the word is reported as unknown, with the reason.
https://docs.docker.com/reference/dockerfile/#understand-how-arg-and-from-interact
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Mapping
from typing import Final, NamedTuple

from imgref.errors import InvalidReference, quote
from imgref.platforms import Platform
from imgref.reference import parse
from imgref.sources.dockerfile.instructions import Line, Refused, Span
from imgref.sources.dockerfile.shell_words import BadWord, Expansion, RequiredVariable, TooLong, expand
from imgref.sources.occurrence import Problem

__all__ = ["Arguments", "Declared", "Resolution"]

_VARIABLE: Final = re.compile(r"\$\{?(\w+)")


class Resolution(NamedTuple):
    """The value of a word, or the reason why it is not known."""

    text: str
    reason: str | None = None


class Declared(NamedTuple):
    """An ARG before the first FROM: its name, its default as written or None, and where it is."""

    name: str
    default: str | None
    line: Line
    span: Span


class Arguments:
    """Collects the ARGs of a file; once it is ``settled``, words can be resolved.

    Attributes:
        declared: the ARGs before the first FROM.
        late: the names of those in stages.
    """

    def __init__(self, build_args: Mapping[str, str], platform: str, escape: str) -> None:
        self._build_args = build_args
        self._platform = platform
        self._escape = escape
        self.declared: list[Declared] = []
        self.late: set[str] = set()
        self._empty: set[str] = set()
        self._why: dict[str, str] = {}
        self._known: dict[str, Expansion] = {}

    def declare(self, line: Line, span: Span, *, late: bool) -> None:
        """Add a ``NAME`` or ``NAME=default``; ``late`` ones are in a stage, so no FROM can use them."""
        name, equals, default = line.text[span.start : span.end].partition("=")
        if late:
            self.late.add(name)
        else:
            self.declared.append(Declared(name, default if equals else None, line, span))

    def settle(self, target: str) -> list[Problem]:
        """Return the values of all of them, and report which cannot be read; ``target`` is the stage to build."""
        predefined = {**_platform_variables(self._platform), "TARGETSTAGE": target or "default"}
        known = self._known = {name: Expansion(self._build_args.get(name, value)) for name, value in predefined.items()}
        problems = []
        for name, default, line, span in self.declared:
            if name in self._build_args:
                known[name] = Expansion(self._build_args[name])
            elif default is None:
                self._why.setdefault(name, f"ARG {name} has no default: add one, or pass --build-arg {name}=…")
            else:
                try:
                    known[name] = self._default(name, default)
                except BadWord as error:
                    known[name] = Expansion("", name)
                    self._why[name] = f"ARG {name} cannot be read"
                    problems.append(line.problem(Refused(span, f"the value of ARG {name} cannot be read: {error}")))
        self._empty = {one.name for one in self.declared if one.name in known and not known[one.name].text}
        return problems

    def _default(self, name: str, default: str) -> Expansion:
        try:
            return expand(default, self._known, self._escape)
        except RequiredVariable as missing:
            self._why[name] = f"ARG {name} needs {missing.name}: {missing.message}"
        except TooLong as error:
            self._why[name] = f"ARG {name} cannot be part of a reference: {error}"
        return Expansion("", name)

    def resolve(self, word: str) -> Resolution:
        """Put the ARGs into a word.

        Raises:
            BadWord: BuildKit cannot read it.
        """
        try:
            text, unknown = expand(word, self._known, self._escape)
        except RequiredVariable as missing:
            return Resolution("", f"{missing.name}: {missing.message}")
        except TooLong as error:
            return Resolution("", str(error))
        if unknown:
            return Resolution("", self._why_unknown(unknown))
        if not text and "$" in word:
            names = " and ".join(dict.fromkeys(_VARIABLE.findall(word)))
            return Resolution("", f"{names or word} leaves it empty")
        return Resolution(text)

    def _why_unknown(self, name: str) -> str:
        if name in self._why:
            return self._why[name]
        if name in self.late:
            return f"ARG {name} is after the first FROM; FROM uses only an ARG before it"
        return f"no ARG before the first FROM declares {name}"

    def blame(self, word: str, text: str) -> str | None:
        """Report that an empty ARG makes a word invalid, if it would be a valid reference with any value."""
        used = [name for name in dict.fromkeys(_VARIABLE.findall(word)) if name in self._empty]
        if not used:
            return None
        filled = ChainMap(dict.fromkeys(used, Expansion("x")), self._known)
        try:
            parse(expand(word, filled, self._escape).text)
        except (BadWord, InvalidReference):
            return None
        return f"{' and '.join(used)} is empty, and {quote(text)} is not a valid reference"


def _platform_variables(platform: str) -> dict[str, str]:
    """Return the values that the platform ARGs have for ``platform``; the builder's are the same.

    https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope

    >>> values = _platform_variables("linux/arm")
    >>> values["TARGETPLATFORM"], values["TARGETVARIANT"], _platform_variables("linux/amd64")["TARGETVARIANT"]
    ('linux/arm/v7', 'v7', '')
    """
    normalized = Platform.parse(platform).normalized
    parts = {
        "PLATFORM": str(normalized),
        "OS": normalized.os,
        "OSVERSION": normalized.os_version,
        "ARCH": normalized.architecture,
        "VARIANT": normalized.variant,
    }
    return {side + part: value for side in ("TARGET", "BUILD") for part, value in parts.items()}
