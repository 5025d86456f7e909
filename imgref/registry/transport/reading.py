"""Reading responses within bounds: how long they take, how large they are, and what they decompress to.

A socket's own timeout is per read: a server that sends one byte at a time never exceeds it. So each response has a
:class:`Pace`, which the connections of :mod:`imgref.registry.transport.pools` consult before every read.
"""

from __future__ import annotations

import http.client
import io
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from imgref.archive.manifest import MANIFEST_LIMIT

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from urllib3.response import BaseHTTPResponse

__all__ = ["CHUNK", "Pace", "PacedResponse", "TooSlow", "paced", "read_whole"]

CHUNK: Final = 1 << 18
"""Bytes of a body that are read at once."""

PATIENCE: Final = 4
"""A response that is not streamed must be complete within this many times the timeout."""

SLOWEST: Final = 1024
"""Bytes per second that a streamed body must bring, measured over :data:`PATIENCE` times the timeout."""

_REFUSAL_LIMIT: Final = 64 << 10
"""Bytes of an error response that are read: messages of registries are short."""

_OVERHEAD: Final = 1 << 20
"""Bytes that may arrive without any of the body: headers, chunk sizes, trailers, provisional responses."""


class TooSlow(TimeoutError):
    """A response that arrives too slowly, or sends anything but its body."""


class Pace:
    """The time that one response has left, counted while waiting for it, not while its bytes are being used.

    Args:
        timeout: seconds within which the next bytes must arrive.
    """

    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._patience = PATIENCE * timeout
        self._waited = 0.0
        self._useful = 0
        self._overhead = 0

    def read(self, sock: socket.socket, raw: io.RawIOBase, buffer: WriteableBuffer) -> int | None:
        """Read from a socket into a buffer, and return the number of bytes.

        Raises:
            TooSlow: the response takes too long altogether.
            TimeoutError: nothing arrived within the timeout.
        """
        left = self._patience - self._waited
        if left <= 0 or self._overhead > _OVERHEAD:
            raise TooSlow
        timeout = min(self._timeout, left)
        if sock.gettimeout() != timeout:
            sock.settimeout(timeout)
        start = time.monotonic()
        try:
            count: int | None = raw.readinto(buffer)
        except TimeoutError:
            if left < self._timeout:
                raise TooSlow from None
            raise
        finally:
            self._waited += time.monotonic() - start
        self._overhead += count or 0
        return count

    def arrived(self, count: int, *, streamed: bool) -> None:
        """Record bytes of the body; enough of a streamed one begin a new period."""
        self._overhead = 0
        self._useful += count
        if streamed and self._useful >= self._patience * SLOWEST:
            self._waited, self._useful = 0.0, 0


class _PacedSocket(io.RawIOBase):
    def __init__(self, pace: Pace, sock: socket.socket, raw: io.RawIOBase) -> None:
        super().__init__()
        self._pace, self._sock, self._raw = pace, sock, raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        return self._pace.read(self._sock, self._raw, buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


_ours = threading.local()


@contextmanager
def paced(pace: Pace) -> Iterator[None]:
    """Apply a pace to the responses of the request that this thread sends meanwhile."""
    _ours.pace = pace
    try:
        yield
    finally:
        _ours.pace = None


class PacedResponse(http.client.HTTPResponse):
    """A response that must arrive within the limits of its request, from the status line on."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        pace: Pace | None = getattr(_ours, "pace", None)
        if pace is not None:
            self.fp = io.BufferedReader(_PacedSocket(pace, sock, self.fp.detach()))

    def begin(self) -> None:
        """Read the status line and the headers.

        Raises:
            HTTPException: they are not valid HTTP.
        """
        super().begin()
        lengths = ",".join(self.headers.get_all("Content-Length", ()))
        if len({length.strip() for length in lengths.split(",")}) > 1:
            # urllib3 would refuse this too, but leave the connection open.
            raise http.client.HTTPException("several lengths")


def read_whole(raw: BaseHTTPResponse, pace: Pace) -> bytes:
    """Read the body of a response, decompressed.

    A refusal is cut at 64 KiB; anything else may have 4 MiB, as a manifest may.

    Raises:
        ValueError: the body is too large, or has an unknown compression; the message is the reason.
        HTTPError: the connection broke.
    """
    limit = MANIFEST_LIMIT if raw.status < 300 else _REFUSAL_LIMIT
    unpack = _unpacker(raw.headers.get("Content-Encoding", ""))
    parts, size = [], 0
    while size <= limit and (packed := raw.read1(CHUNK, decode_content=False)):
        pace.arrived(len(packed), streamed=False)
        try:
            # Never more than one byte above the limit: a small response may decompress to any size.
            parts.append(unpack.decompress(packed, limit + 1 - size) if unpack else packed)
        except zlib.error:
            raise ValueError("is damaged: it cannot be decompressed") from None
        size += len(parts[-1])
    if size > limit and raw.status < 300:
        raise ValueError(f"has more than {limit >> 20} MiB")
    return b"".join(parts)[:limit]


def _unpacker(encoding: str) -> zlib._Decompress | None:
    """Return what undoes a ``Content-Encoding``; imgref asks for none, but some servers use gzip regardless."""
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return None
    if encoding not in ("gzip", "x-gzip"):
        raise ValueError("is compressed, although imgref does not accept that")
    return zlib.decompressobj(wbits=31)
