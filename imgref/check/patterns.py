"""Patterns over images and paths, in which ``*`` stays within a component and ``**`` does not.

Images are matched on what a reference means, never on how it is written: ``nginx``, ``docker.io/nginx`` and
``index.docker.io/library/nginx:1`` are one repository, and ``gcr.io`` does not match ``evilgcr.io``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from imgref._grammar import ADDRESS, QUALIFIED, is_a
from imgref.errors import ImgrefError, quote
from imgref.hosts import canonical
from imgref.reference import DEFAULT_REGISTRY, ImageReference

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

__all__ = ["Glob", "ImagePattern", "PathPatterns", "PatternError"]

_HOST: Final = rf"(?:[A-Za-z0-9*-]+(?:\.[A-Za-z0-9*-]+)*|{ADDRESS})(?::(?:[0-9]+|\*))?"
_PATH: Final = r"[a-z0-9._*-]+(?:/[a-z0-9._*-]+)*"
_ANY_HOST: Final = ("*", "**")


class PatternError(ValueError):
    """A string is not a valid pattern. Callers add the location and raise their own error."""


class Glob:
    """A pattern that must match whole, in time proportional to the string, however many wildcards it has.

    All positions in the pattern that the string so far may have reached are tracked at once, as the bits of a number.

    Args:
        pattern: ``*`` is any run of characters but ``/``, ``**`` any run, ``**/`` at the start of a component any
            number of components, none included.

    >>> Glob("a/**/b*").matches("a/b1"), Glob("a/*").matches("a/b/c")
    (True, False)
    """

    __slots__ = ("_across", "_empty", "_end", "_letters", "_skip", "_within", "pattern")

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._letters: dict[str, int] = {}
        self._within = self._across = self._empty = self._skip = 0
        bit = 1
        for part in re.findall(r"(?<![^/])\*\*/|\*\*+|.", pattern, re.DOTALL):
            if part == "**/":
                # Two positions: one that may be skipped, and one that only a slash leaves.
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
            else:
                self._letters[part] = self._letters.get(part, 0) | bit
            bit <<= 1
        self._end = bit

    def matches(self, text: str) -> bool:
        """Return whether the whole string matches."""
        state = self._passed(1)
        for character in text:
            if character == "/":
                moved, stay = state & self._letters.get("/", 0), self._across
            else:
                moved, stay = state & self._letters.get(character, 0), self._within | self._across
            state = self._passed(moved << 1 | state & stay)
            if not state:
                return False
        return bool(state & self._end)

    def _passed(self, state: int) -> int:
        """Add the positions that are reached without a character."""
        while more := ((state & self._empty) << 1 | (state & self._skip) << 1 | (state & self._skip) << 2) & ~state:
            state |= more
        return state


@dataclass(frozen=True, slots=True, init=False)
class PathPatterns:
    """Patterns of the paths of files, as the lines of a ``.gitignore``: the last one that matches counts.

    A match of a directory applies to all files in it, which ``!`` cannot include again. ``./`` at the start is ``/``.

    Args:
        lines: the patterns.

    Raises:
        PatternError: one of them is not valid.
        ImgrefError: pathspec is not installed.

    >>> patterns = PathPatterns("vendor[0-9]", "*.yaml", "!keep.yaml")
    >>> patterns.matches("a/vendor1/b/Dockerfile"), patterns.matches("a/keep.yaml")
    (True, False)
    """

    lines: tuple[str, ...]

    def __init__(self, *lines: str) -> None:
        object.__setattr__(self, "lines", tuple(re.sub(r"\A(!?)\./", r"\1/", line) for line in lines))
        if lines:
            _spec(self.lines)

    def __bool__(self) -> bool:
        return bool(self.lines)

    def matches(self, path: str) -> bool:
        """Return whether a path, with ``/`` between its components, or a directory above it matches.

        The path of a directory ends with ``/``.
        """
        if not self.lines:
            return False
        directory = path.rstrip("/").rpartition("/")[0]
        return _holds_below(self.lines, directory) or _spec(self.lines).match_file(path)


@cache
def _spec(lines: tuple[str, ...]) -> GitIgnoreSpec:
    # It takes as long to load as a check of some hundred files: only a policy with patterns pays for it.
    try:
        from pathspec import GitIgnoreSpec
    except ModuleNotFoundError as error:
        raise ImgrefError(
            "patterns of paths need pathspec, which is not installed: pip install 'imgref[check]'"
        ) from error
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError as error:
            raise PatternError(f"invalid pattern of paths {quote(line)}: see gitignore(5) for what is valid") from error
    return GitIgnoreSpec.from_lines(lines)


@lru_cache(maxsize=10_000)
def _holds_below(lines: tuple[str, ...], directory: str) -> bool:
    """Return whether a directory or one above it matches."""
    spec = _spec(lines)
    ends = (found.end() for found in re.finditer("[^/]/", f"{directory}/"))
    return any(spec.match_file(f"{directory}/"[:end]) for end in ends)


@dataclass(frozen=True, slots=True)
class ImagePattern:
    """A pattern over repositories: host and path, each matched by itself.

    ``official`` is ``docker.io/library/*``; a host alone is everything on it; what names no host is on ``docker.io``,
    as in a reference; and ``*`` or ``**`` instead of the host is any host.

    Raises:
        PatternError: the pattern cannot match any repository.

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
        """Return whether the reference is to a repository of this pattern."""
        return self._host.matches(ref.registry.lower()) and self._path.matches(ref.path)


def _split(text: str) -> tuple[str, str]:
    """Parse a pattern like a reference, and return its host and its path."""
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
        return f"{shown} is not a valid image pattern: remove {quote(text[: text.index('://') + 3])}"
    if not text.strip() or text != text.strip():
        return f"{shown} is not a valid image pattern: it is empty or has spaces around it"
    if "@" in path or ":" in path:
        return f"{shown} is not a valid image pattern: it matches repositories, so it has no tag or digest"
    if path.lower() != path:
        return f"{shown} can match no image: a path has no uppercase letters"
    if not is_a(_HOST, host):
        return f"{shown} is not a valid image pattern: {quote(host)} is not a registry"
    return f"{shown} is not a valid image pattern: write a host and a path, with * and ** as wildcards"
