"""A registry on loopback that answers whatever a test says, down to the bytes of the status line."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from imgref.reference import ImageReference, parse
from imgref.registry.client import RegistryClient
from imgref.registry.credentials import Credentials
from imgref.registry.hosts import Hosts
from imgref.registry.transport import Event


@dataclass
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Answer = bytes | Iterable[bytes]
"""What is written to the socket: all of the response, or its pieces one after the other."""


def response(status: int = 200, body: bytes = b"", length: str | None = None, **headers: str) -> bytes:
    """Return the bytes of a response; headers are written with ``_`` for ``-``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    named |= {"Content-Length": str(len(body)) if length is None else length, "Connection": "close"}
    lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in named.items())]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@dataclass
class Server:
    """Where it listens, what it was asked, and what it answers; to the first contact, only if ``first`` is set."""

    answer: Callable[[Request], Answer]
    first: bool = False
    host: str = ""
    seen: list[Request] = field(default_factory=list)

    @property
    def repository(self) -> ImageReference:
        return parse(f"{self.host}/app", default_tag=None)

    def count(self, method: str, path: str = "") -> int:
        return sum(seen.method == method and re.search(path, seen.path) is not None for seen in self.seen)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answers: Server

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, dict(self.headers.items()), body)
        self.answers.seen.append(request)
        first = request.path == "/v2/" and not self.answers.first
        answer = response() if first else self.answers.answer(request)
        self.close_connection = True
        for piece in [answer] if isinstance(answer, bytes) else answer:
            self.wfile.write(piece)
            self.wfile.flush()

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815

    def handle(self) -> None:
        # A client that has read enough closes the connection; one that tries https first sends no HTTP.
        with suppress(OSError, ValueError):
            super().handle()

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it overrides
        return


@contextmanager
def run_server(answer: Callable[[Request], Answer], *, first: bool = False) -> Iterator[Server]:
    """Run a server until the block ends."""
    answers = Server(answer, first)

    class Handler(_Handler):
        pass

    Handler.answers = answers
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    answers.host = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield answers
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def client_for(events: list[Event] | None = None, timeout: float = 5.0, **environ: str) -> RegistryClient:
    """Return a client without settings; retries do not wait long."""
    credentials = Credentials({"HOME": "/nowhere", **environ})
    return RegistryClient(Hosts(), credentials, None if events is None else events.append, timeout=timeout)
