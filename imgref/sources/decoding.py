"""Decodes the bytes of a file."""

from __future__ import annotations

import re
from typing import Final

from imgref.sources.occurrence import Problem
from imgref.sources.syntax import Syntax

__all__ = ["HEAD", "Unreadable", "decode", "encoding_of", "is_binary"]

HEAD: Final = 8192
"""How many bytes of a file are examined to decide whether it is binary."""

_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_LINE_END: Final = re.compile(r"\r\n?|\n")


class Unreadable(Exception):
    """A file that is not text, with the reason. The caller decides whether that is a finding or a warning."""


def encoding_of(data: bytes) -> tuple[str, int]:
    """Return the encoding of a file, and how many bytes its byte order mark has.

    >>> encoding_of(b"FROM a"), encoding_of("FROM a".encode("utf-16"))[1]
    (('utf-8', 0), 2)
    """
    return next(((encoding, len(mark)) for mark, encoding in _MARKS if data.startswith(mark)), ("utf-8", 0))


def is_binary(data: bytes) -> bool:
    r"""Return whether the first bytes of a file have a NUL, and no byte order mark that explains it.

    >>> is_binary(b"ELF\0"), is_binary("FROM a".encode("utf-16"))
    (True, False)
    """
    return b"\0" in data[:HEAD] and not encoding_of(data)[1]


def decode(data: bytes, syntax: Syntax | None = None) -> tuple[str, Problem | None]:
    r"""Return the decoded file without its byte order mark, and the first byte that is not UTF-8 as a problem.

    Such a byte becomes a surrogate, so that everything else in the file is still found.

    Args:
        data: the file.
        syntax: its syntax, if that is known.

    Raises:
        Unreadable: the file is not text.

    >>> decode(b"\xef\xbb\xbfimage: nginx\n")
    ('image: nginx\n', None)
    >>> decode(b"a\nb\xff")[1].message
    'the byte 0xFF is not UTF-8'
    """
    encoding, _ = encoding_of(data)
    if encoding != "utf-8":
        name = encoding.upper()[:-3]
        if syntax is not None and syntax.bytewise:
            raise Unreadable(f"is {name}, and {syntax.name} must be UTF-8")
        try:
            return data.decode(encoding).removeprefix("\ufeff"), None
        except UnicodeDecodeError as error:
            raise Unreadable(f"is not valid {name}: {error.reason}") from error
    if b"\0" in data:
        raise Unreadable("is not a text file: it contains a NUL byte")
    try:
        return data.decode("utf-8").removeprefix("\ufeff"), None
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8").removeprefix("\ufeff")
        lines = (_LINE_END if syntax is None else syntax.line_end).split(before)
        reason = f"the byte 0x{data[error.start]:02X} is not UTF-8"
        problem = Problem(len(lines), len(lines[-1]) + 1, "IMG901", reason)
        return data.decode("utf-8", "surrogateescape").removeprefix("\ufeff"), problem
