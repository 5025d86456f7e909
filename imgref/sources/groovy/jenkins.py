"""Jenkins pipelines: images of agents, of ``docker.image``, of container templates and of pods in YAML.

https://www.jenkins.io/doc/book/pipeline/docker/ and https://plugins.jenkins.io/kubernetes/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from imgref.sources.collected import SPLIT, Collected, Written
from imgref.sources.contract import Context
from imgref.sources.groovy.tokens import Token, tokens
from imgref.sources.occurrence import Reading

__all__ = ["is_pipeline", "read"]

_PIPELINE: Final = re.compile(
    r"^[ \t]*(?:pipeline[ \t]*\{|node[ \t]*(?:\([^()\n]*+\)[ \t]*)?\{|(?:podTemplate|dockerNode)[ \t]*\()", re.MULTILINE
)
_WORDS: Final = ("docker", "image", "imgref:")
_IMAGE: Final = re.compile(r"(?:.*\.)?docker\.(?:image|build)")
_LONGEST: Final = 100
"""How many tokens of an expression are looked at; an image is a few."""
_YAML_IMAGE: Final = re.compile(
    r"^[ \t]*+(?:-[ \t]++)*+[\"']?image[\"']?[ \t]*+:[ \t]++[\"']?(?P<image>[^\s\"'#{\[|>&*!][^\s\"']*+)[\"']?"
    r"[ \t\r]*+(?:\#[^\n]*+)?$",
    re.MULTILINE,
)
_URL: Final = re.compile(r"(?:https?://)?([^/]*+).*", re.DOTALL)
_UNKNOWN_REGISTRY: Final = "the registry that its pipeline sets is not known here"


def is_pipeline(text: str) -> bool:
    r"""Return whether content is a pipeline, declarative or scripted.

    >>> is_pipeline("@Library('x') _\npipeline {\n}\n"), is_pipeline("class Pipeline {}")
    (True, False)
    """
    return _PIPELINE.search(text) is not None


def read(text: str, _: Context = Context()) -> Reading:  # noqa: B008  immutable
    r"""Find the images of a pipeline.

    >>> text = "pipeline {\n  agent { docker { image 'maven:3' } }\n}\n"
    >>> [(one.line, one.column, one.text) for one in read(text).occurrences]
    [(2, 27, 'maven:3')]
    """
    found = Collected("jenkins", text)
    if any(word in text for word in _WORDS):
        lexed = tokens(text)
        found.comments(lexed.comments)
        _Reader(text, lexed.items, found).read()
    return found.reading()


@dataclass(slots=True)
class _Frame:
    """Something in braces or parentheses.

    Attributes:
        name: what is before it: the block, or the method that is called.
        start: the number of its first token.
        registry: the host that images in it come from; None if it is not known, empty if there is none.
        image: the image of an agent, until its registry is known.
    """

    name: str
    start: int
    registry: str | None = ""
    image: Written | None = None


@dataclass(frozen=True, slots=True)
class _Use:
    """An image as it is used."""

    written: Written
    construct: str
    registry: str | None = ""
    is_built: bool = False


class _Reader:
    def __init__(self, text: str, items: Sequence[Token], found: Collected) -> None:
        self._text = text
        self._items = items
        self._found = found
        self._frames = [_Frame("", 0)]
        self._closed: _Frame | None = None
        self._uses: list[_Use] = []

    def read(self) -> None:
        """Find the images; what one of them builds is built here wherever it is used."""
        for index, token in enumerate(self._items):
            if token.kind == "mark":
                self._mark(index, token)
            elif token.kind == "word":
                self._word(index, token)
        while len(self._frames) > 1:
            self._pop()
        built = {use.written.resolved for use in self._uses if use.is_built} - {None}
        for use in self._uses:
            is_built = use.is_built or use.written.resolved in built
            written = use.written if is_built else _qualified(use.written, use.registry)
            self._found.image(written, use.construct, built=is_built)

    def _mark(self, index: int, token: Token) -> None:
        if token.text in {"{", "("}:
            before = self._before(index) if token.text == "{" else self._items[index - 1] if index else None
            name = before.text if before is not None and before.kind == "word" else ""
            registry = self._frames[-1].registry
            if token.text == "{" and before is not None and before.text == ")" and self._closed is not None:
                name = self._closed.name
                if name.endswith("docker.withRegistry"):
                    registry = self._registry(self._closed.start)
            self._frames.append(_Frame(name, index + 1, registry))
        elif token.text in {"}", ")"} and len(self._frames) > 1:
            self._pop()

    def _before(self, index: int) -> Token | None:
        """Return the token before a block, which may begin on the next line."""
        while index and self._items[index - 1].kind == "newline":
            index -= 1
        return self._items[index - 1] if index else None

    def _pop(self) -> None:
        frame = self._closed = self._frames.pop()
        if frame.image is not None:
            self._uses.append(_Use(frame.image, "jenkins.agent.docker", frame.registry))

    def _word(self, index: int, token: Token) -> None:
        if _IMAGE.fullmatch(token.text) and self._is_mark(index + 1, "("):
            is_build = token.text.endswith("build")
            self._use(index + 2, f"jenkins.docker.{'build' if is_build else 'image'}", is_built=is_build)
        elif token.text == "image" and self._is_mark(index + 1, ":"):
            if self._frames[-1].name == "containerTemplate":
                self._use(index + 2, "jenkins.containerTemplate")
            elif self._frames[-1].name == "docker" and self._outer() == "agent":
                self._frames[-1].image = self._written(index + 2)
        elif token.text == "yaml":
            self._yaml(index)
        elif self._is_statement(index):
            self._statement(index, token)

    def _statement(self, index: int, token: Token) -> None:
        """Read a setting of a declarative block: ``name value`` or ``name(value)``."""
        if index + 1 == len(self._items) or self._items[index + 1].kind == "newline":
            return
        frame = self._frames[-1]
        value = index + 2 if self._is_mark(index + 1, "(") else index + 1
        if token.text == "docker" and frame.name == "agent":
            if not self._is_mark(index + 1, "{") and not self._is_named(value):
                self._use(value, "jenkins.agent.docker")
            elif self._is_named(value) and value == index + 1 and self._items[value].text == "image":
                self._use(value + 2, "jenkins.agent.docker")
        elif frame.name == "docker" and self._outer() == "agent":
            if token.text == "image":
                frame.image = self._written(value)
            elif token.text == "registryUrl":
                frame.registry = self._registry(value)
        elif frame.name == "containerTemplate" and token.text == "image":
            self._use(value, "jenkins.containerTemplate")

    def _outer(self) -> str:
        return self._frames[-2].name if len(self._frames) > 1 else ""

    def _is_named(self, index: int) -> bool:
        return self._is_mark(index + 1, ":")

    def _is_mark(self, index: int, mark: str) -> bool:
        return index < len(self._items) and self._items[index].kind == "mark" and self._items[index].text == mark

    def _is_statement(self, index: int) -> bool:
        before = self._items[index - 1] if index else None
        return before is None or before.kind == "newline" or (before.kind == "mark" and before.text in "{};")

    def _use(self, index: int, construct: str, *, is_built: bool = False) -> None:
        written = self._written(index)
        if written is not None:
            registry = self._frames[-1].registry if construct == "jenkins.docker.image" else ""
            self._uses.append(_Use(written, construct, registry, is_built))

    def _expression(self, index: int) -> list[Token]:
        """Return the tokens of an expression, up to a comma, the end of the line or of what it is in."""
        depth = 0
        part: list[Token] = []
        for token in self._items[index : index + _LONGEST]:
            if token.kind == "newline" and not depth and part:
                break
            if token.kind == "mark":
                depth += (token.text in "([{") - (token.text in ")]}")
                if depth < 0 or (not depth and token.text in ",;"):
                    break
            if token.kind != "newline":
                part.append(token)
        return part

    def _written(self, index: int) -> Written | None:
        part = self._expression(index)
        if not part:
            return None
        first = part[0]
        if len(part) == 1 and first.is_string:
            start = first.start + first.quotes
            if first.kind == "gstring":
                return Written(first.text, start, None, "the value of its variable is not known here")
            is_split = "\\" in first.text or "\n" in first.text
            value = re.sub(r"\\(.)", r"\1", first.text) if is_split else first.text
            return Written(first.text, start, value, None, SPLIT if is_split else "")
        text = self._text[first.start : part[-1].end]
        return Written(text, first.start, None, "the value of its expression is not known here")

    def _registry(self, index: int) -> str | None:
        """Return the host of a registry's URL, nothing where it is empty, or None where it is not known."""
        part = self._expression(index)
        if len(part) == 1 and part[0].kind == "string":
            found = _URL.fullmatch(part[0].text)
            return found[1] if found is not None else None
        return None

    def _yaml(self, index: int) -> None:
        """Find the images of a pod: ``yaml '''…'''`` in ``kubernetes``, or ``podTemplate(yaml: '''…''')``."""
        if self._frames[-1].name not in {"kubernetes", "podTemplate"}:
            return
        value = index + 1
        while value < len(self._items) and value < index + 3 and self._items[value].text in {":", "("}:
            value += 1
        token = self._items[value] if value < len(self._items) else None
        if token is not None and token.is_string:
            self._uses.extend(_pod_images(token))


def _pod_images(token: Token) -> Iterator[_Use]:
    for found in _YAML_IMAGE.finditer(token.text):
        image = found["image"]
        is_known = token.kind == "string" or "$" not in image
        reason = None if is_known else "the value of its variable is not known here"
        start = token.start + token.quotes + found.start("image")
        fixed = SPLIT if "\\" in image else ""
        yield _Use(Written(image, start, image if is_known else None, reason, fixed), "jenkins.kubernetes.yaml")


def _qualified(written: Written, registry: str | None) -> Written:
    """Put the host of a registry before an image, as the plugin does."""
    if registry is None and written.resolved is not None:
        return written._replace(resolved=None, reason=_UNKNOWN_REGISTRY)
    if not registry or written.resolved is None or written.resolved.startswith(f"{registry}/"):
        return written
    return written._replace(resolved=f"{registry}/{written.resolved}")
