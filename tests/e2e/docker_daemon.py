"""The little of a Docker daemon that ``docker login`` asks: it says yes, and the CLI then stores what it was given."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer


@dataclass
class Daemon:
    """Where it listens, and the credentials that it was asked about."""

    path: Path
    asked: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def run_daemon(path: Path) -> Iterator[Daemon]:
    """Answer on a socket until the block ends."""
    daemon = Daemon(path)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = b"OK"
            if self.path.endswith("/auth"):
                daemon.asked.append(json.loads(body))
                answer = b'{"Status": "Login Succeeded"}'
            elif not self.path.endswith("/_ping"):
                answer = b"{}"
            self.send_response(200)
            self.send_header("API-Version", "1.44")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer)

        def do_GET(self) -> None:
            self._answer()

        def do_HEAD(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def address_string(self) -> str:
            return "docker"

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it overrides
            return

    server = ThreadingUnixStreamServer(str(path), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield daemon
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
