"""Terraform: images in container blocks, Docker's resources, ECS container definitions and CodeBuild environments.

An ``image`` alone proves nothing: servers have images too. The resource, or the block around it, decides.
https://developer.hashicorp.com/terraform/language/syntax/configuration
"""

from __future__ import annotations

import re
from typing import Final

from imgref.sources.collected import Collected
from imgref.sources.contract import Context
from imgref.sources.hcl.heredocs import heredoc_images
from imgref.sources.hcl.json_syntax import blocks, parse_either
from imgref.sources.hcl.nodes import Entry, Node, Object, Template, Word, walk
from imgref.sources.hcl.values import Values, with_terraform_variables
from imgref.sources.occurrence import Reading

__all__ = ["read"]

_WORDS: Final = ("image", "imgref:")
_CONTAINER: Final = re.compile(r"[a-z_]*containers?(?:_?(?:spec|definitions?|properties|config))?", re.IGNORECASE)
"""Keys and blocks whose ``image`` is that of a container, whatever resource or module they are in."""
_DEFINITIONS: Final = re.compile(r"container_?definitions?", re.IGNORECASE)
_RUNS_CONTAINERS: Final = re.compile(r"(?<![a-z])(?:ecs|fargate)(?![a-z])|cloud[-_]?run|container|app[-_]?runner")
"""What in the name or the source of a module means that its ``image`` is that of a container."""
_TEMPLATED: Final = re.compile(r"nomad_job|kube.*|helm_release")
"""Resources whose templates describe containers, so that the variable ``image`` of a template is one of them."""
_NAMED: Final = frozenset({"docker_image", "docker_registry_image"})
_HOST: Final = re.compile(r"[^/:]*\.[^/]+/.+", re.DOTALL)
_SUBSTITUTED: Final = re.compile(r"\$\{[^{}]*+\}")
_TEMPLATE: Final = "templatefile()"


def read(text: str, _: Context = Context()) -> Reading:  # noqa: B008  immutable
    r"""Find the images of a Terraform file, in HCL or JSON.

    >>> text = 'resource "docker_container" "a" {\n  image = "nginx"\n}\n'
    >>> [(one.line, one.column, one.text) for one in read(text).occurrences]
    [(2, 12, 'nginx')]
    """
    found = Collected("terraform", text)
    if not any(word in text for word in _WORDS):
        return found.reading()
    document = parse_either(text)
    root = document.root
    found.document(document.comments, document.errors, incomplete=document.is_incomplete)
    reader = _Reader(text, Values(text, with_terraform_variables(root)), found)
    for labels, body in blocks(root, "resource", 2):
        reader.resource(labels[0] if labels else "", body)
    for labels, body in blocks(root, "data", 2):
        if labels and labels[0] in _NAMED:
            reader.image(body.get("name"), f"terraform.{labels[0]}.name")
    for labels, body in blocks(root, "module", 1):
        reader.module(labels[0] if labels else "", body)
    for _labels, body in blocks(root, "locals", 0):
        for entry in body.entries:
            if entry.key is not None and _DEFINITIONS.fullmatch(entry.key):
                reader.definitions(entry)
    return found.reading()


class _Reader:
    def __init__(self, text: str, values: Values, found: Collected) -> None:
        self._text = text
        self._values = values
        self._found = found

    def image(self, node: Node | None, construct: str, *, built: bool = False) -> None:
        """Add an image, unless the value is not a string: null, or a map of something else."""
        is_null = isinstance(node, Word) and node.text == "null"
        if node is not None and not is_null and not isinstance(node, Object):
            self._found.image(self._values.written(node), construct, built=built)

    def resource(self, kind: str, body: Object) -> None:
        """Add the images of a resource."""
        if kind == "docker_image":
            self.image(body.get("name"), "terraform.docker_image.name", built=body.get("build") is not None)
            return
        if kind == "docker_container":
            self.image(body.get("image"), "terraform.image")
        construct = "terraform.kubernetes.image" if kind.startswith("kubernetes_") else "terraform.image"
        for path, entry in walk(body):
            if entry.key == "image":
                if _is_of_a_container(path) or (kind == "kubernetes_manifest" and path[:1] == ("manifest",)):
                    self.image(entry.value, construct)
                elif kind == "aws_codebuild_project" and path == ("environment",):
                    self.image(entry.value, "terraform.codebuild.image")
                elif path[-1:] == (_TEMPLATE,) and _TEMPLATED.fullmatch(kind):
                    self.image(entry.value, "terraform.image")
            else:
                self._heredoc(entry)

    def module(self, name: str, body: Object) -> None:
        """Add the images among the arguments of a module; its name and source distinguish them from server images."""
        about = f"{name} {self._values.string(body.get('source')) or ''}".lower()
        for path, entry in walk(body):
            if entry.key == "container_image":
                self.image(entry.value, "terraform.container_image")
            elif entry.key == "image":
                if _is_of_a_container(path) or (not path and self._is_container(entry.value, about)):
                    self.image(entry.value, "terraform.image")
                elif path == ("environment",) and self._is_codebuild(entry.value, about):
                    self.image(entry.value, "terraform.codebuild.image")
            else:
                self._heredoc(entry)

    def definitions(self, entry: Entry) -> None:
        """Add the images of container definitions that are a local value."""
        self._heredoc(entry)
        for _path, inner in walk(entry.value):
            if inner.key == "image":
                self.image(inner.value, "terraform.image")

    def _heredoc(self, entry: Entry) -> None:
        value = entry.value
        is_heredoc = isinstance(value, Template) and value.is_heredoc
        if is_heredoc and entry.key is not None and _DEFINITIONS.fullmatch(entry.key):
            for node in heredoc_images(self._text, value.start, value.end):
                self.image(node, "terraform.heredoc.image")

    def _is_container(self, value: Node, about: str) -> bool:
        """Return whether the image of a module is that of a container: servers' images have no registry."""
        if _RUNS_CONTAINERS.search(about) is not None:
            return True
        text = _SUBSTITUTED.sub("", self._text[value.start : value.end]) if isinstance(value, Template) else ""
        return _HOST.fullmatch(text) is not None

    def _is_codebuild(self, value: Node, about: str) -> bool:
        text = self._text[value.start : value.end]
        return "codebuild" in about or text.startswith("aws/codebuild/")


def _is_of_a_container(path: tuple[str, ...]) -> bool:
    return any(_CONTAINER.fullmatch(key) is not None for key in path)
