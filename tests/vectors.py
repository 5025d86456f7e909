"""Reading the tables in tests/data, and running the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NamedTuple

import fork_server
from isolation.environment import kept
from output_schemas import hold_to_schema

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests" / "data"


def rows(name: str) -> list[dict[str, Any]]:
    """Return the objects of a JSON-lines table."""
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


def clean_environ(**extra: str) -> dict[str, str]:
    """Return an environment in which no CI, no settings and no colours are told, but those given."""
    return {**kept(os.environ), "NO_COLOR": "1", **extra}


class Done(NamedTuple):
    """What a command left behind."""

    stdout: str
    stderr: str
    exit: int


def imgref(
    *arguments: str, stdin: str | bytes | None = "", cwd: Path | None = None, environ: dict[str, str] | None = None,
    user: int | None = None,
) -> Done:  # fmt: skip
    """Run ``imgref`` as a process of its own, perhaps as another user, or with its standard input closed (None)."""
    data = stdin.encode("utf-8", "surrogateescape") if isinstance(stdin, str) else stdin
    code, out, err = execute(arguments, data, cwd or DATA, clean_environ() if environ is None else environ, user)
    printed = out.decode("utf-8", "surrogateescape")
    hold_to_schema(arguments, printed)
    return Done(printed, err.decode("utf-8", "replace"), code)


def execute(
    arguments: tuple[str, ...], data: bytes | None, cwd: Path, environ: dict[str, str], user: int | None = None
) -> tuple[int, bytes, bytes]:
    """Run ``imgref`` in a forked process, unless the environment needs a start of its own; return code and output."""
    if fork_server.starts_anew(environ):
        command = [sys.executable, "-m", "imgref", *arguments]
        done = subprocess.run(
            command,
            input=data,
            capture_output=True,
            check=False,
            cwd=cwd,
            env=environ,
            user=user,
            timeout=fork_server.TIMEOUT,
        )
        return done.returncode, done.stdout, done.stderr
    with fork_server.standard_input(data or b"") as stdin, TemporaryFile() as stdout, TemporaryFile() as stderr:
        streams = (None if data is None else stdin, stdout.fileno(), stderr.fileno())
        code = fork_server.run_forked(arguments, streams, cwd=cwd, environ=environ, user=user)
        stdout.seek(0)
        stderr.seek(0)
        return code, stdout.read(), stderr.read()
