"""What networks and registries do now and then, done on purpose by a server on loopback.

:class:`Exchange` is one request to such a server, and an action is what happens to it instead of the proper answer.
"""

from __future__ import annotations

import json
import os
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Not time.sleep, which tests may replace.
from time import sleep
from typing import Any, Generic, TypeVar

Action = Callable[["Exchange"], None]


@dataclass
class Fault:
    """What happens to a request.

    Attributes:
        action: what is done instead of passing it on; one of the functions below, or what they return.
        method: for requests of this method only.
        path: for paths in which this regular expression is found.
        times: how often; negative for always.
        after: how many such requests go through before.
    """

    action: Action
    method: str = ""
    path: str = ""
    times: int = 1
    after: int = 0

    def takes(self, method: str, path: str) -> bool:
        if self.times == 0 or self.method not in ("", method) or not re.search(self.path, path):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        return True


@dataclass
class Seen:
    """A request that came by."""

    method: str
    path: str
    headers: dict[str, str]


_Request = TypeVar("_Request", bound=Seen)


@dataclass(kw_only=True)
class Recorder(Generic[_Request]):
    """Where a server listens, and the requests that it received."""

    host: str = ""
    seen: list[_Request] = field(default_factory=list)

    def count(self, method: str, path: str = "") -> int:
        """Return the number of requests with a method, and a path in which a regular expression is found."""
        return sum(seen.method == method and re.search(path, seen.path) is not None for seen in self.seen)


@dataclass
class FaultyServer(Recorder[Seen]):
    """A server that shows faults."""

    faults: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, action: Action, method: str = "", path: str = "", times: int = 1, after: int = 0) -> None:
        self.faults.append(Fault(action, method, path, times, after))

    def fault_for(self, method: str, path: str) -> Fault | None:
        with self._lock:
            return next((fault for fault in self.faults if fault.takes(method, path)), None)


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class LoopbackHandler(BaseHTTPRequestHandler):
    """A request to a server of the tests: any method, no log, and no traceback if the client goes away."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_any(self) -> None:
        """Answer a request of any method."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The base class looks up do_GET and the like.
        if name.startswith("do_"):
            return self.handle_any
        raise AttributeError(name)

    def handle(self) -> None:
        # A client that has read enough closes the connection; one that tries https first sends no HTTP.
        with suppress(OSError, ValueError):
            super().handle()

    def finish(self) -> None:
        with suppress(OSError, ValueError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it overrides
        return


class Exchange(LoopbackHandler):
    """One request, and the means to do something to it."""

    state: FaultyServer

    def handle_any(self) -> None:
        self._unread = int(self.headers.get("Content-Length") or 0)
        self.state.seen.append(Seen(self.command, self.path, dict(self.headers.items())))
        fault = self.state.fault_for(self.command, self.path)
        if fault is None:
            self.give(self.ask())
        else:
            fault.action(self)

    def body(self, size: int | None = None) -> Iterator[bytes]:
        """Read the request's body, or so many bytes of it."""
        left = self._unread if size is None else min(size, self._unread)
        while left:
            chunk = self.rfile.read(min(left, 1 << 16))
            if not chunk:
                break
            left -= len(chunk)
            self._unread -= len(chunk)
            yield chunk

    def ask(self, path: str | None = None) -> Answer:
        """Return the proper answer to the request, for this path or another one."""
        raise NotImplementedError

    def give(self, answer: Answer) -> None:
        """Answer the client."""
        for _ in self.body():
            pass
        self.send_response_only(answer.status)
        names = [key.lower() for key, _ in answer.headers]
        for key, value in answer.headers:
            if key.lower() not in ("connection", "transfer-encoding"):
                self.send_header(key, value)
        if "content-length" not in names and self.command != "HEAD":
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def reset(self) -> None:
        """Cut the connection with a TCP reset."""
        with suppress(OSError):
            self.wfile.flush()
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())


# The faults


def status(code: int, body: bytes = b"{}", **headers: str) -> Action:
    """Answer with a status, and headers written with ``_`` for ``-``."""
    named = [(key.replace("_", "-"), value) for key, value in headers.items()]
    return lambda exchange: exchange.give(Answer(code, [("Content-Type", "application/json"), *named], body))


def reset_before(exchange: Exchange) -> None:
    """Cut the connection before there is an answer, and before the body is read."""
    exchange.reset()


def reset_in_request(exchange: Exchange) -> None:
    """Cut the connection when half of the request's body has come."""
    for _ in exchange.body(int(exchange.headers.get("Content-Length") or 0) // 2):
        pass
    exchange.reset()


def _give_half(exchange: Exchange) -> None:
    answer = exchange.ask()
    exchange.send_response_only(answer.status)
    for key, value in answer.headers:
        exchange.send_header(key, value)
    exchange.end_headers()
    exchange.wfile.write(answer.body[: len(answer.body) // 2])


def reset_in_answer(exchange: Exchange) -> None:
    """Cut the connection in the middle of the answer's body."""
    _give_half(exchange)
    exchange.wfile.flush()
    # What is in the buffers must go out before the reset throws it away.
    sleep(0.1)
    exchange.reset()


def cut_in_answer(exchange: Exchange) -> None:
    """Close the connection in the middle of the answer's body, as if that were all."""
    _give_half(exchange)
    exchange.close_connection = True


def lost(exchange: Exchange) -> None:
    """Do it, and lose the answer."""
    exchange.ask()
    exchange.reset()


def slow(seconds: float, pieces: int = 4) -> Action:
    """Return the body in pieces, with a pause before each."""

    def act(exchange: Exchange) -> None:
        answer = exchange.ask()
        exchange.send_response_only(answer.status)
        for key, value in answer.headers:
            exchange.send_header(key, value)
        exchange.end_headers()
        step = max(1, len(answer.body) // pieces)
        for start in range(0, len(answer.body), step):
            sleep(seconds)
            exchange.wfile.write(answer.body[start : start + step])
            exchange.wfile.flush()

    return act


def silent(seconds: float) -> Action:
    """Say nothing for a while, then cut the connection."""

    def act(exchange: Exchange) -> None:
        sleep(seconds)
        exchange.reset()

    return act


def redirect(url: str, code: int = 307) -> Action:
    """Lead to another place; ``{path}`` in the address is what was asked for."""

    def act(exchange: Exchange) -> None:
        exchange.give(Answer(code, [("Location", url.replace("{path}", exchange.path))], b""))

    return act


def paged(size: int, *, absolute: bool = False, host: str = "") -> Action:
    """Return tags in pages of a size, each with a link to the next one, opaque as a registry's."""

    def act(exchange: Exchange) -> None:
        path, _, query = exchange.path.partition("?")
        found = re.search(r"from%3A=(\d+)", query)
        start = int(found[1]) if found else 0
        answer = exchange.ask(path)
        data = json.loads(answer.body)
        more = start + size < len(data["tags"])
        data["tags"] = data["tags"][start : start + size]
        base = f"http://{host or exchange.headers['Host']}" if absolute or host else ""
        link = [("Link", f'<{base}{path}?from%3A={start + size}&sig=a%2Fb+c>; rel="next"')] if more else []
        exchange.give(Answer(200, [("Content-Type", "application/json"), *link], json.dumps(data).encode()))

    return act


def without_tags(exchange: Exchange) -> None:
    """Give ``"tags": null``, as the registry does when all are deleted."""
    exchange.give(Answer(200, [("Content-Type", "application/json")], b'{"name": "x", "tags": null}'))


def html(exchange: Exchange) -> None:
    """Answer with a page, as a proxy or a portal does."""
    page = b"<!DOCTYPE html><html><body>Sign in to the network</body></html>"
    exchange.give(Answer(200, [("Content-Type", "text/html; charset=utf-8")], page))


def damaged(exchange: Exchange) -> None:
    """Change one byte of the body."""
    answer = exchange.ask()
    middle = len(answer.body) // 2
    body = answer.body[:middle] + bytes([answer.body[middle] ^ 1]) + answer.body[middle + 1 :]
    exchange.give(Answer(answer.status, answer.headers, body))


def header(name: str, value: str | None) -> Action:
    """Change a header of the answer, or leave it out."""

    def act(exchange: Exchange) -> None:
        answer = exchange.ask()
        headers = [pair for pair in answer.headers if pair[0].lower() != name.lower()]
        exchange.give(Answer(answer.status, headers if value is None else [*headers, (name, value)], answer.body))

    return act


class _Server(ThreadingHTTPServer):
    """A server that ends its connections when it ends."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), handler)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as in the base class
        self._open.add(request)
        super().process_request_thread(request, client_address)
        self._open.discard(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in tuple(self._open):
            # Its thread, which waits for the next request, closes it then.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def serve(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Run a server on loopback until the block ends, and yield its ``host:port``; with a context it speaks TLS."""
    server = _Server(handler)
    if context is not None:
        # The handshake is made by the thread that serves the connection, at its first read.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
