"""Commands as data: what goes in, and what comes out on stdout and stderr, with which exit code.

The tables are tests/data/commands/*.toml; a case is skipped without the programs it `needs`. `files` are written
first, `environ` is added to an environment in which nothing of a CI is told, and in `github` tables `output` is what
stands in the file of step outputs afterwards.
"""

from __future__ import annotations

import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from isolation.environment import require
from vectors import DATA, clean_environ, imgref

CASES = [
    pytest.param(case, id=f"{table.stem}: {case['name']}")
    for table in sorted((DATA / "commands").glob("*.toml"))
    for case in tomllib.loads(table.read_text(encoding="utf-8"))["case"]
]


@pytest.mark.parametrize("case", CASES)
def test_command(case: dict[str, Any], tmp_path: Path) -> None:
    for program in case.get("needs", []):
        require(program)
    for name, content in case.get("files", {}).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    program, *arguments = shlex.split(case["run"])
    assert program == "imgref"
    done = imgref(
        *arguments,
        stdin=case.get("stdin", ""),
        cwd=tmp_path,
        environ=clean_environ(**{"SOURCE_DATE_EPOCH": "1700000000", **case.get("environ", {})}),
    )
    assert done._asdict() == {"stdout": case["stdout"], "stderr": case["stderr"], "exit": case["exit"]}
