"""Helm values: an ``image`` string, or a map of registry and repository with tag, version or digest.

https://helm.sh/docs/chart_best_practices/values/
"""

from __future__ import annotations

import re
from typing import Final

from imgref.sources.target import Target
from imgref.sources.yaml.collector import Found, is_empty, is_template, role_of, unknown_variables
from imgref.sources.yaml.document import Mapping, Node, Scalar, walk
from imgref.sources.yaml.resources import LABELS, NO_IMAGE_OF_CHART

__all__ = ["APP_VERSION", "ELSEWHERE", "NO_DIGEST_KEY", "read", "read_values"]

APP_VERSION: Final = "its tag is left to the chart's appVersion"
"""The reason that an external occurrence carries where the values name no tag: it is not an implicit ``latest``."""

ELSEWHERE: Final = "the chart adds its tag, and is not in this file"
"""Why an image is unresolved in values for a chart from elsewhere that name no tag."""

NO_DIGEST_KEY: Final = "the chart has no digest key for it, and may not accept a digest in the tag"
"""Why a map without ``digest`` is not pinned: charts put the tag into labels, which Kubernetes then rejects."""

_TAGS: Final = ("tag", "version")
_SHA: Final = re.compile("[0-9a-f]{64}")
"""Some charts require a digest without its algorithm, as ``sha``."""

_BESIDE_TEXT: Final = ("tag", "imageTag")
_HOST: Final = re.compile(r"(?:localhost|[^/]*[.:][^/]*)/")


def read(document: Node, found: Found) -> None:
    """Find the images in a chart's values."""
    read_values(document, found)


def read_values(values: Node, found: Found, *, elsewhere: bool = False) -> None:
    """Find the images in values for a chart, at any depth: each subchart has its own below its name.

    Args:
        values: the values.
        found: what was found so far.
        elsewhere: whether the chart is not beside the values, so that a missing tag is unknown.
    """
    if not found.once(values, "helm"):
        return
    images = set()
    labels = set()
    for mapping in walk(values):
        if id(mapping) in labels:
            continue
        for name, value in mapping.pairs:
            if isinstance(name, Scalar) and name.value in LABELS:
                labels.add(id(value))
            elif isinstance(name, Scalar) and name.value.lower().endswith("image"):
                if isinstance(value, Mapping) and found.text.startswith("{{", value.start):
                    found.image(value, name.value)
                elif isinstance(value, Mapping):
                    images.add(id(value))
                elif isinstance(value, Scalar) and name.value == "image":
                    _text(mapping, value, found, elsewhere=elsewhere)
    for mapping in walk(values):
        repository = mapping.get("repository")
        if isinstance(repository, Scalar) and not is_empty(repository):
            _map(mapping, repository, found, certain=id(mapping) in images, elsewhere=elsewhere)


def _text(mapping: Mapping, image: Scalar, found: Found, *, elsewhere: bool) -> None:
    """Add an ``image`` that is a string; some charts have its registry and tag beside it."""
    if is_empty(image) or not image.is_text or NO_IMAGE_OF_CHART.match(image.value):
        return
    registry = _value(mapping.get("registry")).strip("/")
    separate = any(mapping.get(key) is not None for key in _BESIDE_TEXT) and not _names_version(image.value)
    if registry and _HOST.match(image.value) is None:
        _put(mapping, image, f"{registry}/{image.value}", "image", found, _BESIDE_TEXT, elsewhere=elsewhere)
    elif separate:
        _put(mapping, image, image.value, "image", found, _BESIDE_TEXT, elsewhere=elsewhere)
    else:
        found.image(image, "image")


def _map(mapping: Mapping, repository: Scalar, found: Found, *, certain: bool, elsewhere: bool) -> None:
    """A map with a repository. Charts and sources have repositories, too, so an invalid reference is skipped."""
    has_version = any(mapping.get(key) is not None for key in (*_TAGS, "digest"))
    if "://" in repository.value or not (certain or has_version):
        return
    registry = _value(mapping.get("registry"))
    text = f"{registry.strip('/')}/{repository.value}" if registry else repository.value
    if certain and (name := _value(mapping.get("name"))) and not _names_version(text):
        text = f"{text}/{name}"
    if certain or is_template(text) or "$" in text or role_of(text) == "external":
        _put(mapping, repository, text, "image.repository", found, _TAGS, elsewhere=elsewhere)


def _put(
    mapping: Mapping,
    node: Scalar,
    text: str,
    construct: str,
    found: Found,
    tags: tuple[str, ...],
    *,
    elsewhere: bool,
) -> None:
    """Assemble the reference as charts do, without empty parts."""
    tag = next((value for key in tags if (value := _value(mapping.get(key)))), "")
    digest = _value(mapping.get("digest"))
    if not digest and _SHA.fullmatch(sha := _value(mapping.get("sha"))):
        digest = f"sha256:{sha}"
    named = _names_version(text)
    whole = text
    if tag and not named:
        whole += f"@{tag}" if tag.startswith("sha256:") else f":{tag}"
    if digest and "@" not in whole:
        whole += f"@{digest}"
    if node.is_block:
        found.add(node, construct, None, "unresolved", "it is in a block scalar")
    elif is_template(whole):
        found.add(node, construct, None, "unresolved", "it is made by a template")
    elif (resolved := unknown_variables(whole)).text is None:
        found.add(node, construct, None, "unresolved", resolved.reason)
    else:
        role = role_of(whole)
        untagged = role == "external" and whole == text and not named
        if untagged and elsewhere:
            found.add(node, construct, None, "unresolved", ELSEWHERE)
            return
        target = _target(mapping, found, tags, named=named)
        found.add(node, construct, whole, role, APP_VERSION if untagged else None, target=target)


def _target(mapping: Mapping, found: Found, tags: tuple[str, ...], *, named: bool) -> Target:
    """Return where the image can be edited: at its tag and digest, and never at registry and repository."""
    if named:
        return Target(fixed="its repository has a tag or digest, and is not changed")
    if mapping.get("digest") is None and _SHA.fullmatch(_value(mapping.get("sha"))):
        return Target(fixed="its digest is in the key sha")
    return found.editing.parts(mapping, tags, in_tag=True, why=NO_DIGEST_KEY)


def _names_version(text: str) -> bool:
    return "@" in text or ":" in text.rpartition("/")[2]


def _value(node: Node | None) -> str:
    return node.value if isinstance(node, Scalar) and not is_empty(node) else ""
