"""What the console prints: one function for all of it, and tables in which no digest is broken."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from imgref.cli import _console
from imgref.errors import InvalidReference

DIGEST = "sha256:" + "0123456789abcdef" * 4
HOSTILE = "https://user:S3cr3t@host/app \x1b[2J\x9b\u202e"
Capsys = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    "write",
    [
        _console.say,
        _console.write,
        _console.note,
        _console.warn,
        _console.error,
        _console.show_help,
        lambda text: _console.error("no", help_text=text),
        lambda text: _console.say(text, drawn=True),
        lambda text: _console.say(_console.parts([(text, text)]), drawn=True),
        lambda text: _console.table((text,), [(text,)]),
        lambda text: _console.say_json({text: [text]}),
        lambda text: _console.show_error(InvalidReference(text, (0, 5), text, text)),
    ],
)
def test_console_prints_no_credentials_and_no_controls(write: object, capsys: Capsys) -> None:
    assert callable(write)
    write(HOSTILE)
    printed = capsys.readouterr()
    text = printed.out + printed.err
    assert "***@host/app" in text
    assert "S3cr3t" not in text
    assert text.replace("\n", "").isprintable()


def test_warning_with_a_newline_stays_one_line(capsys: Capsys) -> None:
    _console.warn("a\n::error::b")
    assert capsys.readouterr().err == "warning: a\\n::error::b\n"


def on_terminal(code: str, columns: int) -> str:
    """Run code on a terminal of so many columns, and return what it prints."""
    outer, inner = pty.openpty()
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {"TERM": "xterm"}
    script = f"from imgref.cli import _console\n{code}"
    ran = subprocess.Popen([sys.executable, "-c", script], stdin=inner, stdout=inner, stderr=inner, env=environ)
    os.close(inner)
    read = b""
    try:
        while chunk := os.read(outer, 65536):
            read += chunk
    except OSError:  # how Linux says that the other side is closed
        pass
    assert ran.wait() == 0
    os.close(outer)
    return read.decode().replace("\r\n", "\n")


TABLE = f"_console.table(('platform', 'digest', 'size'), [('linux/amd64', '{DIGEST}', '1'), ('linux/arm64', 'x', '2')])"
PARTS = f"_console.say(_console.parts([('digest', '{DIGEST}'), ('label', 'host/app:1@{DIGEST} ' * 2)]), drawn=True)"


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
@pytest.mark.parametrize(("code", "digests"), [(TABLE, 1), (PARTS, 3)])
def test_table_on_a_terminal_breaks_no_digest(code: str, digests: int, columns: int) -> None:
    printed = on_terminal(code, columns)
    assert printed.count(DIGEST) == digests
    assert "\x1b[1m" in printed


def test_table_on_a_terminal_folds_other_words() -> None:
    printed = on_terminal(f"_console.table(('a', 'b'), [('x' * 100, '{'y' * 10}')])", 40)
    plain = re.sub(r"\x1b\[[0-9]*m", "", printed)
    assert max(map(len, plain.splitlines())) <= 40
    assert printed.count("x") == 100


@pytest.mark.parametrize("columns", ["40", "80"])
def test_table_off_a_terminal_wraps_nothing(columns: str, monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    _console.table(("a", "b", "c"), [(DIGEST, "word " * 60, "z" * 300)])
    _console.say(_console.parts([("a", "word " * 60), ("b", DIGEST)]), drawn=True)
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 5
    assert out.count(DIGEST) == 2
    assert out.count(("word " * 60).strip()) == 2
    assert "z" * 300 in out
