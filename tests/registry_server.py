"""A registry on loopback that answers whatever a test says, down to the bytes of the status line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from faults import LoopbackHandler, Recorder, Seen, serve

from imgref.reference import ImageReference, parse
from imgref.registry.client import RegistryClient
from imgref.registry.credentials import Credentials
from imgref.registry.hosts import Hosts
from imgref.registry.transport import Event


@dataclass
class Request(Seen):
    """A request with its body."""

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
class Server(Recorder[Request]):
    """A server and its answers; the first contact is answered by them only if ``first`` is set."""

    answer: Callable[[Request], Answer]
    first: bool = False

    @property
    def repository(self) -> ImageReference:
        return parse(f"{self.host}/app", default_tag=None)


class _Handler(LoopbackHandler):
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


@contextmanager
def run_server(answer: Callable[[Request], Answer], *, first: bool = False) -> Iterator[Server]:
    """Run a server until the block ends."""
    answers = Server(answer, first)

    class Handler(_Handler):
        pass

    Handler.answers = answers
    with serve(Handler) as answers.host:
        yield answers


def client_for(events: list[Event] | None = None, timeout: float = 5.0, **environ: str) -> RegistryClient:
    """Return a client without settings; retries do not wait long."""
    credentials = Credentials({"HOME": "/nowhere", **environ})
    return RegistryClient(Hosts(), credentials, None if events is None else events.append, timeout=timeout)
