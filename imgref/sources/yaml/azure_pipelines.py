"""Azure Pipelines: containers of jobs, of resources and of templates, and services.

https://learn.microsoft.com/en-us/azure/devops/pipelines/yaml-schema/jobs-job-container
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imgref.sources.target import Target
from imgref.sources.yaml.azure_values import AzureValues
from imgref.sources.yaml.collector import is_empty, role_of
from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence, walk

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found


__all__ = ["is_azure", "read"]

_JOBS: Final = (("jobs", ("job", "deployment", "template")), ("stages", ("stage", "template")))
_NO_JOBS: Final = frozenset({"env", "inputs", "variables"})
_DECLARED: Final = "it may be the name of a container that another file declares"
_FIXED: Final = "a parameter or a variable holds a part of it"


def is_azure(document: Node) -> bool:
    """Return whether this is a pipeline of Azure, or a template for one."""
    if not isinstance(document, Mapping):
        return False
    resources, extends = document.get("resources"), document.get("extends")
    if isinstance(resources, Mapping) and isinstance(resources.get("containers"), Sequence):
        return True
    if isinstance(extends, Mapping) and isinstance(extends.get("template"), Scalar):
        return True
    return any(
        isinstance(item, Mapping) and any(name in keys or name.startswith("${{") for name, _ in item.entries())
        for key, keys in _JOBS
        for item in _items(document, key)
    )


def read(document: Node, found: Found) -> None:
    """Find the images; the name of a container that the file declares is not one."""
    if not isinstance(document, Mapping):
        return
    own = document.get("parameters")
    values = AzureValues(document)
    declared, names = _declared(document, found, values)
    arguments = {id(value) for mapping in walk(document) for value in mapping.every("parameters")}
    ignored = {id(value) for mapping in walk(document) for key in _NO_JOBS for value in mapping.every(key)}
    for mapping in walk(document):
        if mapping is own or id(mapping) in ignored or id(mapping) in declared:
            continue
        if id(mapping) in arguments:
            for container in _values(mapping, "containers", found):
                if isinstance(container, Mapping):
                    _image(container.get("image"), "containers.image", found, values)
        for container in mapping.every("container"):
            _use(container, "container", found, values, names)
        for service in _values(mapping, "services", found):
            _use(service, "services", found, values, names)


def _declared(document: Mapping, found: Found, values: AzureValues) -> tuple[set[int], set[str]]:
    """Add the containers of the resources, and return them and their names."""
    places: set[int] = set()
    names: set[str] = set()
    for mapping in walk(document):
        for resources in mapping.every("resources"):
            for container in _items(resources, "containers"):
                if not isinstance(container, Mapping):
                    continue
                places.add(id(container))
                name = container.get("container")
                names |= {name.value} if isinstance(name, Scalar) else set()
                _image(container.get("image"), "resources.containers.image", found, values)
    return places, names


def _use(node: Node, construct: str, found: Found, values: AzureValues, names: set[str]) -> None:
    if isinstance(node, Mapping):
        _image(node.get("image"), f"{construct}.image", found, values)
    elif isinstance(node, Scalar) and not is_empty(node) and node.value not in names:
        if re.search(r"[/:@.$]|\{\{", node.value):
            _image(node, construct, found, values)
        else:
            found.add(node, construct, None, "unresolved", _DECLARED)


def _image(node: Node | None, construct: str, found: Found, values: AzureValues) -> None:
    text = values.resolve(node) if isinstance(node, Scalar) else None
    if isinstance(node, Scalar) and text is not None:
        found.add(node, construct, text, role_of(text), target=Target(fixed=_FIXED))
    else:
        found.image(node, construct)


def _items(node: Node, key: str) -> Iterator[Node]:
    for value in node.every(key) if isinstance(node, Mapping) else ():
        if isinstance(value, Sequence):
            yield from value.items


def _values(node: Mapping, key: str, found: Found) -> Iterator[Node]:
    for part in node.every(key):
        for _, value in part.entries() if isinstance(part, Mapping) and found.once(part, key) else ():
            yield value
