"""Sending bodies: in large pieces, but each part of them within the timeout."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator
from typing import Final

__all__ = ["STEP", "pieces", "send_all"]

STEP: Final = 64 << 10
"""Bytes that even a slow connection can send within the timeout."""

_PIECE: Final = 4 * STEP
"""Bytes to send at once: a call takes as long as copying 30 KiB."""


def pieces(chunks: Iterable[bytes]) -> Iterator[memoryview]:
    """Yield a body in pieces, without copying it.

    >>> [len(piece) for piece in pieces([b"x" * 300_000])]
    [262144, 37856]
    """
    for chunk in chunks:
        view = memoryview(chunk)
        for start in range(0, len(view), _PIECE):
            yield view[start : start + _PIECE]


def send_all(sock: socket.socket, data: memoryview, size: int = _PIECE) -> None:
    """Send a piece of a body; the timeout of the socket applies to each 64 KiB of it.

    ``sendall`` applies it to all of the data.

    Args:
        sock: the socket.
        data: the piece.
        size: bytes to pass to the socket at once.

    Raises:
        TimeoutError: the other side takes less than 64 KiB within the timeout.
    """
    timeout = sock.gettimeout()
    try:
        sent, start, begun = 0, 0, time.monotonic()
        while sent < len(data):
            sent += sock.send(data[sent : sent + size])
            now = time.monotonic()
            if sent - start >= STEP:
                start, begun = sent, now
                sock.settimeout(timeout)
            elif timeout is not None and sent < len(data):
                left = begun + timeout - now
                if left <= 0:
                    raise TimeoutError("timed out")
                sock.settimeout(left)
    finally:
        sock.settimeout(timeout)
