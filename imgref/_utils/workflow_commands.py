"""Workflow commands, by which a program adds annotations in GitHub Actions.

https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["workflow_command"]

_MESSAGE: Final = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY: Final = {**_MESSAGE, ord(":"): "%3A", ord(","): "%2C"}


def workflow_command(name: str, properties: Mapping[str, object], message: str) -> str:
    """Return one workflow command, as a line without its end.

    >>> workflow_command("notice", {"title": "a, b"}, "50 % of all")
    '::notice title=a%2C b::50 %25 of all'
    """
    written = ",".join(f"{key}={str(value).translate(_PROPERTY)}" for key, value in properties.items())
    return f"::{name} {written}::{message.translate(_MESSAGE)}"
