"""Compose files: images of services, of fragments, of additional contexts and of image volumes.

https://docs.docker.com/reference/compose-file/
"""

from __future__ import annotations

from typing import Final

from imgref.sources.yaml.collector import Found, Resolver, is_empty
from imgref.sources.yaml.compose_builds import add_builds
from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence, walk
from imgref.sources.yaml.variables import Resolved, interpolate

__all__ = ["has_services", "read"]

_CONTEXT: Final = "docker-image://"
_SINCE_SERVICES: Final = frozenset({"services", "version", "include", "name", "networks", "volumes"})
"""Top-level keys that the first format, with services at the top level, did not have."""


def has_services(document: Node) -> bool:
    """Whether this is a Compose file by its content: a top-level ``services`` map of maps."""
    services = document.get("services") if isinstance(document, Mapping) else None
    if not isinstance(services, Mapping):
        return False
    values = [value for _, value in services.entries()]
    return any(isinstance(value, Mapping) for value in values) and all(
        isinstance(value, Mapping) or is_empty(value) for value in values
    )


def read(document: Node, found: Found) -> None:
    """Find the images of a Compose file.

    One that has ``build`` beside it is built here; so is the same image in another service, since Compose does not
    pull what it builds.
    """
    if not isinstance(document, Mapping):
        return

    def resolve(text: str) -> Resolved:
        return interpolate(text, found.variables)

    named = _services(document)
    services = list({id(service): service for _, service in named}.values())
    add_builds(named, found, resolve)
    fragments = [
        fragment
        for name, value in document.entries()
        if name.startswith("x-")
        for fragment in walk(value)
        if fragment.own("image") is not None
    ]
    built = {
        resolve(image.value).text
        for service in (*services, *fragments)
        if not is_empty(service.get("build"))
        for image in service.every("image")
        if isinstance(image, Scalar)
    } - {None, ""}
    for service in services:
        _service(service, "services.image", found, resolve, built)
    for fragment in fragments:
        _service(fragment, "fragment.image", found, resolve, built)


def _services(document: Mapping) -> list[tuple[str, Mapping]]:
    """Return the services with their names. A name can be repeated."""
    parts: list[Node] = [document]
    first_format = all(isinstance(value, Mapping) for _, value in document.entries())
    if not first_format or _SINCE_SERVICES & {name for name, _ in document.entries()}:
        parts = document.every("services")
    entries = [entry for part in parts if isinstance(part, Mapping) for entry in part.entries()]
    return [(name, value) for name, value in entries if isinstance(value, Mapping)]


def _service(service: Mapping, construct: str, found: Found, resolve: Resolver, built: set[str | None]) -> None:
    build = service.get("build")
    for image in service.every("image"):
        same = isinstance(image, Scalar) and bool(built) and resolve(image.value).text in built
        found.image(image, construct, resolve=resolve, built=same or not is_empty(build))
    if isinstance(build, Mapping) and found.once(build):
        _contexts(build.get("additional_contexts"), found, resolve)
    volumes = service.get("volumes")
    for volume in volumes.items if isinstance(volumes, Sequence) and found.once(volumes) else ():
        kind = volume.get("type") if isinstance(volume, Mapping) else None
        if isinstance(volume, Mapping) and isinstance(kind, Scalar) and kind.value == "image":
            found.image(volume.get("source"), "services.volumes.source", resolve=resolve)


def _contexts(contexts: Node | None, found: Found, resolve: Resolver) -> None:
    """Additional contexts are a map, or a list of ``name=context``."""
    if contexts is None or not found.once(contexts):
        return
    if isinstance(contexts, Mapping):
        values = [(value, 0) for _, value in contexts.entries()]
    elif isinstance(contexts, Sequence):
        values = [(item, item.value.find("=") + 1) for item in contexts.items if isinstance(item, Scalar)]
    else:
        return
    for value, offset in values:
        if isinstance(value, Scalar) and value.value.startswith(_CONTEXT, offset):
            found.image(value, "additional_contexts", resolve=resolve, offset=offset, scheme=_CONTEXT)
