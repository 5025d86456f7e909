"""A program that uses the public API passes strict type checkers, its mistakes do not, and it does what it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from consumer import program
from vectors import ROOT

from imgref import read_version

PROGRAM = Path(program.__file__)
WRONG = """import imgref
from imgref.check import check_path  # wrong
from imgref.registry import RegistryClients  # wrong

ref = imgref.parse("app")
ref.with_digest(None)  # wrong
ref.tag = "1"  # wrong
imgref.pars("app")  # wrong
imgref.Repository("ghcr.io", "app").tag(None)  # wrong
print(ref < "app")  # wrong
print(imgref.read_version("1") < 2)  # wrong
"""
WRONG_LINES = {number for number, line in enumerate(WRONG.splitlines(), 1) if line.endswith("# wrong")}


Errors = dict[str, set[int]]
"""The lines with errors of each file, by its name."""


def mypy_errors(*paths: Path) -> Errors:
    """Run mypy --strict without the settings of this project."""
    cache = ROOT / ".mypy_cache" / "consumer"
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(cache), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=paths[-1].parent)
    assert done.returncode in {0, 1}, done.stdout + done.stderr
    errors: Errors = {path.name: set() for path in paths}
    for name, line in re.findall(r"^(.+?):(\d+): error:", done.stdout, re.MULTILINE):
        errors[Path(name).name].add(int(line))
    return errors


def pyright_errors(*paths: Path) -> Errors:
    """Run pyright in its strict mode."""
    settings = paths[-1].with_name("pyrightconfig.json")
    settings.write_text(json.dumps({"include": [*map(str, paths)], "typeCheckingMode": "strict"}), encoding="utf-8")
    program = Path(sys.executable).with_name("basedpyright")
    if not program.exists():
        pytest.skip("basedpyright is not installed")
    command = [str(program), "--pythonpath", sys.executable, "--project", str(settings), "--outputjson"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=settings.parent)
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] == len(paths)
    errors: Errors = {path.name: set() for path in paths}
    for item in found["generalDiagnostics"]:
        errors[Path(item["file"]).name].add(item["range"]["start"]["line"] + 1)
    return errors


@pytest.mark.parametrize("errors", [mypy_errors, pyright_errors])
def test_type_checkers_accept_the_program_and_report_every_mistake(
    errors: Callable[[Path, Path], Errors], tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(WRONG, encoding="utf-8")
    assert errors(PROGRAM, wrong) == {PROGRAM.name: set(), wrong.name: WRONG_LINES}


def test_references_and_versions_of_the_program() -> None:
    described = program.describe("acme/app:1")
    assert described["found"] == "acme/app"
    assert described["first"] == "acme/app:1"
    assert program.newest(["1.9.0", "1.10.0", "2.0.0"], ">=1,<2") == read_version("1.10.0")
    assert program.newest([], ">=1") is None
    assert program.plan("1.10.0", ["1.9.0-alpine"]) == ("1.10.0-alpine", "1.10-alpine", "1-alpine", "alpine")
    assert program.build_tags({}) == ()
    assert program.build_tags({"GITLAB_CI": "true", "CI_COMMIT_TAG": "v2.1.3"})[0] == "2.1.3"
    assert program.errors("Acme/App") == "App: " + program.errors("Acme/App").partition(": ")[2]


def test_the_check_of_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM redis\nFROM Acme/App\n", encoding="utf-8")
    (first, second) = program.check_tree(tmp_path).splitlines()
    assert first.startswith("Dockerfile:1:6 IMG101 ")
    assert second.startswith("Dockerfile:2:6 IMG105 ")
