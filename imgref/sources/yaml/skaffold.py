"""Skaffold: the images that it builds, and those that it builds on, tests and runs with.

https://skaffold.dev/docs/references/yaml/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imgref.sources.yaml.collector import is_empty
from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence
from imgref.sources.yaml.objects import text_of

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found

__all__ = ["is_skaffold", "read"]

_BUILDERS: Final = (
    ("buildpacks", ("builder", "runImage")),
    ("jib", ("fromImage",)),
    ("kaniko", ("image", "initImage")),
    ("ko", ("fromImage",)),
)
_BUILD_STEPS: Final = ("bazelImage", "dockerImage", "gradleImage", "koImage", "mavenImage", "packImage")


def is_skaffold(document: Node) -> bool:
    """Return whether this is a configuration of Skaffold."""
    return text_of(document, "apiVersion").startswith("skaffold/")


def read(document: Node, found: Found) -> None:
    """Find the images of a configuration and of its profiles; the artifacts are built here."""
    for config in (document, *_items(document, "profiles")):
        if not isinstance(config, Mapping) or not found.once(config):
            continue
        for build in _maps(config, "build"):
            _build(build, found)
        for key in ("test", "verify", "customActions", "deploy"):
            _run(config, key, found)


def _build(build: Mapping, found: Found) -> None:
    for artifact in _items(build, "artifacts"):
        if not isinstance(artifact, Mapping) or not found.once(artifact):
            continue
        _built(artifact, "build.artifacts.image", found)
        for required in _items(artifact, "requires"):
            _built(required, "build.artifacts.requires.image", found)
        for builder, keys in _BUILDERS:
            for settings in _maps(artifact, builder):
                _fields(settings, keys, f"build.artifacts.{builder}", found)
        for docker in (*_maps(artifact, "docker"), *_maps(artifact, "kaniko")):
            for cached in _items(docker, "cacheFrom"):
                found.image(cached, "build.artifacts.cacheFrom")
    for cloud in _maps(build, "googleCloudBuild"):
        _fields(cloud, _BUILD_STEPS, "build.googleCloudBuild", found)
        for step in _maps(cloud, "platformEmulatorInstallStep"):
            _fields(step, ("image",), "build.googleCloudBuild.platformEmulatorInstallStep", found)


def _run(config: Mapping, key: str, found: Found) -> None:
    if key == "deploy":
        for deploy in _maps(config, key):
            _deploy(deploy, found)
    for item in _items(config, key):
        if key == "test":
            _built(item, "test.image", found)
        containers = (*_maps(item, "container"), *_items(item, "containers"))
        for container in containers:
            if isinstance(container, Mapping):
                _fields(container, ("image",), f"{key}.container", found)


def _deploy(deploy: Mapping, found: Found) -> None:
    for docker in _maps(deploy, "docker"):
        for image in _items(docker, "images"):
            found.image(image, "deploy.docker.images", built=True)
    for helm in _maps(deploy, "helm"):
        for release in _items(helm, "releases"):
            for values in _maps(release, "setValues"):
                for name, value in values.entries() if found.once(values) else ():
                    if name == "image" or name.endswith(".image"):
                        found.image(value, "deploy.helm.setValues.image")


def _built(item: Node, construct: str, found: Found) -> None:
    for image in item.every("image") if isinstance(item, Mapping) else ():
        found.image(image, construct, built=True)
        if isinstance(image, Scalar) and not is_empty(image):
            found.made_here(image.value)


def _fields(mapping: Mapping, keys: tuple[str, ...], construct: str, found: Found) -> None:
    for key in keys:
        for image in mapping.every(key):
            found.image(image, f"{construct}.{key}")


def _items(node: Node, key: str) -> Iterator[Node]:
    for value in node.every(key) if isinstance(node, Mapping) else ():
        if isinstance(value, Sequence):
            yield from value.items


def _maps(node: Node, key: str) -> Iterator[Mapping]:
    for value in node.every(key) if isinstance(node, Mapping) else ():
        if isinstance(value, Mapping):
            yield value
