"""Which files ``imgref check`` and ``imgref images`` read, and by which policies."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from imgref.check.paths import Files, list_files
from imgref.check.policy import Policy
from imgref.check.settings import Policies, read_policy
from imgref.check.tasks import Named, task_for
from imgref.cli import _console
from imgref.cli._check_options import Request
from imgref.config import load_config

if TYPE_CHECKING:
    from datetime import date

__all__ = ["files_of", "policies_of"]

_STDIN: Final = "<stdin>"


def policies_of(request: Request) -> Policies:
    """Return the policy of each directory, as the options choose it."""

    def policy_of(file: Path | None, root: Path | None = None) -> Policy:
        return read_policy(
            load_config(file),
            root=root,
            select=request.select,
            ignore=request.ignore,
            today=_today(),
            enforced=request.enforce is not None,
            online=request.online,
        )

    file = request.config if request.enforce is None else request.enforce
    fixed = None if file is None else policy_of(Path(file), Path.cwd())
    return Policies(policy_of, fixed)


def _today() -> date:
    """Return the local date: an exception expires in the time zone of the check."""
    from datetime import date

    return date.today()


def files_of(request: Request, policies: Policies) -> Files:
    """List the files, standard input included, and what could not be listed."""
    named = Named(request.kind, request.force_exclude)
    paths = [path for path in request.paths or (".",) if path != "-"]
    files = list_files(paths, policies, os.environ, named=named, everything=request.enforce is not None)
    if "-" in request.paths:
        name = request.stdin_filename or _STDIN
        data = b"" if sys.stdin is None else sys.stdin.buffer.read(request.max_size + 1)
        task = task_for(name, policies.number, policies.found, named, data)
        if task is None:
            files.excluded.append(name)
        else:
            files.tasks.append(task)
    for warning in files.warnings:
        _console.warn(warning)
    return files
