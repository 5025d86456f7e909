"""What a prune deletes and keeps, and why: a value that can be shown, serialized and applied."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from imgref.reference import ImageReference
from imgref.registry.prune.graph import Graph, attached_to
from imgref.registry.prune.rules import Selection

__all__ = ["PlannedManifest", "PrunePlan", "attachments", "plan_deletions"]


@dataclass(frozen=True, slots=True)
class PlannedManifest:
    """A manifest of a repository, and why it stays or goes.

    Attributes:
        digest: its digest.
        tags: the tags that point to it; deleting it removes them all.
        media_type: its media type.
        size: the bytes of the manifest.
        because: why it stays or goes.
    """

    digest: str
    tags: tuple[str, ...]
    media_type: str
    size: int
    because: str


@dataclass(frozen=True, slots=True)
class PrunePlan:
    """What a prune keeps and deletes. Each tag of the repository is that of exactly one manifest.

    Attributes:
        repository: the repository.
        keep: the manifests that stay.
        delete: the manifests that go, in an order in which they can be deleted.
    """

    repository: ImageReference
    keep: tuple[PlannedManifest, ...]
    delete: tuple[PlannedManifest, ...]


class _Reached(NamedTuple):
    keep: dict[str, str]
    delete: dict[str, str]


def attachments(tags: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return for each digest the manifests under tags that are attached to it by their name."""
    found: dict[str, tuple[str, ...]] = {}
    for tag, digest in tags.items():
        if (subject := attached_to(tag)) is not None:
            found[subject] = (*found.get(subject, ()), digest)
    return found


def plan_deletions(
    repository: ImageReference, tags: Mapping[str, str], graph: Graph, selections: Mapping[str, Selection]
) -> PrunePlan:
    """Plan what to delete.

    Args:
        repository: the repository.
        tags: all tags of the repository, each with the digest that it points to.
        graph: all manifests that are reachable from the tags.
        selections: what the rules decide about each tag.
    """
    attached = attachments(tags)
    reached = _reached(tags, graph, selections, attached)
    names: dict[str, list[str]] = {}
    for tag, digest in tags.items():
        names.setdefault(digest, []).append(tag)

    def planned(digests: Iterable[str], reasons: Mapping[str, str]) -> tuple[PlannedManifest, ...]:
        return tuple(
            PlannedManifest(
                digest,
                tuple(names.get(digest, ())),
                graph.nodes[digest].descriptor.media_type,
                graph.nodes[digest].descriptor.size,
                _with_names(reasons[digest], names),
            )
            for digest in digests
            if graph.exists(digest)
        )

    order = graph.in_order(reached.delete, attached)
    return PrunePlan(repository, planned(reached.keep, reached.keep), planned(order, reached.delete))


def _with_names(because: str, names: Mapping[str, Sequence[str]]) -> str:
    """Replace the digest in a reason such as "child of sha256:…" by the tag of that manifest, if it has one."""
    relation, _, digest = because.rpartition(" ")
    return f"{relation} {names[digest][0]}" if digest in names else because


def _reached(
    tags: Mapping[str, str],
    graph: Graph,
    selections: Mapping[str, Selection],
    attached: Mapping[str, Sequence[str]],
) -> _Reached:
    """Divide the manifests into those that stay and those that go, each with the reason.

    A tag that is attached to a manifest goes only if that manifest goes. Whether it goes depends on what stays, so what
    stays grows until nothing changes.
    """
    roots: dict[str, str] = {}
    chosen: dict[str, str] = {}
    loose: dict[str, str] = {}
    for tag, digest in tags.items():
        subject = attached_to(tag)
        if subject is not None and graph.exists(subject):
            loose[tag] = subject
        elif selections[tag].selected:
            chosen.setdefault(digest, f"{tag}: {selections[tag].because}")
        else:
            because = selections[tag].because if subject is None else f"{subject} is not in the repository"
            roots.setdefault(digest, f"{tag}: {because}")
    while True:
        keep = graph.needed(roots, attached)
        going = graph.dependent({d: why for d, why in chosen.items() if d not in keep}, attached)
        delete = {digest: because for digest, because in going.items() if digest not in keep}
        before = len(roots)
        for tag, subject in loose.items():
            if subject not in delete and subject not in keep:
                roots.setdefault(tags[tag], f"tag attached to {subject}")
                roots.setdefault(subject, f"{tag} is attached to it")
        if len(roots) == before:
            return _Reached(keep, delete)
