"""Which listed version explains where a floating tag points.

A floating tag that points to an image of no listed version belongs to a version that the list lacks, or to something
else, such as a build of the main branch. Neither may be replaced without asking.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from imgref.errors import RegistryError, TagConflict, quote
from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient
from imgref.registry.listing import find_digests
from imgref.tags import TagPlan, TagPolicy, exact_tags, is_stable, is_tag_of, version_tags
from imgref.versions import SCHEMES, read_name

__all__ = ["Origins", "UnexplainedTag"]

_VERSION_LABEL = "org.opencontainers.image.version"


class UnexplainedTag(TagConflict):
    """A floating tag points to an image that no listed version explains."""


class Origins:
    """Explains where the floating tags of a release point, and remembers the digests of versions, which do not move.

    Args:
        client: the client to use.
        repository: the repository.
        version: the version to release, with the policy's prefix.
        policy: how its tags are derived.
    """

    def __init__(self, client: RegistryClient, repository: ImageReference, version: str, policy: TagPolicy) -> None:
        self._client = client
        self._repository = repository
        self._version = version
        self._policy = policy
        self._exact = exact_tags(version, policy=policy)
        self._digests: dict[str, str | None] = {}

    def unexplained(
        self, plan: TagPlan, names: Iterable[str], tags: Mapping[str, str], *, most: int | None = None
    ) -> list[str]:
        """Return the tags that point to an image of no listed version.

        Args:
            plan: the plan, whose own floating tags explain nothing: they are what is in question. In the schemes in
                which 1.2 may itself be a version, it is one unless a longer version is listed.
            names: the names that the registry lists.
            tags: the floating tags, each with the digest that it points to.
            most: how many versions to ask for, the nearest first; by default all.
        """
        names = tuple(names)
        own = {*plan.tags, *(held.tag for held in plan.held)} - {*self._exact}
        versions = version_tags(names, self._version, policy=self._policy)
        longer = {name for name in own if self._has_longer(name, versions)}
        missing = []
        for tag, digest in tags.items():
            candidates = [
                name
                for name in versions
                if (name not in own or (name not in longer and self._policy.scheme != "semver"))
                and (is_stable(name, policy=self._policy) or is_tag_of(tag, name, policy=self._policy))
            ]
            if not find_digests(self._client, self._repository, candidates[:most], {digest}, self._digests):
                missing.append(tag)
        return missing

    def _has_longer(self, tag: str, versions: Iterable[str]) -> bool:
        """Return whether a listed version continues a tag, as 1.2.3 does 1.2: then the tag is a floating one."""
        number, dash, suffix = tag.partition("-")
        return any(name.startswith(f"{number}.") and name.endswith(dash + suffix) for name in versions)

    def refusal(self, tags: Mapping[str, str]) -> UnexplainedTag:
        """Return the refusal to move some floating tags, with what is known about the image of the first."""
        tag, digest = next(iter(tags.items()))
        options = " ".join(f"--force-floating {name}" for name in tags)
        others = f", and so do {', '.join([*tags][1:])}" if len(tags) > 1 else ""
        return UnexplainedTag(
            f"{self._repository.with_tag(tag)}: points to {digest}, which is not one of the versions that the registry"
            f" lists{self._guess(digest)}{others}; it could move backwards, so pass {options} to move it anyway"
        )

    def _guess(self, digest: str) -> str:
        label = self._version_label(self._repository.with_digest(digest))
        if label is None:
            return ""
        if any(read_name(label, scheme) for scheme in SCHEMES):
            return f"; its label {_VERSION_LABEL} is {quote(label)}, a version that the list may lack"
        return f"; its label {_VERSION_LABEL} is {quote(label)}, so it looks like a branch build"

    def _version_label(self, ref: ImageReference) -> str | None:
        """Return an image's label ``org.opencontainers.image.version``; None if it has none or cannot be read."""
        try:
            manifest = self._client.get_manifest(ref)
            if manifest.is_index:
                manifest = self._client.get_manifest(ref.with_digest(manifest.children[0].digest))
            config = self._client.get_config(ref, manifest).get("config")
        except (RegistryError, IndexError):
            return None
        labels = config.get("Labels") if isinstance(config, dict) else None
        label = labels.get(_VERSION_LABEL) if isinstance(labels, dict) else None
        return label if isinstance(label, str) else None
