"""Deletes what a plan selects, one manifest at a time, and checks the tags of the repository before each deletion.

A registry deletes a manifest with all tags that point to it, and cannot delete it on condition. So right before each
deletion imgref asks where every tag points. A tag that is new or has moved protects its manifests, whatever the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from imgref.errors import NotFound, RateLimited, RegistryError, RegistryUnavailable
from imgref.registry.client import RegistryClient
from imgref.registry.prune.graph import attached_to
from imgref.registry.prune.plan import PlannedManifest, PrunePlan, attachments
from imgref.registry.prune.reader import RepositoryReader
from imgref.registry.transport import TRIES

__all__ = ["Deletion", "apply_prune"]


@dataclass(frozen=True, slots=True)
class Deletion:
    """What happened to a manifest that was planned to go.

    Attributes:
        manifest: the manifest; of one that stays, with the reason.
        deleted: whether it is gone.
    """

    manifest: PlannedManifest
    deleted: bool


def apply_prune(
    client: RegistryClient, plan: PrunePlan, reader: RepositoryReader, on_deletion: Callable[[Deletion], None]
) -> None:
    """Delete what a plan selects. It can be interrupted anywhere, planned and applied again.

    Args:
        client: the client to use.
        plan: the plan, from :func:`imgref.registry.plan_prune`.
        reader: has read the repository for the plan.
        on_deletion: receives what happened to each manifest, as it happens.

    Raises:
        UnreliableTagList: the registry's list of tags cannot be relied on any more.
        RegistryError: the registry refuses or fails; nothing is deleted after that.
    """
    pruner = _Pruner(client, plan, reader)
    for manifest in plan.delete:
        because = pruner.delete(manifest)
        kept = manifest if because is None else replace(manifest, because=because)
        on_deletion(Deletion(kept, because is None))


class _Pruner:
    def __init__(self, client: RegistryClient, plan: PrunePlan, reader: RepositoryReader) -> None:
        self._client = client
        self._repository = plan.repository
        self._reader = reader
        self._before = {tag: manifest.digest for manifest in (*plan.keep, *plan.delete) for tag in manifest.tags}
        self._planned = {tag: manifest.digest for manifest in plan.delete for tag in manifest.tags}
        self._gone: set[str] = set()
        self._skipped: dict[str, str] = {}
        self._last: tuple[Mapping[str, str], Mapping[str, str]] | None = None

    def delete(self, manifest: PlannedManifest) -> str | None:
        """Delete a manifest, or return why it stays."""
        for number in range(1, TRIES + 1):
            if (because := self._objection(manifest)) is not None:
                self._skipped[manifest.digest] = because
                return because
            ref = self._repository.with_digest(manifest.digest)
            try:
                self._client.delete_manifest(ref, again=False)
            except NotFound as error:
                if self._reader.exists(manifest.digest):
                    # Amazon ECR once answered this because it did not support the request.
                    reason = f"{ref}: {ref.registry} answers 404 to DELETE, but the manifest exists"
                    raise RegistryError(reason, method="DELETE", url=error.url, status=404) from error
                break
            except (RegistryUnavailable, RateLimited) as error:
                if number == TRIES or (isinstance(error, RegistryUnavailable) and error.permanent):
                    raise
                asked = error.retry_after if isinstance(error, RateLimited) else None
                self._client.pause(str(ref), error.reason.removeprefix(f"{ref}: "), number, asked)
            else:
                break
        self._gone.update(manifest.tags)
        return None

    def _objection(self, manifest: PlannedManifest) -> str | None:
        """Return why a manifest must stay, as its repository is now; None if nothing speaks against its deletion."""
        known = [tag for tag in self._before if tag not in self._gone]
        tags = self._reader.tags(known, self._gone)
        if (because := self._needed(tags).get(manifest.digest)) is not None:
            return because
        for tag in manifest.tags:
            if tags.get(tag) == manifest.digest:
                continue
            if tag in tags:
                return f"{tag} points to {tags[tag]} now"
            # Deleted by an attempt whose answer was lost, or else by someone.
            if self._reader.exists(manifest.digest):
                return f"{tag} does not exist any more"
        return None

    def _needed(self, tags: Mapping[str, str]) -> Mapping[str, str]:
        """Return everything that must stay: the manifests of every tag that is not exactly as selected."""
        roots = dict(self._skipped)
        for tag, digest in tags.items():
            if self._planned.get(tag) == digest:
                continue
            roots.setdefault(digest, f"{tag} points to it now")
            subject = attached_to(tag)
            if subject is not None and self._before.get(tag) != digest:
                roots.setdefault(subject, f"{tag} is attached to it now")
        if self._last is not None and self._last[0] == roots:
            return self._last[1]
        self._reader.load(_part(tags, roots))
        needed = self._reader.graph.needed(roots, attachments(tags))
        self._last = (roots, needed)
        return needed


def _part(tags: Mapping[str, str], digests: Iterable[str]) -> dict[str, str]:
    wanted = set(digests)
    return {tag: digest for tag, digest in tags.items() if digest in wanted}
