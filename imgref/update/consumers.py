"""Which programs accept a reference with a tag and a digest: ``name:tag@digest``."""

from __future__ import annotations

from typing import Final

from imgref.sources.kinds import KINDS

__all__ = ["DOTENV", "takes_tag_and_digest"]

DOTENV: Final = "dotenv"
"""The kind of the file ``.env``, whose values Compose puts into its own references."""

_UNCERTAIN: Final = frozenset({
    ("bitbucket", "pipe"), ("quadlet", "quadlet.Container.Mount"), ("bake", "bake.attest"),
})  # fmt: skip
"""Constructs that are not certain although their kind is."""


_CERTAIN: Final = frozenset({("terraform", "terraform.kubernetes.image"), ("helm-template", "template.image")})
"""Constructs that are certain although their kind is not."""


def takes_tag_and_digest(kind: str, construct: str) -> bool:
    """Return whether the consumer of a reference certainly accepts a tag with a digest.

    >>> takes_tag_and_digest("dockerfile", "from"), takes_tag_and_digest("bitbucket", "pipe")
    (True, False)
    """
    if kind == DOTENV:
        kind = "compose"
    if (kind, construct) in _CERTAIN:
        return True
    return kind in KINDS and KINDS[kind].takes_tag_and_digest and (kind, construct) not in _UNCERTAIN
