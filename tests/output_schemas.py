"""Holds what commands print as JSON to the published schemas; the helpers of the tests that run commands call it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

import imgref

SCHEMAS = Path(imgref.__file__).parent / "schemas"
SAME_NAME = ("parse", "images", "ci", "ls", "which", "outdated", "inspect", "release", "info", "prune")
SCHEMA_OF = {name: name for name in SAME_NAME} | {
    "pin": "changes",
    "unpin": "changes",
    "update": "changes",
    "push": "transfer",
    "pull": "transfer",
    "copy": "transfer",
    "tag": "transfer",
    "index": "transfer",
}
"""The schema of each command's output, where it has not the name of the command."""

LINES = {"parse", "which", "inspect", "transfer"}
"""Outputs with one object a line."""


@cache
def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8")))


def schema_name(arguments: Sequence[str]) -> str | None:
    """Return the schema of what a command line prints, or None where that is not JSON."""
    given = [*arguments, ""]
    as_json = "--format=json" in given or any(given[at : at + 2] == ["--format", "json"] for at in range(len(given)))
    if not as_json or "--help" in given:
        return None
    if given[0] == "check" or given[0] == "tags":
        special = {"--labels": "labels", "--statistics": "statistics", "--show-references": "references"}
        return next((name for option, name in special.items() if option in given), given[0])
    return SCHEMA_OF.get(given[0])


def documents(name: str, printed: str) -> list[Any]:
    if name not in LINES:
        return [json.loads(printed)]
    try:
        return [json.loads(line) for line in printed.split("\n") if line]
    except json.JSONDecodeError:
        return [json.loads(printed)]  # inspect prints one image over several lines


def hold_to_schema(arguments: Sequence[str], printed: str) -> None:
    """Fail where a command prints JSON that its schema does not describe."""
    name = schema_name(arguments)
    if name is not None and printed.strip():
        for document in documents(name, printed):
            problems = [
                f"{each.json_path}: {each.message}"
                for error in validator(name).iter_errors(document)
                for each in error.context or [error]
            ]
            assert not problems, f"{' '.join(arguments)}: the schema {name} does not describe the output: {problems}"
