"""The grammar of an image reference: its EBNF once, and the regular expressions built from its named parts.

The grammar is that of the package that Docker itself uses, https://pkg.go.dev/github.com/distribution/reference,
with one deliberate difference: a first component that rule ``qualified`` recognises must be a valid registry.
ASCII only; a reference is matched whole. A test generates strings from these lines and tries the patterns::

    reference  = [ registry "/" ] path [ ":" tag ] [ "@" digest ]
    registry   = host [ ":" port ]
    host       = label { "." label } | "[" address "]"
    label      = alnum { alnum } { "-" { "-" } alnum { alnum } }
    address    = ( hex | ":" ) { hex | ":" }
    port       = decimal { decimal }
    path       = component { "/" component }
    component  = low { low } { separator low { low } }
    separator  = "." | "_" | "__" | "-" { "-" }
    tag        = word [ rest ]
    digest     = "sha256:" hex64 | "sha384:" hex96 | "sha512:" hex128

``tag`` has at most 128 characters. ``path`` has at most 255, counted after ``library/`` is added; a regular
expression cannot express that, so the parser checks it.

Every repetition below is unambiguous, and those of single characters are possessive: matching, and failing to match,
takes time proportional to the length. Those of groups are not possessive, since Python before 3.11.5 matches such ones
wrongly. Only the whole pattern is compiled at import; its parts are needed where something is wrong, or where a
reference is put together from parts.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "ADDRESS",
    "COMPONENT",
    "DIGEST",
    "DIGEST_HEX_LENGTHS",
    "HOST",
    "IMAGE_ID",
    "LABEL",
    "PATH",
    "PATH_MAX",
    "QUALIFIED",
    "REFERENCE",
    "REGISTRY",
    "TAG",
    "TAG_MAX",
    "is_a",
]

PATH_MAX: Final = 255
TAG_MAX: Final = 128

DIGEST_HEX_LENGTHS: Final = {"sha256": 64, "sha384": 96, "sha512": 128}
"""The digest algorithms that have a registered length, with the number of hex digits of each.

https://github.com/opencontainers/image-spec/blob/main/descriptor.md#digests
"""

LABEL: Final = r"[A-Za-z0-9]++(?:-++[A-Za-z0-9]++)*"
"""Looser than DNS: any length, any case; but no underscore."""

ADDRESS: Final = r"\[[0-9A-Fa-f:]++\]"
"""Brackets separate an address from the port. Like Docker, imgref does not check what is in them."""

HOST: Final = rf"(?:{LABEL}(?:\.{LABEL})*|{ADDRESS})"
REGISTRY: Final = rf"{HOST}(?::[0-9]++)?"

COMPONENT: Final = r"[a-z0-9]++(?:(?:[._-]|__|--++)[a-z0-9]++)*"
PATH: Final = r"[a-z0-9]++(?:(?:[/._-]|__|--++)[a-z0-9]++)*"
"""Components and the slashes between them in one loop, which takes a sixth less time than a loop of loops."""

TAG: Final = rf"[A-Za-z0-9_][A-Za-z0-9_.-]{{0,{TAG_MAX - 1}}}+"
DIGEST: Final = "|".join(f"{algorithm}:[0-9a-f]{{{length}}}" for algorithm, length in DIGEST_HEX_LENGTHS.items())
IMAGE_ID: Final = r"[0-9a-f]{64}"

QUALIFIED: Final = r"(?:localhost/|[^/.:A-Z]*+[.:A-Z][^/]*+/)"
"""The part before the first slash is a registry if it is `localhost`, or has a dot or a colon (a host name
or a port), or an uppercase letter (which no component may have)."""

REFERENCE: Final = re.compile(
    rf"(?:(?!{QUALIFIED})|(?={QUALIFIED})({REGISTRY})/)({PATH})(?::({TAG}))?(?:@({DIGEST}))?", re.ASCII
)
"""A whole reference: registry, path, tag and digest as written, each None where it is absent."""


def is_a(pattern: str, text: str) -> bool:
    r"""Return whether one of the patterns above matches the whole of ``text``.

    >>> is_a(TAG, "v1"), is_a(TAG, "v1\n")
    (True, False)
    """
    return re.fullmatch(pattern, text, re.ASCII) is not None
