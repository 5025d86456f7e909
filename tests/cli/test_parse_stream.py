"""``imgref parse -`` as a stream: prompt, flat in memory, quiet when nobody reads on, and sound on any bytes."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from tempfile import TemporaryFile
from typing import IO

import click
import pytest
from fork_server import run_forked
from hypothesis import given
from hypothesis import strategies as st
from vectors import ROOT, clean_environ, imgref, rows

from imgref.cli.parse import _Batch, _print_all, _printer, _Reader

COMMAND = [sys.executable, "-m", "imgref", "parse", "-"]


def start() -> tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes], IO[bytes]]:
    pipe = subprocess.PIPE
    process = subprocess.Popen(COMMAND, env=clean_environ(), stdin=pipe, stdout=pipe, stderr=pipe)
    assert process.stdin
    assert process.stdout
    assert process.stderr
    return process, process.stdin, process.stdout, process.stderr


def test_output_appears_as_it_goes() -> None:
    process, stdin, stdout, stderr = start()
    with process:
        for name in (b"one", b"two"):
            stdin.write(name + b"\n")
            stdin.flush()
            assert stdout.readline() == b"docker.io/library/" + name + b":latest\n"
        stdin.close()
        assert (process.wait(30), stderr.read()) == (0, b"")


def test_a_closed_pipe_ends_it_quietly() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        COMMAND, input=b"app\n" * 100_000, stdout=write, stderr=subprocess.PIPE, env=clean_environ(), check=False
    )
    os.close(write)
    assert (done.stderr, done.returncode) == (b"", 0)


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), ("tags", "1.2.3", "--format", "table"), ("ci", "-h")]
)
def test_a_closed_pipe_ends_every_command_quietly(arguments: tuple[str, ...]) -> None:
    read, write = os.pipe()
    os.close(read)
    assert writes_to(write, *arguments) == (0, b"")
    os.close(write)


def writes_to(stdout: int | None, *arguments: str) -> tuple[int, bytes]:
    """Run a command whose output goes to a file, or nowhere; return its exit code and what it prints to stderr."""
    with open(os.devnull, "rb") as nothing, TemporaryFile() as stderr:
        streams = (nothing.fileno(), stdout, stderr.fileno())
        code = run_forked(arguments, streams, cwd=ROOT, environ=clean_environ())
        stderr.seek(0)
        return code, stderr.read()


@pytest.mark.parametrize("arguments", ["parse ubuntu", "--help", "tags 1.2.3", "tags 1.2.3 --format table"])
def test_what_cannot_be_written_is_an_error(arguments: str) -> None:
    assert writes_to(None, *arguments.split()) == (0, b"")
    with open("/dev/full", "wb") as full:
        assert writes_to(full.fileno(), *arguments.split()) == (2, b"error: No space left on device\n")


def test_closed_standard_output_is_not_an_error() -> None:
    script = f'exec "{sys.executable}" -m imgref parse ubuntu >&-'
    done = subprocess.run(["sh", "-c", script], capture_output=True, env=clean_environ(), check=False)
    assert (done.stderr, done.returncode) == (b"", 0)


def test_what_the_encoding_lacks_is_an_error() -> None:
    environ = clean_environ(PYTHONIOENCODING="ascii", GITLAB_CI="1", CI_COMMIT_BRANCH="\u00e9")
    done = imgref("tags", "1.2.3", "--labels", "--source", "https://example.com/\u00e9", environ=environ)
    assert (done.stdout, done.exit) == ("", 2)
    assert "cannot be written in ascii" in done.stderr
    assert "Traceback" not in imgref("ci", environ=environ).stderr


def test_interrupt_prints_no_traceback() -> None:
    process, stdin, stdout, stderr = start()
    with process:
        stdin.write(b"app\n")
        stdin.flush()
        stdout.readline()
        process.send_signal(signal.SIGINT)
        assert (process.wait(30), stderr.read()) == (130, b"error: interrupted\n")


def test_any_bytes_are_explained_line_by_line() -> None:
    done = imgref("parse", "-", stdin=bytes(range(256)) + b"\nalpine\n")
    assert done.stdout == "docker.io/library/alpine:latest\n"
    assert done.exit == 2
    assert "Traceback" not in done.stderr
    assert "error: line 2: " in done.stderr


def test_a_line_without_an_end_is_refused_and_the_next_is_read() -> None:
    done = imgref("parse", "-", stdin=b"a" * (5 << 20) + b"\nalpine\n")
    assert done.stdout == "docker.io/library/alpine:latest\n"
    assert done.stderr.startswith("error: line 1: a line of more than 1048576 characters\n")
    assert done.exit == 2


def test_memory_does_not_grow_with_the_input() -> None:
    script = (
        "import resource, subprocess, sys\n"
        "command = [sys.executable, '-m', 'imgref', 'parse', '-']\n"
        "subprocess.run(command, stdin=sys.stdin, stdout=subprocess.DEVNULL, check=True)\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\n"
    )
    lines = "".join(f"registry.local:5001/gallery/ui-{number}:v{number}\n" for number in range(100_000))
    done = subprocess.run(
        [sys.executable, "-c", script], input=lines.encode(), capture_output=True, env=clean_environ(), check=True
    )
    assert int(done.stdout) < 64 * 1024, "in KiB"


def test_the_measured_facts_through_the_command() -> None:
    facts = [fact for fact in rows("references.jsonl") if "\n" not in fact["input"]]
    lines = "\n".join(fact["input"] for fact in facts)
    done = imgref(
        "parse", "-", "--no-default-tag", "--field", "input", "--field", "registry", "--field", "path", stdin=lines
    )
    assert done.stdout.splitlines() == [
        f"{fact['input']}\t{fact['registry']}\t{fact['path']}" for fact in facts if fact["ok"]
    ]
    assert done.exit == 2
    assert done.stderr.count("error: line ") == sum(not fact["ok"] for fact in facts)


@pytest.mark.parametrize("fact", [fact for fact in rows("references.jsonl") if "\n" in fact["input"]], ids=ascii)
def test_an_argument_with_a_newline_is_refused(fact: dict[str, str]) -> None:
    assert imgref("parse", fact["input"])[::2] == ("", 2)


@pytest.mark.parametrize("columns", ["20", "40", "300"])
def test_a_narrow_terminal_is_enough(columns: str) -> None:
    environ = clean_environ(COLUMNS=columns)
    for arguments in (
        ("parse", "--format", "table", "registry.local:5001/gallery/ui:v1"),
        ("tags", "1.2.3", "--format", "table"),
    ):
        done = imgref(*arguments, environ=environ)
        assert (done.stderr, done.exit) == ("", 0)
    refused = imgref("parse", "registry.local:5001/gallery/User-Interface:v1", environ=environ)
    assert refused.exit == 2
    assert max(map(len, refused.stderr.splitlines()[1:3])) <= int(columns)


LINES = [
    "app:1",
    "ghcr.io/acme/app@sha256:" + 64 * "0",
    "A b",
    "",
    " \t",
    "app:1\r",
    "u:pw@host/app",
    "é",
    "\ud800",
    "0" * 64,
]


@given(st.lists(st.sampled_from(LINES), max_size=6), st.sampled_from(["text", "json", "table"]))
def test_lines_that_come_together_are_printed_as_each_alone(lines: list[str], style: str) -> None:
    """A batch without a bad line takes a shorter way, which must not be seen in what is printed."""

    def printed(batches: list[_Batch]) -> tuple[object, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code: object = _print_all(iter(batches), printer, style)
            except click.UsageError as error:
                code = error.message
        return code, out.getvalue(), err.getvalue()

    printer = _printer(_Reader("docker.io", "latest", None, False), style, (), "")
    alone = [_Batch([line], number) for number, line in enumerate(lines, 1)]
    assert printed([_Batch(lines, 1)] if lines else []) == printed(alone)
