"""Whatever a registry answers, each call returns a value or raises an ImgrefError, and soon."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

import pytest
from examples import examples
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from registry_server import Request, Server, client_for, run_server

from imgref.archive.manifest import ACCEPTED, OCI_MANIFEST, digest_of
from imgref.errors import ImgrefError
from imgref.platforms import Platform
from imgref.registry.client import RegistryClient, Upload
from imgref.registry.transport import Endpoint

BLOB = b"blob"
DIGEST = digest_of(BLOB)

CALLS: dict[str, Callable[[RegistryClient, Server], object]] = {
    "resolve": lambda client, server: client.resolve(server.repository.with_tag("1")),
    "resolve a platform": lambda client, server: client.resolve(
        server.repository.with_tag("1"), Platform.parse("linux/amd64")
    ),
    "resolve a digest": lambda client, server: client.resolve(server.repository.with_digest(DIGEST)),
    "get_manifest": lambda client, server: client.get_manifest(server.repository.with_tag("1")),
    "list_tags": lambda client, server: client.list_tags(server.repository),
    "list_referrers": lambda client, server: client.list_referrers(server.repository.with_digest(DIGEST)),
    "blob_exists": lambda client, server: client.blob_exists(server.repository, DIGEST),
    "open_blob": lambda client, server: b"".join(client.open_blob(server.repository, DIGEST, size=4)),
    "start_upload": lambda client, server: client.start_upload(server.repository),
    "mount": lambda client, server: client.start_upload(server.repository, DIGEST, server.repository.with_path("b")),
    "put_blob": lambda client, server: client.put_blob(
        Upload(server.repository, f"http://{server.host}/u?a"), lambda: [BLOB], 4, DIGEST
    ),
    "put_manifest": lambda client, server: client.put_manifest(
        server.repository.with_tag("1"), b'{"schemaVersion":2,"layers":[]}', OCI_MANIFEST, read_back=False
    ),
}

NUMBERS = st.one_of(
    st.integers(-2, 10).map(str),
    st.sampled_from(["9" * 5_000, str(1 << 63), str(1 << 80), "-1", "0x1", "1,2", "1, 1", "\u00b2", "1e9", " 4", "4 "]),
)
URLS = st.one_of(
    st.sampled_from(["", "/", "/v2/app/blobs/uploads/1?x=y", "//", "http://[::1", "http://[", "//[", "http://h:x/",
                     "ftp://h/", "http://u:p@h/", "https://[fe80::1%25x]/", "http://127.0.0.1:1/", "?", "#",
                     "http://h\\@g/", "/\u00e9 \u00ff", "https://" + "a" * 70 + ".invalid/",
                     "http://" + ".".join(["localhost"] * 60) + "/", "http://127.0.0.1:" + "9" * 5_000]),
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30),
    st.text("/:@[]?#%.\\h1 ", max_size=12).map(lambda text: f"http://{text}"),
)  # fmt: skip
WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40)
CHALLENGES = st.one_of(
    WORDS,
    st.sampled_from(["Basic", 'Basic realm="x"', "Bearer", "Negotiate", 'Bearer realm="/token"']),
    st.builds('Bearer realm="{}",service="{}",scope="{}"'.format, URLS, WORDS, WORDS),
)
HEADERS: dict[str, st.SearchStrategy[str]] = {
    "Content-Length": NUMBERS,
    "Content-Range": st.one_of(WORDS, st.builds("bytes {}-{}/{}".format, NUMBERS, NUMBERS, NUMBERS)),
    "Content-Type": st.one_of(st.sampled_from([*ACCEPTED, "text/html", "application/json; charset=x"]), WORDS),
    "Content-Encoding": st.sampled_from(["gzip", "br", "identity", "gzip, gzip", "x", "deflate"]),
    "Transfer-Encoding": st.sampled_from(["chunked", "gzip", "chunked, chunked", "x"]),
    "Docker-Content-Digest": st.one_of(st.just(DIGEST), st.sampled_from(["md5:1", "sha512:", ":", "sha256:x"]), WORDS),
    "Location": URLS,
    "Link": st.one_of(st.builds('<{}>; rel="next"'.format, URLS), WORDS, st.just("<" * 5_000)),
    "Retry-After": st.one_of(st.just("0"), WORDS, st.just("9" * 5_000), st.just("Wed, 21 Oct 0000 07:28:00 -9999")),
    "WWW-Authenticate": CHALLENGES,
    "Connection": st.sampled_from(["close", "keep-alive", "upgrade"]),
}
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-1, 2**70), st.sampled_from(["", DIGEST, "1", "\ud800", "a/b"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["tags", "token", "expires_in", "errors", "message", "manifests", "layers", "config",
                             "digest", "size", "mediaType", "platform", "os", "architecture", "schemaVersion"]),
            inner, max_size=5,
        ),
    ),
    max_leaves=12,
)  # fmt: skip
BODIES = st.one_of(
    st.binary(max_size=30),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.sampled_from([BLOB, b"[" * 99_999, b'{"tags":' * 9_999, b'{"token":"t","expires_in":1' + b"0" * 400 + b"}",
                     b'{"token":"t"}', b'{"tags":["1"]}', b"<html>", b'{"tags":' + b"9" * 5_000 + b"}", b""]),
)  # fmt: skip


@st.composite
def responses(draw: st.DrawFn) -> bytes:
    """Any response that ends; mostly one that claims to be fine."""
    status = draw(st.sampled_from([200, 200, 201, 202, 204, 206, 301, 307, 400, 401, 403, 404, 405, 416, 418, 999]))
    names = draw(st.lists(st.sampled_from(sorted(HEADERS)), max_size=4))
    body = draw(BODIES)
    lines = [f"HTTP/1.1 {status} x", *(f"{name}: {draw(HEADERS[name])}" for name in names)]
    if draw(st.booleans()):
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return draw(st.sampled_from([head + body] * 9 + [head[: len(head) // 2]]))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with run_server(lambda request: b"") as running:
        yield running


@pytest.mark.parametrize("call", CALLS)
@settings(max_examples=examples(0.6), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(answers=st.lists(responses(), min_size=1, max_size=3))
@example(answers=[b'HTTP/1.1 401 x\r\nWWW-Authenticate: Bearer realm="http://[::1"\r\nContent-Length: 0\r\n\r\n'])
@example(answers=[b"HTTP/1.1 307 x\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n"])
@example(answers=[b"HTTP/1.1 200 x\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n"])
@example(answers=[b"HTTP/1.1 202 x\r\nLocation: //[\r\nContent-Length: 0\r\n\r\n"])
def test_any_response_is_a_value_or_an_error(call: str, server: Server, answers: list[bytes]) -> None:
    server.seen.clear()

    def answer(request: Request) -> bytes:
        return answers[min(len(server.seen), len(answers)) - 1]

    server.answer = answer
    with client_for(timeout=0.5, IMGREF_REGISTRY=server.host, IMGREF_USERNAME="u", IMGREF_PASSWORD="p") as client:
        transport = client._session._transport
        transport.pause = lambda *arguments, **options: None  # type: ignore[method-assign]
        client._session.pause = transport.pause
        transport._endpoints[server.host] = Endpoint(
            server.host, f"http://{server.host}", transport.trust(server.host), verified=False
        )
        start = time.monotonic()
        try:
            CALLS[call](client, server)
        except ImgrefError as error:
            assert str(error).isprintable()  # noqa: PT017 - no error is as good
        assert time.monotonic() - start < 20
