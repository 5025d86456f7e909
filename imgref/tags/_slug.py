"""Turns any string, such as the name of a branch, into a tag."""

from __future__ import annotations

import re
from typing import Final

from imgref import _grammar
from imgref.errors import InvalidTag

_SLUG_HASH: Final = 8


def sanitize_tag(text: str, *, longest: int = _grammar.TAG_MAX) -> str:
    """Turn any string, such as the name of a branch, into a tag.

    Each run of characters that a tag cannot contain becomes one ``-``, and leading ``.`` and ``-`` are removed. What is
    too long is cut, and ends in 8 hexadecimal digits of the SHA-256 of the whole string, so that two long names stay
    distinct. A string without any allowed character, such as one in another script, becomes ``ref-`` and these digits.

    Args:
        text: any string.
        longest: how many characters the tag may have: 128, or less to leave room for a suffix.

    Raises:
        InvalidTag: nothing is left of punctuation, or not enough room.

    >>> sanitize_tag("feature/Login page"), sanitize_tag("中文")
    ('feature-Login-page', 'ref-72726d88')
    """
    slug = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).lstrip(".-")
    other_script = not slug and not text.isascii()
    if not slug and not other_script:
        raise InvalidTag(text, "it holds no character that a tag could begin with")
    if slug and len(slug) <= longest:
        return slug
    kept = longest - _SLUG_HASH - 1
    if kept < (len("ref") if other_script else 1):
        raise InvalidTag(text, f"only {max(longest, 0)} characters are left for it in a tag")
    from hashlib import sha256

    # Bytes that are not UTF-8 count as they are; only JSON can have the other surrogates.
    escape = "surrogatepass" if re.search("[\ud800-\udc7f\udd00-\udfff]", text) else "surrogateescape"
    digest = sha256(text.encode("utf-8", escape)).hexdigest()[:_SLUG_HASH]
    return f"{'ref' if other_script else slug[:kept]}-{digest}"
