"""Reads the tags and manifests of a repository for a prune: all of them, or an error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from imgref.archive.config import ImageConfig, read_time
from imgref.archive.manifest import ACCEPTED, Descriptor, Manifest
from imgref.errors import NotFound, UnreliableTagList
from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient
from imgref.registry.listing import PATIENCE, digest_at, retried
from imgref.registry.prune.graph import Graph, Node, attached_to
from imgref.registry.prune.rules import Selection
from imgref.registry.threads import run_all

__all__ = ["RepositoryReader"]

_JOBS: Final = 16
_CREATED: Final = "org.opencontainers.image.created"


class RepositoryReader:
    """Reads a repository; manifests, which cannot change, once.

    Args:
        client: the client to use.
        repository: the repository.
        each: called after each manifest that is read.
    """

    def __init__(
        self, client: RegistryClient, repository: ImageReference, each: Callable[[object], None] | None = None
    ) -> None:
        self._each = each
        self._client = client
        self._repository = repository
        self._lists_referrers = True
        self.graph = Graph(())

    @property
    def repository(self) -> ImageReference:
        """The repository."""
        return self._repository

    def tags(self, known: Collection[str] = (), gone: Collection[str] = ()) -> dict[str, str]:
        """Return all tags, each with the digest that it points to.

        Args:
            known: tags that existed before, and are requested even if they are not listed.
            gone: tags that may be listed though they do not exist, since they were deleted a moment ago.

        Raises:
            NotFound: the repository does not exist, and no tag is known.
            UnreliableTagList: the list has a tag that does not exist, and still does after some time.
            RegistryError: the registry refuses or fails.
        """
        look = partial(self._look, known, gone)
        return retried(self._client, look, {UnreliableTagList: PATIENCE})

    def _look(self, known: Collection[str], gone: Collection[str]) -> dict[str, str]:
        try:
            listed = self._client.list_tags(self._repository)
        except NotFound:
            if not known:
                raise
            listed = []
        names = list(dict.fromkeys([*listed, *known]))
        found = self._find(names)
        missing = [tag for tag in listed if found[tag] is None and tag not in gone]
        if missing:
            raise UnreliableTagList(
                f"{self._repository.with_tag(missing[0])}: the tag does not exist, but the registry's list of tags has"
                " it; imgref deletes nothing on the basis of such a list"
            )
        return {tag: digest for tag, digest in found.items() if digest is not None}

    def check_unlisted(self, names: Iterable[str]) -> None:
        """Confirm that tags do not exist, which a complete list would have.

        Raises:
            UnreliableTagList: one of them exists.
        """
        for tag, digest in self._find(list(names)).items():
            if digest is not None:
                raise UnreliableTagList(
                    f"{self._repository.with_tag(tag)}: the tag exists, but the registry's list of tags lacks it; other"
                    " tags that are needed may be missing from that list"
                )

    def _find(self, names: Sequence[str]) -> dict[str, str | None]:
        tasks = [partial(digest_at, self._client, self._repository, name) for name in names]
        return dict(zip(names, run_all(_JOBS, tasks, threading.Event()), strict=True))

    def exists(self, digest: str) -> bool:
        """Return whether a manifest exists."""
        return self._client.find(self._repository.with_digest(digest)) is not None

    def load(self, tags: Mapping[str, str]) -> None:
        """Read all manifests that are reachable from some tags: children, subjects and referrers, and theirs.

        Raises:
            RegistryError: a manifest that a tag points to cannot be read, or the registry refuses or fails.
        """
        waiting: dict[str, Descriptor | None] = dict.fromkeys(tags.values())
        required = set(waiting)
        waiting |= {
            subject: None for tag in tags if (subject := attached_to(tag)) is not None and subject not in waiting
        }
        while waiting := {digest: hint for digest, hint in waiting.items() if digest not in self.graph.nodes}:
            tasks = [partial(self._read, digest, hint, digest in required) for digest, hint in waiting.items()]
            found = run_all(_JOBS, tasks, threading.Event(), self._each)
            waiting = {}
            for node, children, referrers in found:
                self.graph.add([node], {node.descriptor.digest: [referrer.digest for referrer in referrers]})
                waiting |= {other.digest: other for other in (*children, *referrers)}
                if node.subject is not None:
                    waiting.setdefault(node.subject, None)

    def _read(
        self, digest: str, hint: Descriptor | None, required: bool
    ) -> tuple[Node, tuple[Descriptor, ...], tuple[Descriptor, ...]]:
        hint = hint or Descriptor("", digest, 0)
        if hint.media_type and hint.media_type not in ACCEPTED:
            # An index can list blobs, as build caches do.
            return Node(hint, deletable=False), (), ()
        ref = self._repository.with_digest(digest)
        try:
            manifest = self._client.get_manifest(ref)
        except NotFound:
            if required:
                raise
            return Node(hint, deletable=False), (), ()
        subject = None if manifest.subject is None else manifest.subject.digest
        node = Node(manifest.descriptor, tuple(child.digest for child in manifest.children), subject)
        return node, manifest.children, self._referrers(ref)

    def _referrers(self, ref: ImageReference) -> tuple[Descriptor, ...]:
        listed = self._client.list_referrers(ref) if self._lists_referrers else None
        if listed is None:
            # Not a guess about one manifest: a registry that keeps these lists answers with an empty one.
            self._lists_referrers = False
            return ()
        return listed

    def narrow(
        self, tags: Mapping[str, str], selections: Mapping[str, Selection], before: datetime
    ) -> dict[str, Selection]:
        """Return selections without the tags of images that were not created before a time, or at an unknown one."""
        digests = list(dict.fromkeys(tags[tag] for tag, chosen in selections.items() if chosen.selected))
        created = dict(zip(digests, self._all_created(digests), strict=True))

        def narrowed(tag: str, chosen: Selection) -> Selection:
            time = created.get(tags[tag])
            if not chosen.selected or (time is not None and time < before):
                return chosen
            when = "at an unknown time" if time is None else f"on {time:%Y-%m-%d}, not before {before:%Y-%m-%d}"
            return Selection(False, f"{chosen.because}, but it was created {when}")

        return {tag: narrowed(tag, chosen) for tag, chosen in selections.items()}

    def _all_created(self, digests: Sequence[str]) -> tuple[datetime | None, ...]:
        return run_all(_JOBS, [partial(self._created, digest) for digest in digests], threading.Event(), self._each)

    def _created(self, digest: str) -> datetime | None:
        """Return when an image was created, the last one of several platforms; None if that is not known for all."""
        ref = self._repository.with_digest(digest)
        manifest = self._client.get_manifest(ref)
        if not manifest.is_index:
            config = ImageConfig.read(self._client.get_config(ref, manifest))
            return config.created or _annotated(manifest)
        # Attestations are listed as for an unknown platform.
        images = [child for child in manifest.children if child.platform is None or child.platform.os != "unknown"]
        times = [self._created_of_child(child) for child in images] or [_annotated(manifest)]
        known = [time for time in times if time is not None]
        return max(known) if len(known) == len(times) else None

    def _created_of_child(self, child: Descriptor) -> datetime | None:
        if child.media_type and child.media_type not in ACCEPTED:
            return None
        try:
            return self._created(child.digest)
        except NotFound:
            return None


def _annotated(manifest: Manifest) -> datetime | None:
    return read_time(manifest.annotations.get(_CREATED))
