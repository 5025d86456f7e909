"""A plan is made of all that a repository has, through the public names."""

from __future__ import annotations

import pytest
from registry.kit import app
from registry.prune.conftest import Pruned

from imgref.errors import NotFound, UnreliableTagList
from imgref.registry import PruneRules, RepositoryReader, apply_prune, plan_prune
from imgref.update import read_tags


def test_plan_prune_keeps_and_deletes_and_is_applied(pruned: Pruned) -> None:
    old, new, floating = (pruned.image(tag) for tag in ("1.2.3", "1.2.4", "1.2"))
    reader = RepositoryReader(pruned.client, app(pruned.server))
    plan = plan_prune(reader, PruneRules(keep=1), read_tags)
    assert [manifest.tags for manifest in plan.delete] == [("1.2.3",)]
    assert {manifest.digest for manifest in plan.keep} == {new.digest, floating.digest}
    assert old.digest in pruned.manifests
    apply_prune(pruned.client, plan, reader, pruned.deletions.append)
    assert pruned.manifests == {new.digest, floating.digest}


def test_plan_prune_refuses_a_list_that_lacks_a_floating_tag(pruned: Pruned, monkeypatch: pytest.MonkeyPatch) -> None:
    for tag in ("1.2.3", "1.2.4", "1.2"):
        pruned.image(tag)
    monkeypatch.setattr(pruned.client, "list_tags", lambda repository: ["1.2.3", "1.2.4"])
    reader = RepositoryReader(pruned.client, app(pruned.server))
    with pytest.raises(UnreliableTagList, match="the tag exists, but the registry's list of tags lacks it"):
        plan_prune(reader, PruneRules(keep=1), read_tags)


def test_plan_prune_of_a_missing_repository_is_an_error(pruned: Pruned) -> None:
    with pytest.raises(NotFound):
        plan_prune(RepositoryReader(pruned.client, app(pruned.server)), PruneRules(keep=1), read_tags)
