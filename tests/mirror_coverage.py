"""Measures the rows of data/mirror.toml: ``python tests/mirror_coverage.py [TEST...]``; it is run by hand.

For each row it runs the named test file, and prints the modules of the row of which it executes less than 90 % of the
lines. Commands that a test starts are measured, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Final

from vectors import DATA, ROOT

LEAST: Final = 90.0
SETTINGS: Final = """\
[run]
source = imgref
parallel = true
patch = subprocess, fork, _exit

[report]
exclude_also =
    if TYPE_CHECKING:

[json]
output = {folder}/report.json
"""


def measured(test: str, folder: Path) -> dict[str, float]:
    """Return how much of each module a test file executes, in percent of its lines."""
    settings = folder / "coveragerc"
    settings.write_text(SETTINGS.format(folder=folder))
    environ = {**os.environ, "COVERAGE_FILE": str(folder / "data"), "COVERAGE_RCFILE": str(settings)}

    def coverage(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "coverage", *arguments]
        return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)

    done = coverage("run", "-m", "pytest", "-q", "-p", "no:cacheprovider", test)
    if done.returncode != 0:
        raise SystemExit(f"{test} fails:\n{done.stdout[-2000:]}")
    coverage("combine").check_returncode()
    coverage("json").check_returncode()
    files = json.loads((folder / "report.json").read_text(encoding="utf-8"))["files"]
    totals = {name: one["summary"] for name, one in files.items()}
    return {name: 100 * one["covered_lines"] / (one["num_statements"] or 1) for name, one in totals.items()}


def main(wanted: list[str]) -> int:
    """Measure all rows, or those of the test files that are named; return 1 if a row is wrong."""
    wrong = 0
    rows = tomllib.loads((DATA / "mirror.toml").read_text(encoding="utf-8"))
    for test in wanted or list(rows):
        with tempfile.TemporaryDirectory() as folder:
            found = measured(test, Path(folder))
        for module in rows[test]:
            percent = found.get(f"imgref/{module.replace('.', '/')}.py", 0.0)
            if percent < LEAST:
                wrong += 1
                print(f"{test}: {percent:.0f} % of {module}", flush=True)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
