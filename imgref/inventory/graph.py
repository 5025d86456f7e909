"""Who is built on what: the builds of an inventory as a graph, in both directions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from imgref.errors import InvalidReference
from imgref.inventory.model import Build, Ingredient, Inventory, UsedImage
from imgref.reference import ImageReference, parse

__all__ = ["Edge", "Graph", "Node", "Query", "around"]


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the graph: an image by its canonical name, or a build by its identity.

    Attributes:
        id: the name or identity.
        kind: ``image``, ``build``, ``scratch``, ``context`` or ``unknown``.
        reason: why it is not known, or None.
    """

    id: str
    kind: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from what is used to what uses it, or from a build to its image.

    Attributes:
        source: the node that is used, or the build.
        target: the build, or the image.
        label: ``base``, ``build`` (only needed to build it) or ``makes``.
    """

    source: str
    target: str
    label: str


class Graph:
    """The graph of an inventory.

    Args:
        inventory: the inventory.
    """

    def __init__(self, inventory: Inventory) -> None:
        self.builds = {build.id: build for build in inventory.builds}
        self._makers: dict[str, list[str]] = {}
        for build in inventory.builds:
            for image in build.images:
                self._makers.setdefault(without_digest(image), []).append(build.id)

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """The nodes by their identity, in the order of the builds."""
        found: dict[str, Node] = {}
        for build in self.builds.values():
            found[f"build {build.id}"] = Node(build.id, "build", build.reason)
            for one in build.ingredients:
                found.setdefault(_key(one, build), Node(one.name, one.kind, one.reason))
            for image in build.images:
                found.setdefault(f"image {image}", Node(image, "image"))
        return found

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """The arrows, each once. A base that is also copied from has the arrow of a base only."""
        found: dict[tuple[str, str], Edge] = {}
        for build in self.builds.values():
            here = f"build {build.id}"
            for one in sorted(build.ingredients, key=lambda one: one.purpose):
                key = _key(one, build)
                found.setdefault((key, here), Edge(key, here, one.purpose))
            for image in build.images:
                found.setdefault((here, f"image {image}"), Edge(here, f"image {image}", "makes"))
        # A name with a digest is the image that a build here creates under the tag.
        for key, node in self.nodes.items():
            plain = without_digest(node.id) if node.kind == "image" else node.id
            if plain != node.id and f"image {plain}" in self.nodes:
                found.setdefault((f"image {plain}", key), Edge(f"image {plain}", key, "makes"))
        return tuple(found.values())

    def makers(self, image: str) -> tuple[Build, ...]:
        """Return the builds of an image, by its canonical name; the digest does not matter if there is a tag."""
        return tuple(self.builds[name] for name in self._makers.get(without_digest(image), ()))

    def makers_of(self, name: str) -> tuple[Build, ...]:
        """Return the builds of an image, or the build with this identity."""
        return (self.builds[name],) if name in self.builds else self.makers(name)

    def built_on(self, image: str) -> tuple[Build, ...]:
        """Return the builds that are directly built on an image or on another build's result."""
        return self._using(image, "base")

    def all_built_on(self, image: str) -> tuple[Build, ...]:
        """Return the builds that are built on an image, directly or over other builds."""
        found = _reach({image}, self.built_on, forward=True)
        return tuple(build for build in self.builds.values() if build.id in found)

    def built_with(self, image: str) -> tuple[Build, ...]:
        """Return the builds that need an image only while they are built."""
        return tuple(build for build in self._using(image, "build") if build not in self.built_on(image))

    def _using(self, name: str, purpose: str) -> tuple[Build, ...]:
        makers = {build.id for build in self.makers(name)}
        plain = without_digest(name)
        return tuple(
            build
            for build in self.builds.values()
            if any(
                one.purpose == purpose
                and (
                    (one.kind == "image" and (one.name == name or (makers and without_digest(one.name) == plain)))
                    or (one.kind == "build" and (one.name == name or one.name in makers))
                )
                for one in build.ingredients
            )
        )


def _key(one: Ingredient, build: Build) -> str:
    """Return the key of a node. What two builds call by the same name is the same only if it is known."""
    key = f"{one.kind} {one.name}"
    return key if one.kind in {"image", "build"} else f"{key} {build.id}"


def without_digest(image: str) -> str:
    """Return a canonical name without its digest if it has a tag.

    >>> without_digest("docker.io/library/nginx:1@sha256:" + 64 * "0")
    'docker.io/library/nginx:1'
    """
    name, at, _ = image.partition("@")
    return name if at and ":" in name.rpartition("/")[2] else image


@dataclass(frozen=True, slots=True)
class Query:
    """The images that a question is about: a repository, or one tag or digest of it.

    Attributes:
        ref: the image; without tag and digest it means all of them.
    """

    ref: ImageReference

    @classmethod
    def parse(cls, text: str) -> Query:
        """Parse an image as it is written after ``docker pull``, except that no tag means any tag.

        Raises:
            InvalidReference: it is not a valid reference.
        """
        return cls(parse(text, default_tag=None))

    def names(self, inventory: Inventory) -> set[str]:
        """Return the canonical names of the selected images in an inventory."""
        used = {str(one.reference) for one in inventory.references if self.matches(one.reference)}
        made = (image for build in inventory.builds for image in (*build.images, *_ingredients(build)))
        return used | {name for name in made if self.matches_name(name)}

    def matches(self, ref: ImageReference) -> bool:
        """Return whether an image is selected.

        >>> Query.parse("nginx").matches(parse("nginx:1.27"))
        True
        """
        asked = self.ref
        return (
            asked.repository == ref.repository and asked.tag in {None, ref.tag} and asked.digest in {None, ref.digest}
        )

    def matches_name(self, name: str) -> bool:
        """Return whether a canonical name is selected."""
        try:
            return self.matches(parse(name, default_tag=None))
        except InvalidReference:
            return False


def around(inventory: Inventory, query: Query) -> Inventory:
    """Return the part of an inventory that an image is built on, and what is built on it; empty if it is not used."""
    graph = Graph(inventory)
    names = query.names(inventory)
    down = _reach(names, graph.built_on, forward=True)
    beside = {build.id for name in names for build in graph.built_with(name)}
    up = _reach(names, graph.makers_of, forward=False)
    builds = tuple(build for build in inventory.builds if build.id in down | up | beside)
    mine = names | {image for build in builds for image in build.images}
    mine |= {one.name for build in builds if build.id in up for one in build.ingredients}
    return replace(
        inventory,
        images=tuple(_images(inventory.images, mine)),
        builds=builds,
        unresolved=(),
        invalid=(),
        scratch=sum(one.kind == "scratch" for build in builds for one in build.ingredients),
    )


def _ingredients(build: Build) -> Iterable[str]:
    return (one.name for one in build.ingredients if one.kind == "image")


def _reach(start: set[str], step: Callable[[str], Iterable[Build]], *, forward: bool) -> set[str]:
    """Return the builds that are reached from some images, over the images and builds on the way."""
    found: set[str] = set()
    waiting, seen = list(start), set(start)
    while waiting:
        for build in step(waiting.pop()):
            if build.id in found:
                continue
            found.add(build.id)
            near = {build.id, *build.images} if forward else {one.name for one in build.ingredients}
            waiting += near - seen
            seen |= near
    return found


def _images(images: Iterable[UsedImage], names: set[str]) -> Iterable[UsedImage]:
    for image in images:
        kept = tuple(one for one in image.references if str(one.reference) in names)
        if kept:
            yield replace(image, references=kept)
