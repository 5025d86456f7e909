"""Files of unknown kinds that seem to have images, so that a check can report what it did not read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from imgref.check.result import Checked
from imgref.sources.walk import shown_path

if TYPE_CHECKING:
    from imgref.sources.traces import Trace

__all__ = ["PROBED", "reason_of", "unrecognized"]

PROBED: Final = 256 * 1024
"""How many bytes of a file are searched: the result is only a hint, and a tree may have many large files."""


def unrecognized(paths: Iterable[str]) -> Iterator[Checked]:
    """Yield a result for each file that seems to have images, from its first :data:`PROBED` bytes.

    A file that is not text, or cannot be read, does not count: its name is not a reason for an error.

    Args:
        paths: regular files of no known kind.
    """
    for path in paths:
        trace = _probed(path)
        if trace is not None:
            yield Checked(shown_path(path), status="unrecognized", reason=reason_of(trace), line=trace.line)


def reason_of(trace: Trace) -> str:
    """Return why a file of no known kind may have images.

    >>> from imgref.sources.traces import Trace
    >>> reason_of(Trace(3, "docker run"))
    "it has 'docker run'"
    """
    return f"it has {trace.text!r}"


def _probed(path: str) -> Trace | None:
    from imgref.sources.traces import trace_of

    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            return None
        data = os.read(file, min(status.st_size, PROBED))
    except OSError:
        return None
    finally:
        os.close(file)
    return None if b"\0" in data else trace_of(data.decode("utf-8", "replace"))
