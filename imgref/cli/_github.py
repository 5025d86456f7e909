"""What GitHub Actions reads: the file of step outputs, annotations in the log, and the job summary."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imgref._utils.workflow_commands import workflow_command
from imgref.cli import _console
from imgref.cli._job_summary import append_summary

if TYPE_CHECKING:
    from imgref.cli.tags._formats import Printed
    from imgref.tags import HeldTag

__all__ = ["tell_held_in_actions", "write_github"]


def write_github(printed: Printed, bake_target: str) -> tuple[str, list[str]]:
    """Append a plan to the file of step outputs, and return its path and the names of the outputs.

    https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions#setting-an-output-parameter
    """
    path = os.environ.get("GITHUB_OUTPUT")
    if not path:
        raise click.UsageError("--format github writes to the file that GITHUB_OUTPUT names, which is not set")
    import json

    from imgref.cli.tags._formats import bake_file, on_one_line, plain_pairs

    version, *names = on_one_line([printed.plan.version, *printed.names])
    outputs = {"version": version, "tags": "\n".join(names)}
    labels, _, typed = printed.metadata
    if labels:
        outputs["labels"] = _list_of(on_one_line(plain_pairs(labels, typed)))
        outputs["annotations"] = _list_of(on_one_line(plain_pairs(printed.metadata.levelled, typed, warned=labels)))
    outputs["json"] = json.dumps(printed.to_dict())
    if labels:
        bake = json.dumps(bake_file(printed, bake_target), indent=2)
        _append(path, outputs)
        outputs = {**outputs, "bake-file": _write_bake_file(bake)}
        _append(path, {"bake-file": outputs["bake-file"]})
    else:
        _append(path, outputs)
    return path, list(outputs)


def _list_of(pairs: Iterable[str]) -> str:
    """Return a list as the inputs of Docker's actions are read: CSV, in which a quote may begin a field."""
    return "\n".join('"{}"'.format(pair.replace('"', '""')) if '"' in pair else pair for pair in pairs)


def _write_bake_file(content: str) -> str:
    from tempfile import mkstemp

    handle, name = mkstemp(".json", "imgref-bake-", os.environ.get("RUNNER_TEMP") or None)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(content + "\n")
    return name


def _append(path: str, outputs: Mapping[str, str]) -> None:
    text = ""
    for name, value in outputs.items():
        delimiter = f"imgref_{os.urandom(16).hex()}"
        text += f"{name}<<{delimiter}\n{value}\n{delimiter}\n"
    with Path(path).open("a+b") as file:
        if file.seek(0, os.SEEK_END) and (file.seek(-1, os.SEEK_END), file.read())[1] != b"\n":
            text = "\n" + text
        file.write(text.encode())


def tell_held_in_actions(held: Iterable[HeldTag]) -> None:
    """Report held tags as notices and in the job summary, if GitHub Actions runs this.

    https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
    """
    held = list(held)
    if os.environ.get("GITHUB_ACTIONS") != "true" or not held:
        return
    for each in held:
        message = f"{each.tag} is not moved: {each.because} is newer"
        _console.note(workflow_command("notice", {"title": "imgref"}, message))
    rows = "".join(f"| {_cell(each.tag)} | {_cell(each.because)} |\n" for each in held)
    try:
        append_summary(f"\n| tag that is not moved | newer version |\n|---|---|\n{rows}\n")
    except OSError as error:
        _console.warn(f"the job summary cannot be written: {error.filename}: {error.strerror}")


def _cell(text: str) -> str:
    """Return a name as code in a cell of a table; what could end either is replaced."""
    plain = re.sub(r"[`|\\\x00-\x1f\x7f-\x9f\u2028\u2029]", "?", text)
    return f"`{plain}`"
