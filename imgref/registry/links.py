"""The ``Link`` header, by which a registry points to the next page of a list.

https://www.rfc-editor.org/rfc/rfc8288#section-3
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

__all__ = ["next_target"]

_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TARGET: Final = r"[ \t]*<([^<>]*)>[ \t]*"
_PARAMETER: Final = rf';[ \t]*({_WORD})[ \t]*(?:=[ \t]*(?:({_WORD})|"((?:[^"\\]|\\.)*)"))?[ \t]*'


def next_target(headers: Sequence[str]) -> str | None:
    """Return the target of the ``Link`` with the relation ``next``, or None if no header has one.

    Args:
        headers: the values of all ``Link`` headers of one response.

    Raises:
        ValueError: a header cannot be parsed, a link has no relation, or there are several next pages. A caller
            then cannot know whether more follows.

    >>> next_target(['</v2/app/tags/list?last=1.0&n=2>; rel="next"'])
    '/v2/app/tags/list?last=1.0&n=2'
    >>> next_target(['</v2/app/tags/list>; rel="first"']) is None
    True
    """
    targets = {target for header in headers for target, relations in _links(header) if "next" in relations}
    if len(targets) > 1:
        raise ValueError("several next pages")
    return next(iter(targets), None)


def _links(header: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the target of each link with its relations, in lowercase. The header is scanned once, from the left."""
    place = 0
    while True:
        found = re.compile(_TARGET, re.ASCII).match(header, place)
        if found is None:
            raise ValueError("a link that cannot be read")
        place, relations = found.end(), None
        while parameter := re.compile(_PARAMETER, re.ASCII).match(header, place):
            place = parameter.end()
            # The first rel applies, https://www.rfc-editor.org/rfc/rfc8288#section-3.3
            if parameter[1].lower() == "rel" and relations is None:
                relations = (parameter[2] or parameter[3] or "").lower().split()
        if not relations:
            raise ValueError("a link without a relation")
        yield found[1], relations
        if place == len(header):
            return
        if header[place] != ",":
            raise ValueError("a link that cannot be read")
        place += 1
