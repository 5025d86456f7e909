"""The labels and annotations of an image: those that are known of its build, and those that somebody typed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from imgref.cli.tags._build_plan import created

if TYPE_CHECKING:
    from imgref.cli.tags._build_plan import Planned

__all__ = ["NO_METADATA", "Metadata", "index_annotations", "read_metadata"]

_PREFIX: Final = "org.opencontainers.image."
_KEY: Final = "[A-Za-z0-9][A-Za-z0-9._/-]*"
_LEVEL: Final = r"(?:(?:index|manifest)(?:-descriptor)?(?:\[[a-z0-9/,]+\])?,?)+:"
"""What an annotation is of, as docker buildx spells it: https://docs.docker.com/build/metadata/annotations/."""


class Metadata(NamedTuple):
    """Labels and annotations.

    Attributes:
        labels: the labels.
        annotations: the annotations; a key may begin with what they are of, such as ``index:``.
        typed: the keys of those that somebody typed, so that none of them may be omitted.
    """

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    typed: frozenset[str] = frozenset()

    @property
    def levelled(self) -> dict[str, str]:
        """The annotations, each with what it is of."""
        return {key if re.match(_LEVEL, key) else f"manifest:{key}": value for key, value in self.annotations.items()}

    @property
    def of_index(self) -> dict[str, str]:
        """The annotations of an index: those without a level, and those of the level ``index``, without it."""
        found: dict[str, str] = {}
        for key, value in self.annotations.items():
            level = re.match(_LEVEL, key)
            if level is None:
                found.setdefault(key, value)
            elif "index" in level[0][:-1].split(","):
                found[key[level.end() :]] = value
        return found


NO_METADATA: Final = Metadata({}, {})


def read_metadata(planned: Planned, params: Mapping[str, Any], settings: Mapping[str, Mapping[str, str]]) -> Metadata:
    """Return what is known of a build, with what the options and the settings add or override.

    Args:
        planned: the plan, with at least one tag.
        params: the parameters of the command.
        settings: the tables ``labels`` and ``annotations`` of the settings.

    Raises:
        UsageError: an option cannot be used.
    """
    known, typed = _known(planned, params)
    labels = {**settings.get("labels", {}), **_pairs("--label", params["label"], _KEY)}
    annotations = {
        **settings.get("annotations", {}),
        **_pairs("--annotation", params["annotation"], f"(?:{_LEVEL})?{_KEY}"),
    }
    return Metadata({**known, **labels}, {**known, **annotations}, typed | {*labels} | {*annotations})


def index_annotations(planned: Planned, settings: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return what is known of a build, with what the settings add or override, as annotations of an index.

    ``created`` is omitted unless ``SOURCE_DATE_EPOCH`` is set: the same images must become the same index each time,
    so that a release that was interrupted can be repeated.
    """
    params = {"source": None, "revision": None, "label": (), "annotation": ()}
    metadata = read_metadata(planned, params, settings)
    unknown = {f"{_PREFIX}created"} - settings.get("annotations", {}).keys()
    if os.environ.get("SOURCE_DATE_EPOCH"):
        unknown = set()
    kept = {key: value for key, value in metadata.annotations.items() if key not in unknown}
    return metadata._replace(annotations=kept).of_index


def _pairs(option: str, values: Iterable[str], key_pattern: str) -> dict[str, str]:
    pairs = {}
    for text in values:
        key, equals, value = text.partition("=")
        if not equals or not re.fullmatch(key_pattern, key, re.ASCII):
            raise click.UsageError(f"{option}: {text!r} is not KEY=VALUE with a key such as {_PREFIX}title")
        pairs[key] = value
    return pairs


def _known(planned: Planned, params: Mapping[str, Any]) -> tuple[dict[str, str], frozenset[str]]:
    """Return the labels that are known, and the keys of those whose values were typed.

    https://github.com/opencontainers/image-spec/blob/main/annotations.md#pre-defined-annotation-keys
    """
    typed_source, build = _source(params["source"]), planned.build
    about = dict(build.about) if build is not None else {}
    source = typed_source or (build.source if build is not None else None) or ""
    revision = params["revision"] or (build.sha if build is not None else None) or ""
    values = {
        "created": created().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "revision": revision,
        "source": source,
        "url": about.get("url", ""),
        "version": planned.plan.version,
        "ref.name": planned.plan.tags[0],
        "title": about.get("title") or source.rstrip("/").rpartition("/")[2].removesuffix(".git"),
        "description": about.get("description", ""),
        "licenses": about.get("licenses", ""),
    }
    typed = {"revision"} if params["revision"] else set()
    if typed_source:
        typed |= {"source", "title"} - ({"title"} if about.get("title") else set())
    return (
        {f"{_PREFIX}{key}": value for key, value in values.items() if value},
        frozenset(f"{_PREFIX}{key}" for key in typed),
    )


def _source(typed: str | None) -> str | None:
    """Return the URL of ``--source``, without credentials.

    Raises:
        UsageError: the address has no http or https URL. The message omits it, since it may contain credentials.
    """
    if not typed:
        return None
    from imgref.ci import source_url

    url = source_url(typed)
    if url is None:
        raise click.UsageError("--source: not an address that can be given as an http or https URL")
    return url
