"""``imgref outdated``: which images have newer tags."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import click

from imgref.cli import EXIT_BAD_INPUT, EXIT_FINDINGS, EXIT_MISSING, EXIT_REGISTRY, _console
from imgref.cli._help import Command
from imgref.cli._lookups import Lookups
from imgref.cli._update import Job, jobs_option, level_options, lookups, select_options
from imgref.errors import InvalidReference
from imgref.reference import ImageReference, parse
from imgref.update.choose import version_of
from imgref.update.exact import exact_tag
from imgref.update.moving import Outlook, Question, outlooks
from imgref.update.plan import Spot
from imgref.update.policy import Rule, UpdatePolicy
from imgref.update.registry import Failed

__all__ = ["command"]

_LIKELY = 4
"""How many tags are compared with ``latest``."""


@dataclass(slots=True)
class _Row:
    """An image, and where it is used."""

    ref: ImageReference
    rule: Rule
    given: bool = False
    spots: list[Spot] = field(default_factory=list)

    @property
    def question(self) -> Question:
        return Question(self.ref if self.ref.tag is None else self.ref.with_tag(self.ref.tag), self.rule)


@click.command(cls=Command)
@click.argument("targets", nargs=-1, metavar="[PATH|REF]...")
@level_options
@select_options
@click.option("--all", "everything", is_flag=True, help="Also show the images that are up to date")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="Output format; json includes images that are up to date")  # fmt: skip
@jobs_option
@click.pass_context
def command(context: click.Context, /, targets: tuple[str, ...], everything: bool, style: str, **_: Any) -> int:
    """Show which images have newer tags.

    imgref looks up the images in the files below each PATH (default: here), and each REF. Nothing is changed; imgref
    update moves the tags. "allowed" is the newest tag that the settings and --to allow, "newest" the newest at any
    level.

    \b
    Examples:
      imgref outdated
      imgref outdated nginx:1.25.3-alpine3.18

    Exit codes: 0 everything is up to date, 1 something is outdated, 2 bad usage or a file failed, 3 a registry
    failed, 4 a REF does not exist.
    """  # noqa: D301
    paths, refs = _sorted_out(targets)
    job = Job(context.params)
    if paths or not refs:
        job.read(paths)
    rows = _rows(job, refs)
    with lookups(context.params) as registry:
        found = outlooks((row.question for row in rows), registry, datetime.now(UTC))
        digests = _digests(rows, found, registry) if style == "json" else {}
        missing = _report_failures(rows, found, registry)
        if style == "json":
            _console.say_json([_fields(row, found[row.question], digests) for row in rows], indent=2)
        else:
            _show(rows, found, everything=everything)
        _warn_above_latest(rows, found, registry)
        if registry.failures:
            return EXIT_REGISTRY
    if missing:
        return EXIT_MISSING
    if job.failed:
        return EXIT_BAD_INPUT
    return EXIT_FINDINGS if any(found[row.question].allowed for row in rows) else 0


def _sorted_out(targets: Iterable[str]) -> tuple[tuple[str, ...], tuple[ImageReference, ...]]:
    """Return paths from references: what exists is a path."""
    paths, refs = [], []
    for target in targets:
        if os.path.lexists(target):
            paths.append(target)
            continue
        try:
            refs.append(parse(target))
        except InvalidReference as error:
            reason = f"{target}: there is no such file or directory, and it is not a valid reference: {error.reason}"
            raise click.UsageError(reason) from error
    return tuple(paths), tuple(refs)


def _rows(job: Job, refs: Iterable[ImageReference]) -> list[_Row]:
    """Return each image once for every rule by which it may move."""
    rows: dict[tuple[ImageReference, Rule], _Row] = {}
    for ref in refs:
        rule = job.policy_here.rule_for(ref)
        rows.setdefault((ref, rule), _Row(ref, rule, given=True))
    for spot in job.spots()[0]:
        policy: UpdatePolicy = job.policy_for(spot)
        rule = policy.rule_for(spot.ref)
        rows.setdefault((spot.ref, rule), _Row(spot.ref, rule)).spots.append(spot)
    return sorted(rows.values(), key=lambda row: str(row.ref))


def _digests(
    rows: Iterable[_Row], found: Mapping[Question, Outlook], registry: Lookups
) -> Mapping[ImageReference, str | Failed]:
    """Ask for the digests of the current and the allowed tags."""
    wanted = []
    for row in rows:
        one = found[row.question]
        if one.failed is None:
            wanted += [] if one.allowed is None else [row.ref.with_tag(one.allowed)]
            wanted += [] if row.ref.digest else [row.ref]
    return registry.digests(wanted)


def _report_failures(rows: Iterable[_Row], found: Mapping[Question, Outlook], registry: Lookups) -> bool:
    """Report failed requests; return whether an image on the command line does not exist."""
    for about, reason in registry.failures.items():
        _console.error(reason if about in reason else f"{about}: {reason}")
    missing = [failed for row in rows if row.given and (failed := found[row.question].failed) and failed.missing]
    for failed in missing:
        _console.error(failed.reason)
    return bool(missing)


def _is_news(one: Outlook) -> bool:
    return one.allowed is not None or one.newest is not None or one.failed is not None


def _show(rows: Iterable[_Row], found: Mapping[Question, Outlook], *, everything: bool) -> None:
    shown = [row for row in rows if everything or _is_news(found[row.question])]
    cells = []
    for row in shown:
        one = found[row.question]
        places = [f"{spot.source.path}:{spot.occurrence.line}" for spot in row.spots]
        age = "" if one.created is None else f"{(datetime.now(UTC) - one.created).days}d"
        reason = one.reason or (one.failed.reason if one.failed else "")
        allowed = one.allowed or (f"- ({reason})" if reason else "-")
        where = places[0] + (f" and {len(places) - 1} more" if len(places) > 1 else "") if places else ""
        cells.append((row.ref.repository, row.ref.tag or "", allowed, one.newest or "-", age, where))
    if cells:
        _console.table(("image", "current", "allowed", "newest", "age", "used in"), cells)
    outdated = sum(found[row.question].allowed is not None for row in rows)
    unknown = sum(bool(found[row.question].reason or found[row.question].failed) for row in rows)
    _console.note(
        f"{outdated or 'no'} {'image is' if outdated == 1 else 'images are'} outdated, {unknown} unknown or held"
    )


def _fields(row: _Row, one: Outlook, digests: Mapping[ImageReference, str | Failed]) -> dict[str, object]:
    def digest_of(ref: ImageReference) -> str | None:
        answer = digests.get(ref)
        return answer if isinstance(answer, str) else None

    allowed = one.allowed or row.ref.tag
    digest = row.ref.digest or digest_of(row.ref)
    moved = row.ref if one.allowed is None else row.ref.with_tag(one.allowed)
    return {
        "reference": str(row.ref),
        "tag": row.ref.tag,
        "allowed": allowed,
        "newest": one.newest or row.ref.tag,
        "digest": digest,
        "allowed_digest": digest if one.allowed is None else digest_of(moved),
        "reason": one.reason or (one.failed.reason if one.failed is not None else None),
        "places": [
            {"path": spot.source.path, "line": spot.occurrence.line, "column": spot.occurrence.column}
            for spot in row.spots
        ],
    }


def _warn_above_latest(
    rows: Iterable[_Row],
    found: Mapping[Question, Outlook],
    registry: Lookups,
) -> None:
    """Warn of a proposed version above that of ``latest``, where a tag in the list is known to be the same image."""
    for row in rows:
        allowed = found[row.question].allowed
        if allowed is None:
            continue
        latest = row.ref.with_tag("latest")
        tags = registry.tags([row.ref.repository])[row.ref.repository]
        if isinstance(tags, Failed) or "latest" not in tags:
            continue
        version = exact_tag(latest, tags, registry, _LIKELY)
        mine, theirs = version_of(allowed), None if version is None else version_of(version)
        if mine is not None and theirs is not None and mine.order > theirs.order:
            _console.warn(f"{row.ref.with_tag(allowed)} is above the version of latest, {version}")
