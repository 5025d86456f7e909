"""What is built here: each Dockerfile, and each build that another file defines with one."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from imgref.errors import InvalidReference
from imgref.inventory.model import Build, Definition, Ingredient, Use
from imgref.inventory.stages import ingredients
from imgref.reference import parse
from imgref.sources.builds import BuildTarget
from imgref.sources.find import find_references
from imgref.sources.occurrence import Reading

__all__ = ["Builder", "Reread"]

Reread = Callable[[str, Mapping[str, str]], "Reading | None"]
"""Reads a Dockerfile by its path, with build arguments."""

_REMOTE: Final = re.compile(r"[a-z][a-z0-9+.-]*://.*|git@.*|github\.com/.*", re.DOTALL)


@dataclass(slots=True)
class _Made:
    """A build as far as it is known, and the definition that it comes from."""

    build: Build
    path: str = ""
    target: BuildTarget | None = None


@dataclass(slots=True)
class Builder:
    """Finds the builds of some files.

    Attributes:
        readings: the files.
        reread: reads a Dockerfile with build arguments, or None.
        uses: references that are known only with the arguments of a build, after :meth:`builds`.
    """

    readings: Mapping[str, Reading]
    reread: Reread | None = None
    uses: list[Use] = field(default_factory=list)

    def builds(self) -> tuple[Build, ...]:
        """Return the builds; those of Dockerfiles first, as often as they differ."""
        made = [_Made(build) for build in self._dockerfiles()]
        for path, reading in self.readings.items():
            for target in reading.builds:
                self._add(made, _Made(self._defined(path, target), path, target))
        made = [one for one in made if not _is_superseded(one, made)]
        return tuple(_linked(one, made) for one in made)

    def _dockerfiles(self) -> Iterator[Build]:
        for path, reading in self.readings.items():
            if reading.stages:
                yield Build(path, path, ingredients=ingredients(reading, None, {}) or ())

    def _add(self, made: list[_Made], new: _Made) -> None:
        """Add a build, unless the same thing is built already: then it gets one more definition."""
        for one in made:
            same = one.build.dockerfile == new.build.dockerfile and one.build.target == new.build.target
            if same and new.build.dockerfile is not None and one.build.ingredients == new.build.ingredients:
                images = tuple(dict.fromkeys((*one.build.images, *new.build.images)))
                definitions = (*one.build.definitions, *new.build.definitions)
                one.build = replace(one.build, images=images, definitions=definitions)
                one.path, one.target = one.path or new.path, one.target or new.target
                return
        made.append(new)

    def _defined(self, path: str, target: BuildTarget) -> Build:
        """Return the build that a file defines."""
        name = f"{path}: {target.name}"
        definitions = (Definition(path, target.line, target.name),)
        images = tuple(filter(None, map(_canonical, target.images)))
        file, reading, reason = self._source(path, target, name)
        if reading is None:
            return Build(name, file, target.target, definitions, images, reason=reason)
        found = ingredients(reading, target.target, dict(target.contexts))
        if found is None:
            reason = "the Dockerfile has no stage" + (f" {target.target!r}" if target.target else "")
            return Build(name, file, target.target, definitions, images, reason=reason)
        return Build(name, file, target.target, definitions, images, found)

    def _source(self, path: str, target: BuildTarget, name: str) -> tuple[str | None, Reading | None, str | None]:
        """Return the Dockerfile of a definition and what is in it, or the reason why that is not known."""
        args = dict(target.args)
        if target.inline is not None:
            return None, find_references(target.inline, path="Dockerfile", kind="dockerfile", build_args=args), None
        if target.context is None or _REMOTE.fullmatch(target.context):
            return None, None, "its build context is not known here"
        place = posixpath.join(posixpath.dirname(path), target.context, target.dockerfile)
        file = posixpath.normpath(place)
        plain = self.readings.get(file)
        if plain is None:
            return file, None, f"{file} was not read"
        if not args or self.reread is None:
            return file, plain, None
        read = self.reread(file, args)
        if read is None:
            return file, None, f"{file} could not be read again"
        self._note(file, plain, read, name)
        return file, read, None

    def _note(self, file: str, plain: Reading, read: Reading, name: str) -> None:
        """Remember the references that are not in the file without the arguments of this build."""
        from imgref.inventory.take import use_of

        known = {(one.line, one.column, one.role, one.resolved) for one in plain.occurrences}
        for one in read.occurrences:
            if one.role == "external" and (one.line, one.column, one.role, one.resolved) not in known:
                self.uses.append(use_of(one, file, "dockerfile", name))


def _canonical(text: str) -> str | None:
    try:
        return str(parse(text))
    except InvalidReference:
        return None


def _is_superseded(one: _Made, made: list[_Made]) -> bool:
    """Return whether a definition of the same build with arguments replaces that of a Dockerfile alone."""
    if one.target is not None or not any(item.kind == "unknown" for item in one.build.ingredients):
        return False
    return any(
        other.target is not None and other.build.dockerfile == one.build.id and other.build.target is None
        and not any(item.kind == "unknown" for item in other.build.ingredients) and not other.build.reason
        for other in made
    )  # fmt: skip


def _linked(one: _Made, made: list[_Made]) -> Build:
    """Return a build whose ingredients name other builds by their identity."""

    def link(item: Ingredient) -> Ingredient:
        if item.kind != "build":
            return item
        name = next(
            (
                other.build.id
                for other in made
                if any((place.path, place.name) == (one.path, item.name) for place in other.build.definitions)
            ),
            None,
        )
        if name is None:
            return replace(item, kind="unknown", reason="nothing of this name is built here")
        return replace(item, name=name)

    return replace(one.build, ingredients=tuple(map(link, one.build.ingredients)))
