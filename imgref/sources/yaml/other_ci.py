"""CircleCI, Bitbucket Pipelines, Drone, Woodpecker and Google Cloud Build.

https://circleci.com/docs/reference/configuration-reference/#docker
https://support.atlassian.com/bitbucket-cloud/docs/docker-image-options/
https://docs.drone.io/yaml/docker/
https://woodpecker-ci.org/docs/usage/workflow-syntax
https://cloud.google.com/build/docs/build-config-file-schema
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence, walk
from imgref.sources.yaml.variables import Resolved, Scope

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found

__all__ = ["read_bitbucket", "read_circleci", "read_cloud_build", "read_drone"]

_STEPS: Final = ("steps", "services", "clone", "pipeline")
_PIPE: Final = "docker://"


def read_circleci(document: Node, found: Found) -> None:
    """Find the images of every ``docker`` list: in jobs, executors and orbs. Machine images are not containers."""

    def resolve(text: str) -> Resolved:
        if "<<" in text:
            return Resolved(None, "it is made by a parameter")
        return Resolved(None, "the value of its variable is not known here") if "$" in text else Resolved(text)

    for mapping in walk(document):
        for docker in mapping.every("docker"):
            for container in docker.items if isinstance(docker, Sequence) and found.once(docker) else ():
                for image in container.every("image") if isinstance(container, Mapping) else ():
                    found.image(image, "docker.image", resolve=resolve)


def read_bitbucket(document: Node, found: Found) -> None:
    """Find the images at the top, of steps and of services, and pipes that are images themselves."""
    variables = {id(value) for mapping in walk(document) for value in mapping.every("variables")}
    for mapping in walk(document):
        if id(mapping) in variables:
            continue
        for image in mapping.every("image"):
            found.text_or_map(image, "image", "name")
        for pipe in mapping.every("pipe"):
            if isinstance(pipe, Scalar) and pipe.value.startswith(_PIPE):
                found.image(pipe, "pipe", scheme=_PIPE)


def read_drone(document: Node, found: Found) -> None:
    """Find the images of Drone's and Woodpecker's steps, services and clone steps, which are lists or maps."""
    if not isinstance(document, Mapping):
        return
    for key in _STEPS:
        for part in document.every(key):
            if isinstance(part, Mapping):
                steps = [step for _, step in part.entries()]
            else:
                steps = part.items if isinstance(part, Sequence) else []
            for step in steps:
                for image in step.every("image") if isinstance(step, Mapping) and found.once(step) else ():
                    found.image(image, f"{key}.image")


def read_cloud_build(document: Node, found: Found) -> None:
    """Find the images that steps run in, with the file's substitutions; ``images`` are those that the build creates."""
    if not isinstance(document, Mapping):
        return
    scope = Scope(document.get("substitutions"), operators=True)
    outputs = document.get("images")
    built = {
        scope.resolve(output.value).text
        for output in (outputs.items if isinstance(outputs, Sequence) else ())
        if isinstance(output, Scalar)
    } - {None}
    for steps in document.every("steps"):
        for step in steps.items if isinstance(steps, Sequence) else ():
            for name in step.every("name") if isinstance(step, Mapping) and found.once(step) else ():
                own = isinstance(name, Scalar) and bool(built) and scope.resolve(name.value).text in built
                found.image(name, "steps.name", resolve=scope.resolve, built=own)
