"""A command in a forked process does what one does that is started, which the other tests rely on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile

import pytest
from fork_server import FIRST, run_forked, standard_input, starts_anew, write_program
from vectors import Done, clean_environ, imgref

COMMANDS = [
    (["--version"], b""),
    (["parse", "nginx", "--format", "json"], b""),
    (["parse", "Nginx"], b""),
    (["parse", "-"], b"nginx\r\n" * 12_000 + b"\xff\n"),
    (["slug"], b""),
    (["slug", "-"], b"Feature/X\n"),
    (["tags", "1.2.3", "--existing", "-"], b"1.3.0\n"),
    (["check", "--format", "json", "."], b""),
    (["check", "-"], b"FROM nginx\n"),
    (["ls", "registry.invalid/a b"], b""),
    (["login", "registry.invalid", "--username", "ada"], b""),
    (["nonsense"], b""),
]


def started(arguments: list[str], data: bytes, where: Path, environ: dict[str, str]) -> Done:
    command = [sys.executable, "-m", "imgref", *arguments]
    done = subprocess.run(command, input=data, capture_output=True, cwd=where, env=environ, check=False)
    return Done(done.stdout.decode("utf-8", "surrogateescape"), done.stderr.decode(), done.returncode)


@pytest.mark.parametrize(("arguments", "data"), COMMANDS)
def test_forked_command_prints_and_exits_as_a_started_one(arguments: list[str], data: bytes, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM nginx\nFROM Ubuntu\n")
    (tmp_path / ".imgref.toml").write_text('[check]\nignore = ["IMG101"]\n')
    environ = clean_environ(COLUMNS="40", GITHUB_ACTIONS="true")
    assert not starts_anew(environ)
    assert imgref(*arguments, stdin=data, cwd=tmp_path, environ=environ) == started(arguments, data, tmp_path, environ)


def test_forked_command_has_only_the_passed_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITLAB_CI", "true")
    assert imgref("ci", environ=clean_environ()).exit == 2
    assert imgref("ci", environ=clean_environ(GITLAB_CI="true", CI_COMMIT_TAG="v1")).exit == 0
    assert imgref("ci", environ=clean_environ()).exit == 2


@pytest.mark.parametrize(
    ("environ", "anew"),
    [({}, False), ({"HOME": "/"}, False), ({"PYTHONIOENCODING": "ascii"}, True), ({"LC_ALL": "C"}, True)],
)
def test_command_restarts_where_the_interpreter_reads_the_environment(environ: dict[str, str], anew: bool) -> None:
    assert starts_anew(clean_environ(**environ)) is anew


def test_command_restarts_without_a_variable_that_the_server_had() -> None:
    environ = clean_environ()
    kept = {name: value for name, value in environ.items() if not name.startswith(("PYTHON", "LANG"))}
    assert starts_anew(kept) is (kept != environ)


def test_forked_command_runs_statements_before_that_it_does_not_see() -> None:
    first = "import imgref.cli.main as main, os; main.COMMANDS['slug'] = str(os.environ.get('IMGREF_TEST_FIRST'))"
    assert "None" in imgref("--help", environ=clean_environ(**{FIRST: first})).stdout
    assert "None" not in imgref("--help").stdout


@pytest.mark.parametrize("size", [0, 1, 1 << 16, (1 << 16) + 1, 1 << 20])
def test_standard_input_has_all_bytes_and_an_end(size: int) -> None:
    with standard_input(b"a" * size) as reading, open(os.dup(reading), "rb") as file:
        assert file.read() == b"a" * size


def test_standard_input_that_is_not_read_to_its_end_is_not_an_error() -> None:
    with standard_input(b"a" * (1 << 20)) as reading:
        assert os.read(reading, 1) == b"a"


def test_forked_command_may_have_closed_streams(tmp_path: Path) -> None:
    with TemporaryFile() as stderr:
        streams = (None, None, stderr.fileno())
        code = run_forked(["check", "-"], streams, cwd=tmp_path, environ=clean_environ())
        stderr.seek(0)
        assert code == 2
        assert stderr.read().startswith(b"error: <stdin>: the kind of this file is unknown")


def test_program_on_path_runs_where_it_is_called(tmp_path: Path) -> None:
    write_program(tmp_path / "imgref")
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "Dockerfile").write_text("FROM nginx\n")
    script = 'cd here && printf nginx | imgref parse - && imgref check --format "concise"'
    environ = clean_environ(PATH=f"{tmp_path}:{os.environ['PATH']}")
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("docker.io/library/nginx:latest\nDockerfile:1:6: IMG101 ")
    assert done.returncode == 1
