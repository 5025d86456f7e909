"""What a plan changes in a file as a unified diff of its very bytes, which ``git apply`` and ``patch`` apply."""

from __future__ import annotations

import re
from difflib import unified_diff
from typing import Final

from imgref.update.plan import FilePlan

__all__ = ["diff_of"]

_CONTEXT: Final = 3
_NO_NEWLINE: Final = "\\ No newline at end of file\n"
_QUOTED: Final = re.compile(rb"[\x00-\x1f\"\\\x7f]")
_ESCAPES: Final = {b'"': b'\\"', b"\\": b"\\\\", b"\t": b"\\t", b"\n": b"\\n", b"\r": b"\\r"}


def diff_of(file: FilePlan, context: int = _CONTEXT) -> bytes:
    """Return a unified diff of one file, in the file's own encoding and with its own line endings.

    Args:
        file: the planned change.
        context: how many lines are shown around a change; without any, ``git apply`` needs ``--unidiff-zero``.
    """
    name = file.source.path.lstrip("/")
    # Each byte is one character, so that no byte is lost, whatever the encoding; only LF ends a line of a diff.
    before, after = (_lines(data.decode("latin-1")) for data in (file.source.data, file.result))
    lines = list(unified_diff(before, after, n=context))[2:]
    body = "".join(line if line.endswith("\n") else f"{line}\n{_NO_NEWLINE}" for line in lines)
    return b"--- %s\n+++ %s\n%s" % (_name("a", name), _name("b", name), body.encode("latin-1"))


def _lines(text: str) -> list[str]:
    parts = text.split("\n")
    return [f"{part}\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _name(side: str, name: str) -> bytes:
    """Return a file name as git writes it: quoted if it must be, and with a tab at its end if it has blanks."""
    data = f"{side}/{name}".encode("utf-8", "surrogateescape")
    if _QUOTED.search(data):
        return b'"%s"' % _QUOTED.sub(lambda found: _ESCAPES.get(found[0]) or b"\\%03o" % found[0][0], data)
    return data + (b"\t" if b" " in data else b"")
