"""Which programs accept a reference with a tag and a digest: ``name:tag@digest``."""

from __future__ import annotations

from typing import Final

__all__ = ["REJECTED", "takes_tag_and_digest"]

REJECTED: Final = "the consumer may reject a tag with a digest"
"""Why a reference is not pinned whose consumer is not certain to accept both."""

_CERTAIN: Final = frozenset({
    "bitbucket", "circleci", "cloud-build", "compose", "dockerfile", "drone", "github-actions", "gitlab-ci",
    "helm-values", "kubernetes", "kustomize", "woodpecker",
})  # fmt: skip
_UNCERTAIN: Final = frozenset({("bitbucket", "pipe")})
"""What is not certain although its kind is."""


def takes_tag_and_digest(kind: str, construct: str) -> bool:
    """Return whether the consumer of a reference certainly accepts a tag with a digest.

    >>> takes_tag_and_digest("dockerfile", "from"), takes_tag_and_digest("bitbucket", "pipe")
    (True, False)
    """
    return kind in _CERTAIN and (kind, construct) not in _UNCERTAIN
