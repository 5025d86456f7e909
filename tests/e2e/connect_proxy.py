"""A forward proxy that leads everything to one place: so a name that is not loopback reaches a loopback server."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class ConnectProxy:
    """Where the proxy listens, and the first line of every request that it got, with all its headers."""

    url: str = ""
    requests: list[str] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        return [request.partition("\r\n")[0] for request in self.requests]


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _serve(client: socket.socket, upstream: tuple[str, int], proxy: ConnectProxy) -> None:
    with client, suppress(OSError):
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(4096)
            if not data:
                return
            head += data
        proxy.requests.append(head.decode("latin-1"))
        tunnel = head.startswith(b"CONNECT ")
        with socket.create_connection(upstream, timeout=10) as server:
            if tunnel:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                server.sendall(re.sub(rb"^(\w+) http://[^/]*", rb"\1 ", head))
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join(10)


@contextmanager
def run_connect_proxy(upstream: str) -> Iterator[ConnectProxy]:
    """Run the proxy, with everything led to ``host:port``, until the block ends."""
    host, _, port = upstream.partition(":")
    proxy = ConnectProxy()
    listener = socket.create_server(("127.0.0.1", 0))
    proxy.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=_serve, args=(client, (host, int(port)), proxy), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)
