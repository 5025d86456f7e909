"""Zstandard, which the ``zstd`` extra reads: https://www.rfc-editor.org/rfc/rfc8878."""

from __future__ import annotations

from typing import BinaryIO, Final

__all__ = ["ZstdReader"]

_PIECE: Final = 1 << 10
"""Bytes to decompress at once. Four bytes can expand to 128 KiB, so this is at most 32 MiB in memory."""

_LARGEST_WINDOW: Final = 128 << 20
"""What the ``zstd`` command accepts without ``--long``."""


class ZstdReader:
    """Reads what zstd compressed, in one frame or several, with bounded memory.

    Args:
        stream: the compressed bytes.

    Raises:
        ModuleNotFoundError: the package ``zstandard`` is not installed.
    """

    def __init__(self, stream: BinaryIO) -> None:
        import zstandard

        self._error = zstandard.ZstdError
        self._start = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW).decompressobj
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
