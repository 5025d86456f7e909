"""``imgref prune``: deletes the tags that rules select, and the manifests that nothing needs without them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import click

from imgref.cli import _console
from imgref.cli._help import Command
from imgref.cli._registry import read_repository, with_client
from imgref.cli._sizes import shown_size
from imgref.cli._times import parse_since
from imgref.update.listed import read_tags

if TYPE_CHECKING:
    from imgref.reference import ImageReference
    from imgref.registry.client import RegistryClient
    from imgref.registry.prune.apply import Deletion
    from imgref.registry.prune.plan import PlannedManifest, PrunePlan
    from imgref.registry.prune.reader import RepositoryReader
    from imgref.registry.prune.rules import PruneRules

__all__ = ["command"]

_HEADERS: Final = ("action", "tags", "digest", "size", "because")
_KEEP: Final = re.compile(r"semver:([0-9]{1,6})", re.ASCII)


def _keep(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    found = _KEEP.fullmatch(value)
    if found is None or int(found[1]) < 1:
        raise click.BadParameter(f"{value!r} is not valid: write semver:N with N from 1, as in semver:5")
    return int(found[1])


def _before(context: click.Context, parameter: click.Parameter, value: str | None) -> datetime | None:
    return None if value is None else parse_since(value, datetime.now(UTC))


@click.command(cls=Command)
@click.argument("repository", metavar="REPO")
@click.option(
    "--keep",
    metavar="semver:N",
    callback=_keep,
    help="Select versions older than the newest N of their minor version and variant",
)
@click.option("--pr-tags", is_flag=True, help="Select pr-N, the tags of pull requests")
@click.option(
    "--tag", "patterns", metavar="PATTERN", multiple=True, help="Select tags by name, such as 'feature-*'; repeatable"
)
@click.option(
    "--older-than",
    "before",
    metavar="TIME",
    callback=_before,
    help="Select only images created before a date (2024-01-31) or longer ago than a duration (30d, 12h)",
)
@click.option("--yes", is_flag=True, help="Delete; without it, only show the plan")
@click.option("--format", "style", type=click.Choice(["table", "json"]), default="table", show_default=True)
@with_client
def command(
    client: RegistryClient,
    repository: str,
    keep: int | None,
    pr_tags: bool,
    patterns: tuple[str, ...],
    before: datetime | None,
    yes: bool,
    style: str,
) -> int:
    """Delete old tags and the manifests that nothing else needs.

    imgref deletes a tag only if --keep, --pr-tags or --tag selects it. It keeps floating tags such as 1.2 and latest,
    and everything that a kept tag needs: the manifests of an index, and manifests that refer to an image, such as
    signatures. It deletes nothing without --yes.
    """
    from imgref.registry.prune.rules import PruneRules

    repo = read_repository(repository)
    rules = PruneRules(keep, pr_tags, patterns, before)
    if not rules.selects_any:
        _console.warn("no rule selects tags, so all tags stay; --keep, --pr-tags and --tag select some")
    reader, plan = _plan(client, repo, rules)
    if style == "table":
        _print_table(plan)
    if not yes:
        _print_rest(plan, style)
        return 0
    deleted = _delete(client, plan, reader, style)
    _console.note(f"{repo.repository}: deleted {_counted(deleted)}")
    return 0


def _plan(client: RegistryClient, repo: ImageReference, rules: PruneRules) -> tuple[RepositoryReader, PrunePlan]:
    from imgref.registry.prune.planning import plan_prune
    from imgref.registry.prune.reader import RepositoryReader

    reader = RepositoryReader(client, repo)
    return reader, plan_prune(reader, rules, read_tags)


def _delete(client: RegistryClient, plan: PrunePlan, reader: RepositoryReader, style: str) -> list[PlannedManifest]:
    """Delete what the plan selects, and print what is deleted, also if that ends with an error."""
    from imgref.registry.prune.apply import apply_prune

    deleted: list[PlannedManifest] = []
    kept: dict[str, PlannedManifest] = {}

    def report(deletion: Deletion) -> None:
        manifest = deletion.manifest
        if not deletion.deleted:
            kept[manifest.digest] = manifest
            _console.warn(f"{_name(manifest)}: not deleted: {manifest.because}")
            return
        deleted.append(manifest)
        if style == "table":
            _console.say(f"deleted {manifest.digest}{' ' if manifest.tags else ''}{', '.join(manifest.tags)}")

    try:
        apply_prune(client, plan, reader, report)
    finally:
        gone = {manifest.digest for manifest in deleted}
        rest = [manifest for manifest in plan.delete if manifest.digest not in gone]
        stays = [kept.get(m.digest, replace(m, because=f"not deleted yet: {m.because}")) for m in rest]
        if style == "json":
            _print_json([*plan.keep, *stays], deleted)
        elif rest and len(kept) < len(rest):
            _console.note(f"stopped: deleted {_counted(deleted)}; {_counted(rest)} not deleted")
    return deleted


def _print_rest(plan: PrunePlan, style: str) -> None:
    if style == "json":
        _print_json(plan.keep, plan.delete)
    _console.note(f"plan: delete {_counted(plan.delete)}; pass --yes to delete" if plan.delete else "nothing to delete")


def _print_table(plan: PrunePlan) -> None:
    rows = [_row("delete", manifest) for manifest in plan.delete] + [_row("keep", manifest) for manifest in plan.keep]
    _console.table(_HEADERS, rows)


def _row(action: str, manifest: PlannedManifest) -> tuple[str, ...]:
    return (action, ", ".join(manifest.tags), manifest.digest, shown_size(manifest.size), manifest.because)


def _print_json(keep: Sequence[PlannedManifest], delete: Sequence[PlannedManifest]) -> None:
    _console.say_json({"keep": [_fields(each) for each in keep], "delete": [_fields(each) for each in delete]})


def _fields(manifest: PlannedManifest) -> dict[str, object]:
    return {
        "digest": manifest.digest,
        "tags": list(manifest.tags),
        "media_type": manifest.media_type,
        "size": manifest.size,
        "because": manifest.because,
    }


def _name(manifest: PlannedManifest) -> str:
    return manifest.tags[0] if manifest.tags else manifest.digest


def _counted(manifests: Sequence[PlannedManifest]) -> str:
    tags = sum(len(manifest.tags) for manifest in manifests)
    return f"{len(manifests)} manifest{'' if len(manifests) == 1 else 's'} with {tags} tag{'' if tags == 1 else 's'}"
