"""A program that uses the public API, as its users write it; type checkers check it, and a test runs parts of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import imgref
from imgref import ImageReference, Platform, Repository, TagPlan, TagPolicy, Version, VersionRange
from imgref.archive import Archive, Image, open_archive
from imgref.check import Checked, Finding, Policy, check_paths, load_policy, report
from imgref.ci import Build, BuildTags, detect, tags_of_build
from imgref.registry import (
    Event,
    RegistryClient,
    Release,
    TagChange,
    Transferred,
    apply_release,
    copy,
    plan_release,
    pull,
    push,
    retag,
)


def describe(text: str) -> dict[str, str | None]:
    """Use references as values."""
    ref: ImageReference = imgref.parse(text)
    again = ImageReference.from_dict(ref.to_dict())
    repository: Repository = Repository.of(ref)
    siblings: list[ImageReference] = sorted([again.with_name("web"), ref.with_path("other/app"), repository.tag("1")])
    bare: ImageReference = ref.with_tag(None)
    names: dict[ImageReference, Repository] = {ref.without_digest(): repository, ref.without_tag(): repository}
    match ref:
        case ImageReference(registry="docker.io", account=namespace, name=name):
            found: str | None = f"{namespace}/{name}"
        case _:
            found = ref.namespace
    pinned: bool = ref.is_pinned
    return {
        "found": found,
        "first": f"{min(siblings):familiar}",
        "wide": f"{bare:<40}",
        "json": json.dumps({str(key): str(value) for key, value in names.items()}),
        "digest": ref.digest if pinned else None,
    }


def newest(tags: Iterable[str], wanted: str) -> Version | None:
    """Order versions, and choose from a range."""
    versions = VersionRange.parse(wanted)
    found = [version for version in map(imgref.read_version, tags) if version in versions]
    return max(found, default=None)


def plan(version: str, existing: list[str]) -> tuple[str, ...]:
    """Plan the tags of a version."""
    policy = TagPolicy(suffix=("alpine",))
    result: TagPlan = imgref.plan_tags(version, existing=existing, policy=policy)
    return result.tags


def build_tags(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Read the CI environment."""
    try:
        build: Build = detect(environ)
    except imgref.UnknownBuild:
        return ()
    tags: BuildTags = tags_of_build(build)
    return tags.plan.tags


def check_tree(directory: Path, settings: Path | None = None) -> str:
    """Check files, and render the findings."""
    policy: Policy = load_policy(directory if settings is None else settings, select=("IMG101", "IMG105"))
    unchecked: list[Checked] = []
    findings: Iterator[Finding] = check_paths([directory], policy, on_unchecked=unchecked.append)
    found = list(findings)
    lines = [f"{finding.path}:{finding.line}:{finding.column} {finding.code} {finding.message}" for finding in found]
    return report("json")(found) if unchecked else "\n".join(lines)


def notify(event: Event) -> str:
    """Receive what a client reports."""
    return f"{event.kind}: {event.message}"


def publish(client: RegistryClient, path: str, repository: Repository, version: str) -> Release:
    """Push an image from disk and release it."""
    with open_archive(path) as archive:
        opened: Archive = archive
        image: Image = opened.image()
        (pushed,) = push(client, image, [repository.reference])
    planned: Release = plan_release(client, repository, version, pushed.digest)
    return apply_release(client, planned)


def mirror(source: ImageReference, target: ImageReference, file: str) -> list[TagChange]:
    """Move images between registries."""
    with RegistryClient.from_environment({"HOME": "/nowhere"}, on_event=notify_nobody, timeout=5) as client:
        platform = Platform.parse("linux/arm64")
        digest: str = client.resolve(source, platform).digest
        tags: list[str] = client.list_tags(Repository.of(source))
        moved: tuple[Transferred, ...] = copy(client, source.with_digest(digest), [target])
        pulled: Transferred = pull(client, moved[0].reference, file)
        return list(retag(client, pulled.reference, [target.with_tag(tag) for tag in tags]))


def notify_nobody(event: Event) -> None:
    """Ignore events."""


def errors(text: str) -> str:
    """Handle errors by their types."""
    try:
        imgref.parse(text)
    except imgref.InvalidReference as error:
        start, end = error.span
        return f"{error.text[start:end]}: {error.reason}"
    except imgref.ImgrefError as error:
        return str(error)
    return ""
