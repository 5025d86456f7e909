"""A repository on the registry in process, with a plan for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import pytest
from e2e.images import Image, put_image
from registry.kit import app
from registry.server import RegistryServer

from imgref.registry.client import RegistryClient
from imgref.registry.prune.apply import Deletion, apply_prune
from imgref.registry.prune.plan import PrunePlan
from imgref.registry.prune.planning import plan_prune
from imgref.registry.prune.reader import RepositoryReader
from imgref.registry.prune.rules import PruneRules
from imgref.update.listed import read_tags


@dataclass
class Pruned:
    """The repository ``app`` of a server, and a prune of it."""

    server: RegistryServer
    client: RegistryClient
    deletions: list[Deletion] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reader = RepositoryReader(self.client, app(self.server))

    def image(self, *tags: str, text: str = "", created: str | None = None) -> Image:
        """Put an image under some tags, or without a tag."""
        more = {"created": created} if created else {}
        image = put_image(self.server, "app", next(iter(tags), None), text=text or "+".join(tags), more=more)
        self.server.repositories["app"].tags.update(dict.fromkeys(tags, image.digest))
        return image

    def plan(self, *patterns: str, before: datetime | None = None) -> PrunePlan:
        return plan_prune(self.reader, PruneRules(patterns=patterns, before=before), read_tags)

    def apply(self, plan: PrunePlan) -> list[str]:
        """Apply a plan, and return what was deleted."""
        apply_prune(self.client, plan, self.reader, self.deletions.append)
        return [each.manifest.digest for each in self.deletions if each.deleted]

    @property
    def reasons(self) -> list[str]:
        """Why manifests were not deleted."""
        return [each.manifest.because for each in self.deletions if not each.deleted]

    @property
    def tags(self) -> dict[str, str]:
        return self.server.tags_of("app")

    @property
    def manifests(self) -> set[str]:
        return set(self.server.repositories["app"].manifests)


@pytest.fixture
def pruned(server: RegistryServer, client: RegistryClient) -> Pruned:
    return Pruned(server, client)


Change = Callable[[], None]
