"""Finds credentials in a string and removes them; used through :mod:`imgref._printable`.

Its patterns take longer to compile than a short command to run, and most strings have no ``@``.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

__all__ = ["MASK", "find_credentials", "mask", "mask_json"]

MASK: Final = "***"

_SIGNS: Final = 32
"""In how many ``@`` of one word, counted from the end, credentials are looked for."""

_SUSPECT: Final = re.compile(r"@(?!(?:sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})(?![0-9A-Za-z]))")
"""An ``@`` that does not begin a digest. Most strings have none, and need no further search."""

_SPACED: Final = re.compile(r"\S++", re.ASCII)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_DIGEST: Final = re.compile(
    r"(?i:sha256|sha384|sha512)(?:\Z|:(?:[^/]*|[0-9A-Fa-f]{32,}/.*))"
    r"|(?:\$[({]?|\{\{[ \t]*)[A-Za-z0-9_.-]*?(?i:digest|sha256|_sha\b)[^/]*\Z",
    re.ASCII | re.DOTALL,
)
"""A digest, or a variable that has one by its name."""

_VERSION: Final = re.compile(r"[vV]?[0-9]+(?:\.[0-9]+)*", re.ASCII)
_ADDRESS: Final = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|\[[0-9A-Fa-f:.]+\]"
_NAME: Final = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.[A-Za-z][A-Za-z0-9-]*\.?|localhost"
_HOST: Final = re.compile(rf"(?:(?:{_NAME}|{_ADDRESS})(?::[0-9]*)?|[A-Za-z0-9_-]+:[0-9]{{1,5}})", re.ASCII)
_HOST_WITH_PORT: Final = re.compile(rf"(?:{_NAME}|{_ADDRESS}|[A-Za-z0-9_-]+):[0-9]{{1,5}}", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*", re.ASCII)
_HEX: Final = re.compile("[0-9a-f]+")
_TOKEN: Final = re.compile(r"(?=[^0-9]*+[0-9])(?=[^A-Za-z]*+[A-Za-z])\S{6,}|\S{20,}", re.DOTALL)
_PLACE: Final = re.compile(r"[^\s\"'`<>(),;]*")
_VARIABLE: Final = re.compile(r"\$\{?[A-Za-z_]|\$\(|\{\{|%[A-Za-z_][A-Za-z0-9_]*%", re.ASCII)

_OPENING: Final = re.compile(r"""(?:\A|(?<=["'][:,]))["'`(\[{<]+""")
"""Quotes and brackets where a value begins. Elsewhere in a word they may be characters of a password."""

_OPEN_URL: Final = re.compile(r"""://(?!\[)[^/:@]*:(?![0-9]{1,5}(?:["'/]|\Z))[^@]*\Z""", re.ASCII)
"""A URL that ends inside a password: what looks like the end of a value is a part of the password."""

_ASSIGNED: Final = re.compile(
    r"""(?:--[a-z][a-z-]*=|[A-Za-z_][A-Za-z0-9_-]{0,63}=(?=["'`(\[{<]|[^:]*:|\*+@))["'`(\[{<]*""", re.ASCII
)
"""What may be written before a value: an option, or a name where the value has quotes, or a user and a password."""

_MASKED: Final = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_-]{0,63}=)?\*+", re.ASCII)

_PUBLIC: Final = frozenset({"git"})
"""Users that everybody has, as in ``git@github.com``."""


def mask(text: str, *, whole: bool, same_length: bool) -> str:
    """Return a string with the credentials in it replaced; see :func:`imgref._printable.masked`."""
    if _SUSPECT.search(text) is None:
        return text
    if whole:
        span = find_credentials(text)
        return text if span is None else _with_mask(text, span, same_length=same_length)
    return _SPACED.sub(lambda word: _masked_word(word[0], same_length=same_length), text)


def mask_json(text: str) -> str:
    """Return JSON with the credentials in its strings replaced."""
    return text if _SUSPECT.search(text) is None else re.sub(r'"(?:[^"\\]|\\.)*+"', _masked_string, text)


def _masked_string(found: re.Match[str]) -> str:
    import json

    if "@" not in found[0]:
        return found[0]
    value = json.loads(found[0])
    shown = mask(value, whole=False, same_length=False)
    return found[0] if shown == value else json.dumps(shown)


def _masked_word(word: str, *, same_length: bool) -> str:
    if _SUSPECT.search(word) is None:
        return word
    starts, at = [0], 0
    for opening in _OPENING.finditer(word):
        if opening.end() <= at:
            continue
        scheme = word.rfind("://", max(starts[-1], at), opening.end())
        if scheme >= 0 and _OPEN_URL.match(word, scheme, opening.end()):
            # A password ends at an "@", so no value begins before it.
            at = _find(word, "@", opening.end())
        else:
            starts.append(opening.end())
    starts.append(len(word))
    values = (word[start:end] for start, end in pairwise(starts))
    return "".join(_masked_value(value, same_length=same_length) if "@" in value else value for value in values)


def _masked_value(value: str, *, same_length: bool) -> str:
    """Mask what is before the last ``@`` with a host behind it: a password may have an ``@`` as well."""
    scheme = value.find("://") + 3
    assigned = None if scheme > 2 else _ASSIGNED.match(value)
    start = scheme if scheme > 2 else 0 if assigned is None else assigned.end()
    end = len(value)
    for _ in range(_SIGNS):
        at = value.rfind("@", start, end)
        if at < 0:
            return value
        if _is_secret(value[start:at], value[at + 1 : end], in_url=scheme > 2):
            return _with_mask(value, (start, at), same_length=same_length)
        end = at
    # Real input never has so many: everything before them is hidden rather than examined further.
    return _with_mask(value, (start, end), same_length=same_length)


def _with_mask(text: str, span: tuple[int, int], *, same_length: bool) -> str:
    start, end = span
    if start == end or _MASKED.fullmatch(text, start, end):
        return text
    return text[:start] + ("*" * (end - start) if same_length else MASK) + text[end:]


def _is_secret(before: str, after: str, *, in_url: bool) -> bool:
    """Return whether the words around an ``@`` in a sentence are a user, a password or a token, and a host."""
    before = before.rstrip(":")
    if not before or before in _PUBLIC or before.startswith("mailto:") or _DIGEST.match(after):
        return False
    if in_url and "/" not in before:
        return True
    place = _PLACE.match(after)
    host, slash, _ = (place[0] if place else "").partition("/")
    if _VARIABLE.match(after):
        return ":" in before or "/" not in before
    host = host.rstrip(".:]}") if not host.startswith("[") else host.rstrip(".:}")
    is_host = _HOST.fullmatch(host) is not None
    if ":" in before:
        return is_host or bool(slash and host) or (_is_word(host) and "/" not in before)
    if "/" in before or not host:
        return False
    if slash:
        return is_host or (_TOKEN.fullmatch(before) is not None and not _VERSION.fullmatch(host))
    return _HOST_WITH_PORT.fullmatch(host) is not None or (_is_token(before) and (is_host or _is_word(host)))


def _is_word(text: str) -> bool:
    return _WORD.fullmatch(text) is not None and _HEX.fullmatch(text) is None


def _is_token(before: str) -> bool:
    """Return whether the user of what may be an e-mail address is rather a token: long, with digits, without dots."""
    return len(before) >= 16 and _TOKEN.fullmatch(before) is not None and "." not in before


def find_credentials(text: str) -> tuple[int, int] | None:
    """Find the user and password in a reference: everything before an ``@`` that no digest follows.

    Returns:
        Where they begin and end; None where there are none.
    """
    scheme = re.match(rf"\s*(?:{_SCHEME.pattern})", text)
    start = scheme.end() if scheme else len(text) - len(text.lstrip())
    colon, slash = _find(text, ":", start), _find(text, "/", start)
    end = len(text)
    for _ in range(_SIGNS):
        at = text.rfind("@", start, end)
        if at < 0:
            return None
        after, end = text[at + 1 : end], at
        has_password, has_path = colon < at, slash < at
        before_path = "/" in after and (has_password or not has_path)
        before_host = has_password and (_HOST.fullmatch(after) or _VARIABLE.match(after)) is not None
        before_word = has_password and not has_path and _is_word(after)
        if (before_path or before_host or before_word) and not _DIGEST.fullmatch(after):
            return start, at
    # Real input never has so many: everything before them is hidden rather than examined further.
    return (start, end) if end > start else None


def _find(text: str, character: str, start: int) -> int:
    place = text.find(character, start)
    return len(text) if place < 0 else place
