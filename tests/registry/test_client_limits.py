"""The client and a registry that sends what no registry should: errors, not tracebacks, and no useless retries."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from registry_server import Request, client_for, response, run_server
from tables import each

from imgref.archive import image
from imgref.archive.manifest import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, digest_of
from imgref.errors import AuthenticationError, ImgrefError, NotFound, RegistryError, RegistryUnavailable
from imgref.reference import ImageReference, parse
from imgref.registry import pages
from imgref.registry.client import RegistryClient, Upload
from imgref.registry.transfer.moves import copy, remote_image
from imgref.registry.transport import Event

BLOB = b"blob" * 1000
DIGEST = digest_of(BLOB)
RAW = b'{"schemaVersion":2,"layers":[]}'

BAD_URLS = ["http://[::1", "http://[", "//[", "http://h:99999/", "http://h:" + "9" * 5_000, "http://h:x/", "ftp://h/",
            "http://u:p@h/", "http://h\\@other/", "http://a b/", "javascript:x", "http://\u00e9/",
            "http://h/\x01", "http://" + "a" * 70 + ".invalid\\x/"]  # fmt: skip
"""Locations that are not addresses; each made a traceback, or could be read in two ways."""

BAD_SIZES = ["9" * 5_000, str(1 << 63), "-1", "1e3", "\u00b2", "0x10", "+5", "1_0", ""]


def get_manifest(client: RegistryClient, repository: ImageReference) -> object:
    return client.get_manifest(repository.with_tag("1"))


def list_tags(client: RegistryClient, repository: ImageReference) -> object:
    return client.list_tags(repository)


def open_blob(client: RegistryClient, repository: ImageReference) -> object:
    return b"".join(client.open_blob(repository, DIGEST, size=len(BLOB)))


def start_upload(client: RegistryClient, repository: ImageReference) -> object:
    return client.start_upload(repository)


READS = [get_manifest, list_tags, open_blob]


@each("url", BAD_URLS)
@each("read", READS)
def test_redirect_to_an_invalid_url_fails_at_once(
    read: Callable[[RegistryClient, ImageReference], object], url: str
) -> None:
    with run_server(lambda request: response(307, Location=url)) as server, client_for() as client:
        with pytest.raises(RegistryError, match="redirects to an invalid address"):
            read(client, server.repository)
        assert len([seen for seen in server.seen if seen.path != "/v2/"]) == 1


@each("url", BAD_URLS)
def test_upload_at_an_invalid_url_is_refused(url: str) -> None:
    with run_server(lambda request: response(202, Location=url)) as server, client_for() as client:
        with pytest.raises(RegistryError, match="sends a location that is not a valid URL"):
            client.start_upload(server.repository)
        assert server.count("POST") == 1


@each("url", BAD_URLS)
@each("first", [False, True])
def test_realm_that_is_an_invalid_url_is_refused(url: str, first: bool) -> None:
    realm = url.replace("\\", "\\\\")

    def answer(request: Request) -> bytes:
        return response(401, WWW_Authenticate=f'Bearer realm="{realm}"')

    with (
        run_server(answer, first=first) as server,
        client_for() as client,
        pytest.raises(RegistryError, match=r"the token service that .* names is not a valid URL"),
    ):
        client.list_tags(server.repository)


@each("url", [url for url in BAD_URLS if url.isascii() and url.isprintable()])
def test_next_page_at_an_invalid_url_is_refused(url: str) -> None:
    def answer(request: Request) -> bytes:
        return response(200, b'{"tags": ["1"]}', Link=f'<{url}>; rel="next"')

    with run_server(answer) as server, client_for() as client, pytest.raises(RegistryError):
        client.list_tags(server.repository)


@each("size", BAD_SIZES)
def test_impossible_content_length_of_a_manifest_is_not_believed(size: str) -> None:
    def answer(request: Request) -> bytes:
        headers = {"Content_Type": OCI_MANIFEST, "Docker_Content_Digest": digest_of(RAW)}
        head = request.method == "HEAD"
        return response(200, b"" if head else RAW, size if head else None, **headers)

    with run_server(answer) as server, client_for() as client:
        assert client.resolve(server.repository.with_tag("1")).size == len(RAW)


@each("size", BAD_SIZES)
def test_impossible_content_length_of_a_blob_is_unknown(size: str) -> None:
    with run_server(lambda request: response(200, length=size)) as server, client_for() as client:
        assert client.blob_exists(server.repository, DIGEST) == 0


@pytest.mark.parametrize("span", [f"bytes {'9' * 5_000}-", f"bytes {1 << 63}-1/2", "bytes 0-1/", "bytes x", ""])
def test_impossible_content_range_is_an_error(span: str) -> None:
    def answer(request: Request) -> bytes:
        if "Range" not in request.headers:
            return response(200, BLOB[:2000], length=str(len(BLOB)))
        return response(206, BLOB[100:], Content_Range=span)

    with run_server(answer) as server, client_for() as client, pytest.raises(RegistryError):
        open_blob(client, server.repository)


@pytest.mark.parametrize("size", [1 << 63, 1 << 64, 10**400])
def test_descriptor_with_an_impossible_size_is_refused(size: int) -> None:
    raw = b'{"schemaVersion":2,"layers":[{"digest":"%s","size":%d}]}' % (DIGEST.encode(), size)
    with (
        run_server(lambda request: response(200, raw, Content_Type=OCI_MANIFEST)) as server,
        client_for() as client,
        pytest.raises(RegistryError, match="that no file can have"),
    ):
        get_manifest(client, server.repository)


@pytest.mark.parametrize("lifetime", [b"1" + b"0" * 400, b"1e400", b"-1e400", b"NaN", b"true", b'"x"', b"0"])
def test_lifetime_of_a_token_may_be_any_number(lifetime: bytes) -> None:
    def answer(request: Request) -> bytes:
        if request.path.startswith("/token"):
            return response(200, b'{"token": "t", "expires_in": ' + lifetime + b"}")
        if "Authorization" not in request.headers:
            return response(401, WWW_Authenticate='Bearer realm="/token"')
        return response(200, b'{"tags": ["1"]}')

    with run_server(answer) as server, client_for() as client:
        assert client.list_tags(server.repository) == ["1"]


def test_registry_with_a_long_port_is_not_reached() -> None:
    for port in ("65536", "99999", "9" * 5_000):
        with client_for() as client, pytest.raises(RegistryUnavailable):
            client.list_tags(parse(f"localhost:{port}/app", default_tag=None))


def test_referrers_that_do_not_end_are_an_error() -> None:
    def answer(request: Request) -> bytes:
        raw = b'{"schemaVersion":2,"manifests":[]}'
        return response(200, raw, Content_Type=OCI_INDEX, Link=f'<{request.path}>; rel="next"')

    with run_server(answer) as server, client_for() as client, pytest.raises(RegistryError, match="does not end"):
        client.list_referrers(server.repository.with_digest(DIGEST))


# What is tried again, and what is not


def count_reads(read: Callable[[RegistryClient, ImageReference], object], answer: bytes) -> tuple[int, float]:
    events: list[Event] = []
    with run_server(lambda request: answer) as server, client_for(events) as client:
        start = time.monotonic()
        with pytest.raises(ImgrefError):
            read(client, server.repository)
        assert events == []
        return len([seen for seen in server.seen if seen.path != "/v2/"]), time.monotonic() - start


PERMANENT = {
    "a plain http redirect": (get_manifest, response(307, Location="http://registry.invalid/")),
    "a plain http redirect of a blob": (open_blob, response(307, Location="http://registry.invalid/")),
    "a redirect to a name that does not resolve": (open_blob, response(307, Location="https://registry.invalid/")),
    "a wrong digest of a blob": (open_blob, response(200, b"other")),
    "too many bytes of a blob": (open_blob, response(200, BLOB + b"x")),
    "a missing blob": (open_blob, response(404)),
    "a wrong digest of a manifest": (get_manifest, response(200, RAW, Docker_Content_Digest=DIGEST)),
    "two lengths": (get_manifest, response(200, RAW, "1, 2")),
    "too many headers": (get_manifest, response(200, RAW, **{f"h{number}": "x" for number in range(200)})),
    "a long header": (get_manifest, response(200, RAW, Link="x" * 70_000)),
    "no HTTP": (get_manifest, b"SSH-2.0-OpenSSH_9.2\r\n\r\n"),
    "a forbidden list": (list_tags, response(403)),
    "a forbidden upload": (start_upload, response(403)),
}


@each("name", PERMANENT)
def test_permanent_failure_is_not_retried(name: str) -> None:
    count, seconds = count_reads(*PERMANENT[name])
    assert count == 1
    assert seconds < 5


def test_source_that_fails_for_good_ends_a_copy_at_once() -> None:
    """The upload to the target is not begun again for what the source does not have."""
    manifest = (
        b'{"schemaVersion":2,"mediaType":"%s","layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip",'
        b'"digest":"%s","size":%d}]}' % (DOCKER_MANIFEST.encode(), DIGEST.encode(), len(BLOB))
    )
    bodies = {"missing": response(404), "wrong": response(200, b"x" * len(BLOB)), "large": response(200, BLOB * 2)}
    bodies["elsewhere"] = response(307, Location="http://registry.invalid/")
    for blob in bodies.values():

        def source(request: Request, blob: bytes = blob) -> bytes:
            return blob if "/blobs/" in request.path else response(200, manifest, Content_Type=DOCKER_MANIFEST)

        def target(request: Request) -> bytes:
            if request.method == "POST":
                return response(202, Location="/v2/app/blobs/uploads/1")
            return response(404 if request.method == "HEAD" else 201)

        events: list[Event] = []
        with run_server(source) as here, run_server(target) as there, client_for(events) as client:
            start = time.monotonic()
            with pytest.raises(RegistryError) as caught:
                copy(client, here.repository.with_tag("1"), [there.repository.with_tag("1")])
            assert here.host in str(caught.value)
            assert time.monotonic() - start < 3
            assert events == []
            assert (here.count("GET", "/blobs/"), there.count("POST")) == (1, 1)
            assert there.count("PUT", "/manifests/") == 0


def test_upload_that_is_redirected_to_plain_http_is_not_retried() -> None:
    events: list[Event] = []

    def answer(request: Request) -> bytes:
        return response(307, Location="http://registry.invalid/")

    with run_server(answer) as server, client_for(events) as client:
        for act in (client.start_upload, lambda repository: client.blob_exists(repository, DIGEST)):
            with pytest.raises(RegistryError, match="asked for over plain http, which is refused"):
                act(server.repository)
        upload = Upload(server.repository, "http://registry.invalid/upload")
        with pytest.raises(RegistryUnavailable) as caught:
            client.put_blob(upload, lambda: [BLOB], len(BLOB), DIGEST)
        assert caught.value.permanent
        assert events == []


def test_missing_blob_is_reported_as_such() -> None:
    with (
        run_server(lambda request: response(404)) as server,
        client_for() as client,
        pytest.raises(NotFound, match="no such blob"),
    ):
        open_blob(client, server.repository)


def test_token_service_that_redirects_in_a_circle_fails() -> None:
    def answer(request: Request) -> bytes:
        if request.path.startswith("/token"):
            return response(302, Location="/token?again")
        return response(401, WWW_Authenticate='Bearer realm="/token"')

    with run_server(answer) as server, client_for() as client:
        with pytest.raises((AuthenticationError, RegistryError), match="more than 5 redirects"):
            client.list_tags(server.repository)
        assert server.count("GET", "/token") == 6


# What never ends


def test_pages_of_tags_that_never_end_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pages._MOST_PAGES == 1000
    monkeypatch.setattr(pages, "_MOST_PAGES", 20)

    def answer(request: Request) -> bytes:
        page = int(request.path.partition("page=")[2] or 0)
        return response(200, b'{"tags": ["%d"]}' % page, Link=f'</v2/app/tags/list?page={page + 1}>; rel="next"')

    with run_server(answer) as server, client_for() as client:
        with pytest.raises(RegistryError):
            client.list_tags(server.repository)
        assert server.count("GET", "/tags/list") <= 21


def test_index_that_refers_to_endless_indexes_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert image._MOST_MANIFESTS == 1000
    monkeypatch.setattr(image, "_MOST_MANIFESTS", 20)
    raws: dict[str, bytes] = {}
    raw = b'{"schemaVersion":2,"mediaType":"%s","layers":[]}' % OCI_MANIFEST.encode()
    for _ in range(30):
        raws[digest_of(raw)] = raw
        entry = b'{"digest":"%s","size":%d}' % (digest_of(raw).encode(), len(raw))
        raw = b'{"schemaVersion":2,"mediaType":"%s","manifests":[%s]}' % (OCI_INDEX.encode(), entry)
    raws["1"] = raw

    with (
        run_server(lambda request: response(200, raws[request.path.rpartition("/")[2]])) as server,
        client_for() as client,
        pytest.raises(RegistryError, match="has more than 20 manifests"),
    ):
        remote_image(client, server.repository.with_tag("1"))
