"""What is wrong with one part of a reference: its registry, its path, its tag, or its digest.

A part is ``text[start:end]``; each rule returns the first problem in it, with its position in the whole string.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from imgref import _grammar
from imgref._grammar import is_a
from imgref.errors import quote

__all__ = ["PARTS", "Problem", "find", "structure"]


class Problem(NamedTuple):
    """The reason, its start and end, and the string with only this fixed, or None."""

    start: int
    end: int
    reason: str
    edit: str | None = None


def find(text: str, character: str, start: int) -> int:
    """Return the index of a character, or one past the end if it does not occur."""
    place = text.find(character, start)
    return len(text) if place < 0 else place


def structure(text: str, default_registry: str) -> Problem | None:
    """Return the first problem of a string, whose parts are examined from left to right."""
    start = 0
    # An `@` before the first slash begins a digest, and not a registry's host.
    if re.match(rf"{_grammar.QUALIFIED}|\[[^/]*/", text) and find(text, "/", 0) < find(text, "@", 0):
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


def _registry(text: str, start: int, end: int) -> Problem | None:
    value = text[start:end]
    problem: Problem | None
    if "@" in value:
        problem = Problem(start, start + value.rindex("@") + 1, "credentials do not belong in a registry's host")
    elif value.startswith("["):
        problem = _bracketed_registry(text, start, end)
    elif value.count(":") > 1 and is_a("[0-9A-Fa-f:]+", value):
        reason = "write the IPv6 address of a registry's host in brackets, as in [::1]:5000"
        problem = Problem(start, end, reason)
    else:
        problem = _named_registry(text, start, end)
    if problem is None and not is_a(_grammar.QUALIFIED, value + "/"):
        reason = f"{quote(value)} would not read as a registry's host: it has no dot, no colon, and is not localhost"
        problem = Problem(start, end, reason)
    return problem


def _named_registry(text: str, start: int, end: int) -> Problem | None:
    host, colon, _ = text[start:end].partition(":")
    if not host:
        return Problem(start, start + 1, "the registry's host is empty")
    if problem := _host(text, start, start + len(host)):
        return problem
    return _port(text, start + len(host) + 1, end) if colon else None


def _host(text: str, start: int, end: int) -> Problem | None:
    found = re.compile(r"[^A-Za-z0-9.-]").search(text, start, end)
    if found:
        return Problem(*found.span(), f"{found[0]!r} is not allowed in a registry's host")
    place = start
    for label in text[start:end].split("."):
        stop = place + len(label)
        if not label:
            dot = place if place < end else place - 1
            return Problem(dot, dot + 1, "a label of the registry's host is empty: a dot separates two labels")
        if label[0] == "-" or label[-1] == "-":
            edge = place if label[0] == "-" else stop - 1
            return Problem(edge, edge + 1, "a label of the registry's host cannot begin or end with '-'")
        place = stop + 1
    return None


def _port(text: str, start: int, end: int) -> Problem | None:
    if start == end:
        return Problem(start - 1, start, "the registry's port is empty (an unset variable?)")
    found = re.compile("[^0-9]").search(text, start, end)
    return found and Problem(*found.span(), f"the registry's port has digits only, not {found[0]!r}")


def _bracketed_registry(text: str, start: int, end: int) -> Problem | None:
    close = text.find("]", start, end)
    if close < 0:
        return Problem(start, end, "the registry's host has no closing bracket")
    if close == start + 1:
        return Problem(start, close + 1, "the registry's host is empty")
    found = re.compile("[^0-9A-Fa-f:]").search(text, start + 1, close)
    if found:
        zone = "; a zone is not allowed" if found[0] == "%" else ""
        return Problem(*found.span(), f"{found[0]!r} is not allowed in the IPv6 address of a registry's host{zone}")
    if close + 1 == end:
        return None
    if text[close + 1] != ":":
        return Problem(close + 1, end, "only a port may follow the address of a registry's host")
    return _port(text, close + 2, end)


def _path(text: str, start: int, end: int) -> Problem | None:
    if start == end:
        if start:
            return Problem(start - 1, start, "an empty path component: the registry is given, but no repository")
        return Problem(0, min(1, len(text)), "the name of the image is missing")
    sound = re.compile(rf"(?:{_grammar.COMPONENT}/)*", re.ASCII).match(text, start, end)
    assert sound is not None
    place = sound.end()
    slash = text.find("/", place, end)
    stop = end if slash < 0 else slash
    if place == stop:
        return _empty_component(text, place, (start, end))
    return _component(text, place, stop, (start, end))


def _empty_component(text: str, place: int, path: tuple[int, int]) -> Problem:
    start, end = path
    kept = "/".join(filter(None, text[start:end].split("/")))
    slash = place if place < end else place - 1
    edit = text[:start] + kept + text[end:] if kept else None
    return Problem(slash, slash + 1, "an empty path component", edit)


def _component(text: str, start: int, end: int, path: tuple[int, int]) -> Problem | None:
    value = text[start:end]
    if is_a(_grammar.COMPONENT, value):
        return None
    if re.search("[A-Z]", value):
        lowered = _lowered(text, *path)
        first = text[: path[0] - 1]
        why = f", while {quote(first)} reads as a registry" if lowered.partition("/")[0] != first and path[0] else ""
        return Problem(start, end, f"the repository must be lowercase, not {quote(value)}{why}", lowered)
    found = re.search("[^a-z0-9._-]", value)
    if found:
        place = start + found.start()
        return Problem(
            place,
            place + 1,
            f"{found[0]!r} is not allowed in a repository: only lowercase letters, digits and the separators . _ -",
        )
    found = re.match("[._-]+", value)
    if found:
        return Problem(start, start + found.end(), f"a component of the path cannot begin with {quote(found[0])}")
    found = re.search(r"(?<![._-])(?!(?:\.|__?|-+)(?![._-]))[._-]+(?=[a-z0-9])", value)
    if found:
        reason = f"{quote(found[0])} is not a valid separator: use one '.', one or two '_', or any number of '-'"
        return Problem(start + found.start(), start + found.end(), reason)
    separator = value[len(value.rstrip("._-")) :]
    return Problem(end - len(separator), end, f"a component of the path cannot end with {quote(separator)}")


def _lowered(text: str, start: int, end: int) -> str:
    registry = text[:start]
    # Without dot and port, only its uppercase letter made the first component a registry.
    if not re.search("[.:]", registry):
        registry = registry.lower()
    return registry + text[start:end].lower() + text[end:]


def _path_length(text: str, start: int, end: int, on_docker_hub: bool) -> Problem | None:
    added = len("library/") if on_docker_hub and text.find("/", start, end) < 0 else 0
    excess = end - start + added - _grammar.PATH_MAX
    if excess <= 0:
        return None
    counted = " with 'library/' before it" if added else ""
    reason = (
        f"the path has {end - start + added} characters{counted}, {excess} more than the {_grammar.PATH_MAX} allowed"
    )
    return Problem(max(start, end - excess), end, reason)


def _tag(text: str, start: int, end: int) -> Problem | None:
    value, before, after = text[start:end], text[:start], text[end:]
    if not value:
        return Problem(start - 1, start, "the tag is empty (an unset variable?)", before[:-1] + after)
    if value[0] == ":":
        return Problem(start, start + 1, "the tag is empty: another ':' follows at once", before + value[1:] + after)
    if value[0] in ".-":
        rest = value.lstrip(".-")
        reason = f"a tag begins with a letter, a digit or '_', not with {value[0]!r}"
        return Problem(start, end - len(rest), reason, before + rest + after if rest else None)
    found = re.compile("[^A-Za-z0-9_.-]").search(text, start, end)
    if found is None:
        excess = len(value) - _grammar.TAG_MAX
        if excess <= 0:
            return None
        reason = f"the tag has {len(value)} characters, {excess} more than the {_grammar.TAG_MAX} allowed"
        return Problem(end - excess, end, reason)
    place = found.start()
    if found[0] == "+":
        reason = "'+' is not allowed in a tag; write build metadata with '_'"
        return Problem(place, place + 1, reason, before + value.replace("+", "_") + after)
    if found[0] == ":":
        return Problem(place, end, "only a digest, after '@', may follow a tag; not another ':'")
    if found[0] == "/":
        return Problem(
            place, end, "only a digest, after '@', may follow a tag; a registry's port comes before the path"
        )
    reason = f"{found[0]!r} is not allowed in a tag: only letters, digits, '_', '.' and '-'"
    return Problem(place, place + 1, reason)


def _digest(text: str, start: int, end: int) -> Problem | None:
    value, before = text[start:end], text[:start]
    if not value:
        return Problem(start - 1, start, "the digest is empty (an unset variable?)", before[:-1])
    algorithm, colon, digits = value.partition(":")
    middle = start + len(algorithm) + 1
    known = _grammar.DIGEST_HEX_LENGTHS
    if not colon:
        edit = f"{before}sha256:{value}" if is_a(_grammar.IMAGE_ID, value) else None
        return Problem(start, end, "a digest is an algorithm, ':' and hexadecimal digits, as in sha256:…", edit)
    if algorithm not in known:
        if algorithm.lower() in known:
            reason = f"the digest's algorithm is written in lowercase, {algorithm.lower()}"
            return Problem(start, middle - 1, reason, f"{before}{algorithm.lower()}:{digits}")
        reason = f"the digest's algorithm {quote(algorithm)} is unknown; known are {', '.join(known)}"
        return Problem(start, max(middle - 1, start + 1), reason)
    if not digits:
        return Problem(middle - 1, middle, f"no hexadecimal digits follow the digest's algorithm {algorithm}")
    return _digest_digits(text, middle, end, algorithm)


def _digest_digits(text: str, start: int, end: int, algorithm: str) -> Problem | None:
    found = re.compile("[^0-9A-Fa-f]").search(text, start, end)
    if found:
        place = found.start()
        if found[0] == ":":
            return Problem(place, end, "nothing may follow a digest; a tag comes before it, as in name:tag@digest")
        if found[0] == "/":
            return Problem(place, end, "nothing may follow a digest; the path comes before it")
        if found[0] == "@":
            return Problem(place, end, "nothing may follow a digest; there is only one")
        return Problem(place, place + 1, f"{found[0]!r} is not a hexadecimal digit, so it is not allowed in a digest")
    if re.compile("[A-F]").search(text, start, end):
        edit = text[:start] + text[start:end].lower()
        return Problem(start, end, "the hexadecimal digits of a digest are written in lowercase", edit)
    has, needs = end - start, _grammar.DIGEST_HEX_LENGTHS[algorithm]
    if has == needs:
        return None
    return Problem(start, end, f"a {algorithm} digest has {needs} hexadecimal digits: this has {has}, needs {needs}")


PARTS: Final[dict[str, Callable[[str, int, int], Problem | None]]] = {
    "registry": _registry,
    "path": lambda text, start, end: _path(text, start, end) or _path_length(text, start, end, False),
    "tag": _tag,
    "digest": _digest,
}
