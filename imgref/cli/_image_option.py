"""The values of ``--image``, which a CI variable may spell with capitals."""

from __future__ import annotations

import re
from typing import Final

from imgref._printable import masked
from imgref.cli import _console
from imgref.cli._registry import read_repository
from imgref.reference import ImageReference

__all__ = ["lowercased", "read_image"]

_PARTS: Final = r"(?i)(?P<host>[^/]*[.:\[][^/]*/|localhost/)?(?P<path>[^:@]+)(?P<rest>.*)"


def lowercased(text: str) -> str:
    """Return an image's name with its path in lower case, and report the change on stderr.

    ``Acme/app`` has no host: what comes before the first slash is one only with a dot, a port, or as ``localhost``.
    """
    found = re.fullmatch(_PARTS, text)
    if not text.isascii() or not found:
        return text
    lowered = f"{found['host'] or ''}{found['path'].lower()}{found['rest']}"
    if lowered != text:
        _console.note(
            f"--image {masked(text, whole=True)} is used as {masked(lowered, whole=True)}: a path is in lower case"
        )
    return lowered


def read_image(text: str) -> ImageReference:
    """Read a value of ``--image``.

    Raises:
        InvalidReference: it is not a repository, or has a tag or a digest.
    """
    return read_repository(text, "--image names")
