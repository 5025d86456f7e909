"""``imgref ls`` against a server with the tags of one repository."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from vectors import imgref

TAGS = ["1.26.0", "1.27.3", "1.27.3-alpine", "1.27.4-alpine3.20", "1.28.0-rc.1", "1.28.0-rc.1-alpine", "latest", "1.27"]


class _Tags(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"name": "app", "tags": TAGS} if self.path.startswith("/v2/app/tags/list") else {}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Keep the output of the tests quiet."""


@pytest.fixture(scope="module")
def repository() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Tags) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_address[1]}/app"
        server.shutdown()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--range", ">=1.27,<2"], {"1.27", "1.27.3", "1.27.3-alpine", "1.27.4-alpine3.20"}),
        (["--range", "~1.27"], {"1.27", "1.27.3", "1.27.3-alpine", "1.27.4-alpine3.20"}),
        (["--range", "<1.27.3"], {"1.26.0", "1.27"}),
        (["--range", "==1.27.3"], {"1.27.3", "1.27.3-alpine"}),
        (["--range", "^1.28.0-rc.1"], {"1.28.0-rc.1", "1.28.0-rc.1-alpine"}),
        (["--range", "^1.27.4", "--pre"], {"1.27.4-alpine3.20", "1.28.0-rc.1", "1.28.0-rc.1-alpine"}),
    ],
    ids=lambda words: " ".join(sorted(words)),
)
def test_ls_range_treats_a_variant_as_its_release(repository: str, options: list[str], expected: set[str]) -> None:
    done = imgref("ls", repository, *options)
    assert (done.exit, done.stderr) == (0, "")
    assert set(done.stdout.split()) == expected


def test_ls_json_marks_pre_releases_only(repository: str) -> None:
    listed = json.loads(imgref("ls", repository, "--format", "json").stdout)
    assert {tag["tag"] for tag in listed if tag["prerelease"]} == {"1.28.0-rc.1", "1.28.0-rc.1-alpine"}
