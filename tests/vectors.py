"""Reading the tables in tests/data, and running the command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from isolation.environment import kept
from output_schemas import hold_to_schema

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parent.parent


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
    *arguments: str, stdin: str | bytes = "", cwd: Path | None = None, environ: dict[str, str] | None = None
) -> Done:
    """Run ``imgref`` as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "imgref", *arguments],
        input=stdin if isinstance(stdin, bytes) else stdin.encode("utf-8", "surrogateescape"),
        capture_output=True,
        check=False,
        cwd=cwd or ROOT / "tests" / "data",
        env=clean_environ() if environ is None else environ,
        timeout=120,
    )
    printed = done.stdout.decode("utf-8", "surrogateescape")
    hold_to_schema(arguments, printed)
    return Done(printed, done.stderr.decode("utf-8", "replace"), done.returncode)
