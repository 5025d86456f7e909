"""The progress of a transfer, as data for a receiver that renders it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from imgref.archive.image import Blob
from imgref.reference import ImageReference

__all__ = ["LayerOutcome", "Nobody", "Status", "Stopped", "Transferred", "Watcher", "outcome_of", "watched"]

Status = Literal["pushed", "mounted", "exists", "skipped", "pulled"]


@dataclass(frozen=True, slots=True)
class LayerOutcome:
    """What became of a layer.

    Attributes:
        id: the short id by which Docker shows it.
        digest: of the blob, as the registry has it.
        size: bytes of the blob.
        status: ``exists`` where it was there already; ``skipped`` where it is not to be distributed.
        source: the repository that it was mounted from.
    """

    id: str
    digest: str
    size: int
    status: Status
    source: ImageReference | None = None


@dataclass(frozen=True, slots=True)
class Transferred:
    """An image that has arrived.

    Attributes:
        reference: the name that it has now.
        digest: of its manifest or index.
        size: bytes of its manifest or index.
        layers: what became of each.
        referrers: digests of what refers to it and was copied as well.
    """

    reference: ImageReference
    digest: str
    size: int
    layers: tuple[LayerOutcome, ...]
    referrers: tuple[str, ...] = ()


class Watcher(Protocol):
    """Receives the progress of a transfer."""

    def begins(self, repository: ImageReference, layers: Sequence[Blob]) -> None:
        """Layers are about to move to, or from, a repository."""

    def advances(self, blob: Blob, done: int, size: int) -> None:
        """So many of its bytes have moved; less than before after a failure. Called from several threads."""

    def ends(self, layer: LayerOutcome) -> None:
        """A layer is done."""

    def arrives(self, image: Transferred) -> None:
        """An image is whole, and has its name."""


class Nobody:
    """A watcher for whom it is enough that things go on."""

    def begins(self, repository: ImageReference, layers: Sequence[Blob]) -> None:
        """Do nothing."""

    def advances(self, blob: Blob, done: int, size: int) -> None:
        """Do nothing."""

    def ends(self, layer: LayerOutcome) -> None:
        """Do nothing."""

    def arrives(self, image: Transferred) -> None:
        """Do nothing."""


class Stopped(Exception):
    """Another task failed, so this transfer is cancelled."""


def outcome_of(blob: Blob, status: Status, source: ImageReference | None = None) -> LayerOutcome:
    """Return what became of a layer."""
    descriptor = blob.descriptor()
    return LayerOutcome(blob.label, descriptor.digest, descriptor.size, status, source)


def watched(blob: Blob, watcher: Watcher, stop: threading.Event) -> Iterator[bytes]:
    """Yield a blob's bytes, report each chunk, and stop if everything is cancelled."""
    done, size = 0, blob.descriptor().size
    watcher.advances(blob, 0, size)
    for chunk in blob.chunks():
        if stop.is_set():
            raise Stopped
        yield chunk
        done += len(chunk)
        watcher.advances(blob, done, size)
