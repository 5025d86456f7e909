"""What networks, registries, disks and people do to a transfer: nothing wrong is tagged, nothing half left."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from e2e.commands import Home
from e2e.fault_proxy import Action, Exchange, FaultProxy, lost, reset_in_answer, reset_in_request, status, upstream_of
from e2e.servers import Registry, free_port, run_registry
from e2e.test_transfer import good, raw_manifest
from images import OciImage, digest_of, layer_tar, oci_image, oci_layout, write_directory

pytestmark = pytest.mark.e2e

Unique = Callable[[str], str]

MEGABYTES = float(os.environ.get("IMGREF_TEST_MEGABYTES", "3"))
"""How large the layer is that meets a fault; the faults are the same for any size."""


@pytest.fixture(scope="module")
def image() -> OciImage:
    return oci_image([layer_tar(os.urandom(int(MEGABYTES * (1 << 20)))), layer_tar(b"small")])


@pytest.fixture
def layout(image: OciImage, tmp_path: Path) -> str:
    return write_directory(tmp_path / "layout", oci_layout({"v1": image}))


def keeps_half(exchange: Exchange) -> None:
    """Let the registry have half of the body, then cut both connections: it keeps what it has."""
    import http.client

    size = int(exchange.headers["Content-Length"])
    connection = http.client.HTTPConnection(upstream_of(exchange), timeout=30)
    connection.putrequest(exchange.command, exchange.path, skip_host=True)
    for name, value in exchange.headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    for chunk in exchange.body(size // 2):
        connection.send(chunk)
    # It keeps what came when it sees the end, and says so.
    connection.sock.shutdown(socket.SHUT_WR)
    with suppress(OSError):
        connection.sock.recv(1)
    connection.close()
    exchange.reset()


def loses_a_byte(exchange: Exchange) -> None:
    """Pass on a body in which one byte has changed; TCP does not notice each such thing."""
    import http.client

    data = bytearray(b"".join(exchange.body()))
    data[len(data) // 2] ^= 1
    connection = http.client.HTTPConnection(upstream_of(exchange), timeout=30)
    connection.request(exchange.command, exchange.path, bytes(data), dict(exchange.headers.items()))
    answer = connection.getresponse()
    exchange.send_response_only(answer.status)
    body = answer.read()
    exchange.send_header("Content-Length", str(len(body)))
    exchange.end_headers()
    exchange.wfile.write(body)
    connection.close()


FAULTS: dict[str, tuple[Action, str, str]] = {
    "too many requests": (status(429, Retry_After="1"), "PUT", "/blobs/"),
    "service unavailable": (status(503), "PUT", "/blobs/"),
    "reset in the body": (reset_in_request, "PUT", "/blobs/"),
    "the registry keeps half": (keeps_half, "PUT", "/blobs/"),
    "a byte is lost": (loses_a_byte, "PUT", "/blobs/"),
    "the answer to a blob is lost": (lost, "PUT", "/blobs/"),
    "the answer to a manifest is lost": (lost, "PUT", "/manifests/"),
    "the answer to an upload is lost": (lost, "POST", "/uploads/"),
    "unavailable at the start": (status(503), "POST", "/uploads/"),
    "a manifest meets a limit": (status(429, Retry_After="1"), "PUT", "/manifests/"),
}


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_push_comes_through(
    fault: str, faulty: FaultProxy, plain: Registry, layout: str, image: OciImage, home: Home, unique: Unique
) -> None:
    path = unique("app")
    action, method, where = FAULTS[fault]
    faulty.add(action, method, where, times=2)
    ran = home.imgref("push", layout, f"{faulty.host}/{path}:v1")
    lines = good(ran)
    assert sum(line.endswith(": Pushed") for line in lines) == 2
    assert raw_manifest(plain, path, "v1") == image.raw
    assert digest_of(plain.request("GET", f"/v2/{path}/blobs/{image.layers[0]}")[2]) == image.layers[0]
    assert "trying again in" in ran.err
    assert "Traceback" not in ran.err
    # No body is ever sent twice to one location.
    places = [seen.path for seen in faulty.seen if seen.method == "PUT" and "/blobs/" in seen.path]
    assert len(places) == len(set(places))
    if fault == "the answer to a blob is lost":
        # One look told that the blob was there: it was not sent again.
        assert len(places) == 3


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize("action", [status(503), reset_in_request, status(500)], ids=["503", "reset", "500"])
def test_a_push_that_fails_for_good_tags_nothing(
    action: Action, faulty: FaultProxy, plain: Registry, layout: str, image: OciImage, home: Home, unique: Unique
) -> None:
    path = unique("app")
    faulty.add(action, "PUT", "/blobs/", times=-1)
    ran = home.imgref("push", layout, f"{faulty.host}/{path}:v1")
    assert ran.code == 3
    assert ran.err.splitlines()[-1].startswith("error: ")
    assert plain.request("HEAD", f"/v2/{path}/manifests/v1")[0] == 404
    faulty.faults.clear()
    good(home.imgref("push", layout, f"{faulty.host}/{path}:v1"))
    assert raw_manifest(plain, path, "v1") == image.raw


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize(
    "action", [status(429, Retry_After="1"), status(503), reset_in_answer], ids=["429", "503", "reset"]
)
@pytest.mark.parametrize("target", ["out", "out.tar"])
def test_a_pull_comes_through(
    action: Action,
    target: str,
    faulty: FaultProxy,
    plain: Registry,
    layout: str,
    image: OciImage,
    home: Home,
    unique: Unique,
) -> None:
    path = unique("app")
    good(home.imgref("push", layout, f"{plain.host}/{path}:v1"))
    faulty.add(action, "GET", "/blobs/", times=2)
    assert good(home.imgref("pull", "-q", f"{faulty.host}/{path}:v1", target)) == [image.digest]
    assert good(home.imgref("push", "-q", target, f"{plain.host}/{path}:v2")) == [image.digest]


@pytest.mark.usefixtures("short_waits")
def test_a_pull_of_damaged_bytes_leaves_nothing(
    faulty: FaultProxy, plain: Registry, layout: str, home: Home, unique: Unique
) -> None:
    path = unique("app")
    good(home.imgref("push", layout, f"{plain.host}/{path}:v1"))

    def damages(exchange: Exchange) -> None:
        answer = exchange.ask()
        answer.body = answer.body[:-1] + bytes([answer.body[-1] ^ 1])
        exchange.give(answer)

    faulty.add(damages, "GET", "/blobs/", times=-1, after=1)
    for target in ("out", "out.tar"):
        ran = home.imgref("pull", f"{faulty.host}/{path}:v1", target)
        assert ran.code == 3
        assert "the content that came is sha256:" in ran.err
        assert list((home.path / "work").iterdir()) == []


def test_no_space_left_for_a_pull(plain: Registry, layout: str, image: OciImage, home: Home, unique: Unique) -> None:
    path = unique("app")
    good(home.imgref("push", layout, f"{plain.host}/{path}:v1"))
    small = home.path / "work" / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(small)], check=False).returncode:
        pytest.skip("cannot mount a small file system here")
    try:
        for target in ("out", "out.tar", "."):
            ran = home.imgref("pull", f"{plain.host}/{path}:v1", str(small / target))
            assert ran.code == 2
            assert "no space left; the image needs " in ran.err
            assert list(small.rglob("*")) == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


# Interrupted, killed, restarted


class Gate:
    """Holds requests back when half of their body, or of the answer's, has passed."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def hold_request(self, exchange: Exchange) -> None:
        for _ in exchange.body(int(exchange.headers["Content-Length"]) // 2):
            pass
        self.reached.set()
        self.opened.wait(20)
        exchange.reset()

    def hold_answer(self, exchange: Exchange) -> None:
        answer = exchange.ask()
        exchange.send_response_only(answer.status)
        exchange.send_header("Content-Length", str(len(answer.body)))
        exchange.end_headers()
        exchange.wfile.write(answer.body[: len(answer.body) // 2])
        exchange.wfile.flush()
        self.reached.set()
        self.opened.wait(20)
        exchange.reset()


@contextmanager
def running(home: Home, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "imgref", *arguments]
    # A session of its own: the signal is for imgref, and not for the tests.
    process = subprocess.Popen(
        command,
        env=home.environ,
        cwd=home.path / "work",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def interrupted(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal, and see it end at once and without noise."""
    start = time.monotonic()
    process.send_signal(number)
    _, told = process.communicate(timeout=15)
    assert process.returncode == 130, told.decode()
    assert time.monotonic() - start < 10
    assert told.decode().strip() == "error: interrupted"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_in_a_push(
    number: int, faulty: FaultProxy, plain: Registry, layout: str, image: OciImage, home: Home, unique: Unique
) -> None:
    path = unique("app")
    gate = Gate()
    faulty.add(gate.hold_request, "PUT", "/blobs/", times=-1)
    with running(home, "push", layout, f"{faulty.host}/{path}:v1") as process:
        assert gate.reached.wait(20)
        interrupted(process, number)
    gate.opened.set()
    assert faulty.count("DELETE", "/uploads/") >= 1
    assert faulty.count("PUT", "/manifests/") == 0
    faulty.faults.clear()
    good(home.imgref("push", layout, f"{faulty.host}/{path}:v1"))
    assert raw_manifest(plain, path, "v1") == image.raw


@pytest.mark.parametrize("target", ["out", "out.tar"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_in_a_pull(
    number: int, target: str, faulty: FaultProxy, plain: Registry, layout: str, home: Home, unique: Unique
) -> None:
    path = unique("app")
    good(home.imgref("push", layout, f"{plain.host}/{path}:v1"))
    gate = Gate()
    faulty.add(gate.hold_answer, "GET", "/blobs/", times=-1, after=1)
    with running(home, "pull", f"{faulty.host}/{path}:v1", target) as process:
        assert gate.reached.wait(20)
        interrupted(process, number)
    gate.opened.set()
    assert list((home.path / "work").iterdir()) == []
    faulty.faults.clear()
    good(home.imgref("pull", f"{faulty.host}/{path}:v1", target))


def test_a_registry_that_is_killed_and_comes_back(
    layout: str, image: OciImage, home: Home, tmp_path: Path, unique: Unique
) -> None:
    """The proxy kills it in the middle of the body; it is there again before imgref has given up."""
    from e2e.fault_proxy import run_fault_proxy

    port = free_port()
    directory = tmp_path / "registry"
    directory.mkdir()
    first = run_registry(directory, port=port)
    registry = first.__enter__()
    second: list[object] = []

    def kill(exchange: Exchange) -> None:
        keeps_half_of(exchange)
        first.__exit__(None, None, None)

        def restart() -> None:
            again = run_registry(directory, port=port)
            again.__enter__()
            second.append(again)

        threading.Thread(target=restart).start()
        exchange.reset()

    def keeps_half_of(exchange: Exchange) -> None:
        for _ in exchange.body(int(exchange.headers["Content-Length"]) // 2):
            pass

    try:
        with run_fault_proxy(registry.host) as proxy:
            proxy.add(kill, "PUT", "/blobs/")
            ran = home.imgref("push", layout, f"{proxy.host}/app:v1")
            good(ran)
            assert "trying again in" in ran.err
        assert raw_manifest(registry, "app", "v1") == image.raw
    finally:
        for again in second:
            again.__exit__(None, None, None)  # type: ignore[attr-defined]


@pytest.mark.usefixtures("short_waits")
def test_a_copy_comes_through_faults_on_both_sides(
    faulty: FaultProxy, plain: Registry, tls: Registry, layout: str, image: OciImage, home: Home, unique: Unique
) -> None:
    path = unique("app")
    good(home.imgref("push", layout, f"{plain.host}/{path}:v1"))
    faulty.add(reset_in_answer, "GET", "/blobs/", times=2)
    good(home.imgref("copy", f"{faulty.host}/{path}:v1", f"{tls.host}/{path}:v1"))
    assert raw_manifest(tls, path, "v1") == image.raw
    faulty.faults.clear()
    faulty.add(reset_in_request, "PUT", "/blobs/", times=2)
    good(home.imgref("copy", f"{tls.host}/{path}:v1", f"{faulty.host}/{unique('back')}:v1"))
    assert raw_manifest(plain, unique("back"), "v1") == image.raw
