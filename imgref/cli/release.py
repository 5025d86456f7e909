"""``imgref release``: a version's tags on a registry, none of them backwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from imgref.cli import EXIT_FINDINGS, _console
from imgref.cli._plan import Options, gather, plan_options, read_existing, tell_existing, tell_held, tell_nothing_left
from imgref.cli._registry import ClientOptions, client_options, open_client, read_repository
from imgref.cli._transfer import pushed_blobs, watching
from imgref.cli.push import open_image_archive
from imgref.errors import InvalidReference, TagConflict
from imgref.reference import ImageReference, left_out, parse
from imgref.tags import ExistingTags

if TYPE_CHECKING:
    from imgref.archive.image import Image
    from imgref.registry.client import RegistryClient
    from imgref.registry.release import Release, TagOutcome

__all__ = ["command"]


@click.command()
@click.argument("source", metavar="SRC")
@click.argument("version")
@plan_options(sources=False)
@click.option("--existing", metavar="SOURCE", multiple=True, help="Tags besides the registry's: git, a file, or -.")
@click.option(
    "--image", "repository", metavar="REPO", help="SRC is an image on disk: push it to this repository first."
)
@click.option("--pick", metavar="NAME", help="With --image: which image, where SRC holds several.")
@click.option("--force-exact", is_flag=True, help="Move the exact tag though it names another image.")
@click.option("--dry-run", is_flag=True, help="Show the plan and stop.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@client_options
@click.pass_context
def command(
    context: click.Context,
    /,
    source: str,
    version: str,
    repository: str | None,
    pick: str | None,
    force_exact: bool,
    dry_run: bool,
    style: str,
    **_: object,
) -> int:
    """Put the tags of VERSION on an image, and move none of them backwards.

    SRC is an image on a registry, by digest or tag; its repository gets the tags. The exact tag comes first and never
    moves; a float such as 2.1 or latest moves only if no later version holds it.
    """
    options = gather(context)
    existing = _existing(options)
    with open_client(ClientOptions.of(context.params)) as client:
        try:
            if repository is None:
                if pick is not None:
                    raise click.UsageError("--pick goes with --image")
                place, digest = _on_registry(client, source)
                release = _planned(client, place, version, digest, options, existing, force_exact=force_exact)
            else:
                place = read_repository(repository)
                with open_image_archive(source) as archive:
                    image = archive.image(pick)
                    digest = image.manifests()[-1].digest
                    release = _planned(client, place, version, digest, options, existing, force_exact=force_exact)
                    if release.plan.tags and not dry_run:
                        _push(client, image, place)
            return _apply(client, release, style, dry_run=dry_run)
        except TagConflict as error:
            _console.show_error(error)
            return EXIT_FINDINGS


def _existing(options: Options) -> list[ExistingTags]:
    """Ask the sources besides the registry, which is always asked."""
    others = [source for source in options.values["existing"] if source != "registry"]
    return read_existing(options._replace(values={**options.values, "existing": others}), lambda _: ()) or []


def _on_registry(client: RegistryClient, source: str) -> tuple[ImageReference, str]:
    ref = parse(source)
    if "tag" in left_out(source):
        reason = "which image is released must be said, by tag or by digest"
        raise InvalidReference(source, (0, len(source)), reason)
    return parse(ref.repository, default_tag=None), client.resolve(ref).digest


def _planned(
    client: RegistryClient,
    repository: ImageReference,
    version: str,
    digest: str,
    options: Options,
    existing: list[ExistingTags],
    *,
    force_exact: bool,
) -> Release:
    from imgref.registry.release import plan_release

    release = plan_release(
        client, repository, version, digest, policy=options.policy, existing=existing, force_exact=force_exact
    )
    # The first release of an image finds other tags than versions there, and that is no mistake.
    tell_existing(release.plan, warning=False)
    if release.plan.tags:
        _console.note(f"plan: {', '.join(release.plan.tags)}")
    tell_held(release.plan)
    return release


def _push(client: RegistryClient, image: Image, repository: ImageReference) -> None:
    """Push by digest; what is told of the layers is no result here."""
    from imgref.registry.transfer import push

    with watching("none", quiet=True) as watcher:
        (pushed,) = push(client, image, [repository], pushed=pushed_blobs(), watcher=watcher)
    _console.note(f"pushed: {repository.repository}@{pushed.digest}")


def _apply(client: RegistryClient, release: Release, style: str, *, dry_run: bool) -> int:
    from imgref.registry.release import apply_release

    nothing = not release.plan.tags
    if not (dry_run or nothing):
        release = apply_release(client, release)
    if style == "json":
        _console.say(json.dumps(_fields(release, dry_run=dry_run)))
    else:
        for outcome in release.outcomes:
            _console.say(_line(outcome, dry_run=dry_run))
    if nothing:
        return tell_nothing_left(release.version)
    return 0


def _line(outcome: TagOutcome, *, dry_run: bool) -> str:
    if outcome.action == "held":
        return f"{outcome.tag}: held ({outcome.because} is newer)"
    if outcome.action == "unchanged":
        return f"{outcome.tag}: unchanged {outcome.after}"
    verb = f"would be {outcome.action}" if dry_run else outcome.action
    if outcome.action == "created":
        return f"{outcome.tag}: {verb} {outcome.after}"
    return f"{outcome.tag}: {verb} {outcome.before} → {outcome.after}"


def _fields(release: Release, *, dry_run: bool) -> dict[str, object]:
    given = [outcome for outcome in release.outcomes if outcome.action != "held"]
    held = [outcome for outcome in release.outcomes if outcome.action == "held"]
    return {
        "repository": release.repository.repository,
        "version": release.plan.version,
        "digest": release.digest,
        "dry_run": dry_run,
        "tags": [
            {"tag": outcome.tag, "action": outcome.action, "from": outcome.before, "to": outcome.after}
            for outcome in given
        ],
        "held": [{"tag": outcome.tag, "because": outcome.because} for outcome in held],
    }
