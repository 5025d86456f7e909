"""Patterns over images and paths, in which ``*`` stays within a component and ``**`` does not.

Images are matched on what a reference means, never on how it is written: ``nginx``, ``docker.io/nginx`` and
``index.docker.io/library/nginx:1`` are one repository, and ``gcr.io`` is no part of ``evilgcr.io``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from imgref._grammar import ADDRESS, QUALIFIED, is_a
from imgref.errors import quote
from imgref.hosts import canonical
from imgref.reference import DEFAULT_REGISTRY, ImageReference

__all__ = ["Glob", "ImagePattern", "PathPattern", "PatternError"]

_HOST: Final = rf"(?:[A-Za-z0-9*-]+(?:\.[A-Za-z0-9*-]+)*|{ADDRESS})(?::(?:[0-9]+|\*))?"
_PATH: Final = r"[a-z0-9._*-]+(?:/[a-z0-9._*-]+)*"
_ANY_HOST: Final = ("*", "**")


class PatternError(ValueError):
    """A text that is no pattern; says why. Whoever read the text adds the place and raises an error of its own."""


class Glob:
    """A pattern matched whole, in time proportional to the text, however many wildcards there are.

    All positions in the pattern that the text so far may have reached are followed at once, as the bits of a number.

    Args:
        pattern: ``*`` is any run of characters but ``/``, ``**`` any run, ``**/`` at the start of a component any
            number of components, none included, and ``?``, where asked for, one character but ``/``.
        question: whether ``?`` is a wildcard.

    >>> Glob("a/**/b*").matches("a/b1"), Glob("a/*").matches("a/b/c")
    (True, False)
    """

    __slots__ = ("_across", "_empty", "_end", "_letters", "_question", "_skip", "_within", "pattern")

    def __init__(self, pattern: str, *, question: bool = False) -> None:
        self.pattern = pattern
        self._letters: dict[str, int] = {}
        self._within = self._across = self._empty = self._skip = self._question = 0
        bit = 1
        for part in re.findall(r"(?<![^/])\*\*/|\*\*+|.", pattern, re.DOTALL):
            if part == "**/":
                # Two places: one that may be passed over, and one that is left by a slash only.
                self._skip |= bit
                bit <<= 1
                self._across |= bit
                self._letters["/"] = self._letters.get("/", 0) | bit
            elif part == "*":
                self._within |= bit
                self._empty |= bit
            elif part.startswith("**"):
                self._across |= bit
                self._empty |= bit
            elif question and part == "?":
                self._question |= bit
            else:
                self._letters[part] = self._letters.get(part, 0) | bit
            bit <<= 1
        self._end = bit

    def matches(self, text: str, *, also_below: bool = False) -> bool:
        """Tell whether the whole text matches, or, with ``also_below``, what stands before one of its slashes."""
        state = self._passed(1)
        for character in text:
            if character == "/":
                if also_below and state & self._end:
                    return True
                moved, stay = state & self._letters.get("/", 0), self._across
            else:
                moved, stay = state & (self._letters.get(character, 0) | self._question), self._within | self._across
            state = self._passed(moved << 1 | state & stay)
            if not state:
                return False
        return bool(state & self._end)

    def _passed(self, state: int) -> int:
        """Add the positions that are reached without a character."""
        while more := ((state & self._empty) << 1 | (state & self._skip) << 1 | (state & self._skip) << 2) & ~state:
            state |= more
        return state


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A pattern over the paths of files, as in ``.gitignore``: without a slash it holds at any depth.

    What matches a directory holds for everything below it.

    >>> PathPattern("vendor").matches("a/vendor/b/Dockerfile"), PathPattern("tests/**").matches("src/tests/a")
    (True, False)
    """

    pattern: str
    _glob: Glob = field(compare=False)

    def __init__(self, pattern: str) -> None:
        anchored = pattern.removeprefix("./").strip("/")
        if "/" not in pattern.removeprefix("./").rstrip("/"):
            anchored = f"**/{anchored}"
        object.__setattr__(self, "pattern", pattern)
        object.__setattr__(self, "_glob", Glob(anchored, question=True))

    def matches(self, path: str) -> bool:
        """Tell whether a path, with ``/`` between its components, or a directory above it matches."""
        return self._glob.matches(path, also_below=True)


@dataclass(frozen=True, slots=True)
class ImagePattern:
    """A pattern over repositories: host and path, each matched by itself.

    ``official`` is ``docker.io/library/*``; a host alone is everything on it; what names no host is on ``docker.io``,
    as in a reference; and ``*`` or ``**`` in the place of the host is any host.

    Raises:
        PatternError: the text can match no repository.

    >>> from imgref import parse
    >>> pattern = ImagePattern("ghcr.io/acme/*")
    >>> pattern.matches(parse("ghcr.io/acme/app:1")), pattern.matches(parse("ghcr.io/acme/team/app:1"))
    (True, False)
    """

    text: str
    _host: Glob = field(compare=False)
    _path: Glob = field(compare=False)

    def __init__(self, text: str) -> None:
        host, path = _split(text)
        object.__setattr__(self, "text", text)
        object.__setattr__(self, "_host", Glob(host.lower()))
        object.__setattr__(self, "_path", Glob(path))

    def matches(self, ref: ImageReference) -> bool:
        """Tell whether the reference is to a repository of this pattern."""
        return self._host.matches(ref.registry.lower()) and self._path.matches(ref.path)


def _split(text: str) -> tuple[str, str]:
    """Read a pattern as a reference is read, and give its host and its path."""
    if text == "official":
        return DEFAULT_REGISTRY, "library/*"
    if text in _ANY_HOST:
        return "**", "**"
    first, slash, rest = text.partition("/")
    if not slash and is_a(_HOST, first) and is_a(QUALIFIED, first + "/"):
        return canonical(first), "**"
    if slash and (first in _ANY_HOST or is_a(QUALIFIED, first + "/")):
        host, path = canonical(first), rest
    else:
        host, path = DEFAULT_REGISTRY, text
    if not is_a(_HOST, host) or not is_a(_PATH, path):
        raise PatternError(_why_not(text, host, path))
    if host == DEFAULT_REGISTRY and "/" not in path and "**" not in path:
        path = f"library/{path}"
    return ("**" if host == "*" else host), path


def _why_not(text: str, host: str, path: str) -> str:
    shown = quote(text)
    if "://" in text:
        return f"{shown} is no pattern of images: leave out {quote(text[: text.index('://') + 3])}"
    if not text.strip() or text != text.strip():
        return f"{shown} is no pattern of images: it is empty or has white space around it"
    if "@" in path or ":" in path:
        return f"{shown} is no pattern of images: it names repositories, without tag or digest"
    if path.lower() != path:
        return f"{shown} can match no image: a path has no uppercase letters"
    if not is_a(_HOST, host):
        return f"{shown} is no pattern of images: {quote(host)} is no registry"
    return f"{shown} is no pattern of images: write a host and a path, with * and ** as wildcards"
