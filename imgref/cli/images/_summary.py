"""What the formats of ``imgref images`` share: labels, short digests, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from imgref.inventory.model import Inventory, UsedReference

__all__ = ["LABELS", "counted", "pinned_of", "short", "summary", "tag_of", "used_as"]

LABELS: Final = {"base": "base image", "build": "build only", "run": "container", "built": "built here"}
"""What each purpose is called."""

_SHOWN: Final = len("sha256:") + 12


def counted(count: int, noun: str) -> str:
    """Return a number and its noun.

    >>> counted(2, "image"), counted(0, "build")
    ('2 images', 'no builds')
    """
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def short(name: str) -> str:
    """Return a reference with its digest shortened.

    >>> short("nginx:1@sha256:" + 64 * "0")
    'nginx:1@sha256:000000000000…'
    """
    before, at, digest = name.partition("@")
    return f"{before}@{digest[:_SHOWN]}…" if at and len(digest) > _SHOWN else name


def tag_of(one: UsedReference) -> str:
    """Return tag and digest, the digest shortened."""
    ref = one.reference
    if ref.tag is None and ref.digest is None:
        return "(named elsewhere)"
    return short((ref.tag or "") + (f"@{ref.digest}" if ref.digest else ""))


def pinned_of(one: UsedReference) -> str:
    """Return in words how exactly a reference determines its image."""
    if one.is_pinned:
        return "yes"
    return "no, no tag" if one.is_implicit else "no"


def used_as(one: UsedReference) -> str:
    """Return in words what a reference is used for."""
    return ", ".join(LABELS[purpose] for purpose in one.purposes)


def summary(inventory: Inventory) -> str:
    """Return one line about an inventory."""
    references = inventory.references
    pinned = sum(one.is_pinned for one in references)
    parts = [counted(len(references), "tag or digest").replace("tag or digests", "tags or digests"), f"{pinned} pinned"]
    parts += [f"{count} {label}" for count, label in _others(inventory) if count]
    files = f" in {counted(inventory.files, 'file')}"
    return f"{counted(len(inventory.images), 'image')}{files} ({', '.join(parts)})"


def _others(inventory: Inventory) -> list[tuple[int, str]]:
    builds = len(inventory.builds)
    return [
        (builds, "build" if builds == 1 else "builds"),
        (len(inventory.unresolved), "unresolved"),
        (len(inventory.invalid), "invalid"),
        (len({gap.path for gap in inventory.unread}), "not read"),
    ]
