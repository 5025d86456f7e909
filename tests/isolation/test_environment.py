"""The isolation of tests from the developer's environment, and what becomes of tests that lack a program."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from isolation.environment import isolated_environ, require
from isolation.hostile import hostile_environ
from vectors import ROOT


def test_isolated_environ_of_hostile_variables_keeps_only_the_path(tmp_path: Path) -> None:
    hostile = hostile_environ(tmp_path / "hostile")
    isolated = isolated_environ(hostile, tmp_path)
    assert isolated == {
        "PATH": hostile["PATH"],
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def test_environ_of_a_test_has_a_home_in_the_temporary_directory(tmp_path_factory: pytest.TempPathFactory) -> None:
    assert os.environ["HOME"] == str(tmp_path_factory.getbasetemp() / "home")
    assert not [name for name in os.environ if name.startswith(("XDG_", "CI", "GITHUB_", "DOCKER_")) or "PROXY" in name]


def test_missing_program_skips_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.skip.Exception, match="git is not installed"):
        require("git")


def test_missing_git_fails_a_test_in_ci(tmp_path: Path) -> None:
    where = ("tests/sources/test_walk.py::test_a_tree_cannot_have_anything_run", f"--basetemp={tmp_path / 'base'}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--assert=plain", *where]
    environ = {**os.environ, "PATH": str(tmp_path), "CI": "true"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert (done.returncode, "git is not installed" in done.stdout) == (1, True), done.stdout
