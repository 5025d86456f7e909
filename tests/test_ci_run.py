"""The stages and background jobs of ``.ci/run``: what fails there fails the run, and says why."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from vectors import ROOT, clean_environ


def run_jobs(script: str, work: Path) -> subprocess.CompletedProcess[str]:
    """Run a script that begins as ``.ci/run`` does."""
    start = "set -euo pipefail; . .ci/jobs; trap stop EXIT\n"
    environ = clean_environ(work=str(work))
    return subprocess.run(
        ["bash", "-c", start + script], cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60
    )


def test_stage_prints_its_name_its_output_and_its_seconds(tmp_path: Path) -> None:
    ended = run_jobs("stage 'the name' echo output", tmp_path)
    assert (ended.returncode, ended.stdout) == (0, "\n== the name\noutput\n")
    assert ended.stderr.startswith("-- 0m0s (CPU: 0 s + 0 s)")


@pytest.mark.parametrize("run", ["stage name work", "start name work; finish name", "stage name work | tee /dev/null"])
def test_command_that_fails_in_the_middle_of_a_function_fails_the_run(run: str, tmp_path: Path) -> None:
    ended = run_jobs("work() { echo before; false; echo after; }; " + run + "; echo beyond", tmp_path)
    assert ended.returncode == 1
    assert "before" in ended.stdout
    assert "after" not in ended.stdout
    assert "beyond" not in ended.stdout


def test_output_of_a_job_is_printed_where_it_is_finished(tmp_path: Path) -> None:
    script = "work() { echo '7 passed in 1.0s'; echo error >&2; }; start name work; echo meanwhile; finish name"
    lines = run_jobs(script, tmp_path).stdout.splitlines()
    assert lines[:5] == ["meanwhile", "", "== name (started before)", "7 passed in 1.0s", "error"]
    assert lines[5].startswith("-- 0m")


def test_job_that_is_not_finished_ends_with_the_run(tmp_path: Path) -> None:
    script = 'work() { sh -c "echo \\$\\$; exec sleep 600"; }; start name work; '
    script += "until [ -s $work/name.log ]; do :; done; false"
    assert run_jobs(script, tmp_path).returncode == 1
    command = Path("/proc", (tmp_path / "name.log").read_text().split()[0], "cmdline")
    deadline = time.monotonic() + 30
    # A process that has ended, and that nobody has waited for, is still there, but without its words.
    while command.exists() and command.read_bytes():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_run_shows_the_closing_line_of_the_tests() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert 'bash -euc "$(readme_block 2)" | tee "$work/tests.log"\n' in script
    assert "grep -E '[0-9]+ passed' \"$work/$log.log\"" in script
    blocks = (ROOT / "README.md").read_text(encoding="utf-8").split("```sh\n")[1:3]
    assert blocks[1].startswith("python3 -m venv .venv && ")
    assert " -m pytest --quiet " in blocks[1]
