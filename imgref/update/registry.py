"""What the commands need from registries, as a protocol: the caller connects it to a client."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from imgref.reference import ImageReference

__all__ = ["Failed", "Registry"]


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a question has no answer.

    Attributes:
        reason: why.
        missing: whether the image does not exist, rather than the registry having failed.
    """

    reason: str
    missing: bool = False


class Registry(Protocol):
    """Answers questions about many images at once; each is asked about once."""

    def digests(self, images: Collection[ImageReference]) -> Mapping[ImageReference, str | Failed]:
        """Return the digest that each tag points to: that of the index for a multi-platform image."""

    def tags(self, repositories: Collection[str]) -> Mapping[str, tuple[str, ...] | Failed]:
        """Return all tags of each repository, such as ``docker.io/library/nginx``."""

    def created(self, images: Collection[ImageReference]) -> Mapping[ImageReference, datetime | Failed | None]:
        """Return when each image was created, by its configuration; None where that is not known."""
