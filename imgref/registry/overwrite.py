"""Whether a tag may move: released versions do not, unless the user says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from imgref.errors import TagConflict
from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient
from imgref.versions import read_name

__all__ = ["Overwrite", "TagChange", "is_released_version", "plan_change", "plan_changes"]

Overwrite = Literal["unless-released", "always", "never"]
"""Which tags may move to another digest: all but released versions, all, or none. With ``never``, a tag that exists
is skipped; with ``unless-released``, a released version that would move is an error."""


@dataclass(frozen=True, slots=True)
class TagChange:
    """What setting a tag does.

    Attributes:
        reference: the tag.
        action: what happens to it.
        before: the digest that it points to, or None.
        after: the digest of the image that is to get it.
    """

    reference: ImageReference
    action: Literal["created", "moved", "unchanged", "skipped"]
    before: str | None
    after: str


def is_released_version(tag: str) -> bool:
    """Return whether a tag is MAJOR.MINOR.PATCH, with an optional leading ``v``, and not a pre-release.

    >>> [tag for tag in ("1.2.3", "v1.2.3", "1.2", "1.2.3-rc.1", "20240115") if is_released_version(tag)]
    ['1.2.3', 'v1.2.3']
    """
    version = read_name(tag)
    return version is not None and len(version.parts) == 3 and not version.prerelease


def plan_changes(
    client: RegistryClient,
    targets: Iterable[ImageReference],
    digest: str,
    overwrite: Overwrite = "unless-released",
) -> tuple[TagChange, ...]:
    """Return what setting some tags to a digest does; nothing is set. A target without a tag is left out.

    Raises:
        TagConflict: a released version would move, and ``overwrite`` is ``unless-released``.
        RegistryError: a registry refuses or fails.
    """
    return tuple(plan_change(client, target, digest, overwrite) for target in targets if target.tag is not None)


def plan_change(client: RegistryClient, target: ImageReference, digest: str, overwrite: Overwrite) -> TagChange:
    """Return what setting one tag to a digest does; see :func:`plan_changes`."""
    tag = target.with_tag(str(target.tag))
    found = client.find(tag)
    if found is None:
        return TagChange(tag, "created", None, digest)
    if found.digest == digest:
        return TagChange(tag, "unchanged", digest, digest)
    if overwrite == "never":
        return TagChange(tag, "skipped", found.digest, digest)
    if overwrite == "unless-released" and is_released_version(str(target.tag)):
        raise TagConflict(
            f"{tag}: already points to {found.digest}, and a released version does not move to {digest};"
            " --force moves it anyway, and --if-absent skips it"
        )
    return TagChange(tag, "moved", found.digest, digest)
