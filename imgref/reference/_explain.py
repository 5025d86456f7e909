"""Explains why a string is not a valid reference: the position, the reason, and the probable intention.

Each rule is a function from a string to the first problem of its kind; they run in the order in which a reader
would want to see their problems. A problem may have an edit, the string with only this fixed. The hint is the result of
repeated edits, if that is a valid reference.

This module has the rules about the whole; those about its parts are in :mod:`imgref.reference._explain_parts`. All of
this runs only for strings that the grammar rejects, and in time proportional to their length.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from imgref import _grammar
from imgref._grammar import is_a
from imgref._printable import credentials_in
from imgref.errors import InvalidReference, quote
from imgref.reference._explain_parts import PARTS, Problem, structure

__all__ = ["explain", "explain_part"]

_EDITS: Final = 12
"""How many problems of one string are fixed before there is no hint."""

_VARIABLE: Final = (
    r"\$\{[^}]*\}?|\$\([^)]*\)?|\$[A-Za-z0-9_]+|\{\{[^}]*\}{0,2}|\{%[^%]*(?:%\})?|%[A-Za-z_][A-Za-z0-9_]*%"
)
_SCHEME: Final = r"[A-Za-z][A-Za-z0-9+.-]*://"
_HOST_LIKE: Final = (
    r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)(?::[0-9]+)?"  # a name
    r"|[A-Za-z0-9-]+:[0-9]{1,5}"  # a word with a port; an unknown digest would be longer
)


def explain(text: str, default_registry: str = "docker.io") -> InvalidReference:
    """Return why ``text`` is not a valid reference.

    >>> error = explain("Ubuntu:22.04")
    >>> error.span, error.hint
    ((0, 6), 'ubuntu:22.04')
    """
    problem = _first_problem(text, default_registry)
    if problem is None:
        raise AssertionError(f"a valid reference was refused: {quote(text)}")
    secret = credentials_in(text)
    if secret is not None and problem.start <= secret[1] and problem.end > secret[0]:
        # The reason would contain what must not be printed.
        problem = _leaked(text, secret)
    hint = problem.edit
    for _ in range(_EDITS):
        if hint is None or (further := _first_problem(hint, default_registry)) is None:
            break
        hint = further.edit
    else:
        hint = None
    return InvalidReference(text, problem[:2], problem.reason, hint, secret=secret)


def explain_part(kind: str, text: str, start: int, end: int) -> InvalidReference:
    """Return why ``text[start:end]``, a part of an assembled reference, is not valid.

    Args:
        kind: ``registry``, ``path``, ``tag`` or ``digest``.
        text: all the parts, as they would be written.
        start: where the part begins.
        end: where it ends.
    """
    problem = PARTS[kind](text, start, end)
    if problem is None:
        raise AssertionError(f"a valid {kind} was refused: {quote(text[start:end])}")
    return InvalidReference(text, problem[:2], problem.reason, secret=credentials_in(text))


def _first_problem(text: str, default_registry: str) -> Problem | None:
    for rule in _WHOLE:
        if problem := rule(text):
            return problem
    return structure(text, default_registry)


def _nothing(text: str) -> Problem | None:
    if text and not text.isspace():
        return None
    return Problem(0, len(text), "nothing is given (an unset variable?)")


def _variable(text: str) -> Problem | None:
    found = re.search(_VARIABLE, text, re.ASCII)
    return found and Problem(*found.span(), f"{quote(found[0])} is a variable that was not expanded")


def _untagged(text: str) -> Problem | None:
    found = re.search("<none>", text)
    return found and Problem(*found.span(), "'<none>' is how Docker lists an untagged local image; it is not a name")


def _scheme(text: str) -> Problem | None:
    found = re.match(_SCHEME, text)
    return found and Problem(
        *found.span(), f"a reference has no URL scheme such as {quote(found[0])}", text[found.end() :]
    )


def _credentials(text: str) -> Problem | None:
    secret = credentials_in(text)
    if secret is None or not _is_address(text[secret[1] + 1 :]):
        return None
    return _leaked(text, secret)


def _leaked(text: str, secret: tuple[int, int]) -> Problem:
    start, end = secret
    rest = text[end + 1 :]
    # A host alone would read as the name of an image.
    edit = text[:start] + rest if "/" in rest else None
    return Problem(start, end + 1, "credentials do not belong in a reference", edit)


def _white_space(text: str) -> Problem | None:
    found = re.search(r"\s+", text)
    if found is None:
        return None
    stripped = text.strip()
    return Problem(
        *found.span(),
        f"white space ({quote(found[0])}) is not allowed in a reference",
        stripped if stripped != text else None,
    )


def _image_id(text: str) -> Problem | None:
    if not is_a(_grammar.IMAGE_ID, text):
        return None
    return Problem(0, len(text), "64 hexadecimal digits are the ID of a local image, not a reference")


def _foreign_character(text: str) -> Problem | None:
    found = re.search(r"[^\x20-\x7e]", text)
    if found is None:
        return None
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:
        reason = f"the byte 0x{code - 0xDC00:02X} is not UTF-8"
    elif code < 0x80:
        reason = f"the control character U+{code:04X} is not allowed in a reference"
    else:
        reason = f"{found[0]!r} (U+{code:04X}) is not ASCII"
    return Problem(*found.span(), reason)


_WHOLE: Final[tuple[Callable[[str], Problem | None], ...]] = (
    _nothing,
    _variable,
    _untagged,
    _scheme,
    _credentials,
    _white_space,
    _image_id,
    _foreign_character,
)


def _is_address(text: str) -> bool:
    """Return whether what follows an ``@`` is a registry, with or without a path, rather than a bad digest."""
    return "/" in text.partition("@")[0] or is_a(_HOST_LIKE, text)
