"""``imgref copy``: an image from one repository to others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from imgref.cli import _console
from imgref.cli._help import Command
from imgref.cli._overwrite import note_skipped, overwrite_of, overwrite_options, say_changes
from imgref.cli._registry import platform_option, read_repository, with_client
from imgref.cli._transfer import mount_option, transfer_options, watching
from imgref.errors import InvalidReference
from imgref.reference import ImageReference, parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from imgref.registry.client import RegistryClient
    from imgref.registry.transfer.progress import Transferred

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("source", metavar="[SRC]", required=False)
@click.argument("targets", metavar="[DST]...", nargs=-1)
@platform_option("Copy the image for this platform only; without it, all of them.")
@click.option("--referrers", is_flag=True, help="Also copy manifests that refer to the image, such as signatures")
@click.option(
    "--from-file", "listed", metavar="LIST", help="Copy the images in a file, one per line; - for standard input"
)
@click.option("--to", metavar="HOST[/PREFIX]", help="With --from-file: target of lines without DST")
@click.option("--tags", "wanted", metavar="RANGE", help="With --from-file: versions to copy for lines without a tag")
@click.option("--missing", is_flag=True, help="With --from-file: skip targets that exist")
@mount_option
@overwrite_options
@transfer_options
@with_client
def command(client: RegistryClient, source: str | None, targets: tuple[str, ...], **flags: Any) -> int:
    """Copy an image to other repositories or registries.

    imgref copies an index with all its platforms, stores nothing on this machine, and mounts layers on the same
    registry. A released version such as 2.1.3 does not move from another image.

    With --from-file, copy a list of images: each line is a reference, or SRC DST. If the tag of a source has moved,
    its copy moves, too. An image that fails does not stop the others.
    """
    if flags["listed"] is not None:
        return _copy_list(client, (*([source] if source else []), *targets), flags)
    for option, name in (("--to", "to"), ("--tags", "wanted"), ("--missing", "missing")):
        if flags[name]:
            raise click.UsageError(f"{option} goes with --from-file")
    if source is None:
        raise click.UsageError("no SRC is given: what should be copied? (an unset variable?)")
    return _copy_one(client, source, targets, flags)


def _copy_list(client: RegistryClient, words: Sequence[str], flags: Mapping[str, Any]) -> int:
    from imgref.cli.copy._list import CopyList, read_pairs
    from imgref.versions import VersionRange

    excluded = {"--force": "force", "--if-absent": "if_absent", "--mount-from": "mount_from", "--quiet": "quiet"}
    used = [option for option, name in excluded.items() if flags[name]]
    if words or used:
        raise click.UsageError(f"--from-file cannot be used with {'arguments' if words else used[0]}")
    versions = None if flags["wanted"] is None else VersionRange.parse(flags["wanted"])
    pairs = read_pairs(flags["listed"], flags["to"], ranged=versions is not None)
    same = {name: flags[name] for name in ("platform", "referrers", "missing", "dry_run", "jobs", "style")}
    return CopyList(client=client, versions=versions, **same).copy(pairs)


def _copy_one(client: RegistryClient, source: str, targets: tuple[str, ...], flags: Mapping[str, Any]) -> int:
    from imgref.registry.transfer.moves import copy

    overwrite = overwrite_of(force=flags["force"], if_absent=flags["if_absent"])
    places = _places(targets)
    sources = [read_repository(text) for text in flags["mount_from"]]
    if flags["dry_run"]:
        digest = client.resolve(parse(source), flags["platform"]).digest
        return say_changes(client, places, digest, overwrite, style=flags["style"])
    with watching(flags["style"], quiet=flags["quiet"]) as watcher:
        done = copy(
            client,
            parse(source),
            places,
            platform=flags["platform"],
            referrers=flags["referrers"],
            diff_ids=not flags["quiet"],
            mount_from=sources,
            jobs=flags["jobs"],
            watcher=watcher,
            overwrite=overwrite,
        )
    note_skipped(places, done)
    if flags["referrers"]:
        _note_referrers(done)
    return 0


def _note_referrers(done: Iterable[Transferred]) -> None:
    for repository, image in {image.reference.repository: image for image in done}.items():
        _console.note(f"{repository}: {len(image.referrers)} referrers copied")


def _places(texts: tuple[str, ...]) -> list[ImageReference]:
    if not texts:
        raise click.UsageError("no DST is given: where should it be copied to? (an unset variable?)")
    return list(dict.fromkeys(map(_target, texts)))


def _target(text: str) -> ImageReference:
    target = parse(text)
    if target.digest is not None:
        raise InvalidReference(text, (text.index("@"), len(text)), "DST must be a tag: the digest is that of SRC")
    return target
