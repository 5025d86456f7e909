"""JSON in heredocs: container definitions that Terraform passes on as strings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from imgref.sources.hcl.nodes import Template
from imgref.sources.hcl.parser import parse_template
from imgref.sources.jsonc import document as jsonc

__all__ = ["heredoc_images"]

_EXPRESSION: Final = re.compile(r"\$\{[^{}]*+(?:\{[^{}]*+\}[^{}]*+)*+\}")


def heredoc_images(text: str, start: int, end: int) -> Iterator[Template]:
    """Yield the values of ``image`` in a list of container definitions, or in one, as templates of the file.

    Args:
        text: the content of the file.
        start: where the content of the heredoc begins.
        end: where it ends, with the line of its marker.
    """
    content = text[start : text.rfind("\n", start, end) + 1]
    # Expressions are substituted before JSON is parsed, and may be where JSON has no strings.
    masked = _EXPRESSION.sub(lambda found: "0" * len(found[0]), content)
    waiting = [jsonc.parse(masked).root]
    while waiting:
        value = waiting.pop()
        if isinstance(value, jsonc.Array):
            waiting.extend(value.items)
        elif isinstance(value, jsonc.Object):
            image = value.get("image")
            if isinstance(image, jsonc.Text):
                yield parse_template(text, start + image.start + 1, start + image.end - 1)
