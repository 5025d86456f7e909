"""How a registry asks for authentication: the challenges of its ``WWW-Authenticate`` headers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from imgref.registry.transport import Response

__all__ = ["Challenge", "challenges", "preferred", "unsupported"]


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge of a registry: the authentication scheme in lowercase, and its parameters."""

    scheme: str
    parameters: dict[str, str]


_TOKEN: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]++"  # noqa: S105 - a word of the grammar of RFC 9110
_PARAMETER: Final = re.compile(rf'\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*+)"|([^\s,"]++))\s*(?:,|$)', re.ASCII)
_SCHEME: Final = re.compile(rf"[\s,]*({_TOKEN})(?:\s+|,|$)", re.ASCII)


def challenges(headers: Iterable[str]) -> list[Challenge]:
    """Read ``WWW-Authenticate`` headers, each of which may have several challenges.

    https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1

    >>> [found.scheme for found in challenges(['Basic realm="a, b", Bearer realm="https://t",service="s"'])]
    ['basic', 'bearer']
    """
    found = []
    for header in headers:
        place = 0
        while scheme := _SCHEME.match(header, place):
            place = scheme.end()
            parameters: dict[str, str] = {}
            while parameter := _PARAMETER.match(header, place):
                name, quoted, plain = parameter.groups()
                value = plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
                parameters.setdefault(name.lower(), value)
                place = parameter.end()
            found.append(Challenge(scheme[1].lower(), parameters))
    return found


def preferred(found: Sequence[Challenge]) -> Challenge | None:
    """Return the challenge that imgref prefers of those that it supports, or None."""
    for scheme in ("bearer", "basic"):
        for challenge in found:
            if challenge.scheme == scheme:
                return challenge
    return None


def unsupported(answer: Response) -> str:
    """Return how a 401 asks for authentication if imgref cannot do that, for messages; empty if it can."""
    found = challenges(answer.all("WWW-Authenticate"))
    if preferred(found) is not None:
        return ""
    schemes = ", ".join(dict.fromkeys(challenge.scheme for challenge in found))
    return (
        f"requires authentication by {schemes}, which imgref does not support"
        if schemes
        else ("answers 401, but not how to authenticate (no WWW-Authenticate header)")
    )
