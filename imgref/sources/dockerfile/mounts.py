"""``RUN --mount``: fields parted by commas, as CSV has them. https://docs.docker.com/reference/dockerfile/#run---mount."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from imgref.errors import quote
from imgref.sources.dockerfile.instructions import Flag, Refused, Span

__all__ = ["mount_source"]

_TYPES: Final = ("bind", "cache", "tmpfs", "secret", "ssh")


def mount_source(flag: Flag) -> tuple[str, Span] | None:
    """Return what a mount's ``from`` names, and where; the last one counts. None where it has none.

    Other keys are not looked at: BuildKit's are many, and podman, which reads the same files, has more.

    Raises:
        Refused: BuildKit would not take the mount.
    """
    kind = "bind"
    source: tuple[str, Span] | None = None
    for key, value, field, at in _fields(flag):
        span = Span(flag.at[at], flag.at[at + len(field) - 1] + 1) if field else flag.span
        if value is None:
            continue
        if key == "type" and "$" not in value:
            kind = value.lower()
            if kind not in _TYPES:
                raise Refused(span, f"{quote(value)} is not a mount type; the types are {', '.join(_TYPES)}")
        elif key == "from":
            if 0 <= value.find("$") < len(value) - 1:
                raise Refused(span, "a mount's from takes no variables: name a stage with FROM … AS, and use its name")
            start = at + len(field) - len(value)
            source = (value, Span(flag.at[start], span.end)) if value else None
    if source is not None and kind == "secret":
        raise Refused(source[1], "a secret mount takes no from")
    return source


def _fields(flag: Flag) -> Iterator[tuple[str, str | None, str, int]]:
    """Yield key, value, source and index of each field; a field in double quotes may contain commas."""
    text = flag.value or ""
    if not text:
        raise Refused(flag.span, "--mount is empty")
    at = 0
    while at <= len(text):
        if text.startswith('"', at):
            start, at = at + 1, text.find('"', at + 1)
            if at < 0 or text[at + 1 : at + 2] not in ("", ","):
                raise Refused(flag.span, "--mount has quotes that do not enclose a whole field")
            field, at = text[start:at], at + 2
        else:
            start, end = at, text.find(",", at)
            field = text[start:] if end < 0 else text[start:end]
            at = len(text) + 1 if end < 0 else end + 1
            if '"' in field:
                raise Refused(flag.span, "--mount has quotes that do not enclose a whole field")
        key, equals, value = field.partition("=")
        yield key.lower(), value if equals else None, field, start
