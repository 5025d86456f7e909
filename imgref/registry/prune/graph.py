"""Which manifests of a repository need each other.

A manifest needs its children, its subject, and its referrers: an index without a child cannot be pulled, some
registries delete referrers together with their subject, and an image without its signature is not trusted any more.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from imgref.archive.manifest import Descriptor

__all__ = ["Graph", "Node", "attached_to"]

_ATTACHED: Final = re.compile(r"sha256-([0-9a-f]{64})(?:\.(?:sig|att|sbom))?", re.ASCII)


def attached_to(tag: str) -> str | None:
    """Return the digest of the manifest that a tag is attached to by its name, or None for any other tag.

    cosign signs an image under such a tag, and registries without a list of referrers keep one there:
    https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema

    >>> attached_to(f"sha256-{'0' * 64}.sig") == f"sha256:{'0' * 64}"
    True
    >>> attached_to("1.2.3")
    """
    found = _ATTACHED.fullmatch(tag)
    return None if found is None else f"sha256:{found[1]}"


@dataclass(frozen=True, slots=True)
class Node:
    """A manifest, and the manifests that its document names.

    Attributes:
        descriptor: the manifest.
        children: the digests of an index's entries.
        subject: the digest of the manifest that it refers to, or None.
        deletable: whether it is a manifest that exists; an entry of an index may be missing, or be a blob.
    """

    descriptor: Descriptor
    children: tuple[str, ...] = ()
    subject: str | None = None
    deletable: bool = True


class Graph:
    """The manifests of a repository that are reachable from its tags.

    Args:
        nodes: the manifests.
        listed: for a digest, its referrers as the registry lists them.
    """

    def __init__(self, nodes: Iterable[Node], listed: Mapping[str, Iterable[str]] | None = None) -> None:
        self.nodes: dict[str, Node] = {}
        self._referrers: dict[str, dict[str, None]] = {}
        self.add(nodes, listed or {})

    def add(self, nodes: Iterable[Node], listed: Mapping[str, Iterable[str]]) -> None:
        """Add manifests, and lists of referrers."""
        for node in nodes:
            self.nodes[node.descriptor.digest] = node
            if node.subject is not None:
                self._referrers.setdefault(node.subject, {})[node.descriptor.digest] = None
        for digest, referrers in listed.items():
            self._referrers.setdefault(digest, {}).update(dict.fromkeys(referrers))

    def exists(self, digest: str) -> bool:
        """Return whether a manifest is known to exist."""
        return digest in self.nodes and self.nodes[digest].deletable

    def children(self, digest: str) -> tuple[str, ...]:
        """Return the entries of an index; none for anything else."""
        node = self.nodes.get(digest)
        return () if node is None else node.children

    def subject(self, digest: str) -> str | None:
        """Return the manifest that one refers to, or None."""
        node = self.nodes.get(digest)
        return None if node is None else node.subject

    def referrers(self, digest: str) -> tuple[str, ...]:
        """Return the manifests that refer to one."""
        return tuple(self._referrers.get(digest, ()))

    def needed(self, roots: Mapping[str, str], attached: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Return all that some manifests need, each with the reason.

        Args:
            roots: the manifests, each with the reason why it stays.
            attached: for a digest, the manifests under tags that are attached to it.
        """
        return self._reached(roots, attached, subjects=True)

    def dependent(self, roots: Mapping[str, str], attached: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Return all that is of no use without some manifests, each with the reason.

        That is the same as :meth:`needed` except for subjects: an image is complete without its signature.
        """
        return self._reached(roots, attached, subjects=False)

    def _reached(
        self, roots: Mapping[str, str], attached: Mapping[str, Sequence[str]], *, subjects: bool
    ) -> dict[str, str]:
        found = dict(roots)
        waiting = deque(found)
        while waiting:
            digest = waiting.popleft()
            if not self.exists(digest):
                continue
            for other, relation in self._beside(digest, attached, subjects=subjects):
                if other not in found:
                    found[other] = f"{relation} {digest}"
                    waiting.append(other)
        return found

    def _beside(
        self, digest: str, attached: Mapping[str, Sequence[str]], *, subjects: bool
    ) -> Iterator[tuple[str, str]]:
        yield from ((child, "child of") for child in self.children(digest))
        yield from ((referrer, "referrer of") for referrer in self.referrers(digest))
        yield from ((other, "tag attached to") for other in attached.get(digest, ()))
        if subjects and (subject := self.subject(digest)) is not None:
            yield subject, "subject of"

    def in_order(self, digests: Iterable[str], attached: Mapping[str, Sequence[str]]) -> list[str]:
        """Return digests in an order in which they can be deleted: children after parents, referrers after subjects.

        A referrer that is an index containing its subject comes before it: an index without a child would be broken.
        """
        waiting = dict.fromkeys(digests)
        hard = {digest: [child for child in self.children(digest) if child in waiting] for digest in waiting}
        soft = {
            digest: [d for d in (*self.referrers(digest), *attached.get(digest, ())) if d in waiting and d != digest]
            for digest in waiting
        }
        parents, subjects = _counted(hard), _counted(soft)
        ready = deque(digest for digest in waiting if not parents.get(digest) and not subjects.get(digest))
        order: list[str] = []
        while waiting:
            if not ready:
                ready.append(next(digest for digest in waiting if not parents.get(digest)))
            digest = ready.popleft()
            if digest not in waiting:
                continue
            del waiting[digest]
            order.append(digest)
            for counts, others in ((parents, hard[digest]), (subjects, soft[digest])):
                for other in others:
                    counts[other] -= 1
                    if not parents.get(other) and not subjects.get(other):
                        ready.append(other)
        return order


def _counted(edges: Mapping[str, Sequence[str]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for others in edges.values():
        for other in others:
            counts[other] = counts.get(other, 0) + 1
    return counts
