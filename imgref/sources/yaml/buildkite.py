"""Buildkite: the images of steps, and of the plugins that run steps in containers.

https://buildkite.com/docs/pipelines/configure/step-types/command-step
https://github.com/buildkite-plugins/docker-buildkite-plugin
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence, walk

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found

__all__ = ["read"]

_CONTAINERS: Final = ("containers", "ephemeralContainers", "initContainers", "sidecars")


def read(document: Node, found: Found) -> None:
    """Find the images of a pipeline, and of its steps in groups too."""
    if isinstance(document, Mapping) and document.get("steps") is not None:
        waiting: list[Node] = [document]
    else:
        waiting = list(document.items) if isinstance(document, Sequence) else []
    while waiting:
        step = waiting.pop()
        if not isinstance(step, Mapping) or not found.once(step):
            continue
        for image in step.every("image"):
            found.image(image, "image")
        for name, settings in _plugins(step, found):
            if isinstance(settings, Mapping):
                _plugin(name, settings, found)
        for steps in step.every("steps"):
            waiting += reversed(steps.items) if isinstance(steps, Sequence) and found.once(steps) else ()


def _plugins(step: Mapping, found: Found) -> Iterator[tuple[str, Node]]:
    """Yield names and settings of plugins, which are a list of mappings or one mapping."""
    for plugins in step.every("plugins"):
        if not isinstance(plugins, Scalar) and found.once(plugins):
            for part in plugins.items if isinstance(plugins, Sequence) else (plugins,):
                if isinstance(part, Mapping):
                    yield from part.entries()


def _plugin(source: str, settings: Mapping, found: Found) -> None:
    location, _, _ = source.partition("#")
    name = location.rstrip("/").rpartition("/")[2].removesuffix(".git").removesuffix("-buildkite-plugin")
    if name == "docker" or "$" in location:
        for image in settings.every("image"):
            found.image(image, "plugins.docker.image")
    elif name == "kubernetes":
        parts = [settings, *settings.merged()]
        for mapping in (mapping for part in parts if found.once(part, "plugin") for mapping in walk(part)):
            for key in _CONTAINERS:
                for containers in mapping.every(key):
                    _containers(containers, found)


def _containers(containers: Node, found: Found) -> None:
    for container in containers.items if isinstance(containers, Sequence) and found.once(containers) else ():
        for image in container.every("image") if isinstance(container, Mapping) else ():
            found.image(image, "plugins.kubernetes.image")
