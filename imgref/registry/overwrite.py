"""Whether a tag may move: released versions do not, unless the user forces it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from imgref.archive.manifest import Manifest
from imgref.errors import RateLimited, RegistryUnavailable, TagConflict
from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient
from imgref.registry.listing import digest_at
from imgref.registry.transport import TRIES
from imgref.versions import read_name

__all__ = ["Overwrite", "TagChange", "change_tag", "is_released_version", "plan_changes", "set_tag"]

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
    """Return what setting some tags to a digest does; nothing is set. A target without a tag is skipped.

    Raises:
        TagConflict: a released version would move, and ``overwrite`` is ``unless-released``.
        RegistryError: a registry refuses or fails.
    """
    tags = [target.with_tag(target.tag) for target in targets if target.tag is not None]
    return tuple(_change(tag, digest_at(client, tag, str(tag.tag)), digest, overwrite) for tag in tags)


def change_tag(client: RegistryClient, tag: ImageReference, manifest: Manifest, overwrite: Overwrite) -> TagChange:
    """Set a tag to a manifest unless ``overwrite`` skips it, and return what happened.

    Raises:
        TagConflict: a released version would move, and ``overwrite`` is ``unless-released``.
        RegistryError: the registry refuses or fails.
    """
    change = TagChange(tag, "unchanged", manifest.digest, manifest.digest)

    def may_move(before: str | None) -> bool:
        nonlocal change
        change = _change(tag, before, manifest.digest, overwrite)
        return change.action != "skipped"

    set_tag(client, tag, manifest, may_move)
    return change


def set_tag(
    client: RegistryClient,
    target: ImageReference,
    manifest: Manifest,
    may_move: Callable[[str | None], bool],
    *,
    read_back: bool = True,
) -> bool:
    """Set a tag to a manifest, asking where it points right before each attempt.

    A registry cannot set a tag on condition, so nothing but this request is between the question and the answer. An
    attempt that fails is not repeated blindly: someone else may have set the tag meanwhile.

    Args:
        client: the client to use.
        target: the tag.
        manifest: the manifest, which the repository has.
        may_move: receives the digest that the tag points to, or None, and decides; it may raise.
        read_back: whether to check afterwards that the tag points to the manifest.

    Returns:
        whether the tag points to the manifest; False if it may not move.

    Raises:
        RegistryError: the registry refuses or fails.
    """
    for number in range(1, TRIES + 1):
        before = digest_at(client, target, str(target.tag))
        if before == manifest.digest:
            return True
        if not may_move(before):
            return False
        if before is None and is_released_version(str(target.tag)):
            client.confirm_missing(target)
        try:
            client.put_manifest(target, manifest.raw, manifest.media_type, read_back=read_back, again=False)
        except (RegistryUnavailable, RateLimited) as error:
            if number == TRIES or (isinstance(error, RegistryUnavailable) and error.permanent):
                raise
            asked = error.retry_after if isinstance(error, RateLimited) else None
            client.pause(str(target), error.reason.removeprefix(f"{target}: "), number, asked)
        else:
            return True
    raise AssertionError("the last attempt returns or raises")


def _change(tag: ImageReference, before: str | None, digest: str, overwrite: Overwrite) -> TagChange:
    if before is None:
        return TagChange(tag, "created", None, digest)
    if before == digest:
        return TagChange(tag, "unchanged", digest, digest)
    if overwrite == "never":
        return TagChange(tag, "skipped", before, digest)
    if overwrite == "unless-released" and is_released_version(str(tag.tag)):
        raise TagConflict(
            f"{tag}: already points to {before}, and a released version does not move to {digest};"
            " --force moves it anyway, and --if-absent skips it"
        )
    return TagChange(tag, "moved", before, digest)
