"""Why a text is no reference, where, and what was probably meant.

Each rule is a function from a text to the first problem of its kind; they are asked in the order in which a reader
would want to hear of them. A problem may carry an edit, the text with just this mended. The hint is what repeated
edits lead to, and only if that would parse.

All of this runs only for texts that the grammar has refused, and in time proportional to their length.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from imgref import _grammar
from imgref._grammar import is_a
from imgref.errors import InvalidReference, quote

__all__ = ["explain", "explain_part"]

_EDITS: Final = 12
"""How many problems of one text are mended before the hint is given up."""

_SIGNS: Final = 32
"""In how many ``@``, counted from the end, credentials are looked for."""

_VARIABLE: Final = (
    r"\$\{[^}]*\}?|\$\([^)]*\)?|\$[A-Za-z0-9_]+|\{\{[^}]*\}{0,2}|\{%[^%]*(?:%\})?|%[A-Za-z_][A-Za-z0-9_]*%"
)
_SCHEME: Final = r"[A-Za-z][A-Za-z0-9+.-]*://"
_HOST_LIKE: Final = (
    r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)(?::[0-9]+)?"  # a name
    r"|[A-Za-z0-9-]+:[0-9]{1,5}"  # a word with a port; an unknown digest would be longer
)
_WORD: Final = r"[A-Za-z][A-Za-z0-9-]*"
_KNOWN_DIGEST: Final = r"(?i:sha256|sha384|sha512):(?:[^/]*|[0-9A-Fa-f]{32,}/.*)"


class _Problem(NamedTuple):
    start: int
    end: int
    reason: str
    edit: str | None = None


def explain(text: str, default_registry: str = "docker.io") -> InvalidReference:
    """Say why ``text`` is no reference.

    >>> error = explain("Ubuntu:22.04")
    >>> error.span, error.hint
    ((0, 6), 'ubuntu:22.04')
    """
    problem = _first_problem(text, default_registry)
    if problem is None:
        raise AssertionError(f"a valid reference was refused: {quote(text)}")
    secret = _secret(text)
    if secret is not None and problem.start <= secret[1] and problem.end > secret[0]:
        # The reason would tell of what must not be told.
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
    """Say why ``text[start:end]``, the part of a reference that was put together, cannot stand there.

    Args:
        kind: ``registry``, ``path``, ``tag`` or ``digest``.
        text: all the parts, as they would be written.
        start: where the part begins.
        end: where it ends.
    """
    problem = _PARTS[kind](text, start, end)
    if problem is None:
        raise AssertionError(f"a valid {kind} was refused: {quote(text[start:end])}")
    return InvalidReference(text, problem[:2], problem.reason, secret=_secret(text))


def _first_problem(text: str, default_registry: str) -> _Problem | None:
    for rule in _WHOLE:
        if problem := rule(text):
            return problem
    return _structure(text, default_registry)


# Rules about the text as a whole


def _nothing(text: str) -> _Problem | None:
    if text and not text.isspace():
        return None
    return _Problem(0, len(text), "nothing is given (an unset variable?)")


def _variable(text: str) -> _Problem | None:
    found = re.search(_VARIABLE, text, re.ASCII)
    return found and _Problem(*found.span(), f"{quote(found[0])} is a variable that was not expanded")


def _untagged(text: str) -> _Problem | None:
    found = re.search("<none>", text)
    return found and _Problem(*found.span(), "'<none>' stands for an untagged image of a local engine, and is no name")


def _scheme(text: str) -> _Problem | None:
    found = re.match(_SCHEME, text)
    return found and _Problem(
        *found.span(), f"a reference has no URL scheme such as {quote(found[0])}", text[found.end() :]
    )


def _credentials(text: str) -> _Problem | None:
    secret = _secret(text)
    if secret is None or not _is_address(text[secret[1] + 1 :]):
        return None
    return _leaked(text, secret)


def _leaked(text: str, secret: tuple[int, int]) -> _Problem:
    start, end = secret
    rest = text[end + 1 :]
    # A host alone would read as the name of an image.
    edit = text[:start] + rest if "/" in rest else None
    return _Problem(start, end + 1, "credentials do not belong in a reference", edit)


def _white_space(text: str) -> _Problem | None:
    found = re.search(r"\s+", text)
    if found is None:
        return None
    stripped = text.strip()
    return _Problem(
        *found.span(),
        f"white space ({quote(found[0])}) cannot stand in a reference",
        stripped if stripped != text else None,
    )


def _image_id(text: str) -> _Problem | None:
    if not is_a(_grammar.IMAGE_ID, text):
        return None
    return _Problem(0, len(text), "64 hexadecimal digits are an image ID of a local engine, and no reference")


def _foreign_character(text: str) -> _Problem | None:
    found = re.search(r"[^\x20-\x7e]", text)
    if found is None:
        return None
    code = ord(found[0])
    if 0xDC80 <= code <= 0xDCFF:
        reason = f"the byte 0x{code - 0xDC00:02X} is not UTF-8"
    elif code < 0x80:
        reason = f"the control character U+{code:04X} cannot stand in a reference"
    else:
        reason = f"{found[0]!r} (U+{code:04X}) is not ASCII"
    return _Problem(*found.span(), reason)


_WHOLE: Final[tuple[Callable[[str], _Problem | None], ...]] = (
    _nothing,
    _variable,
    _untagged,
    _scheme,
    _credentials,
    _white_space,
    _image_id,
    _foreign_character,
)


def _secret(text: str) -> tuple[int, int] | None:
    """Find what may be user and password: all that stands before an ``@`` which no digest follows."""
    scheme = re.match(r"\s*" + _SCHEME, text)
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
        before_host = has_password and is_a(_HOST_LIKE, after)
        before_word = has_password and not has_path and is_a(_WORD, after) and not is_a("[0-9a-f]+", after)
        if (before_path or before_host or before_word) and not is_a(_KNOWN_DIGEST, after):
            return start, at
    # Nobody writes so many: all before them is hidden rather than looked at further.
    return (start, end) if end > start else None


def _find(text: str, character: str, start: int) -> int:
    """Give the place of a character, or one past the end where it is not there."""
    place = text.find(character, start)
    return len(text) if place < 0 else place


def _is_address(text: str) -> bool:
    """Tell whether what follows an ``@`` is a registry, with or without a path, rather than a bad digest."""
    return "/" in text.partition("@")[0] or is_a(_HOST_LIKE, text)


# Rules about the parts, in the order in which they stand


def _structure(text: str, default_registry: str) -> _Problem | None:
    start = 0
    # An `@` before the first slash begins a digest, and not a registry's host.
    if re.match(rf"{_grammar.QUALIFIED}|\[[^/]*/", text) and _find(text, "/", 0) < _find(text, "@", 0):
        start = text.index("/") + 1
        if problem := _registry(text, 0, start - 1):
            return problem
    separator = re.compile("[:@]").search(text, start)
    end = separator.start() if separator else len(text)
    if problem := _path(text, start, end):
        return problem
    registry = text[: start - 1] if start else default_registry
    if problem := _path_length(text, start, end, registry in ("docker.io", "index.docker.io")):
        return problem
    if text[end : end + 1] == ":":
        start, end = end + 1, text.find("@", end)
        end = len(text) if end < 0 else end
        if problem := _tag(text, start, end):
            return problem
    return _digest(text, end + 1, len(text)) if end < len(text) else None


def _registry(text: str, start: int, end: int) -> _Problem | None:
    value = text[start:end]
    problem: _Problem | None
    if "@" in value:
        problem = _Problem(start, start + value.rindex("@") + 1, "credentials do not belong in a registry's host")
    elif value.startswith("["):
        problem = _bracketed_registry(text, start, end)
    elif value.count(":") > 1 and is_a("[0-9A-Fa-f:]+", value):
        reason = "an IPv6 address as a registry's host stands in brackets, as in [::1]:5000"
        problem = _Problem(start, end, reason)
    else:
        problem = _named_registry(text, start, end)
    if problem is None and not is_a(_grammar.QUALIFIED, value + "/"):
        reason = f"{quote(value)} would not read as a registry's host: it has no dot, no colon, and is not localhost"
        problem = _Problem(start, end, reason)
    return problem


def _named_registry(text: str, start: int, end: int) -> _Problem | None:
    host, colon, _ = text[start:end].partition(":")
    if not host:
        return _Problem(start, start + 1, "the registry's host is empty")
    if problem := _host(text, start, start + len(host)):
        return problem
    return _port(text, start + len(host) + 1, end) if colon else None


def _host(text: str, start: int, end: int) -> _Problem | None:
    found = re.compile(r"[^A-Za-z0-9.-]").search(text, start, end)
    if found:
        return _Problem(*found.span(), f"{found[0]!r} cannot stand in a registry's host")
    place = start
    for label in text[start:end].split("."):
        stop = place + len(label)
        if not label:
            dot = place if place < end else place - 1
            return _Problem(dot, dot + 1, "a label of the registry's host is empty: a dot stands between two labels")
        if label[0] == "-" or label[-1] == "-":
            edge = place if label[0] == "-" else stop - 1
            return _Problem(edge, edge + 1, "a label of the registry's host cannot begin or end with '-'")
        place = stop + 1
    return None


def _port(text: str, start: int, end: int) -> _Problem | None:
    if start == end:
        return _Problem(start - 1, start, "the registry's port is empty (an unset variable?)")
    found = re.compile("[^0-9]").search(text, start, end)
    return found and _Problem(*found.span(), f"the registry's port has digits only, not {found[0]!r}")


def _bracketed_registry(text: str, start: int, end: int) -> _Problem | None:
    close = text.find("]", start, end)
    if close < 0:
        return _Problem(start, end, "the registry's host has no closing bracket")
    if close == start + 1:
        return _Problem(start, close + 1, "the registry's host is empty")
    found = re.compile("[^0-9A-Fa-f:]").search(text, start + 1, close)
    if found:
        zone = "; a zone is not allowed" if found[0] == "%" else ""
        return _Problem(*found.span(), f"{found[0]!r} cannot stand in an IPv6 address as a registry's host{zone}")
    if close + 1 == end:
        return None
    if text[close + 1] != ":":
        return _Problem(close + 1, end, "only a port may follow the address of a registry's host")
    return _port(text, close + 2, end)


def _path(text: str, start: int, end: int) -> _Problem | None:
    if start == end:
        if start:
            return _Problem(start - 1, start, "an empty path component: the registry is given, but no repository")
        return _Problem(0, min(1, len(text)), "the name of the image is missing")
    sound = re.compile(rf"(?:{_grammar.COMPONENT}/)*", re.ASCII).match(text, start, end)
    assert sound is not None
    place = sound.end()
    slash = text.find("/", place, end)
    stop = end if slash < 0 else slash
    if place == stop:
        return _empty_component(text, place, (start, end))
    return _component(text, place, stop, (start, end))


def _empty_component(text: str, place: int, path: tuple[int, int]) -> _Problem:
    start, end = path
    kept = "/".join(filter(None, text[start:end].split("/")))
    slash = place if place < end else place - 1
    edit = text[:start] + kept + text[end:] if kept else None
    return _Problem(slash, slash + 1, "an empty path component", edit)


def _component(text: str, start: int, end: int, path: tuple[int, int]) -> _Problem | None:
    value = text[start:end]
    if is_a(_grammar.COMPONENT, value):
        return None
    if re.search("[A-Z]", value):
        lowered = _lowered(text, *path)
        first = text[: path[0] - 1]
        why = f", while {quote(first)} reads as a registry" if lowered.partition("/")[0] != first and path[0] else ""
        return _Problem(start, end, f"the repository must be lowercase, not {quote(value)}{why}", lowered)
    found = re.search("[^a-z0-9._-]", value)
    if found:
        place = start + found.start()
        return _Problem(
            place,
            place + 1,
            f"{found[0]!r} cannot stand in a repository: only lowercase letters, digits and the separators . _ -",
        )
    found = re.match("[._-]+", value)
    if found:
        return _Problem(start, start + found.end(), f"a component of the path cannot begin with {quote(found[0])}")
    found = re.search(r"(?<![._-])(?!(?:\.|__?|-+)(?![._-]))[._-]+(?=[a-z0-9])", value)
    if found:
        reason = f"{quote(found[0])} is no separator: one '.', one or two '_', or any number of '-'"
        return _Problem(start + found.start(), start + found.end(), reason)
    separator = value[len(value.rstrip("._-")) :]
    return _Problem(end - len(separator), end, f"a component of the path cannot end with {quote(separator)}")


def _lowered(text: str, start: int, end: int) -> str:
    registry = text[:start]
    # Without dot and port, only its uppercase letter made the first component a registry.
    if not re.search("[.:]", registry):
        registry = registry.lower()
    return registry + text[start:end].lower() + text[end:]


def _path_length(text: str, start: int, end: int, on_docker_hub: bool) -> _Problem | None:
    added = len("library/") if on_docker_hub and text.find("/", start, end) < 0 else 0
    excess = end - start + added - _grammar.PATH_MAX
    if excess <= 0:
        return None
    counted = " with 'library/' before it" if added else ""
    reason = (
        f"the path has {end - start + added} characters{counted}, {excess} more than the {_grammar.PATH_MAX} allowed"
    )
    return _Problem(max(start, end - excess), end, reason)


def _tag(text: str, start: int, end: int) -> _Problem | None:
    value, before, after = text[start:end], text[:start], text[end:]
    if not value:
        return _Problem(start - 1, start, "the tag is empty (an unset variable?)", before[:-1] + after)
    if value[0] == ":":
        return _Problem(start, start + 1, "the tag is empty: another ':' follows at once", before + value[1:] + after)
    if value[0] in ".-":
        rest = value.lstrip(".-")
        reason = f"a tag begins with a letter, a digit or '_', not with {value[0]!r}"
        return _Problem(start, end - len(rest), reason, before + rest + after if rest else None)
    found = re.compile("[^A-Za-z0-9_.-]").search(text, start, end)
    if found is None:
        excess = len(value) - _grammar.TAG_MAX
        if excess <= 0:
            return None
        reason = f"the tag has {len(value)} characters, {excess} more than the {_grammar.TAG_MAX} allowed"
        return _Problem(end - excess, end, reason)
    place = found.start()
    if found[0] == "+":
        reason = "'+' cannot stand in a tag; build metadata is written with '_'"
        return _Problem(place, place + 1, reason, before + value.replace("+", "_") + after)
    if found[0] == ":":
        return _Problem(place, end, "only a digest, after '@', may follow a tag; not another ':'")
    if found[0] == "/":
        return _Problem(
            place, end, "only a digest, after '@', may follow a tag; a registry's port stands before the path"
        )
    reason = f"{found[0]!r} cannot stand in a tag: only letters, digits, '_', '.' and '-'"
    return _Problem(place, place + 1, reason)


def _digest(text: str, start: int, end: int) -> _Problem | None:
    value, before = text[start:end], text[:start]
    if not value:
        return _Problem(start - 1, start, "the digest is empty (an unset variable?)", before[:-1])
    algorithm, colon, digits = value.partition(":")
    middle = start + len(algorithm) + 1
    known = _grammar.DIGEST_HEX_LENGTHS
    if not colon:
        edit = f"{before}sha256:{value}" if is_a(_grammar.IMAGE_ID, value) else None
        return _Problem(start, end, "a digest is an algorithm, ':' and hexadecimal digits, as in sha256:…", edit)
    if algorithm not in known:
        if algorithm.lower() in known:
            reason = f"the digest's algorithm is written in lowercase, {algorithm.lower()}"
            return _Problem(start, middle - 1, reason, f"{before}{algorithm.lower()}:{digits}")
        reason = f"the digest's algorithm {quote(algorithm)} is unknown; known are {', '.join(known)}"
        return _Problem(start, max(middle - 1, start + 1), reason)
    if not digits:
        return _Problem(middle - 1, middle, f"no hexadecimal digits follow the digest's algorithm {algorithm}")
    return _digest_digits(text, middle, end, algorithm)


def _digest_digits(text: str, start: int, end: int, algorithm: str) -> _Problem | None:
    found = re.compile("[^0-9A-Fa-f]").search(text, start, end)
    if found:
        place = found.start()
        if found[0] == ":":
            return _Problem(place, end, "nothing may follow a digest; a tag stands before it, as in name:tag@digest")
        if found[0] == "/":
            return _Problem(place, end, "nothing may follow a digest; the path stands before it")
        if found[0] == "@":
            return _Problem(place, end, "nothing may follow a digest; there is only one")
        return _Problem(place, place + 1, f"{found[0]!r} is no hexadecimal digit, and cannot stand in a digest")
    if re.compile("[A-F]").search(text, start, end):
        edit = text[:start] + text[start:end].lower()
        return _Problem(start, end, "the hexadecimal digits of a digest are written in lowercase", edit)
    has, needs = end - start, _grammar.DIGEST_HEX_LENGTHS[algorithm]
    if has == needs:
        return None
    return _Problem(start, end, f"a {algorithm} digest has {needs} hexadecimal digits: this has {has}, needs {needs}")


_PARTS: Final[dict[str, Callable[[str, int, int], _Problem | None]]] = {
    "registry": _registry,
    "path": lambda text, start, end: _path(text, start, end) or _path_length(text, start, end, False),
    "tag": _tag,
    "digest": _digest,
}
