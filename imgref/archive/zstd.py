"""Zstandard, which Python 3.14 reads, and the ``zstd`` extra: https://www.rfc-editor.org/rfc/rfc8878."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, BinaryIO, Final, NamedTuple

__all__ = ["Library", "ZstdReader", "default_library", "of_python"]

_PIECE: Final = 1 << 10
"""Bytes to decompress at once. Four bytes can expand to 128 KiB, so this is at most 32 MiB in memory."""

_LARGEST_WINDOW: Final = 27
"""The binary logarithm of what the ``zstd`` command accepts without ``--long``: 128 MiB."""


class Library(NamedTuple):
    """What reads frames: the error for damaged ones, and what begins to unpack one."""

    error: type[Exception]
    start: Callable[[], Any]


def default_library() -> Library:
    """Return Python's own module, and the package ``zstandard`` before Python 3.14.

    Raises:
        ModuleNotFoundError: neither is installed.
    """
    if sys.version_info >= (3, 14):
        try:
            from compression import zstd
        except ModuleNotFoundError:
            """Python can be built without it."""
        else:
            return of_python(zstd)
    import zstandard

    return Library(zstandard.ZstdError, zstandard.ZstdDecompressor(max_window_size=1 << _LARGEST_WINDOW).decompressobj)


def of_python(module: Any) -> Library:  # noqa: ANN401 - a module that only newer Pythons have
    """Return the library that ``compression.zstd`` is, or its backport."""
    options = {module.DecompressionParameter.window_log_max: _LARGEST_WINDOW}
    return Library(module.ZstdError, lambda: module.ZstdDecompressor(options=options))


class ZstdReader:
    """Reads what zstd compressed, in one frame or several, with bounded memory.

    Args:
        stream: the compressed bytes.
        library: what reads a frame; by default what is installed.

    Raises:
        ModuleNotFoundError: nothing that reads zstd is installed.
    """

    def __init__(self, stream: BinaryIO, library: Library | None = None) -> None:
        self._error, self._start = library or default_library()
        self._stream = stream
        self._frame = self._start()
        self._begun = False
        self._packed = b""
        self._plain = b""

    def read(self, size: int) -> bytes:
        """Return up to so many bytes; none at the end.

        Raises:
            EOFError: the last frame is cut short.
            ValueError: the data is damaged.
        """
        while not self._plain and self._more():
            """Until there is something, as a piece may unpack to nothing."""
        plain, self._plain = self._plain[:size], self._plain[size:]
        return plain

    def _more(self) -> bool:
        """Unpack a piece; return False at the end."""
        if self._frame.eof:
            self._packed = self._frame.unused_data
            self._frame, self._begun = self._start(), False
        piece = self._packed or self._stream.read(_PIECE)
        self._packed = b""
        if not piece:
            if self._begun:
                raise EOFError("the last frame is cut short")
            return False
        self._begun = True
        try:
            self._plain = self._frame.decompress(piece)
        except self._error as error:
            raise ValueError(str(error)) from error
        return True
