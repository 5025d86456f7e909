"""Ansible: the images that the modules for Docker and Podman run, pull and build.

https://docs.ansible.com/ansible/latest/collections/community/docker/
"""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from imgref.sources.target import Target
from imgref.sources.yaml.collector import is_empty, role_of
from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence
from imgref.sources.yaml.kubernetes import read as read_objects

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found

__all__ = ["is_ansible", "read"]

_RUN: Final = frozenset({"docker_container", "docker_swarm_service", "podman_container"})
_IMAGE: Final = frozenset({"docker_image", "docker_image_build", "docker_image_pull", "podman_image"})
_OBJECT: Final = frozenset({"k8s", "openshift"})
"""Modules whose ``definition`` is an object of Kubernetes."""

_MODULES: Final = _RUN | _IMAGE | _OBJECT
_ACTIONS: Final = frozenset({"action", "local_action"})
_TASKS: Final = ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always")
_LOOPS: Final = ("loop", "with_items", "with_list")
_VARIABLE: Final = re.compile(r"\{\{[ \t]*+([A-Za-z_][A-Za-z0-9_]*+(?:\.[A-Za-z_][A-Za-z0-9_]*+)?)[ \t]*+\}\}")
_ARGUMENT: Final = re.compile(r"(?:(?<=\s)|^)(image|name|tag|state)=(?:\"([^\"]*)\"|'([^']*)'|(\S+))")
_LENGTH: Final = 512
"""The longest value that is followed; hardly any reference is longer."""

_NESTED: Final = 16
_EFFORT: Final = 10_000
_FIXED: Final = "a variable or another key holds a part of it"
_LOOPED: Final = "the items of a loop may be used for something else, too"


class _Variables(NamedTuple):
    """The variables that are known at a position: strings, and lists for loops."""

    strings: dict[str, str]
    lists: dict[str, Sequence]


class _Task(NamedTuple):
    """A module of a task, with the variables that are known there, and how many steps are left for the whole file."""

    module: str
    arguments: Node
    task: Mapping
    variables: _Variables
    effort: Iterator[int]


def is_ansible(document: Node) -> bool:
    """Return whether this is a list of plays or tasks that use containers."""
    return isinstance(document, Sequence) and next(_tasks(document), None) is not None


def read(document: Node, found: Found) -> None:
    """Find the images of all tasks; what one of them builds is built here wherever it is used."""
    for task in _tasks(document):
        if isinstance(task.arguments, Mapping):
            _mapping(task, task.arguments, found)
        elif isinstance(task.arguments, Scalar):
            _text(task, task.arguments, found)


def _tasks(document: Node) -> Iterator[_Task]:
    seen: set[int] = set()
    effort = iter(range(_EFFORT))
    waiting: list[tuple[Node, _Variables]] = [(document, _Variables({}, {}))]
    while waiting:
        node, variables = waiting.pop()
        if isinstance(node, Scalar) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Sequence):
            waiting += ((item, variables) for item in reversed(node.items))
            continue
        own = node.get("vars")
        if isinstance(own, Mapping):
            here = [(name, value) for name, value in own.entries() if next(effort, None) is not None]
            variables = _Variables(
                variables.strings | {name: value.value for name, value in here if _is_plain(value)},  # type: ignore[union-attr]
                variables.lists | {name: value for name, value in here if isinstance(value, Sequence)},
            )
        for name, value in node.entries():
            module = _short(_module_of(value) if name in _ACTIONS else name)
            if module in _MODULES:
                yield _Task(module, value, node, variables, effort)
        waiting += ((value, variables) for key in reversed(_TASKS) for value in node.every(key))


def _module_of(action: Node) -> str:
    """Return the module of an action: the value of ``module``, or the first word."""
    name = action.get("module") if isinstance(action, Mapping) else action
    words = name.value.split(maxsplit=1) if isinstance(name, Scalar) else []
    return words[0] if words else ""


def _short(module: str) -> str:
    return module.rpartition(".")[2]


def _is_plain(node: Node) -> bool:
    return isinstance(node, Scalar) and not node.is_block and not is_empty(node) and len(node.value) <= _LENGTH


def _mapping(task: _Task, arguments: Mapping, found: Found) -> None:
    state = arguments.get("state")
    if isinstance(state, Scalar) and state.value == "absent":
        return
    if task.module in _OBJECT:
        for key in ("definition", "resource_definition"):
            for value in arguments.every(key):
                read_objects(value, found)
        return
    if task.module in _RUN:
        for image in arguments.every("image"):
            _image(image, "", task, found, built=False)
        return
    source = arguments.get("source")
    built = task.module == "docker_image_build" or not is_empty(arguments.get("build"))
    built = built or (isinstance(source, Scalar) and source.value == "build") or not is_empty(arguments.get("path"))
    tag = arguments.get("tag")
    for name in arguments.every("name"):
        _image(name, tag.value if isinstance(tag, Scalar) and not is_empty(tag) else "", task, found, built=built)


def _image(node: Node, tag: str, task: _Task, found: Found, *, built: bool) -> None:
    construct = f"{task.module}.{'image' if task.module in _RUN else 'name'}"
    if not isinstance(node, Scalar) or is_empty(node):
        return
    if not (tag or "{{" in node.value):
        found.image(node, construct, built=built)
        if built:
            found.made_here(node.value)
        return
    written = node.value if not tag or ":" in node.value.rpartition("/")[2] else f"{node.value}:{tag}"
    text = None if node.is_block else _resolved(written, task.variables.strings)
    if text is None:
        found.add(node, construct, None, "unresolved", "its variables are not known here")
        for item, one in _looped(node.value, written, task):
            if built:
                found.made_here(one)
            else:
                found.add(item, construct, one, role_of(one), target=Target(fixed=_LOOPED))
        return
    if built:
        found.made_here(text)
    found.add(node, construct, text, "built-here" if built else role_of(text), target=Target(fixed=_FIXED))


def _looped(name: str, written: str, task: _Task) -> Iterator[tuple[Scalar, str]]:
    """Yield what a reference becomes in a loop: the first part of an item that is in its name, and the whole.

    Args:
        name: the name as written.
        written: the name with its tag.
        task: the task, which has the loop.
    """
    loop = _loop_variable(task.task)
    used = next((match[1] for match in _VARIABLE.finditer(name) if match[1].partition(".")[0] == loop), None)
    for item in _items(task) if used is not None else ():
        parts = {loop: item}
        if isinstance(item, Mapping):
            parts |= {f"{loop}.{key}": value for key, value in item.entries()}
        part = parts.get(used or "")
        strings = {key: value.value for key, value in parts.items() if _is_plain(value)}  # type: ignore[union-attr]
        if (
            isinstance(part, Scalar)
            and (text := _resolved(written, ChainMap(strings, task.variables.strings))) is not None
        ):
            yield part, text


def _items(task: _Task) -> Iterator[Node]:
    """Yield the items of the loop of a task, which are in the file; each task is executed once for all of them."""
    for key in _LOOPS:
        items = task.task.get(key)
        if isinstance(items, Scalar) and (name := _VARIABLE.fullmatch(items.value.strip())):
            items = task.variables.lists.get(name[1])
        for item in items.items if isinstance(items, Sequence) else ():
            if next(task.effort, None) is None:
                return
            yield item


def _loop_variable(task: Mapping) -> str:
    control = task.get("loop_control")
    name = control.get("loop_var") if isinstance(control, Mapping) else None
    return name.value if isinstance(name, Scalar) else "item"


def _resolved(text: str, variables: dict[str, str] | ChainMap[str, str]) -> str | None:
    """Substitute variables in a string, or return None if one of them is not known."""
    for _ in range(_NESTED):
        if "{{" not in text and "{%" not in text:
            return text
        if len(text) > _LENGTH:
            return None
        longer = _VARIABLE.sub(lambda match: variables.get(match[1], match[0]), text)
        if longer == text:
            return None
        text = longer
    return None


def _text(task: _Task, arguments: Scalar, found: Found) -> None:
    """Add the image of a module whose arguments are ``key=value`` in one string."""
    if arguments.is_block or "{{" in arguments.value or task.module in _OBJECT:
        return
    values = {match[1]: match for match in _ARGUMENT.finditer(arguments.value)}
    state = values.get("state")
    match = values.get("image" if task.module in _RUN else "name")
    if match is None or (state is not None and state[4] == "absent"):
        return
    group = next(index for index in (2, 3, 4) if match[index] is not None)
    tag = values.get("tag")
    value = match[group] if tag is None else f"{match[group]}:{tag[2] or tag[3] or tag[4]}"
    at = arguments.place(found.text) + match.start(group)
    if value and found.text.startswith(match[group], at):
        node = Scalar(match[group], at, "", None, False)
        found.add(node, f"{task.module}.text", value, role_of(value), target=Target(fixed=_FIXED))
