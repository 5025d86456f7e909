"""Which documents of a YAML file are composed: those that may have references, and those that are unclear.

Composing takes most of the time of a check, and most documents of a large tree have no images. A document that is
certainly an object of a kind, or in a file of a kind by its name, and has none of the words that
:attr:`~imgref.sources.kind.Kind.needs` of this kind lists, has no references. Then only its syntax is checked.

Words are searched in the source as written. If it may be written differently (escapes, keys that are
aliases), may not be divided into documents as seen here, or is unusual in any other way, everything is composed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Final

from imgref.sources.kinds import KINDS
from imgref.sources.syntax import YAML
from imgref.sources.yaml.composer import Part
from imgref.sources.yaml.document import Mapping, Node, Scalar
from imgref.sources.yaml.objects import text_of

__all__ = ["KindsOf", "has_any", "parts_of"]

KindsOf = Callable[[Node, str | None], list[str]]
"""Returns the kinds as which a document is read, from the kind of the file's name."""

_UNUSUAL: Final = re.compile("\r(?!\n)|[\x85\u2028\u2029\ufeff]")
"""Line endings that YAML parsers treat differently, and byte order marks inside of a file."""

_ESCAPE: Final = re.compile(r"\\[xuU/\r\n]")
"""What can write a character of a word in another way, in a string in double quotes."""

_BESIDE: Final = re.compile(r"\?|\*[0-9A-Za-z_-]")
"""What may begin a key that is not followed by its colon, or an alias, where one of :data:`_BEFORE` is before it."""

_BEFORE: Final = frozenset(" \t\r\n[{,:")
_DEEP: Final = re.compile(r"(?<![^\n])[ \t?:-]{90}")
"""A line that begins with a deep indent, or with many levels of nesting."""

_BRACKETS: Final = 60
"""How many brackets a document may have: with so few, and the length of an indent, it cannot be nested too deeply."""

_BLANK: Final = re.compile(r"(?:[ \t]*+(?:#[^\n]*+)?\n)*+(?:[ \t]*+(?:#[^\n]*+)?\Z)?+")
_MARK: Final = re.compile(r"---[ \t]*+(?:(?<=[ \t])#[^\n]*+)?\n")
_LINE: Final = re.compile(
    r"(apiVersion|kind):[ \t]++([A-Za-z0-9][A-Za-z0-9./_-]*+)[ \t]*+(?:(?<=[ \t])#[^\n]*+)?(?:\n(?![ \t\n])|\Z)"
)
_NO_HEAD: Final = re.compile(r"[\"'\[{]")
_FIELDS: Final = ("apiVersion", "kind")
_AT_START: Final = re.compile("\n[\"'!&*?<]")
"""What a line begins with that may be a field in another way of writing."""

_AFTER: Final = frozenset({"", " ", "\t", "\r", "\n"})
_LONG: Final = 100_000
"""How far the fields that name an object are searched."""


def parts_of(text: str, kind: str | None, kinds_of: KindsOf) -> list[Part]:
    r"""Divide a file into parts: those to compose, and documents of which everything necessary is known.

    Args:
        text: the file, without a byte order mark.
        kind: the kind that the name of the file decides, or None.
        kinds_of: decides the kinds of a document.

    >>> text = "apiVersion: v1\nkind: Service\nspec: {}\n"
    >>> [part.known is None for part in parts_of(text, None, lambda document, kind: ["kubernetes"])]
    [False]
    """
    whole = [Part(0, len(text))]
    if "imgref:" in text or text.startswith("%") or "\n%" in text:
        return whole
    if (not text.isascii() or "\r" in text) and _UNUSUAL.search(text) is not None:
        return whole
    found: list[Part] = []
    for start, end in _documents(text):
        known = None if text.find("image:", start, end) >= 0 else _known(text[start:end], kind, kinds_of)
        if known is None and found and found[-1].known is None:
            found[-1] = Part(found[-1].start, end)
        else:
            found.append(Part(start, end, known))
    return found or whole


def _documents(text: str) -> Iterator[tuple[int, int]]:
    """Yield where the documents begin and end; the mark of one is nothing else anywhere in YAML."""
    start = 0
    at = text.find("\n---") + 1
    while at > 0:
        # An empty part above the first mark is not a document.
        if text[at + 3 : at + 4] in _AFTER and (start or _after(_BLANK, text[:at], 0) < at):
            yield start, at
            start = at
        at = text.find("\n---", at) + 1
    if start < len(text):
        yield start, len(text)


def _known(text: str, kind: str | None, kinds_of: KindsOf) -> Mapping | None:
    """Return a substitute for a document without references, or None if it must be composed."""
    text = text.replace("\r\n", "\n")
    document = _head(text)
    if document is None:
        if kind is None or _content(text) == len(text) or any(sign in text for sign in _decisive_signs()):
            return None
        document = Mapping(0)
        needs = _all_needs(kind)
    else:
        kinds = [] if text_of(document, "kind") == "List" else kinds_of(document, kind)
        if not kinds or any(not KINDS[name].needs for name in kinds):
            return None
        needs = tuple(need for name in kinds for need in KINDS[name].needs)
    if not needs or has_any(text, needs) or _is_unusual(text):
        return None
    return document


def _is_unusual(text: str) -> bool:
    """Return whether words may be written in another way, or composing may find a problem that parsing does not."""
    return (
        "\n..." in text
        or text.count("[") + text.count("{") > _BRACKETS
        or ("\\" in text and _ESCAPE.search(text) is not None)
        or _DEEP.search(text) is not None
        or any(sign in text and _has_beside(text, sign) for sign in "?*")
    )


def _has_beside(text: str, sign: str) -> bool:
    at = text.find(sign)
    while at >= 0:
        if (at == 0 or text[at - 1] in _BEFORE) and _BESIDE.match(text, at) is not None:
            return True
        at = text.find(sign, at + 1)
    return False


def _head(text: str) -> Mapping | None:
    """Return a mapping with what names the object that a document certainly is, or None."""
    start = _content(text)
    mapping = Mapping(0)
    for field in _FIELDS:
        at = start if text.startswith(f"{field}:", start) else text.find(f"\n{field}:", start, start + _LONG) + 1
        line = _LINE.match(text, at)
        # No construct that could contain such a line as text may be open before it. A repeated one may count.
        if (
            line is None
            or line[1] != field
            or _NO_HEAD.search(text, start, at) is not None
            or text.find(f"\n{field}", line.end() - 1) >= 0
        ):
            return None
        mapping.flat += (_scalar(field), _scalar(line[2]))
    mapping.close()
    return None if _AT_START.search(text, start) is not None else mapping


def _content(text: str) -> int:
    """Return where the content of a document begins, behind its mark and what is above it: comments and empty lines."""
    at = _after(_BLANK, text, 0)
    return _after(_BLANK, text, _after(_MARK, text, at))


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


def _scalar(value: str) -> Scalar:
    return Scalar(value, 0, "", None, False)


@cache
def _decisive_signs() -> tuple[str, ...]:
    """Return what any document has that is of a kind which decides, whatever the name of the file."""
    return tuple(dict.fromkeys(sign for kind in KINDS.values() if kind.decisive for sign in kind.signs or ("",)))


@cache
def _all_needs(kind: str) -> tuple[str, ...]:
    """Return what a document in a file of a kind needs to have references, by its name or by its content.

    It is empty if a kind does not declare what it needs.
    """
    if not KINDS[kind].needs:
        return ()
    needs = list(KINDS[kind].needs)
    for other in KINDS.values():
        if other.syntax is not YAML or other.name == kind or not other.test or other.decisive:
            continue
        if not other.needs:
            return ()
        needs += [f"{sign} {need}" for sign in other.signs or ("",) for need in other.needs]
    return tuple(dict.fromkeys(need.strip() for need in needs))


def has_any(text: str, needs: Iterable[str]) -> bool:
    r"""Return whether a source has all the words of one of some needs; a word that ends with a colon is a key.

    >>> has_any("runImage: a", ["image: b", "Image:"]), has_any("images: []", ["image:"])
    (True, False)
    """
    return any(all(_has(text, word) for word in need.split()) for need in needs)


def _has(text: str, word: str) -> bool:
    if word.endswith("//"):
        return _scheme(word).search(text) is not None
    if not word.endswith(":"):
        return word in text
    key = word[:-1]
    at = text.find(key)
    while at >= 0:
        after = at + len(key)
        if text.startswith(":", after) or (
            text[after : after + 1] in {'"', "'", " ", "\t"} and _COLON.match(text, after) is not None
        ):
            return True
        at = text.find(key, after)
    return False


_COLON: Final = re.compile(r"[\"']?[ \t]*+:")


@cache
def _scheme(word: str) -> re.Pattern[str]:
    return re.compile(re.escape(word), re.IGNORECASE)
