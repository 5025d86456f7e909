"""The builds of a Compose file: which Dockerfile a service is built from, and what the result is called.

https://docs.docker.com/reference/compose-file/build/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from imgref.sources.builds import BuildTarget
from imgref.sources.yaml.collector import Found, Resolver, is_empty
from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence

__all__ = ["add_builds"]


def add_builds(services: Iterable[tuple[str, Mapping]], found: Found, resolve: Resolver) -> None:
    """Add a build for each service that has one."""
    for name, service in services:
        build = service.get("build")
        if build is not None and not is_empty(build):
            found.builds.append(_build(name, service, build, found, resolve))


def _build(name: str, service: Mapping, build: Node, found: Found, resolve: Resolver) -> BuildTarget:
    line = found.line_of(service.start)
    images = tuple(filter(None, (_text(image, resolve) for image in service.every("image"))))
    if not isinstance(build, Mapping):
        return BuildTarget(name, line, _text(build, resolve), images=images)
    context = build.get("context")
    dockerfile = build.get("dockerfile")
    file = "Dockerfile" if is_empty(dockerfile) else _text(dockerfile, resolve)
    place = "." if context is None else _text(context, resolve)
    inline = _text(build.get("dockerfile_inline"), resolve)
    tags = build.get("tags")
    more = (_text(tag, resolve) for tag in (tags.items if isinstance(tags, Sequence) else ()))
    return BuildTarget(
        name,
        line,
        None if file is None else place,
        file or "Dockerfile",
        inline,
        _text(build.get("target"), resolve),
        tuple(sorted(_pairs(build.get("args"), resolve))),
        tuple(sorted(_pairs(build.get("additional_contexts"), resolve))),
        tuple(dict.fromkeys((*images, *filter(None, more)))),
    )


def _pairs(node: Node | None, resolve: Resolver) -> Iterator[tuple[str, str]]:
    """Return names and values of a map, or of a list of ``name=value``. A name alone takes its value from outside."""
    if isinstance(node, Mapping):
        seen = set()
        for name, value in node.entries():
            if name not in seen and isinstance(value, Scalar) and not value.is_null:
                yield name, _text(value, resolve) or value.value
            seen.add(name)
    elif isinstance(node, Sequence):
        for item in node.items:
            if isinstance(item, Scalar) and "=" in item.value:
                name, _, text = item.value.partition("=")
                yield name, resolve(text).text or text


def _text(node: Node | None, resolve: Resolver) -> str | None:
    """Return a value with its variables substituted, or None if it is not known."""
    return resolve(node.value).text if isinstance(node, Scalar) and not is_empty(node) else None
