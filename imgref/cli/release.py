"""``imgref release``: a version's tags on a registry, none of them backwards."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from imgref.cli import EXIT_FINDINGS, _console
from imgref.cli._help import Command
from imgref.cli._image_sources import annotation_option, open_images, read_annotations
from imgref.cli._plan import (
    PlanOptions,
    gather,
    plan_options,
    read_existing,
    tell_existing,
    tell_held,
    tell_nothing_left,
)
from imgref.cli._registry import ClientOptions, client_options, open_client, read_repository
from imgref.cli._transfer import pushed_blobs, watching
from imgref.errors import InvalidReference, RegistryError, UnknownBuild, UnreliableTagList
from imgref.reference import ImageReference, left_out, parse
from imgref.tags import ExistingTags, is_release

if TYPE_CHECKING:
    from imgref.archive.image import Image
    from imgref.registry.client import RegistryClient
    from imgref.registry.release import Release, TagOutcome

__all__ = ["command"]


@click.command(cls=Command)
@click.argument("words", metavar="SRC... [VERSION]", nargs=-1, required=True)
@plan_options(sources=False)
@click.option(
    "--existing", metavar="SOURCE", multiple=True, help="More existing tags: git, a file, or - for standard input"
)
@click.option("--ci", is_flag=True, help="Read VERSION from the git tag that the CI system builds")
@click.option(
    "--image",
    "repository",
    metavar="REPO",
    help="Push SRC, an image on disk or elsewhere, to this repository first; join several into one index",
)
@annotation_option
@click.option(
    "--labels",
    is_flag=True,
    help="With --image: add the labels of the build to the index as annotations, as imgref tags --labels prints them",
)
@click.option("--pick", metavar="NAME", help="With --image: the image to select if SRC has several")
@click.option("--force-exact", is_flag=True, help="Move the exact tag even if it points to another image")
@click.option(
    "--force-floating",
    metavar="TAG",
    multiple=True,
    help="Move this floating tag even if it points to an image that is not a listed version, such as a branch build."
    " Repeatable",
)
@click.option("--only-exact", is_flag=True, help="Publish the exact tag and leave the floating tags alone")
@click.option("--dry-run", is_flag=True, help="Show the plan and stop")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@client_options
@click.pass_context
def command(context: click.Context, /, words: tuple[str, ...], repository: str | None, **flags: Any) -> int:
    """Publish the tags of a version, never moving a tag backwards.

    SRC is an image on a registry, by digest or tag. Its repository gets the tags. With --image, several images
    for one platform each are joined into an index: OCI layouts, tars, images by tag or digest, or sha256:... for a
    digest in REPO. The exact tag is set first and never moves. A floating tag such as 2.1 or latest moves only if no
    newer version has it and the registry's list of tags is reliable.
    """
    options = gather(context)
    sources, given = _sources(words, repository, flags)
    version = options.version_of(given)
    if flags["only_exact"] and flags["force_floating"]:
        raise click.UsageError("--only-exact and --force-floating cannot be used together")
    existing = _existing(options, version, parse(sources[0]) if repository is None else read_repository(repository))
    with open_client(ClientOptions.of(context.params)) as client:
        job = _Job(client, version, options, existing, flags)
        try:
            return _release_images(job, sources, repository) if repository else _release_on_registry(job, sources[0])
        except UnreliableTagList as error:
            _console.show_error(error)
            return EXIT_FINDINGS


class _Job(NamedTuple):
    """A release as the command line asks for it."""

    client: RegistryClient
    version: str
    options: PlanOptions
    existing: list[ExistingTags]
    flags: dict[str, Any]

    def plan(self, repository: ImageReference, digest: str, known: tuple[str, ...] = ()) -> Release:
        """Plan the release and report the plan on stderr."""
        from imgref.registry.release import plan_release

        release = plan_release(
            self.client,
            repository,
            self.version,
            digest,
            policy=self.options.policy,
            existing=self.existing,
            force_exact=self.flags["force_exact"],
            force_floating=self.flags["force_floating"],
            only_exact=self.flags["only_exact"],
            known=known,
        )
        # Before the first release, a repository may have only tags that are not versions. That is not a mistake.
        tell_existing(release.plan, warning=False)
        if release.plan.tags:
            _console.note(f"plan: {', '.join(release.plan.tags)}")
        tell_held(release.plan)
        return release


def _sources(words: Sequence[str], repository: str | None, flags: Mapping[str, Any]) -> tuple[Sequence[str], str]:
    """Return the images and the version in the arguments.

    Raises:
        UnknownBuild: the version comes from the CI system, and the build is not that of a git tag.
    """
    if repository is None and flags["pick"] is not None:
        raise click.UsageError("--pick goes with --image")
    if repository is None and (flags["annotations"] or flags["labels"]):
        raise click.UsageError(f"{'--annotation' if flags['annotations'] else '--labels'} goes with --image")
    # With --ci, all arguments are images; one that looks like a version is a mistake, unless it is a file.
    given = len(words) > 1 and (not flags["ci"] or repository is None or _is_version(words[-1]))
    sources = words[:-1] if given else words
    version = _version(words[-1] if given else None, ci=flags["ci"])
    if len(sources) > 1 and repository is None:
        raise click.UsageError("several images need --image REPO, the repository that their index goes to")
    if len(sources) > 1 and flags["pick"] is not None:
        raise click.UsageError("--pick goes with a single image")
    return sources, version


def _is_version(word: str) -> bool:
    return is_release(word) and not Path(word).exists()


def _version(version: str | None, *, ci: bool) -> str:
    """Return the version to release: VERSION, or with ``--ci`` the git tag that is being built.

    Raises:
        UnknownBuild: the build is not that of a git tag.
    """
    if not ci:
        if version is None:
            raise click.UsageError("no VERSION given (an unset variable?); --ci reads it from the CI system's git tag")
        return version
    if version is not None:
        raise click.UsageError("--ci reads the version from the CI system's git tag; omit VERSION")
    from imgref.ci import detect
    from imgref.cli._git import default_branch

    build = detect(default_branch=default_branch())
    if build.tag is None:
        raise UnknownBuild(f"this build ({build.event}) is not that of a git tag, so it is not a release", build.system)
    return build.tag


def _existing(options: PlanOptions, version: str, target: ImageReference) -> list[ExistingTags]:
    """Read the sources besides the registry, which is always one."""
    others = [source for source in options.values["existing"] if source != "registry"]
    values = {**options.values, "existing": others, "image": [target.repository]}
    options = options._replace(values=values)
    return read_existing(options, lambda _: (), released=version) or []


def _release_on_registry(job: _Job, source: str) -> int:
    ref = parse(source)
    if "tag" in left_out(source):
        reason = "name the image to release by its tag or digest"
        raise InvalidReference(source, (0, len(source)), reason)
    digest = job.client.resolve(ref).digest
    known = (ref.tag,) if ref.tag is not None and ref.digest is None else ()
    return _apply(job, job.plan(ref.with_tag(None), digest, known))


def _release_images(job: _Job, sources: Sequence[str], repository: str) -> int:
    place = read_repository(repository)
    annotations = {**(_labels(job) if job.flags["labels"] else {}), **read_annotations(job.flags["annotations"])}
    with open_images(job.client, sources, place, job.flags["pick"]) as opened:
        single = len(sources) == 1 and not annotations
        image = opened.parts[0].image if single else opened.joined(annotations)
        release = job.plan(place, image.manifests()[-1].digest)
        if release.plan.tags and not job.flags["dry_run"]:
            _push(job.client, image, place, opened.repositories)
    return _apply(job, release)


def _labels(job: _Job) -> dict[str, str]:
    """Return the annotations that the index gets from the build and the settings."""
    from imgref.cli.tags._build_plan import Planned
    from imgref.cli.tags._labels import index_annotations
    from imgref.tags import plan_tags

    build = None
    if job.flags["ci"]:
        from imgref.ci import detect
        from imgref.cli._git import default_branch

        build = detect(default_branch=default_branch())
    planned = Planned(plan_tags(job.version, policy=job.options.policy), build)
    return index_annotations(planned, job.options.metadata)


def _push(
    client: RegistryClient, image: Image, repository: ImageReference, mount_from: Sequence[ImageReference]
) -> None:
    """Push by digest; the progress of the layers is not part of the result here."""
    from imgref.registry.transfer.moves import push

    with watching("none", quiet=True) as watcher:
        (pushed,) = push(client, image, [repository], mount_from=mount_from, pushed=pushed_blobs(), watcher=watcher)
    _console.note(f"pushed: {repository.repository}@{pushed.digest}")


def _apply(job: _Job, release: Release) -> int:
    """Apply a release, or with ``--dry-run`` only show it, and return the exit code."""
    from imgref.registry.release import apply_release

    dry_run = job.flags["dry_run"] or all(outcome.action == "held" for outcome in release.outcomes)
    text = job.flags["style"] == "text"
    if not dry_run:
        with _Progress(release, text=text) as progress:
            release = apply_release(job.client, release, on_outcome=progress)
    elif text:
        for outcome in release.outcomes:
            _console.say(_line(outcome, dry_run=True))
    if not text:
        _console.say_json(_fields(release, dry_run=job.flags["dry_run"]))
    if not release.plan.tags:
        return tell_nothing_left(release.version)
    return _report_refusals(release)


def _report_refusals(release: Release) -> int:
    """Report the tags that the registry refused to set, and return the exit code."""
    refused = [outcome for outcome in release.outcomes if outcome.action == "refused"]
    if not refused:
        return 0
    _console.error(
        f"the registry refused to set {', '.join(outcome.tag for outcome in refused)}: {refused[0].reason}",
        help_text="if tags cannot move on this registry, pass --only-exact to publish the exact tag alone",
    )
    return EXIT_FINDINGS


class _Progress:
    """Prints outcomes as they happen. A reader who closes the pipe, or a full disk, does not stop a release half-way.

    Args:
        release: the release.
        text: whether to print lines; otherwise the JSON of what happened, only if the release fails.
    """

    def __init__(self, release: Release, *, text: bool) -> None:
        self._release = release
        self._text = text
        self._outcomes: dict[str, TagOutcome] = {}
        self._failure: OSError | None = None

    def __enter__(self) -> _Progress:
        return self

    def __call__(self, outcome: TagOutcome) -> None:
        self._outcomes[outcome.tag] = outcome
        if self._text and self._failure is None:
            try:
                _console.say(_line(outcome, dry_run=False))
                sys.stdout.flush()
            except OSError as error:
                self._failure = error
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RegistryError) and not self._text:
            done = replace(self._release, outcomes=tuple(self._outcomes.values()))
            _console.say_json({**_fields(done, dry_run=False), "error": str(error)})
        if error is None and self._failure is not None and not isinstance(self._failure, BrokenPipeError):
            raise self._failure


def _line(outcome: TagOutcome, *, dry_run: bool) -> str:
    if outcome.action == "held":
        return f"{outcome.tag}: held ({outcome.because} is newer)"
    if outcome.action == "refused":
        return f"{outcome.tag}: refused by the registry"
    if outcome.action == "unchanged":
        return f"{outcome.tag}: unchanged {outcome.after}"
    verb = f"would be {outcome.action}" if dry_run else outcome.action
    if outcome.action == "created":
        return f"{outcome.tag}: {verb} {outcome.after}"
    holder = f" ({outcome.because} is newer)" if outcome.because else ""
    return f"{outcome.tag}: {verb} {outcome.before} → {outcome.after}{holder}"


def _fields(release: Release, *, dry_run: bool) -> dict[str, object]:
    given = [outcome for outcome in release.outcomes if outcome.action != "held"]
    held = [outcome for outcome in release.outcomes if outcome.action == "held"]
    return {
        "repository": release.repository.repository,
        "version": release.plan.version,
        "digest": release.digest,
        "dry_run": dry_run,
        "tags": [_tag_fields(outcome) for outcome in given],
        "held": [{"tag": outcome.tag, "because": outcome.because} for outcome in held],
    }


def _tag_fields(outcome: TagOutcome) -> dict[str, object]:
    fields = {"tag": outcome.tag, "action": outcome.action, "from": outcome.before, "to": outcome.after}
    extra = {"because": outcome.because, "reason": outcome.reason}
    return {**fields, **{key: value for key, value in extra.items() if value is not None}}
