"""The comments of a YAML file that are addressed to imgref."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Final

from imgref.sources.occurrence import Comment
from imgref.sources.yaml.document import Lines, after_properties

__all__ = ["comments"]

_COMMENT: Final = re.compile(r"(?<!\S)#[ \t]*imgref:[ \t]*([^\r\n]*)")
_NEXT_LINE: Final = re.compile(r"[\r\n]")


def comments(text: str, quoted: list[tuple[int, int]]) -> tuple[Comment, ...]:
    """Find the comments that begin with ``imgref:``, outside of the spans in ``quoted``.

    >>> [comment.text for comment in comments("a: 1 # imgref: ignore[IMG102]", [])]
    ['ignore[IMG102]']
    """
    if "imgref:" not in text:
        return ()
    lines = Lines(text)
    texts = [_text_span(text, *span) for span in quoted]
    found = []
    for comment in _COMMENT.finditer(text):
        index = comment.start()
        position = bisect_right(texts, (index, len(text))) - 1
        if position >= 0 and index < texts[position][1]:
            continue
        line, column = lines.at(index)
        before = text[index - column + 1 : index]
        found.append(Comment(line, column, comment[1].rstrip(), trailing=bool(before.strip())))
    return tuple(found)


def _text_span(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out what may be followed by a comment: an anchor, a tag, and the indicator of a block scalar."""
    start = after_properties(text, start)
    if text[start : start + 1] in {"|", ">"} and (found := _NEXT_LINE.search(text, start)):
        start = found.end()
    return start, end
