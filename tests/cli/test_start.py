"""Ctrl-C at any moment of the start: exit code 130, one line, and no traceback."""

from __future__ import annotations

import inspect
import random
import signal
import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from vectors import ROOT, clean_environ

from imgref.cli._start import _cleandoc
from imgref.cli.main import COMMANDS

AT_IMPORT = """
import os, signal, sys
name = sys.argv.pop(1)

class Interrupting:
    def find_spec(self, found, path=None, target=None):
        if found == name:
            os.kill(os.getpid(), signal.SIGINT)

from imgref.__main__ import main
sys.meta_path.insert(0, Interrupting())
main()
"""
"""Interrupts itself whenever a module begins to be imported, after what cannot be helped: the interpreter's start."""

IMPORTS = """
import sys
before = set(sys.modules)
from imgref.__main__ import main
try:
    main({!r})
finally:
    print(*set(sys.modules) - before, file=sys.stderr)
"""


def imported(arguments: list[str]) -> list[str]:
    ran = subprocess.run(
        [sys.executable, "-c", IMPORTS.format(arguments)], capture_output=True, text=True, env=clean_environ(), cwd=ROOT
    )
    return sorted(ran.stderr.splitlines()[-1].split())


def interrupted_at(name: str, arguments: list[str]) -> tuple[int, str]:
    command = [sys.executable, "-c", AT_IMPORT, name, *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, env=clean_environ(), cwd=ROOT, input="")
    return ran.returncode, ran.stderr


@pytest.mark.parametrize(
    "arguments", [["--version"], ["parse", "a"], ["ls", "registry.invalid/app"], ["info"]], ids=lambda words: words[0]
)
def test_interrupt_while_any_module_is_imported_ends_with_130(arguments: list[str]) -> None:
    names = imported(arguments)
    assert "imgref.cli.main" in names
    assert "click" in names
    # A few, and always the first ones: each takes a process.
    chosen = ["imgref.cli.main", "click", "imgref.cli._console", *random.Random(7).sample(names, len(names) // 60)]
    for name in chosen:
        code, told = interrupted_at(name, arguments)
        if (code, told) != (130, "error: interrupted\n"):
            # Not every module is looked for by a finder: some come with the package that has them.
            assert "Traceback" not in told, name
            assert code in (0, 3), name


@pytest.mark.parametrize("arguments", [["--version"], ["parse", "-"], ["ls", "localhost:1/app"]], ids=lambda a: a[0])
def test_interrupt_during_the_start_ends_with_130(arguments: list[str]) -> None:
    codes = set()
    for number in (0, 2, 4, 8, 16, 32):
        # With this option the interpreter reports each import. The handler is installed before imgref.cli is imported.
        command = [sys.executable, "-X", "importtime", "-m", "imgref", *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, **pipes, env=clean_environ(), cwd=ROOT) as process:  # type: ignore[call-overload]
            process.stdin.write(b"app\n")
            process.stdin.flush()
            while (line := process.stderr.readline()) and line.rpartition(b"|")[2].strip() != b"imgref.cli":
                pass
            for _ in range(number):
                process.stderr.readline()
            process.send_signal(signal.SIGINT)
            told = process.communicate(timeout=30)[1].decode()
        assert "Traceback" not in told
        # At the very end, the interpreter gives signals back their defaults; a shell shows 130 for that too.
        assert process.returncode in (130, 0, -signal.SIGINT)
        assert ("error: interrupted\n" in told) == (process.returncode == 130)
        codes.add(process.returncode)
    assert 130 in codes


def test_process_that_inherits_ignored_interrupts_ignores_them() -> None:
    script = f"trap '' INT; exec {sys.executable} -m imgref parse -"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(["sh", "-c", script], **pipes, env=clean_environ()) as process:  # type: ignore[call-overload]
        process.stdin.write(b"one\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"docker.io/library/one:latest\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(b"app:1\n", timeout=30)[0] == b"docker.io/library/app:1\n"
    assert process.returncode == 0


def test_every_command_starts_by_the_script() -> None:
    """The entry point of the installed script is the same as that of ``python -m imgref``."""
    text = (ROOT / "pyproject.toml").read_text()
    assert 'imgref = "imgref.__main__:main"' in text
    assert "parse" in COMMANDS


def test_short_command_ends_without_collecting_garbage() -> None:
    program = (
        "import gc, sys\nbefore = gc.get_stats()[2]['collections']\nfrom imgref.__main__ import main\n"
        "try:\n    main(['parse', 'nginx'])\nfinally:\n"
        "    print(gc.get_stats()[2]['collections'] - before, gc.get_freeze_count() > 0, file=sys.stderr)\n"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=clean_environ(), cwd=ROOT)
    assert ran.stderr == "0 True\n"


def run(script: str) -> tuple[int, str, str]:
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=clean_environ(), cwd=ROOT)
    return ran.returncode, ran.stdout, ran.stderr


@given(st.text(st.sampled_from("a \t\n\r\f")) | st.text())
@example("\t a\tb ")
def test_cleandoc_of_any_text_is_that_of_inspect(text: str) -> None:
    assert _cleandoc(text) == inspect.cleandoc(text)


def test_postponed_modules_are_the_real_ones_for_everybody_but_click() -> None:
    script = """
import sys
from imgref.cli._start import prepare
prepare()
assert not {"inspect", "gettext", "uuid"} & set(sys.modules)
import click, click.core
stood_in = click.core.inspect
assert stood_in.isfunction(prepare) and not stood_in.isfunction(1)
import inspect, gettext
assert stood_in is not inspect and stood_in.isfunction is inspect.isfunction
assert gettext.gettext.__module__ == "gettext"
assert not hasattr(stood_in, "no_such_name")
import uuid
text = "12345678123456781234567812345678"
assert click.UUID.convert(text, None, None) == uuid.UUID(text)
"""
    assert run(script) == (0, "", "")


def test_modules_that_are_loaded_already_are_not_postponed() -> None:
    script = """
import gettext, inspect, click
from imgref.cli._start import prepare
prepare()
import sys
assert sys.modules["inspect"] is inspect is click.core.inspect
"""
    assert run(script) == (0, "", "")


AT_THE_END = """
import atexit, sys, threading
atexit.register(print, "at exit", flush=True)
class Remains:
    def __del__(self): print("taken apart", flush=True)
remains = Remains()
{}
sys.argv = ["imgref", "slug", "a"]
from imgref.__main__ import main
main()
"""


def test_process_ends_without_taking_the_interpreter_apart() -> None:
    assert run(AT_THE_END.format("")) == (0, "a\nat exit\n", "")


def test_process_waits_for_threads_that_still_work() -> None:
    thread = "threading.Thread(target=lambda: (threading.main_thread().join(), print('worked'))).start()"
    code, out, err = run(AT_THE_END.format(thread))
    assert (code, out.splitlines()[:2], err) == (0, ["a", "worked"], "")


def test_output_that_cannot_be_written_at_the_end_is_an_error() -> None:
    script = "exec {} -m imgref --version > /dev/full"
    ran = subprocess.run(["sh", "-c", script.format(sys.executable)], capture_output=True, env=clean_environ())
    assert ran.returncode == 2
    assert b"No space left on device" in ran.stderr
