"""What the stages of a Dockerfile are made from, followed through the stages that they use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from imgref.errors import InvalidReference
from imgref.inventory.model import Ingredient
from imgref.reference import parse
from imgref.sources.builds import Stage
from imgref.sources.occurrence import Occurrence, Reading

__all__ = ["Replacement", "context_name", "ingredients"]

_DOCKER_IMAGE = "docker-image://"
_BUILDS = ("service:", "target:")

Replacement = tuple[Literal["image", "build", "scratch", "context"], str]
"""What a named build context replaces an image with."""


def context_name(text: str) -> str | None:
    """Return the name by which BuildKit compares an image with the names of build contexts, or None.

    >>> context_name("alpine:latest"), context_name("docker.io/library/alpine:3")
    ('alpine', 'alpine:3')
    """
    try:
        return parse(text).familiar.removesuffix(":latest")
    except InvalidReference:
        return None


def replacement(value: str) -> Replacement:
    """Return what the value of a named build context is.

    >>> replacement("docker-image://alpine:3")
    ('image', 'docker.io/library/alpine:3')
    >>> replacement("service:base")
    ('build', 'base')
    """
    if value.startswith(_DOCKER_IMAGE):
        text = value.removeprefix(_DOCKER_IMAGE)
        if text == "scratch":
            return "scratch", text
        try:
            return "image", str(parse(text))
        except InvalidReference:
            return "context", value
    for scheme in _BUILDS:
        if value.startswith(scheme):
            return "build", value.removeprefix(scheme)
    return "context", value


@dataclass(frozen=True, slots=True)
class _Part:
    """A stage and the occurrences in it."""

    stage: Stage
    base: Occurrence | None
    copies: tuple[Occurrence, ...]


def ingredients(reading: Reading, target: str | None, contexts: Mapping[str, str]) -> tuple[Ingredient, ...] | None:
    """Return the base of a stage of a Dockerfile, or None if the stage does not exist.

    Stages that the target does not use count as needed for the build: with the older builder they are built, and they
    are the targets of other builds.

    Args:
        reading: the Dockerfile.
        target: the stage, by name or number; None is the last one, and all others are included.
        contexts: named build contexts, which replace images of these names.
    """
    parts = _parts(reading)
    number = _number_of(target, parts)
    if number is None:
        return None
    replaced = {name: replacement(value) for key, value in contexts.items() if (name := context_name(key)) is not None}
    found: list[Ingredient] = []
    chain = set(_base_chain(number, parts))
    reached = _reached(number, parts) if target is not None else set(range(len(parts)))
    for index in sorted(reached | chain):
        part = parts[index]
        for one in (part.base, *part.copies):
            if one is not None and one.role != "stage":
                is_base = index in chain and one is part.base
                found.append(_ingredient(one, "base" if is_base else "build", replaced))
    return tuple(dict.fromkeys(found))


def _parts(reading: Reading) -> list[_Part]:
    starts = [stage.line for stage in reading.stages]
    parts = []
    for stage, end in zip(reading.stages, [*starts[1:], None], strict=False):
        inside = [
            one
            for one in reading.occurrences
            if one.line >= stage.line and (end is None or one.line < end) and one.construct != "syntax"
        ]
        base = next((one for one in inside if one.is_base), None)
        parts.append(_Part(stage, base, tuple(one for one in inside if not one.is_base)))
    return parts


def _number_of(target: str | None, parts: list[_Part]) -> int | None:
    if target is None:
        return next((index for index in reversed(range(len(parts))) if parts[index].base is not None), None)
    names = [part.stage.name for part in parts]
    if target.lower() in names:
        return len(names) - 1 - names[::-1].index(target.lower())
    return int(target) if target.isascii() and target.isdigit() and int(target) < len(parts) else None


def _base_chain(number: int, parts: list[_Part]) -> Iterator[int]:
    """Yield the stage and those that it is built on, one on the other."""
    while True:
        yield number
        base = parts[number].base
        earlier = None if base is None or base.role != "stage" else _stage_before(base.resolved, number, parts)
        if earlier is None:
            return
        number = earlier


def _stage_before(name: str | None, number: int, parts: list[_Part]) -> int | None:
    return next((index for index in reversed(range(number)) if parts[index].stage.name == name), None)


def _reached(number: int, parts: list[_Part]) -> set[int]:
    """Return the stages that a stage needs."""
    found: set[int] = set()
    waiting = [number]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        found.add(current)
        waiting += [index for index in _needs(current, parts) if index is not None]
    return found


def _needs(number: int, parts: list[_Part]) -> Iterator[int | None]:
    base = parts[number].base
    if base is not None and base.role == "stage":
        yield _stage_before(base.resolved, number, parts)
    for one in parts[number].copies:
        if one.role == "stage":
            yield _number_of(one.resolved, parts)


def _ingredient(one: Occurrence, purpose: Literal["base", "build"], replaced: Mapping[str, Replacement]) -> Ingredient:
    text = one.text if one.resolved is None else one.resolved
    if one.role == "scratch":
        return Ingredient("scratch", "scratch", purpose, one.line)
    name = context_name(text) if one.role == "external" else None
    if name is not None and name in replaced:
        kind, value = replaced[name]
        return Ingredient(kind, value, purpose, one.line)
    if one.role == "external":
        return Ingredient("image", str(parse(text)), purpose, one.line)
    return Ingredient("unknown", text, purpose, one.line, one.reason or "it is not a valid reference")
