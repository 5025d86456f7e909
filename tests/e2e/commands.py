"""Runs imgref, and other tools, in a home of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from output_schemas import hold_to_schema


@dataclass
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str
    raw: bytes = b""

    @property
    def json(self) -> Any:  # noqa: ANN401
        return json.loads(self.out)


@dataclass
class Home:
    """A home directory, and the environment for programs that live in it."""

    path: Path
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.path / "home").mkdir()
        (self.path / "work").mkdir()
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path / "home"),
            "XDG_RUNTIME_DIR": str(self.path / "run"),
            "PYTHONWARNINGS": "error",
            "PYTHONUTF8": "1",
            "COLUMNS": "200",
        }

    @property
    def docker_config(self) -> Path:
        return self.path / "home" / ".docker" / "config.json"

    def imgref(self, *arguments: str, input: str = "", timeout: float = 60) -> Ran:  # noqa: A002
        ran = self.run(sys.executable, "-m", "imgref", *arguments, input=input, timeout=timeout)
        hold_to_schema(arguments, ran.out)
        return ran

    def run(self, *command: str, input: str = "", timeout: float = 60) -> Ran:  # noqa: A002
        ran = subprocess.run(
            command,
            input=input.encode(),
            capture_output=True,
            env=self.environ,
            cwd=self.path / "work",
            timeout=timeout,
            check=False,
        )
        return Ran(ran.returncode, ran.stdout.decode(errors="replace"), ran.stderr.decode(), ran.stdout)
