"""Runs ``imgref`` in processes that are forked from one that has imported it: a tenth of the time of a start.

A command runs in a process of its own, with its own arguments, directory, environment and streams, as ``python -m
imgref`` would. Only the start of the interpreter and the imports are shared; ``tests/cli/test_start.py`` and
``tests/test_layering.py`` test those with real starts, and :func:`starts_anew` tells which commands need one.

Run as a program, this is the server: it listens at the path of its argument until its standard input ends.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import functools
import gc
import importlib
import io
import marshal
import os
import pkgutil
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from isolation.environment import kept

OF_THE_INTERPRETER = ("PYTHON", "LC_", "LANG")
"""What the names of variables begin with that the interpreter reads once, when it starts."""

TIMEOUT = 120
"""Seconds after which a command is killed."""

FIRST = "IMGREF_TEST_FIRST"
"""The variable with Python statements that a forked process runs before the command, which does not see it."""

PIPE = 1 << 16
"""The bytes that a pipe takes before somebody reads."""

LENGTH = 4
"""The bytes of the length before a message."""


class Server:
    """The process that forks, as it is seen from the tests."""

    def __init__(self) -> None:
        # The path of a socket may have 107 bytes, which a temporary directory of pytest can exceed.
        self.directory = tempfile.mkdtemp(prefix="imgref-", dir="/tmp")
        self.path = f"{self.directory}/socket"
        self.environ = kept(os.environ)
        self.process = subprocess.Popen(
            [sys.executable, __file__, self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=self.environ
        )
        assert self.process.stdout
        assert self.process.stdout.readline() == b"listening\n"
        atexit.register(self.close)

    def close(self) -> None:
        with self.process as process:
            assert process.stdin
            process.stdin.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def starts_anew(self, environ: Mapping[str, str]) -> bool:
        """Return whether the interpreter would start differently with this environment."""
        names = {name for name in (*environ, *self.environ) if name.startswith(OF_THE_INTERPRETER)}
        return any(environ.get(name) != self.environ.get(name) for name in names)


@functools.cache
def server() -> Server:
    """Return the server, which the first call starts."""
    return Server()


def starts_anew(environ: Mapping[str, str]) -> bool:
    """Return whether a command with this environment needs an interpreter of its own."""
    return server().starts_anew(environ)


def run_forked(
    arguments: Sequence[str], streams: Sequence[int | None], *, cwd: str | Path, environ: Mapping[str, str],
    user: int | None = None,
) -> int:  # fmt: skip
    """Run a command in a forked process until it ends, and return its exit code, as :mod:`subprocess` does.

    Args:
        arguments: the words after ``imgref``.
        streams: the file descriptors of its standard input, output and error; None for one that is closed.
        cwd: its directory.
        environ: its whole environment.
        user: the number of the user and the group that it becomes, instead of those of the tests.
    """
    open_ones = [number for number, stream in enumerate(streams) if stream is not None]
    message = marshal.dumps([list(arguments), str(cwd), dict(environ), open_ones, user])
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(TIMEOUT)
        connection.connect(server().path)
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [n for n in streams if n is not None]))]
        connection.sendmsg([len(message).to_bytes(LENGTH, "big")], rights)
        connection.sendall(message)
        answer = b""
        try:
            while chunk := connection.recv(100):
                answer += chunk
        except TimeoutError:
            os.kill(int(answer.split()[0]), signal.SIGKILL)
            raise
    return int(answer.split()[1])


PROGRAM = """#!{python} -IS
import _socket, marshal, os, sys
connection = _socket.socket(1)
connection.connect({path!r})
message = marshal.dumps([sys.argv[1:], os.getcwd(), dict(os.environ), [0, 1, 2], None])
rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, b"".join(n.to_bytes(4, sys.byteorder) for n in range(3)))]
connection.sendmsg([len(message).to_bytes({length}, "big")], rights)
sent = 0
while sent < len(message):
    sent += connection.send(message[sent:])
answer = b""
while chunk := connection.recv(100):
    answer += chunk
os._exit(int(answer.split()[1]))
"""
"""What an ``imgref`` of the tests does; it imports nothing that takes time."""


def write_program(path: Path) -> None:
    """Write a program that runs ``imgref`` in a forked process, for scripts that find it on PATH."""
    path.write_text(PROGRAM.format(python=sys.executable, path=server().path, length=LENGTH), encoding="utf-8")
    path.chmod(0o755)


@contextlib.contextmanager
def standard_input(data: bytes) -> Iterator[int]:
    """Return the reading end of a pipe from which a command reads so many bytes."""
    reading, writing = os.pipe()
    try:
        if len(data) <= PIPE:
            with open(writing, "wb") as file:
                file.write(data)
            yield reading
            return
        thread = threading.Thread(target=_write, args=(writing, data))
        thread.start()
        yield reading
    finally:
        os.close(reading)
    thread.join()


def _write(writing: int, data: bytes) -> None:
    with contextlib.suppress(BrokenPipeError), open(writing, "wb", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]


# The server.


def _serve(path: str) -> NoReturn:
    """Fork a process for each message, and tell its number, and its exit code when it has ended."""
    _import_everything()
    _warm_up(os.path.dirname(path))
    # A collection would write to the pages of all these objects, which the processes share otherwise.
    gc.collect()
    gc.freeze()
    waking, woken = socket.socketpair()
    waking.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen(64)
    os.write(1, b"listening\n")
    running: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as selector:
        for source in (0, woken, listening):
            selector.register(source, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if 0 in ready:  # nothing is ever sent there: the tests have ended
                os._exit(0)
            if woken in ready:
                woken.recv(4096)
                _report_ended(running)
            if listening in ready:
                connection, _ = listening.accept()
                task, streams = _received(connection)
                number = os.fork()
                if number == 0:
                    os.setpgid(0, 0)
                    selector.close()
                    for other in (waking, woken, listening, connection, *running.values()):
                        other.close()
                    _run(task, streams)
                for stream in streams:
                    os.close(stream)
                running[number] = connection
                with contextlib.suppress(OSError):
                    connection.sendall(f"{number} ".encode())


LIBRARIES = (
    "encodings.ascii", "encodings.idna", "http.client", "packaging.version", "pathspec", "rich.box", "rich.console",
    "rich.progress", "rich.table", "rich.text", "semver", "ssl", "tarfile", "tomllib", "urllib3", "yaml", "zstandard",
)  # fmt: skip
"""What some commands import when they need it."""


def _import_everything() -> None:
    """Import all of imgref, and what its commands would import."""
    import imgref

    for module in pkgutil.walk_packages(imgref.__path__, "imgref."):
        importlib.import_module(module.name)
    for name in LIBRARIES:
        importlib.import_module(name)


def _warm_up(directory: str) -> None:
    """Run a few commands, which fills the caches of click and of regular expressions."""
    from imgref.__main__ import main

    dockerfile, compose = f"{directory}/Dockerfile", f"{directory}/compose.yaml"
    Path(dockerfile).write_text("FROM nginx\n", encoding="utf-8")
    Path(compose).write_text("services: {app: {image: nginx}}\n", encoding="utf-8")
    for arguments in (["parse", "nginx"], ["tags", "1.2.3"], ["ci"], ["check", dockerfile, compose]):
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            contextlib.suppress(SystemExit),
        ):
            main(arguments)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _received(connection: socket.socket) -> tuple[list[Any], list[int]]:
    head, streams, _, _ = socket.recv_fds(connection, LENGTH, 3)
    message = b""
    while len(message) < int.from_bytes(head, "big"):
        message += connection.recv(1 << 16)
    return marshal.loads(message), list(streams)


def _report_ended(running: dict[int, socket.socket]) -> None:
    while running:
        number, status = os.waitpid(-1, os.WNOHANG)
        if number == 0:
            return
        with running.pop(number) as connection, contextlib.suppress(OSError):
            connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())


def _run(task: list[Any], streams: list[int]) -> NoReturn:
    """Run a command in the forked process, and end that as the interpreter would."""
    arguments, cwd, environ, open_ones, user = task
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if number in open_ones:
            os.dup2(streams[0], number)
            os.close(streams.pop(0))
        else:
            os.close(number)
        old = getattr(sys, f"__{name}__")
        new = _opened(number, old) if number in open_ones else None
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
    os.environ.clear()
    os.environ.update(environ)
    os.chdir(cwd)
    tempfile.tempdir = None
    if user is not None:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    sys.argv = ["imgref", *arguments]
    exec(os.environ.pop(FIRST, ""), {})
    from imgref.__main__ import main

    code: object = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001  as the interpreter does
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            code = code or 120
    os._exit(code if isinstance(code, int) else code is not None)


def _opened(number: int, old: io.TextIOWrapper) -> io.TextIOWrapper:
    """Open a standard stream as the interpreter does, whose locale is that of the server."""
    raw = io.FileIO(number, "rb" if number == 0 else "wb", closefd=False)
    return io.TextIOWrapper(
        io.BufferedReader(raw) if number == 0 else io.BufferedWriter(raw), encoding=old.encoding, errors=old.errors,
        newline=None if number == 0 else "\n", line_buffering=number == 2 or raw.isatty(),
    )  # fmt: skip


if __name__ == "__main__":
    _serve(sys.argv[1])
