"""What kind of file a YAML document is by its content, whatever the name of the file.

A kind is certain where a document has what only files of that kind have. A document that only looks like one of a CI
system is not read by guess: :func:`looks_like_ci` is for saying so.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from imgref.sources.contract import DocumentTest
from imgref.sources.kinds import KINDS, loaded
from imgref.sources.syntax import YAML
from imgref.sources.yaml.collector import is_empty
from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence, walk

__all__ = [
    "is_bitbucket",
    "is_circleci",
    "is_cloud_build",
    "is_drone",
    "is_github_actions",
    "is_gitlab_ci",
    "is_woodpecker",
    "kind_by_content",
    "looks_like_ci",
    "may_have_images",
]

_IMAGE_KEY: Final = re.compile(r"""image["']?\s*:""")
_STEPS_KEY: Final = re.compile(r"""^["']?steps["']?\s*:""", re.MULTILINE)
_ESCAPE: Final = re.compile(r"\\[xuU\r\n]")
"""What can write a letter of a key in another way."""

_GITLAB_JOB: Final = frozenset({
    "after_script", "allow_failure", "artifacts", "before_script", "except", "extends", "needs", "only", "rules",
    "stage",
})  # fmt: skip
_GITLAB_TOP: Final = frozenset({"after_script", "before_script", "default", "stages", "workflow"})
_BITBUCKET: Final = frozenset({"bookmarks", "branches", "custom", "default", "pull-requests", "tags"})
_CLOUD_BUILD_HOSTS: Final = ("gcr.io/", "docker.pkg.dev/")
_CI_TOP: Final = frozenset({
    "before_script", "jobs", "pipeline", "pipelines", "script", "stage", "stages", "steps", "tasks", "workflow",
    "workflows",
})  # fmt: skip
_CI_JOB: Final = frozenset({"commands", "script", "stage", "steps"})


def may_have_images(text: str) -> bool:
    """Return whether it is worth the time to parse a file whose name does not determine its kind.

    >>> may_have_images("image: nginx"), may_have_images("name: images")
    (True, False)
    """
    return (
        ("image" in text and ("apiVersion" in text or "services" in text or _IMAGE_KEY.search(text) is not None))
        or ("script" in text and "services" in text)
        or _hints().search(text) is not None
        or ("steps" in text and _STEPS_KEY.search(text) is not None)
        or ("\\" in text and _ESCAPE.search(text) is not None)
    )


def kind_by_content(document: Node) -> str | None:
    """Return the kind that a document certainly is, or None."""
    if isinstance(document, Scalar):
        return None
    return next((name for name, test in _tests() if test(document)), None)


@cache
def _tests() -> tuple[tuple[str, DocumentTest], ...]:
    rows = (kind for kind in KINDS.values() if kind.syntax is YAML and kind.test)
    return tuple((kind.name, loaded(kind.test)) for kind in rows)


@cache
def _hints() -> re.Pattern[str]:
    return re.compile("|".join(re.escape(hint) for kind in KINDS.values() for hint in kind.hints))


def looks_like_ci(document: Node) -> bool:
    """Return whether a document may be one of a CI system, and names images as such."""
    if not isinstance(document, Mapping):
        return False
    keys = {name for name, _ in document.entries()}
    jobs = [value for _, value in document.entries() if isinstance(value, Mapping)]
    if not keys & _CI_TOP and not any(_has(job, _CI_JOB) for job in jobs):
        return False
    return any(not is_empty(image) for mapping in walk(document) for image in mapping.every("image"))


def _has(mapping: Mapping, keys: frozenset[str]) -> bool:
    return any(name in keys for name, _ in mapping.entries())


def _inner(mapping: Mapping, key: str) -> list[Mapping]:
    """Return the mappings in a mapping or a list at a key."""
    part = mapping.get(key)
    values: list[Node] = []
    if isinstance(part, Mapping):
        values = [value for _, value in part.entries()]
    elif isinstance(part, Sequence):
        values = part.items
    return [value for value in values if isinstance(value, Mapping)]


def is_gitlab_ci(document: Node) -> bool:
    """Return whether this is a pipeline of GitLab CI by its content."""
    if not isinstance(document, Mapping):
        return False
    jobs = [value for _, value in document.entries() if isinstance(value, Mapping)]
    scripted = [job for job in jobs if job.get("script") is not None]
    certain = _has(document, _GITLAB_TOP) or any(
        isinstance(job.get("script"), Sequence) or _has(job, _GITLAB_JOB) for job in scripted
    )
    return bool(scripted) and certain and any(
        part.get("image") is not None or isinstance(part.get("services"), Sequence) for part in (document, *jobs)
    )  # fmt: skip


def is_github_actions(document: Node) -> bool:
    """Return whether this is a workflow or an action of GitHub by its content."""
    if not isinstance(document, Mapping):
        return False
    runs = document.get("runs")
    if isinstance(runs, Mapping) and isinstance(runs.get("using"), Scalar):
        return True
    return any(job.get("runs-on") is not None for job in _inner(document, "jobs"))


def is_circleci(document: Node) -> bool:
    """Return whether this is a configuration of CircleCI by its content."""
    if not isinstance(document, Mapping):
        return False
    parts = (*_inner(document, "jobs"), *_inner(document, "executors"))
    return any(container.get("image") is not None for part in parts for container in _inner(part, "docker"))


def is_bitbucket(document: Node) -> bool:
    """Return whether this is a file of Bitbucket Pipelines by its content."""
    if not isinstance(document, Mapping):
        return False
    pipelines = document.get("pipelines")
    return isinstance(pipelines, Mapping) and _has(pipelines, _BITBUCKET)


def is_drone(document: Node) -> bool:
    """Return whether this is a pipeline of Drone by its content."""
    if not isinstance(document, Mapping):
        return False
    kind = document.get("kind")
    return isinstance(kind, Scalar) and kind.value == "pipeline" and bool(_inner(document, "steps"))


def is_woodpecker(document: Node) -> bool:
    """Return whether this is a workflow of Woodpecker by its content."""
    if not isinstance(document, Mapping):
        return False
    steps = _inner(document, "steps")
    return any(
        step.get("image") is not None and (step.get("commands") or step.get("settings")) is not None for step in steps
    )


def is_cloud_build(document: Node) -> bool:
    """Return whether this is a build of Google Cloud Build by its content."""
    if not isinstance(document, Mapping):
        return False
    names = [step.get("name") for step in _inner(document, "steps")]
    return any(isinstance(name, Scalar) and any(host in name.value for host in _CLOUD_BUILD_HOSTS) for name in names)
