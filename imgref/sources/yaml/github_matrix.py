"""The values of a GitHub matrix behind an image such as ``${{ matrix.image }}``, and the defaults of inputs.

https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/run-job-variations
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from imgref.sources.target import Target
from imgref.sources.yaml.collector import is_empty, role_of
from imgref.sources.yaml.document import Mapping, Node, Scalar, Sequence

if TYPE_CHECKING:
    from imgref.sources.yaml.collector import Found

__all__ = ["Expressions"]

_EXPRESSION: Final = re.compile(
    r"\$\{\{[ \t]*+(matrix|inputs)((?:\.[A-Za-z_][A-Za-z0-9_-]*+|\['[^'\]]++'\])++)[ \t]*+\}\}"
)
_PART: Final = re.compile(r"\.([A-Za-z_][A-Za-z0-9_-]*+)|\['([^'\]]++)'\]")
_INTEGER: Final = re.compile(r"0|[1-9][0-9]*")
_FRACTION: Final = re.compile(r"((?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?)\.?0*")
_LENGTH: Final = 512
"""The longest value that is followed; hardly any reference is longer."""

_EFFORT: Final = 100_000
"""How many values of matrices are looked at in one file."""

_USED_ELSEWHERE: Final = "a matrix selects its jobs by this value, and may use it for something else too"
_INPUT: Final = "the default of an input holds it or a part of it"


class Expressions:
    """Follows the expressions in the images of one workflow or action.

    Args:
        document: the workflow or action.
        found: what was found so far.
    """

    def __init__(self, document: Mapping, found: Found) -> None:
        self._found = found
        self._inputs = _defaults(document)
        self._effort = iter(range(_EFFORT))

    def image(self, node: Node, job: Mapping, construct: str) -> None:
        """Add the values that an image has through an expression.

        Args:
            node: the image, or a mapping that has it.
            job: the job of the image, with its matrix.
            construct: where the image is.
        """
        if not isinstance(node, Scalar) or "${{" not in node.value or node.is_block or len(node.value) > _LENGTH:
            return
        match = _EXPRESSION.search(node.value)
        if match is None or node.value.count("${{") > 1:
            return
        before, after = node.value[: match.start()], node.value[match.end() :]
        path = [part[0] or part[1] for part in _PART.findall(match[2])]
        if match[1] == "inputs":
            self._input(node, construct)
            return
        for value in self._values(job, path):
            self._entry(value, before, after, f"matrix.{'.'.join(path)}")

    def _input(self, node: Scalar, construct: str) -> None:
        text = self._with_inputs(node.value)
        if text:
            target = Target(fixed=_INPUT)
            self._found.add(node, construct, text.removeprefix("docker://"), role_of(text), target=target)

    def _with_inputs(self, text: str) -> str | None:
        """Return a string with the defaults of inputs substituted, or None if it has any other expression."""

        def value(match: re.Match[str]) -> str:
            parts = [part[0] or part[1] for part in _PART.findall(match[2])]
            default = self._inputs.get(parts[0]) if match[1] == "inputs" and len(parts) == 1 else None
            return match[0] if default is None else default

        text = _EXPRESSION.sub(value, text)
        return None if "${{" in text else text

    def _values(self, job: Mapping, path: list[str]) -> Iterator[Node]:
        """Yield the values that a matrix has at a path: those of its list, and of its ``include``."""
        strategy = job.get("strategy")
        matrix = strategy.get("matrix") if isinstance(strategy, Mapping) else None
        if not isinstance(matrix, Mapping) or not path:
            return
        lists = [matrix.get(path[0])]
        include = matrix.get("include")
        added = include.items if isinstance(include, Sequence) else []
        values = [value for part in lists if isinstance(part, Sequence) for value in part.items]
        for index, value in enumerate((*values, *added)):
            if next(self._effort, None) is None:
                return
            node: Node | None = value
            for key in path[1:] if index < len(values) else path:
                node = node.get(key) if isinstance(node, Mapping) else None
            if isinstance(node, Mapping):
                node = node.get("image")
            if node is not None:
                yield node

    def _entry(self, node: Node, before: str, after: str, construct: str) -> None:
        if not isinstance(node, Scalar) or is_empty(node) or node.is_block or len(node.value) > _LENGTH:
            return
        text = self._with_inputs(node.value if before == after == "" else _shown(node))
        whole = None if text is None else f"{before}{text}{after}".removeprefix("docker://")
        if whole is None:
            self._found.add(node, construct, None, "unresolved", "it is made by an expression")
        elif whole:
            self._found.add(node, construct, whole, role_of(whole), target=Target(fixed=_USED_ELSEWHERE))


def _shown(node: Scalar) -> str:
    """Return a value as GitHub writes it in a string: ``3.10`` without quotes is the number 3.1."""
    if node.is_text or _INTEGER.fullmatch(node.value):
        return node.value
    fraction = _FRACTION.fullmatch(node.value)
    return node.value if fraction is None else fraction[1]


def _defaults(document: Mapping) -> dict[str, str]:
    """Return the defaults of inputs; one that several triggers declare differently has none."""
    events = document.get("on")
    sources = [event for _, event in events.entries()] if isinstance(events, Mapping) else []
    found: dict[str, set[str]] = {}
    for source in (document, *sources):
        inputs = source.get("inputs") if isinstance(source, Mapping) else None
        for name, declared in inputs.entries() if isinstance(inputs, Mapping) else ():
            default = declared.get("default") if isinstance(declared, Mapping) else None
            plain = isinstance(default, Scalar) and not is_empty(default) and len(default.value) <= _LENGTH
            found.setdefault(name, set()).add(default.value if isinstance(default, Scalar) and plain else "")
    return {name: next(iter(values)) for name, values in found.items() if len(values) == 1 and values != {""}}
