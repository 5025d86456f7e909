"""Responses are bounded in size and in time, whatever a server sends, and in memory, whatever they decompress to."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import pytest
from registry.kit import Clock
from registry_server import Answer, Request, client_for, response, run_server
from tables import each
from vectors import ROOT

from imgref.archive.manifest import OCI_INDEX, OCI_MANIFEST, digest_of
from imgref.errors import NotFound, RegistryError, RegistryUnavailable
from imgref.registry.transport import Event

MIB = 1 << 20
TAGS = json.dumps({"name": "app", "tags": ["1.0.0"]}).encode()


def always(answer: Answer) -> Callable[[Request], Answer]:
    return lambda request: answer


def json_answer(body: bytes, **headers: str) -> bytes:
    return response(200, body, Content_Type="application/json", **headers)


# Size


def test_page_of_tags_above_4_mib_is_refused() -> None:
    body = b'{"tags": ["1"], "more": "' + b"x" * (4 * MIB) + b'"}'
    with run_server(always(json_answer(body))) as server, client_for() as client:
        with pytest.raises(RegistryError, match="the response has more than 4 MiB") as caught:
            client.list_tags(server.repository)
        assert server.count("GET", "/tags/list") == 1
        assert (caught.value.status, caught.value.method) == (200, "GET")


def test_page_of_tags_of_4_mib_is_read() -> None:
    head, tail = b'{"tags": ["1"], "more": "', b'"}'
    body = head + b"x" * (4 * MIB - len(head + tail)) + tail
    with run_server(always(json_answer(body))) as server, client_for() as client:
        assert client.list_tags(server.repository) == ["1"]


def test_manifest_above_4_mib_is_refused() -> None:
    body = b'{"schemaVersion": 2, "layers": [], "more": "' + b"x" * (4 * MIB) + b'"}'
    with (
        run_server(always(response(200, body, Content_Type=OCI_MANIFEST))) as server,
        client_for() as client,
        pytest.raises(RegistryError, match="more than 4 MiB"),
    ):
        client.get_manifest(server.repository.with_tag("1"))


@pytest.mark.parametrize("endless", [False, True])
def test_large_refusal_is_reported_by_its_status(endless: bool) -> None:
    def answer(request: Request) -> Iterator[bytes]:
        yield b"HTTP/1.1 403 x\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunk = b"%x\r\n%s\r\n" % (1 << 16, b"x" * (1 << 16))
        for _ in range(100_000 if endless else 100):
            yield chunk

    with (
        run_server(answer) as server,
        client_for() as client,
        pytest.raises(RegistryError, match="no permission to read it"),
    ):
        client.list_tags(server.repository)


def test_long_token_response_is_refused() -> None:
    def answer(request: Request) -> bytes:
        if request.path.startswith("/token"):
            return json_answer(b'{"token": "' + b"x" * (5 * MIB) + b'"}')
        return response(401, WWW_Authenticate='Bearer realm="/token"')

    with (
        run_server(answer) as server,
        client_for() as client,
        pytest.raises(RegistryError, match="more than 4 MiB"),
    ):
        client.list_tags(server.repository)


# Compression


def test_gzip_that_was_not_asked_for_is_read() -> None:
    body = gzip.compress(TAGS)
    with run_server(always(json_answer(body, Content_Encoding="gzip"))) as server, client_for() as client:
        assert client.list_tags(server.repository) == ["1.0.0"]
        assert server.seen[-1].headers.get("Accept-Encoding") == "identity"


def test_gzip_bomb_is_refused_before_it_is_decompressed() -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    body = b"".join(packer.compress(bytes(MIB)) for _ in range(256)) + packer.flush()
    with run_server(always(json_answer(body, Content_Encoding="gzip"))) as server, client_for() as client:
        tracemalloc.start()
        try:
            with pytest.raises(RegistryError, match="more than 4 MiB"):
                client.list_tags(server.repository)
            assert tracemalloc.get_traced_memory()[1] < 20 * MIB
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    ("encoding", "body"), [("br", TAGS), ("gzip, gzip", TAGS), ("gzip", b"no gzip"), ("deflate", zlib.compress(TAGS))]
)
def test_other_encodings_are_refused(encoding: str, body: bytes) -> None:
    with run_server(always(json_answer(body, Content_Encoding=encoding))) as server, client_for() as client:
        with pytest.raises(RegistryError, match=r"compressed, although|cannot be decompressed"):
            client.list_tags(server.repository)
        assert server.count("GET", "/tags/list") == 1


def test_size_of_a_compressed_manifest_is_not_its_content_length() -> None:
    raw = b'{"schemaVersion":2,"layers":[]}'

    def answer(request: Request) -> bytes:
        packed = request.method == "HEAD"
        headers = {"Content_Encoding": "gzip"} if packed else {}
        headers |= {"Content_Type": OCI_MANIFEST, "Docker_Content_Digest": digest_of(raw)}
        return response(200, b"" if packed else raw, "12" if packed else None, **headers)

    with run_server(answer) as server, client_for() as client:
        assert client.resolve(server.repository.with_tag("1")).size == len(raw)


# Values


@each("piece", [b"[]", b"{}", b'"ab"', b"1000", b'[{"a":{}}]'])
@each("what", ["tags", "manifest"])
def test_memory_for_many_small_values_is_bounded(what: str, piece: bytes) -> None:
    head = b'{"schemaVersion":2,"layers":[],"tags":["1"],"more":['
    body = head + b",".join([piece] * ((4 * MIB - 100) // (len(piece) + 1))) + b"]}"
    call = "client.list_tags(repository)" if what == "tags" else "client.get_manifest(repository.with_tag('1'))"
    script = f"""if True:
        import re, sys
        from pathlib import Path
        sys.path.insert(0, "tests")
        from registry_server import client_for
        from imgref.errors import RegistryError
        from imgref.reference import parse
        repository = parse(sys.argv[1] + "/app", default_tag=None)
        with client_for() as client:
            try:
                {call}
            except RegistryError as error:
                print(error)
        print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
    """
    with run_server(always(response(200, body, Content_Type=OCI_MANIFEST))) as server:
        ran = subprocess.run([sys.executable, "-c", script, server.host], cwd=ROOT, capture_output=True, check=True)
    assert int(ran.stdout.split()[-1]) < (10 * len(body) + 60 * MIB) >> 10


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 200_000, b'{"tags":' + b"9" * 5_000 + b"}"])
def test_deep_and_long_json_is_refused(body: bytes) -> None:
    with run_server(always(json_answer(body))) as server, client_for() as client:
        with pytest.raises(RegistryError):
            client.list_tags(server.repository)
        with pytest.raises(RegistryError):
            client.get_manifest(server.repository.with_tag("1"))


# Time


def trickle(head: bytes, rest: bytes, pause: float = 0.03) -> Iterator[bytes]:
    yield head
    for place in range(len(rest)):
        time.sleep(pause)
        yield rest[place : place + 1]


HEAD = b"HTTP/1.1 200 x\r\n"

TRICKLES: dict[str, Callable[[], Iterator[bytes]]] = {
    "a status line": lambda: trickle(b"", b"HTTP/1.1 " + b"0" * 10_000),
    "a header": lambda: trickle(HEAD, b"X-Header: " + b"x" * 10_000),
    "a body": lambda: trickle(HEAD + b"Content-Length: 9999\r\n\r\n", b" " * 9_999),
    "chunks": lambda: trickle(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 2_000),
    "the size of a chunk": lambda: trickle(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1", b";" * 10_000),
    "a trailer": lambda: trickle(HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 2_000),
    "a refusal": lambda: trickle(b"HTTP/1.1 400 x\r\nContent-Length: 9999\r\n\r\n", b" " * 9_999),
}


@pytest.mark.parametrize("name", TRICKLES)
def test_trickling_response_fails_within_four_times_the_timeout(name: str) -> None:
    events: list[Event] = []
    with run_server(lambda request: TRICKLES[name]()) as server, client_for(events, timeout=0.15) as client:
        start = time.monotonic()
        with pytest.raises(RegistryUnavailable, match="the response arrives too slowly"):
            client.list_tags(server.repository)
        # The first contact, which asks /v2/ over http, may take as long.
        assert time.monotonic() - start < 2 * 4 * 0.15 + 2
        assert events == []


@pytest.mark.parametrize("endless", [b"HTTP/1.1 100 Continue\r\n\r\n", b"X: y\r\n", b"0;x\r\n"])
def test_endless_response_without_a_body_fails(endless: bytes) -> None:
    heads = {b"H": b"", b"X": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"0": HEAD}

    def answer(request: Request) -> Iterator[bytes]:
        yield heads[endless[:1]]
        while True:
            yield endless * 1000

    with run_server(answer) as server, client_for(timeout=5) as client:
        start = time.monotonic()
        with pytest.raises(RegistryUnavailable):
            client.list_tags(server.repository)
        assert time.monotonic() - start < 10


BLOB = bytes(range(256)) * 400


def test_trickling_blob_fails() -> None:
    head = HEAD + b"Content-Length: %d\r\n\r\n" % len(BLOB)
    with run_server(lambda request: trickle(head, BLOB)) as server, client_for(timeout=0.15) as client:
        start = time.monotonic()
        with pytest.raises(RegistryUnavailable, match="arrives too slowly"):
            b"".join(client.open_blob(server.repository, digest_of(BLOB)))
        assert time.monotonic() - start < 2 * 4 * 0.15 + 2


def test_slow_blob_above_the_minimum_rate_arrives() -> None:
    def answer(request: Request) -> Iterator[bytes]:
        if "/blobs/" not in request.path:
            yield response(200)
            return
        yield HEAD + b"Content-Length: %d\r\n\r\n" % len(BLOB)
        for place in range(0, len(BLOB), 2_000):
            time.sleep(0.02)
            yield BLOB[place : place + 2_000]

    with run_server(answer) as server, client_for(timeout=0.2) as client:
        assert b"".join(client.open_blob(server.repository, digest_of(BLOB))) == BLOB


def test_slow_use_of_a_blob_is_not_a_slow_registry() -> None:
    def answer(request: Request) -> bytes:
        return response(200, BLOB * 30 if "/blobs/" in request.path else b"")

    with run_server(answer) as server, client_for(timeout=0.2) as client:
        found = b""
        for chunk in client.open_blob(server.repository, digest_of(BLOB * 30)):
            time.sleep(0.1)
            found += chunk
        assert found == BLOB * 30


def test_blob_that_breaks_after_each_byte_fails(clock: Clock) -> None:
    """Whatever brings something is taken up again, but not for ever."""
    events: list[Event] = []

    def answer(request: Request) -> bytes:
        if "/blobs/" not in request.path:
            return response(200)
        start = int(request.headers.get("Range", "bytes=0-")[6:-1])
        span = f"bytes {start}-{len(BLOB) - 1}/{len(BLOB)}"
        return response(206, BLOB[start : start + 1], length=str(len(BLOB) - start), Content_Range=span)

    with run_server(answer) as server, client_for(events) as client:
        with pytest.raises(RegistryUnavailable, match="in the middle of an answer"):
            b"".join(client.open_blob(server.repository, digest_of(BLOB)))
        assert server.count("GET", "/blobs/") == 5
        assert len(events) == 4


def test_index_media_type_is_known() -> None:
    """The server of these tests is understood when it answers as a registry does."""
    raw = b'{"schemaVersion":2,"manifests":[]}'
    with run_server(always(response(200, raw, Content_Type=OCI_INDEX))) as server, client_for() as client:
        assert client.get_manifest(server.repository.with_tag("1")).is_index
    with run_server(always(response(404))) as server, client_for() as client, pytest.raises(NotFound):
        client.get_manifest(server.repository.with_tag("1"))
