"""The environment of a test run: that of a fresh machine, whatever the developer's or the CI system's is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

IN_CI = os.environ.get("CI") == "true"
"""Whether a CI system runs the tests, which has all programs that tests need: a skipped test fails there."""

KEPT = ("PATH", "LANG", "VIRTUAL_ENV", "PYENV_VERSION", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")
"""Variables that choose programs and the package under test."""

REPLACED = ("HOME", "TMPDIR", "GIT_CONFIG_NOSYSTEM")
"""Variables that the isolation sets."""

KEPT_PREFIXES = ("COV_CORE_", "COVERAGE_", "HYPOTHESIS_", "IMGREF_TEST_", "PYTEST_")
"""Variables of the tools that run the tests."""


def kept(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an environment that commands under test may see."""
    names = (*KEPT, *REPLACED)
    return {name: value for name, value in environ.items() if name in names or name.startswith(KEPT_PREFIXES)}


def isolated_environ(environ: Mapping[str, str], world: Path) -> dict[str, str]:
    """Return what is kept of an environment, with a home and a temporary directory in ``world``."""
    replaced = dict(zip(REPLACED, (str(world / "home"), str(world / "tmp"), "1"), strict=True))
    return {**kept(environ), **replaced}


def prepare(world: Path) -> None:
    """Make the directories, and end every search upwards here: for settings of imgref, and for a git repository.

    git ignores an empty ``.git``, and goes on above it; imgref takes it for the top of a repository.
    """
    for name in (".git", "home", "tmp"):
        (world / name).mkdir(exist_ok=True)


def require(program: str) -> str:
    """Return the path of a program; without it, the test is skipped."""
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found
