"""The image that an occurrence asks for."""

from __future__ import annotations

from imgref.check.rules.rule import Image
from imgref.reference import left_out, parse
from imgref.sources.occurrence import Occurrence

__all__ = ["image_of"]


def image_of(occurrence: Occurrence) -> Image:
    """Return the image that an occurrence asks for.

    Raises:
        InvalidReference: it is not a valid reference.
    """
    text = occurrence.text if occurrence.resolved is None else occurrence.resolved
    ref = parse(text)
    missing = left_out(text)
    if occurrence.reason is not None and "tag" in missing:
        # The tag comes from elsewhere, such as a chart's appVersion.
        ref, missing = parse(text, default_tag=None), tuple(part for part in missing if part != "tag")
    return Image(occurrence, text, ref, missing)
