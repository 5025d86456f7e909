"""Reads a repository and plans what the rules delete."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from imgref.registry.prune.plan import PrunePlan, plan_deletions
from imgref.registry.prune.reader import RepositoryReader
from imgref.registry.prune.rules import PruneRules, VersionedTag, floating_names, select_tags

__all__ = ["plan_prune"]


def plan_prune(
    reader: RepositoryReader, rules: PruneRules, read_tags: Callable[[Iterable[str]], Sequence[VersionedTag]]
) -> PrunePlan:
    """Plan what to delete from a repository; nothing is deleted.

    Args:
        reader: reads the repository.
        rules: what selects tags.
        read_tags: returns the version and the variant of each tag, as :func:`imgref.update.read_tags` does.

    Raises:
        NotFound: the repository does not exist.
        UnreliableTagList: the registry's list of tags cannot be relied on.
        RegistryError: the registry refuses or fails.
    """
    tags = reader.tags()
    read = read_tags(tags)
    selections = select_tags(read, rules)
    chosen = [tag for tag in read if selections[tag.name].selected]
    if chosen:
        reader.check_unlisted(sorted(floating_names(chosen) - tags.keys()))
    if rules.before is not None:
        selections = reader.narrow(tags, selections, rules.before)
    reader.load(tags)
    return plan_deletions(reader.repository, tags, reader.graph, selections)
