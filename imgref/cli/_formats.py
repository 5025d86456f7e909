"""What a tag plan looks like to the tool that takes it: plain lines, arguments, a bake file, a CI's own files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import click

from imgref.cli import _console
from imgref.reference import ImageReference
from imgref.tags import TagPlan

__all__ = ["LABEL_STYLES", "STYLES", "Printed", "write_github", "write_labels", "write_plan"]

STYLES: Final = ("lines", "csv", "args", "json", "bake", "github", "dotenv", "table")
LABEL_STYLES: Final = ("lines", "args", "json", "bake")

_PLAIN_WORD: Final = r"[A-Za-z0-9_@%+=:,./-]+"
"""A word that a shell takes as it is, also where it splits and expands an unquoted ``$(…)``."""

_CONTROL: Final = r"[\x00-\x1f\x7f-\x9f\u2028\u2029]"
"""Line breaks of any kind, and other control characters."""


class Printed(NamedTuple):
    """A plan with the repositories that it is for; without any, its bare tags are printed."""

    plan: TagPlan
    images: tuple[ImageReference, ...]

    @property
    def references(self) -> list[str]:
        """Every tag in every repository."""
        return [str(image.with_tag(tag)) for image in self.images for tag in self.plan.tags]

    @property
    def names(self) -> list[str]:
        """What is printed: references where there are repositories, else tags."""
        return self.references if self.images else list(self.plan.tags)

    def to_dict(self) -> dict[str, object]:
        """Return the plan as ``--format json`` prints it."""
        plan = self.plan
        return {
            "version": plan.version,
            "scheme": plan.scheme,
            "prerelease": plan.prerelease,
            "tags": list(plan.tags),
            "held": [{"tag": held.tag, "because": held.because} for held in plan.held],
            "references": self.references,
            "existing": [{"source": source.source, "count": source.versions} for source in plan.existing],
        }


def write_plan(printed: Printed, style: str, bake_target: str) -> None:
    """Write a plan to stdout, in any of the styles but table and github."""
    names = printed.names
    if style == "json":
        _console.say_json(printed.to_dict())
    elif style == "csv":
        _console.say(",".join(_on_one_line(names)))
    elif style == "args":
        _console.say(_arguments("-t", names))
    elif style == "bake":
        _console.say_json(_bake(bake_target, "tags", names), indent=2)
    elif style == "dotenv":
        variables = {
            "IMGREF_VERSION": printed.plan.version,
            "IMGREF_TAGS": ",".join(printed.plan.tags),
            "IMGREF_REFERENCES": ",".join(printed.references),
        }
        _console.say("\n".join(_on_one_line(f"{name}={value}" for name, value in variables.items())))
    else:
        _console.say("\n".join(_on_one_line(names)))


def write_labels(labels: Mapping[str, str], style: str, bake_target: str) -> None:
    """Write labels to stdout, in one of ``LABEL_STYLES``."""
    if style == "json":
        _console.say_json(labels)
    elif style == "args":
        _console.say(_arguments("--label", [f"{key}={value}" for key, value in labels.items()]))
    elif style == "bake":
        _console.say_json(_bake(bake_target, "labels", labels), indent=2)
    else:
        _console.say("\n".join(_on_one_line(f"{key}={value}" for key, value in labels.items())))


def _on_one_line(values: Iterable[str]) -> list[str]:
    """Return the values, none of which a reader of lines may take for two.

    Raises:
        UsageError: one of them contains a line break or another control character.
    """
    values = list(values)
    for value in values:
        if re.search(_CONTROL, value):
            raise click.UsageError(f"{value!r} contains a line break or a control character; use --format json or bake")
    return values


def _arguments(option: str, values: list[str]) -> str:
    for value in values:
        if not re.fullmatch(_PLAIN_WORD, value, re.ASCII):
            raise click.UsageError(f"{value!r} would need quotes, which $(…) does not take; use --format bake")
    return " ".join(f"{option} {value}" for value in values)


def _bake(target: str, field: str, value: list[str] | Mapping[str, str]) -> dict[str, object]:
    # https://docs.docker.com/build/bake/reference/ - bake expands variables in strings, as in ${GITHUB_TOKEN}.
    if not re.fullmatch(r"[A-Za-z0-9_-]+", target, re.ASCII):
        raise click.UsageError(f"--bake-target: {target!r} is not a valid target name: use letters, digits, _ and -")
    escaped = (
        [_bake_literal(text) for text in value]
        if isinstance(value, list)
        else {key: _bake_literal(text) for key, text in value.items()}
    )
    return {"target": {target: {field: escaped}}}


def _bake_literal(text: str) -> str:
    return text.replace("${", "$${").replace("%{", "%%{")


def write_github(printed: Printed) -> str:
    """Append a plan to the file of step outputs, and give its path.

    https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions#setting-an-output-parameter
    """
    path = os.environ.get("GITHUB_OUTPUT")
    if not path:
        raise click.UsageError("--format github writes to the file that GITHUB_OUTPUT names, which is not set")
    import json

    version, *names = _on_one_line([printed.plan.version, *printed.names])
    outputs = {"version": version, "tags": "\n".join(names), "json": json.dumps(printed.to_dict())}
    text = ""
    for name, value in outputs.items():
        delimiter = f"imgref_{os.urandom(16).hex()}"
        text += f"{name}<<{delimiter}\n{value}\n{delimiter}\n"
    from pathlib import Path

    with Path(path).open("a+b") as file:
        if file.seek(0, os.SEEK_END) and (file.seek(-1, os.SEEK_END), file.read())[1] != b"\n":
            text = "\n" + text
        file.write(text.encode())
    return path
