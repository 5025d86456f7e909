"""YAML files: which kind a file is, by its name or by its content, and what its reader finds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Final

from imgref.sources.occurrence import Reading
from imgref.sources.yaml import compose, github_actions, gitlab_ci, helm, kubernetes, kustomize, other_ci
from imgref.sources.yaml.collector import Found
from imgref.sources.yaml.comments import comments
from imgref.sources.yaml.content import kind_by_content, looks_like_ci, may_have_images
from imgref.sources.yaml.document import Composition, Node
from imgref.sources.yaml.document import compose as compose_nodes
from imgref.sources.yaml.templates import looks_like_template, template_images

__all__ = ["read_yaml", "yaml_kind"]

_NO_VARIABLES: Final[Mapping[str, str]] = {}

_READERS: Final[dict[str, Callable[[Node, Found], None]]] = {
    "bitbucket": other_ci.read_bitbucket,
    "circleci": other_ci.read_circleci,
    "cloud-build": other_ci.read_cloud_build,
    "compose": compose.read,
    "drone": other_ci.read_drone,
    "github-actions": github_actions.read,
    "gitlab-ci": gitlab_ci.read,
    "helm-values": helm.read,
    "kubernetes": kubernetes.read,
    "kustomize": kustomize.read,
    "woodpecker": other_ci.read_drone,
}

_NAMES: Final = tuple(
    (kind, re.compile(pattern + r"\.ya?ml", re.ASCII | re.DOTALL))
    for kind, pattern in (
        ("compose", r"(?:docker-)?compose.*"),
        ("kustomize", r"kustomization"),
        ("github-actions", r"action"),
        ("gitlab-ci", r".*gitlab-ci.*"),
        ("bitbucket", r"bitbucket-pipelines"),
        ("drone", r"\.drone.*"),
        ("woodpecker", r"\.woodpecker.*"),
        ("cloud-build", r"(?:.*[._-])?cloudbuild(?:[._-].*)?"),
    )
)
_VALUES: Final = re.compile(r"values.*\.ya?ml", re.DOTALL)
_SUFFIXES: Final = frozenset({".yml", ".yaml"})
_WORKFLOWS: Final = frozenset({".github", ".gitea", ".forgejo"})
_FIXED: Final = frozenset({"github-actions", "helm-values", "kustomize"})
"""Kinds that stay what their name says, whatever else is in the file; a ``compose*.yaml`` may be a manifest alone."""


def yaml_kind(path: PurePosixPath, *, beside_chart: bool = False) -> str | None:
    """Give the kind that a file's name alone tells, or None where its content has to.

    Args:
        path: the file; its directories count too, as in ``.github/workflows``.
        beside_chart: a ``Chart.yaml`` stands beside the file or above it.

    >>> yaml_kind(PurePosixPath("compose.prod.yaml")), yaml_kind(PurePosixPath("deploy.yaml"))
    ('compose', None)
    """
    if path.name == "Kustomization":
        return "kustomize"
    if path.suffix not in _SUFFIXES:
        return None
    parents = path.parts[:-1]
    if parents[-1:] == ("workflows",) and len(parents) > 1 and parents[-2] in _WORKFLOWS:
        return "github-actions"
    if any(pair == (".gitlab", "ci") for pair in pairwise(parents)):
        return "gitlab-ci"
    if ".circleci" in parents:
        return "circleci"
    if ".woodpecker" in parents:
        return "woodpecker"
    if beside_chart and _VALUES.fullmatch(path.name):
        return "helm-values"
    return next((kind for kind, pattern in _NAMES if pattern.fullmatch(path.name)), None)


def read_yaml(
    text: str,
    *,
    kind: str | None,
    named: bool = False,
    template: bool = False,
    variables: Mapping[str, str] = _NO_VARIABLES,
) -> Reading | None:
    """Find the image references in a YAML file.

    Args:
        text: the file; a byte order mark at its start is not counted.
        kind: what :func:`yaml_kind` says; with None the content decides.
        named: the file was named on the command line, so that it must be readable.
        template: the file stands below a chart's ``templates``: its images are counted, never read.
        variables: values for the variables of a Compose file.

    Returns:
        None where the file is of no kind that has references.

    >>> read_yaml("services: {web: {image: nginx}}", kind=None).occurrences[0].text
    'nginx'
    """
    text = text.removeprefix("\ufeff")
    if template:
        return Reading(kind or "helm-template", template_images(text), comments=comments(text, []))
    if kind is None and not named and not may_have_images(text):
        return None
    composition = compose_nodes(text)
    if composition.problems:
        if looks_like_template(text, kind):
            images = template_images(text)
            return Reading(kind or "template", images, comments=comments(text, [])) if images or kind else None
        if kind is None and not named:
            first = composition.problems[0]
            doubt = f"line {first.line}: {first.message}"
            reading = _read(text, kind, composition, variables) or Reading("yaml")
            # No name promises that this is YAML, so it is no finding that it is not.
            return replace(reading, problems=(), doubt=doubt)
    return _read(text, kind, composition, variables)


def _read(text: str, kind: str | None, composition: Composition, variables: Mapping[str, str]) -> Reading | None:
    found = Found(text, variables.get, composition.aliased)
    first = None
    doubt = ""
    for document in composition.documents:
        known = _kinds_of(document, kind)
        for name in known:
            _READERS[name](document, found)
        first = first or next(iter(known), None)
        if not known and looks_like_ci(document):
            doubt = "it looks like a file of a CI system, but is of no kind that imgref knows"
    if first is None and not composition.problems:
        return Reading("yaml", doubt=doubt) if doubt else None
    stopped = composition.stopped
    return Reading(
        first or kind or "yaml",
        tuple(item for item in found.occurrences() if stopped is None or item.line < stopped),
        tuple(composition.problems),
        comments(text, composition.quoted),
        incomplete=stopped is not None,
        doubt=doubt,
    )


def _kinds_of(document: Node, kind: str | None) -> list[str]:
    """Return the kinds by which a document is read: what it is by name, and what its content says that it is.

    A name alone must not hide what is in a file: a manifest that is called ``action.yml`` is still one.
    """
    content = None if kind == "helm-values" else kind_by_content(document)
    if kind is None or (kind not in _FIXED and content in {"kustomize", "kubernetes"}):
        return [] if content is None else [content]
    return [kind] if content in {None, kind} else [kind, content]
