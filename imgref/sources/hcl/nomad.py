"""Nomad jobs: the images of tasks whose driver runs containers.

https://developer.hashicorp.com/nomad/docs/job-specification/task
"""

from __future__ import annotations

import re
from typing import Final

from imgref.sources.collected import Collected
from imgref.sources.contract import Context
from imgref.sources.hcl.json_syntax import parse_either
from imgref.sources.hcl.nodes import Object, Word, walk
from imgref.sources.hcl.values import Values, with_terraform_variables
from imgref.sources.occurrence import Reading

__all__ = ["is_nomad", "read"]

_JOB: Final = re.compile(r'^[ \t]*job[ \t]+"[^"\n]*+"[ \t]*\{', re.MULTILINE)
_TASKS: Final = frozenset({"task", "sidecar_task", "content"})
"""Blocks that have a ``config``; ``content`` is that of a dynamic block."""
_DRIVERS: Final = frozenset({"docker", "podman", "containerd", "containerd-driver"})
_SCHEME: Final = "docker://"


def is_nomad(text: str) -> bool:
    r"""Return whether content has a job of Nomad.

    >>> is_nomad('variable "x" {}\njob "web" {\n}\n')
    True
    """
    return _JOB.search(text) is not None


def read(text: str, _: Context = Context()) -> Reading:  # noqa: B008  immutable
    r"""Find the images of the tasks of a job.

    >>> text = 'job "a" { task "b" { driver = "docker"\n config { image = "nginx" } } }'
    >>> [(one.line, one.column, one.text) for one in read(text).occurrences]
    [(2, 20, 'nginx')]
    """
    found = Collected("nomad", text)
    if "image" not in text and "imgref:" not in text:
        return found.reading()
    document = parse_either(text)
    found.document(document.comments, document.errors, incomplete=document.is_incomplete)
    values = Values(text, with_terraform_variables(document.root))
    for _path, entry in walk(document.root):
        if entry.key in _TASKS and isinstance(entry.value, Object):
            _task(entry.value, values, found)
    return found.reading()


def _task(task: Object, values: Values, found: Collected) -> None:
    """Add the image of a task, unless its driver certainly runs none: ``qemu`` and ``exec`` have other settings."""
    driver = values.string(task.get("driver"))
    if driver is not None and driver not in _DRIVERS:
        return
    for config in task.entries:
        if config.key != "config" or not isinstance(config.value, Object):
            continue
        for entry in config.value.entries:
            is_null = isinstance(entry.value, Word) and entry.value.text == "null"
            if entry.key == "image" and not is_null:
                found.image(values.written(entry.value), "nomad.config.image", scheme=_SCHEME)
