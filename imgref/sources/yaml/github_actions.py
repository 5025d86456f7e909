"""GitHub's workflows and actions: the containers of jobs, their services, and steps that use an image.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
https://docs.github.com/en/actions/reference/workflows-and-actions/metadata-syntax
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence
from imgref.sources.yaml.github_matrix import Expressions

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found

__all__ = ["read"]

_DOCKER: Final = "docker://"


def read(document: Node, found: Found) -> None:
    """Find the images of a workflow or an action; a Dockerfile that an action names is none."""
    if not isinstance(document, Mapping):
        return
    expressions = Expressions(document, found)
    for jobs in document.every("jobs"):
        for _, job in jobs.entries() if isinstance(jobs, Mapping) else ():
            if isinstance(job, Mapping) and found.once(job):
                _job(job, found, expressions)
    for runs in document.every("runs"):
        if isinstance(runs, Mapping):
            for image in runs.every("image"):
                _docker(image, "runs.image", found)
            _steps(runs, found)


def _job(job: Mapping, found: Found, expressions: Expressions) -> None:
    for container in job.every("container"):
        images = container.every("image") if isinstance(container, Mapping) else [container]
        for image in images:
            expressions.image(image, job, "container.image" if isinstance(container, Mapping) else "container")
        found.text_or_map(container, "container", "image", scheme=_DOCKER)
    for services in job.every("services"):
        for _, service in services.entries() if isinstance(services, Mapping) and found.once(services) else ():
            for image in service.every("image") if isinstance(service, Mapping) else ():
                expressions.image(image, job, "services.image")
                found.image(image, "services.image", scheme=_DOCKER)
    _steps(job, found)


def _steps(parent: Mapping, found: Found) -> None:
    for steps in parent.every("steps"):
        for step in steps.items if isinstance(steps, Sequence) and found.once(steps) else ():
            for uses in step.every("uses") if isinstance(step, Mapping) else ():
                _docker(uses, "uses", found)


def _docker(node: Node, construct: str, found: Found) -> None:
    """Take in what is an image only behind ``docker://``."""
    if isinstance(node, Scalar) and node.value[: len(_DOCKER)].lower() == _DOCKER:
        found.image(node, construct, scheme=_DOCKER)
