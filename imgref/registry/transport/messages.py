"""Requests and responses: bodies, responses, and events for the user."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import urlsplit

from urllib3.exceptions import HTTPError

from imgref.archive.manifest import LARGEST_SIZE
from imgref.errors import RegistryUnavailable
from imgref.registry.hosts import Trust
from imgref.registry.transport.addresses import shown_url
from imgref.registry.transport.failures import explained, is_permanent
from imgref.registry.transport.reading import CHUNK, Pace

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

__all__ = ["Body", "Endpoint", "Event", "Request", "Response", "retry_after", "whole_number"]

_DIGITS: Final = 19
"""Decimal digits of the largest size, 2**63 - 1."""

Body = bytes | Callable[[], Iterable[bytes]] | None
"""A request body: bytes, or a function that returns the chunks from the start each time that it is called."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something to report to the user during a request.

    Attributes:
        kind: ``retry``, or ``warning``.
        message: one line, without secrets.
        delay: seconds until the next try, or None.
    """

    kind: Literal["retry", "warning"]
    message: str
    delay: float | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """How a registry is reached; found once, and kept.

    Attributes:
        registry: as references name it, ``docker.io``.
        origin: scheme and host, ``https://registry-1.docker.io``.
        trust: what the connection may be.
        verified: whether its certificate was verified.
        challenges: the ``WWW-Authenticate`` headers of the first answer, where there was one.
    """

    registry: str
    origin: str
    trust: Trust
    verified: bool
    challenges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """A request to one address.

    Attributes:
        method: the HTTP method.
        url: an absolute URL.
        about: the reference that it is about, for messages.
        headers: further headers.
        body: what to send.
        authorization: the ``Authorization`` header for the host of ``url``.
        stream: whether to return the body in chunks instead of reading it.
        again: whether to retry failures that may pass.
    """

    method: str
    url: str = field(repr=False)
    about: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Body = field(default=None, repr=False)
    authorization: str | None = field(default=None, repr=False)
    stream: bool = False
    again: bool = True


@dataclass(slots=True)
class Response:
    """A response. ``body`` is empty if it is streamed: then :meth:`chunks` yields it."""

    method: str
    url: str = field(repr=False)
    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False, default=b"")
    _raw: BaseHTTPResponse | None = field(repr=False, default=None)
    _pace: Pace | None = field(repr=False, default=None)

    def header(self, name: str) -> str:
        """Return a header, or an empty string."""
        return self.headers.get(name, "")

    def all(self, name: str) -> tuple[str, ...]:
        """Return every header of a name."""
        getlist = getattr(self.headers, "getlist", None)
        return tuple(getlist(name)) if getlist else ()

    def size(self) -> int | None:
        """Return the ``Content-Length``; None if it is missing, invalid, or not that of the decompressed body."""
        packed = self.header("Content-Encoding").strip().lower() not in ("", "identity")
        return None if packed else whole_number(self.header("Content-Length"))

    def start(self, asked: int) -> int:
        """Return the position of the body's first byte in the blob that was requested from ``asked`` on."""
        if self.status != 206:
            return 0
        found = re.match(rf"bytes ([0-9]{{1,{_DIGITS}}})-", self.header("Content-Range"), re.ASCII)
        return int(found[1]) if found else asked

    def chunks(self) -> Iterator[bytes]:
        """Yield the body as it arrives, undecoded, in constant memory.

        Raises:
            RegistryUnavailable: the connection broke, or the body arrives too slowly.
        """
        if self._raw is None or self._pace is None:
            return
        try:
            while chunk := self._raw.read1(CHUNK, decode_content=False):
                self._pace.arrived(len(chunk), streamed=True)
                yield chunk
        except HTTPError as error:
            host = urlsplit(self.url).netloc.rpartition("@")[2]
            reason = f"{host}: {explained(error)} in the middle of an answer"
            raise RegistryUnavailable(
                reason, method=self.method, url=shown_url(self.url), permanent=is_permanent(error)
            ) from None
        finally:
            self.close()

    def close(self) -> None:
        """Return the connection to its pool, or close it if the body was not read to its end."""
        if self._raw is not None:
            self._raw.close()
            self._raw = None


def whole_number(text: str) -> int | None:
    """Parse a size in a header; return None if it is not a number below 2**63.

    >>> whole_number("735"), whole_number("-1"), whole_number("9" * 5_000)
    (735, None, None)
    """
    if not re.fullmatch(rf"[0-9]{{1,{_DIGITS}}}", text, re.ASCII):
        return None
    number = int(text)
    return number if number <= LARGEST_SIZE else None


def retry_after(text: str) -> float | None:
    """Parse ``Retry-After``: seconds, or a date; None for anything else.

    https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3

    >>> retry_after("2"), retry_after("soon"), retry_after("Wed, 21 Oct 2015 07:28:00 GMT")
    (2.0, None, 0.0)
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, moment.timestamp() - time.time())
    except (ValueError, OverflowError, TypeError, IndexError):
        # What the standard library raises for dates of all kinds.
        return None
