"""Runs imgref, and other tools, in a home of their own."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fork_server import FIRST, OF_THE_INTERPRETER
from isolation.environment import kept
from output_schemas import hold_to_schema
from vectors import execute


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
    """A home directory, and the environment for programs that live in it.

    Attributes:
        path: the directory.
        environ: the variables of programs that live here.
        first: Python statements that each ``imgref`` runs before.
    """

    path: Path
    environ: dict[str, str] = field(default_factory=dict)
    first: str = "import warnings; warnings.simplefilter('error')"

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

    def imgref(self, *arguments: str, input: str = "", first: str = "") -> Ran:  # noqa: A002
        """Run ``imgref`` in a forked process, after ``first`` if that is given."""
        environ = {name: value for name, value in self.environ.items() if not name.startswith(OF_THE_INTERPRETER)}
        shared = {name: value for name, value in kept(os.environ).items() if name.startswith(OF_THE_INTERPRETER)}
        environ |= {**shared, FIRST: f"{self.first}\n{first}"}
        code, out, err = execute(arguments, input.encode(), self.path / "work", environ)
        ran = Ran(code, out.decode(errors="replace"), err.decode(), out)
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
