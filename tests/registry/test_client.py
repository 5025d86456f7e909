"""The distribution API as the client speaks it: manifests, tags and blobs, each digest verified."""

from __future__ import annotations

import hashlib
import json

import pytest
from e2e.images import DOCKER, OCI, Image, put_image, put_index
from faults import (
    Action,
    Answer,
    Exchange,
    cut_in_answer,
    damaged,
    header,
    html,
    lost,
    paged,
    redirect,
    reset_before,
    status,
    without_tags,
)
from registry.kit import ALWAYS, Clock, app
from registry.server import RegistryServer, digest_of

from imgref.archive.manifest import Descriptor
from imgref.errors import NotFound, RateLimited, RegistryError, RegistryUnavailable, UnreliableTagList
from imgref.platforms import Platform
from imgref.registry.client import RegistryClient, Upload
from imgref.registry.transport import Event

MANIFESTS, TAGS, BLOBS = "/manifests/", "/tags/list", "/blobs/"
OTHER = "sha256:" + 64 * "0"


@pytest.fixture
def image(server: RegistryServer) -> Image:
    return put_image(server, "app", "1")


def as_json(code: int, value: object) -> Action:
    return status(code, json.dumps(value).encode())


# Finding manifests


@pytest.mark.parametrize("types", [OCI, DOCKER], ids=["oci", "docker"])
def test_resolve_of_a_tag_asks_with_head_only(
    types: dict[str, str], server: RegistryServer, client: RegistryClient
) -> None:
    image = put_image(server, "app", "1", types)
    expected = Descriptor(types["manifest"], image.digest, len(image.raw))
    assert client.resolve(app(server, ":1")) == expected
    assert client.resolve(app(server, f"@{image.digest}")) == expected
    assert client.resolve(app(server, f":other@{image.digest}")) == expected
    assert server.count("GET", MANIFESTS) == 0
    sent = [seen.headers["Accept"] for seen in server.seen if seen.method == "HEAD"]
    assert all(kind in sent[0] for kind in (OCI["index"], OCI["manifest"], DOCKER["index"], DOCKER["manifest"]))


@pytest.mark.parametrize(
    "fault",
    [
        status(400),
        status(405),
        status(501),
        header("Docker-Content-Digest", None),
        header("Content-Length", "0"),
        header("Content-Type", "text/plain"),
    ],
    ids=["400", "405", "501", "digest", "size", "type"],
)
def test_resolve_without_a_useful_head_reads_the_manifest(
    fault: Action, server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.add(fault, "HEAD", MANIFESTS, ALWAYS)
    assert client.resolve(app(server, ":1")) == Descriptor(OCI["manifest"], image.digest, len(image.raw))
    assert server.count("GET", MANIFESTS) == 1
    assert client.find(app(server, ":1")) is not None
    assert client.find(app(server, f"@{OTHER}")) is None


@pytest.mark.parametrize("fault", [header("Docker-Content-Digest", OTHER), header("Docker-Content-Digest", "sha256:x")])
def test_resolve_with_another_digest_in_the_answer_is_an_error(
    fault: Action, server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.add(fault, "HEAD", MANIFESTS, ALWAYS)
    with pytest.raises(RegistryError, match="digest"):
        client.resolve(app(server, f"@{image.digest}"))


def test_resolve_of_a_sha512_digest_verifies_the_bytes(
    server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    digest = digest_of(image.raw, "sha512")
    server.put_manifest("app", digest, image.raw, image.media_type)
    server.add(header("Docker-Content-Digest", image.digest), "", f"/{digest}", ALWAYS)
    assert client.resolve(app(server, f"@{digest}")).digest == digest
    server.add(damaged, "GET", f"/{digest}")
    server.faults.reverse()
    with pytest.raises(RegistryError, match="the manifest that came is"):
        client.get_manifest(app(server, f"@{digest}"))


@pytest.mark.parametrize(
    ("rest", "path", "fault", "words"),
    [
        (":none", "app", None, "no such tag"),
        (f"@{OTHER}", "app", None, "no such digest"),
        (":1", "none", None, "no such repository"),
        (":none", "app", reset_before, "no such tag, or no such repository"),
        (":none", "app", status(404), "is .* a registry"),
        (":none", "app", html, "HTML page"),
    ],
)
def test_missing_manifest_is_described_as_far_as_it_is_known(
    rest: str, path: str, fault: Action | None, words: str, server: RegistryServer, client: RegistryClient
) -> None:
    put_image(server, "app", "1")
    if fault is not None:
        server.add(fault, "GET", TAGS, ALWAYS)
    ref = app(server, rest, path)
    with pytest.raises(RegistryError, match=f"^{ref}: .*{words}") as caught:
        client.resolve(ref)
    if fault is None:
        assert isinstance(caught.value, NotFound)
        assert str(caught.value) == f"{ref}: {words}"
        assert caught.value.status == 404
        assert client.find(ref) is None
        with pytest.raises(NotFound, match=f": {words}$"):
            client.get_manifest(ref)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (damaged, "the manifest that came is"),
        (header("Docker-Content-Digest", OTHER), f"not {OTHER}"),
        (header("Docker-Content-Digest", "abc"), "'abc'"),
        (html, "HTML page"),
        (as_json(200, {"schemaVersion": 2, "mediaType": "text/x"}), "text/x|the manifest that came is"),
        (status(404, b"<html>"), "HTML page"),
        (as_json(404, {"message": "maintenance"}), "is .* a registry"),
        (status(500, b"[1]"), "500"),
    ],
)
def test_get_manifest_of_something_else_is_an_error(
    fault: Action, words: str, server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.add(fault, "GET", MANIFESTS, ALWAYS)
    for rest in (":1", f"@{image.digest}"):
        with pytest.raises(RegistryError, match=words) as caught:
            client.get_manifest(app(server, rest))
        assert not isinstance(caught.value, NotFound)
    server.faults.clear()
    server.add(header("Docker-Content-Digest", None), "GET", MANIFESTS)
    assert client.get_manifest(app(server, ":1")).raw == image.raw


# Platforms and configs


def test_resolve_for_a_platform_finds_the_image_in_the_index(server: RegistryServer, client: RegistryClient) -> None:
    index = put_index(server, "app", "multi")
    children = {child.platform: child.digest for child in client.get_manifest(app(server, ":multi")).children}
    for platform, digest in children.items():
        assert platform is not None
        assert client.resolve(app(server, ":multi"), platform).digest == digest
        # The image itself is for that platform too, as its config says.
        assert client.resolve(app(server, f"@{digest}"), platform).digest == digest
        with pytest.raises(NotFound, match=f"it is for {platform}"):
            client.resolve(app(server, f"@{digest}"), Platform("windows", "amd64"))
    with pytest.raises(NotFound, match="no image for linux/s390x; there are linux/amd64, linux/arm64"):
        client.resolve(app(server, ":multi"), Platform("linux", "s390x"))
    # An index within an index, and attestations, which are for no platform.
    nested = {"mediaType": OCI["index"], "digest": index.digest, "size": len(index.raw)}
    platform_of = {"os": "linux", "architecture": "arm64"}
    attestation = {"mediaType": OCI["manifest"], "digest": OTHER, "size": 2}
    unknown = {"os": "unknown", "architecture": "unknown"}
    entries = [{**attestation, "platform": unknown}, {**attestation}, {**nested, "platform": platform_of}]
    raw = json.dumps({"schemaVersion": 2, "mediaType": OCI["index"], "manifests": entries}).encode()
    server.put_manifest("app", "nested", raw, OCI["index"])
    arm = Platform("linux", "arm64")
    assert client.resolve(app(server, ":nested"), arm).digest == children[arm]
    with pytest.raises(NotFound, match=r"; there are linux/arm64$"):
        client.resolve(app(server, ":nested"), Platform("linux", "amd64"))


def test_resolve_for_a_platform_of_nested_indexes_ends(server: RegistryServer, client: RegistryClient) -> None:
    image = put_image(server, "app", None)
    digest, size, kind = image.digest, len(image.raw), OCI["manifest"]
    for _ in range(6):
        child = {
            "mediaType": kind,
            "digest": digest,
            "size": size,
            "platform": {"os": "linux", "architecture": "amd64"},
        }
        raw = json.dumps({"schemaVersion": 2, "mediaType": OCI["index"], "manifests": [child]}).encode()
        server.put_manifest("app", "deep", raw, OCI["index"])
        digest, size, kind = digest_of(raw), len(raw), OCI["index"]
    assert client.resolve(app(server, ":deep"), Platform("linux", "amd64")).is_index
    assert server.count("GET", MANIFESTS) == 4


def put_config(server: RegistryServer, config: bytes, size: int | None = None) -> None:
    entry = {"mediaType": OCI["config"], "digest": server.put_blob("app", config), "size": size or len(config)}
    document = {"schemaVersion": 2, "mediaType": OCI["manifest"], "config": entry, "layers": []}
    server.put_manifest("app", "c", json.dumps(document).encode(), OCI["manifest"])


@pytest.mark.parametrize("config", [b"no JSON", b"[1]", b"[" * 100_000, b"{}", b'{"os": "", "architecture": 1}'])
def test_get_config_of_an_artifact_has_no_platform(
    config: bytes, server: RegistryServer, client: RegistryClient
) -> None:
    put_config(server, config)
    ref = app(server, ":c")
    manifest = client.get_manifest(ref)
    assert client.get_config(ref, manifest) == (json.loads(config) if config.startswith(b"{") else {})
    assert client.resolve(ref, Platform("linux", "amd64")).digest == manifest.digest


def test_get_config_that_is_too_large_is_not_read(server: RegistryServer, client: RegistryClient) -> None:
    put_config(server, b"{}", (16 << 20) + 1)
    assert client.get_config(app(server, ":c"), client.get_manifest(app(server, ":c"))) == {}
    put_index(server, "app", "index")
    assert client.get_config(app(server), client.get_manifest(app(server, ":index"))) == {}
    assert server.count("GET", BLOBS) == 0


# Putting manifests


def test_put_manifest_sends_the_bytes_as_they_are(server: RegistryServer, client: RegistryClient, image: Image) -> None:
    target = app(server, ":2")
    assert client.put_manifest(target, image.raw, "text/plain").digest == image.digest
    assert server.raw_manifest("app", "2") == image.raw
    sent = next(seen for seen in server.seen if seen.method == "PUT")
    assert sent.headers["Content-Type"] == OCI["manifest"]
    assert server.count("HEAD", "/manifests/2") == 1
    both = app(server, f":3@{image.digest}")
    assert client.put_manifest(both, image.raw, image.media_type, read_back=False).size == len(image.raw)
    assert server.tags_of("app") == dict.fromkeys("123", image.digest)
    assert server.count("HEAD", "/manifests/3") == 0
    client.put_manifest(app(server), image.raw, image.media_type)
    assert server.count("PUT", f"/manifests/{image.digest}") == 1


def test_put_manifest_that_is_not_the_named_one_sends_nothing(
    server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    for ref, raw in ((app(server, f":2@{OTHER}"), image.raw), (app(server, ":2"), b"{"), (app(server, ":2"), b"[]")):
        with pytest.raises(RegistryError, match="the manifest to put"):
            client.put_manifest(ref, raw, image.media_type)
    assert server.count("PUT") == 0


def test_put_manifest_on_a_slow_registry_waits_until_it_shows(
    server: RegistryServer, client: RegistryClient, image: Image, clock: Clock
) -> None:
    server.add(status(404), "HEAD", "/manifests/2", 2)
    client.put_manifest(app(server, ":2"), image.raw, image.media_type)
    assert server.count("HEAD", "/manifests/2") == 3
    assert clock.waits == [0.3, 1.0]


@pytest.mark.parametrize(
    ("fault", "read"),
    [(status(404), "nothing is read back"), (header("Docker-Content-Digest", OTHER), f"{OTHER} is read back")],
)
def test_put_manifest_that_is_not_read_back_is_an_error(
    fault: Action, read: str, server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.add(fault, "HEAD", "/manifests/2", ALWAYS)
    with pytest.raises(RegistryError, match=f"put as {image.digest}, but {read}"):
        client.put_manifest(app(server, ":2"), image.raw, image.media_type)


@pytest.mark.parametrize("digest", [None, "sha512:" + 128 * "0"], ids=["none", "sha512"])
def test_put_manifest_with_a_head_without_a_digest_reads_the_bytes(
    digest: str | None, server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.add(header("Docker-Content-Digest", digest), "HEAD", "/manifests/2", ALWAYS)
    client.put_manifest(app(server, ":2"), image.raw, image.media_type)
    assert server.count("GET", "/manifests/2") == 1


def test_put_manifest_whose_answer_is_lost_is_put_again(
    server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.add(lost, "PUT", MANIFESTS)
    client.put_manifest(app(server, ":2"), image.raw, image.media_type)
    assert server.count("PUT", MANIFESTS) == 2


# Tags


def many(server: RegistryServer, count: int) -> list[str]:
    image = put_image(server, "app", None)
    tags = [f"1.{number:04}" for number in range(count)]
    server.repositories["app"].tags = dict.fromkeys(tags, image.digest)
    return tags


@pytest.mark.parametrize("page", [0, 1, 2, 5, 100])
def test_list_tags_in_pages_returns_every_tag_once(page: int, server: RegistryServer, client: RegistryClient) -> None:
    tags = many(server, 5)
    server.page = page
    assert client.list_tags(app(server)) == tags
    assert server.count("GET", TAGS) == (5 // page if page in (1, 5) else {0: 1, 2: 3, 100: 1}[page])
    assert "n=1000" in server.seen[-1].path or page


@pytest.mark.parametrize("absolute", [True, False])
def test_list_tags_keeps_the_query_of_a_link_as_it_is(
    absolute: bool, server: RegistryServer, client: RegistryClient
) -> None:
    tags = many(server, 5)
    server.add(paged(2, absolute=absolute), "GET", TAGS, ALWAYS)
    assert client.list_tags(app(server)) == tags
    assert server.seen[-1].path.endswith("?from%3A=4&sig=a%2Fb+c")


def test_list_tags_goes_on_after_a_full_page_without_a_link(server: RegistryServer, client: RegistryClient) -> None:
    tags = many(server, 2000)
    server.repositories["app"].tags["a+b"] = OTHER
    server.add(header("Link", None), "GET", TAGS, ALWAYS)
    assert client.list_tags(app(server)) == tags
    assert [seen.path.partition("last=")[2] for seen in server.seen if TAGS in seen.path] == ["", "1.0999", "1.1999"]


def test_list_tags_of_a_registry_that_ignores_pages_ends(server: RegistryServer, client: RegistryClient) -> None:
    tags = many(server, 1000)
    body = {"name": "app", "tags": tags}
    server.add(as_json(200, body), "GET", TAGS, ALWAYS)
    assert client.list_tags(app(server)) == tags
    assert server.count("GET", TAGS) == 2


def test_list_tags_leaves_out_what_is_not_a_tag(
    server: RegistryServer, client: RegistryClient, events: list[Event]
) -> None:
    server.add(as_json(200, {"tags": ["1", "a b", "1", "", "\x1b[2J", "2"]}), "GET", TAGS)
    assert client.list_tags(app(server)) == ["1", "2"]
    assert len(events) == 3
    assert all(event.kind == "warning" and "\x1b" not in event.message for event in events)


def test_list_tags_of_a_repository_without_tags_is_empty(server: RegistryServer, client: RegistryClient) -> None:
    server.add(without_tags, "GET", TAGS)
    assert client.list_tags(app(server)) == []


def linked(link: str) -> Action:
    return status(200, b'{"tags": ["1"]}', Link=link)


@pytest.mark.parametrize(
    "fault",
    [
        as_json(200, {}),
        as_json(200, {"tags": "1"}),
        as_json(200, {"tags": ["1", None]}),
        as_json(200, ["1"]),
        status(200, b"no JSON"),
        status(200, b"[" * 100_000),
        html,
        status(404, b"<html>"),
        as_json(404, {"message": "maintenance"}),
        as_json(404, ["x"]),
        linked("</v2/app/tags/list?last=1>"),
        linked("garbage"),
        linked('<>; rel="next"'),
        linked('<http://127.0.0.1:1/v2/app/tags/list>; rel="next"'),
        linked('<https://HOST/v2/app/tags/list>; rel="next"'),
    ],
    ids=range(15),
)
def test_list_tags_that_leaves_open_whether_there_are_more_is_an_error(
    fault: Action, server: RegistryServer, client: RegistryClient
) -> None:
    server.add(fault, "GET", TAGS, ALWAYS)
    with pytest.raises(UnreliableTagList) as caught:
        client.list_tags(app(server))
    assert str(caught.value).startswith(f"{app(server)}: ")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (status(404, b""), NotFound),
        (as_json(404, {"errors": [{"code": "NAME_UNKNOWN"}]}), NotFound),
        (status(429, Retry_After="3600"), RateLimited),
        (status(503), RegistryUnavailable),
        (reset_before, RegistryUnavailable),
    ],
)
def test_list_tags_that_fails_is_that_failure(
    fault: Action, kind: type[RegistryError], server: RegistryServer, client: RegistryClient
) -> None:
    server.add(fault, "GET", TAGS, ALWAYS)
    with pytest.raises(kind) as caught:
        client.list_tags(app(server))
    assert type(caught.value) is kind


# Referrers


def put_referrer(server: RegistryServer, subject: Image, number: int) -> str:
    document = {
        "schemaVersion": 2,
        "mediaType": OCI["manifest"],
        "artifactType": "application/x-signature",
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": OTHER, "size": 2},
        "layers": [],
        "subject": {"mediaType": subject.media_type, "digest": subject.digest, "size": len(subject.raw)},
        "annotations": {"number": str(number)},
    }
    raw = json.dumps(document).encode()
    server.put_manifest("app", digest_of(raw), raw, OCI["manifest"])
    return digest_of(raw)


@pytest.mark.parametrize("page", [0, 1, 2])
def test_list_referrers_returns_those_of_every_page(
    page: int, server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.page = page
    ref = app(server, f"@{image.digest}")
    assert client.list_referrers(ref) == ()
    wanted = sorted(put_referrer(server, image, number) for number in range(3))
    found = client.list_referrers(ref)
    assert found is not None
    assert [one.digest for one in found] == wanted
    assert {one.artifact_type for one in found} == {"application/x-signature"}


@pytest.mark.parametrize("code", [400, 404, 405])
def test_list_referrers_of_a_registry_without_lists_is_none(
    code: int, server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.add(status(code), "GET", "/referrers/")
    assert client.list_referrers(app(server, f"@{image.digest}")) is None


def test_list_referrers_that_ends_early_is_an_error(
    server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.page = 1
    for number in range(2):
        put_referrer(server, image, number)
    for fault in (status(404), status(403), html):
        server.add(fault, "GET", "/referrers/", after=1)
        with pytest.raises(RegistryError):
            client.list_referrers(app(server, f"@{image.digest}"))
        server.faults.clear()
    body = json.dumps({"schemaVersion": 2, "mediaType": OCI["index"], "manifests": []}).encode()
    server.add(
        status(200, body, Link='<http://127.0.0.1:1/x>; rel="next"', Content_Type=OCI["index"]), "GET", "/referrers/"
    )
    with pytest.raises(RegistryError, match=r"127\.0\.0\.1:1"):
        client.list_referrers(app(server, f"@{image.digest}"))


# Blobs

CONTENT = bytes(range(256)) * 3000
DIGEST = digest_of(CONTENT)


@pytest.fixture
def blob(server: RegistryServer) -> str:
    return server.put_blob("app", CONTENT)


def test_blob_exists_returns_its_size(server: RegistryServer, client: RegistryClient, blob: str) -> None:
    assert client.blob_exists(app(server), blob) == len(CONTENT)
    assert client.blob_exists(app(server), OTHER) is None
    server.add(header("Content-Length", "x"), "HEAD", BLOBS)
    assert client.blob_exists(app(server), blob) == 0
    server.add(status(403), "HEAD", BLOBS)
    with pytest.raises(RegistryError, match=f"^{app(server)}@{blob}: "):
        client.blob_exists(app(server), blob)


def test_open_blob_streams_and_verifies(server: RegistryServer, client: RegistryClient, blob: str) -> None:
    chunks = list(client.open_blob(app(server), blob, size=len(CONTENT)))
    assert b"".join(chunks) == CONTENT
    assert len(chunks) > 1
    empty = server.put_blob("app", b"")
    assert list(client.open_blob(app(server), empty)) == []
    sha512 = digest_of(CONTENT, "sha512")
    server.repositories["app"].blobs[sha512] = CONTENT
    assert b"".join(client.open_blob(app(server), sha512)) == CONTENT


def test_open_blob_that_is_damaged_never_yields_the_last_chunk(
    server: RegistryServer, client: RegistryClient, blob: str
) -> None:
    server.add(damaged, "GET", BLOBS)
    got: list[bytes] = []
    with pytest.raises(RegistryError, match="the content that came is"):
        got.extend(client.open_blob(app(server), blob))
    assert sum(map(len, got)) < len(CONTENT)


def test_open_blob_that_is_larger_than_it_should_be_stops(
    server: RegistryServer, client: RegistryClient, blob: str
) -> None:
    with pytest.raises(RegistryError, match=f"more than the {len(CONTENT) - 1} bytes"):
        list(client.open_blob(app(server), blob, size=len(CONTENT) - 1))


def whole(code: int, **headers: str) -> Action:
    return status(code, CONTENT, **headers)


def overlapping(exchange: Exchange) -> None:
    """Answer with a part that begins 7 bytes before the one that was asked for."""
    start = int(exchange.headers["Range"].removeprefix("bytes=").removesuffix("-")) - 7
    part = CONTENT[start:]
    exchange.give(Answer(206, [("Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}")], part))


def unsaid(exchange: Exchange) -> None:
    """Answer with the part that was asked for, without saying which that is."""
    answer = exchange.ask()
    exchange.give(Answer(206, [], answer.body))


@pytest.mark.parametrize("second", [None, whole(200), overlapping, unsaid], ids=["206", "200", "more", "unsaid"])
def test_open_blob_that_breaks_goes_on_where_it_broke(
    second: Action | None, server: RegistryServer, client: RegistryClient, blob: str, events: list[Event]
) -> None:
    server.add(cut_in_answer, "GET", BLOBS)
    if second is not None:
        server.add(second, "GET", BLOBS)
    assert b"".join(client.open_blob(app(server), blob, size=len(CONTENT))) == CONTENT
    asked = [seen.headers.get("Range") for seen in server.seen if BLOBS in seen.path]
    assert asked == [None, f"bytes={len(CONTENT) // 2}-"]
    assert [event.kind for event in events] == ["retry"]


def test_open_blob_with_another_part_than_asked_for_is_an_error(
    server: RegistryServer, client: RegistryClient, blob: str
) -> None:
    server.add(cut_in_answer, "GET", BLOBS)
    server.add(whole(206, Content_Range=f"bytes {len(CONTENT) - 9}-{len(CONTENT) - 1}/{len(CONTENT)}"), "GET", BLOBS)
    with pytest.raises(RegistryError, match="different part"):
        list(client.open_blob(app(server), blob))


def test_open_blob_that_brings_enough_each_time_never_gives_up(
    server: RegistryServer, client: RegistryClient, blob: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgref.registry.blobs._PROGRESS", 1)
    server.add(cut_in_answer, "GET", BLOBS, 9)
    assert b"".join(client.open_blob(app(server), blob)) == CONTENT
    assert server.count("GET", BLOBS) == 10


def test_open_blob_that_brings_nothing_more_gives_up(
    server: RegistryServer, client: RegistryClient, blob: str, clock: Clock
) -> None:
    server.add(cut_in_answer, "GET", BLOBS)
    server.add(nothing, "GET", BLOBS, ALWAYS)
    with pytest.raises(RegistryUnavailable):
        list(client.open_blob(app(server), blob))
    assert server.count("GET", BLOBS) == 5
    assert len(clock.waits) == 4


def nothing(exchange: Exchange) -> None:
    """Answer that a part follows, and close the connection."""
    exchange.send_response_only(206)
    exchange.send_header("Content-Length", "9")
    exchange.end_headers()
    exchange.close_connection = True


@pytest.mark.parametrize(("code", "kind"), [(404, NotFound), (403, RegistryError), (503, RegistryUnavailable)])
def test_open_blob_that_is_refused_is_that_error(
    code: int, kind: type[RegistryError], server: RegistryServer, client: RegistryClient, blob: str
) -> None:
    server.add(status(code), "GET", BLOBS, ALWAYS)
    with pytest.raises(kind, match=f"^{app(server)}@{blob}: "):
        list(client.open_blob(app(server), blob))
    assert server.count("GET", BLOBS) == (5 if code == 503 else 1)


def test_open_blob_at_an_offset_reads_the_rest(server: RegistryServer, client: RegistryClient, blob: str) -> None:
    hasher = hashlib.sha256(CONTENT[:1000])
    rest = b"".join(client.open_blob(app(server), blob, 1000, size=len(CONTENT), hasher=hasher))
    assert rest == CONTENT[1000:]
    # Everything was there already: nothing more is to come.
    assert list(client.open_blob(app(server), blob, len(CONTENT), hasher=hashlib.sha256(CONTENT))) == []
    with pytest.raises(RegistryError, match="the content that came is"):
        list(client.open_blob(app(server), blob, 1000, hasher=hashlib.sha256(b"other")))
    with pytest.raises(ValueError, match="offset"):
        client.open_blob(app(server), blob, 1)


# Uploads


def begin(client: RegistryClient, server: RegistryServer) -> Upload:
    upload = client.start_upload(app(server))
    assert upload is not None
    return upload


@pytest.mark.parametrize("code", [201, 204])
def test_put_blob_is_done_with_either_status(code: int, server: RegistryServer, client: RegistryClient) -> None:
    server.add(status(code, b""), "PUT", BLOBS)
    client.put_blob(begin(client, server), lambda: [b"x"], 1, digest_of(b"x"))
    server.add(status(203), "PUT", BLOBS)
    with pytest.raises(RegistryError, match="203"):
        client.put_blob(begin(client, server), lambda: [b"x"], 1, digest_of(b"x"))


@pytest.mark.parametrize("content", [b"", b"hello", CONTENT], ids=["empty", "small", "large"])
def test_put_blob_sends_the_content(content: bytes, server: RegistryServer, client: RegistryClient) -> None:
    pieces = [content[start : start + 5000] for start in range(0, len(content), 5000)]
    client.put_blob(begin(client, server), lambda: iter(pieces), len(content), digest_of(content))
    assert server.repositories["app"].blobs == {digest_of(content): content}
    sent = server.seen[-1]
    assert sent.headers["Content-Length"] == str(len(content))
    # The opaque state of the upload is sent back as it came.
    assert f"?_state=0%2F%3D%2B&digest={digest_of(content)}" in sent.path
    assert server.uploads == {}


def test_put_blob_is_not_tried_again_by_itself(server: RegistryServer, client: RegistryClient) -> None:
    for fault in (status(503), reset_before):
        server.add(fault, "PUT", BLOBS)
        with pytest.raises(RegistryUnavailable):
            client.put_blob(begin(client, server), lambda: [b"x"], 1, digest_of(b"x"))
    assert server.count("PUT", BLOBS) == 2


def test_put_blob_that_is_damaged_on_the_way_is_refused(server: RegistryServer, client: RegistryClient) -> None:
    with pytest.raises(RegistryError, match="did not match") as caught:
        client.put_blob(begin(client, server), lambda: [b"y"], 1, digest_of(b"x"))
    assert caught.value.status == 400
    server.add(header("Docker-Content-Digest", OTHER), "PUT", BLOBS)
    with pytest.raises(RegistryError, match=OTHER):
        client.put_blob(begin(client, server), lambda: [b"x"], 1, digest_of(b"x"))
    server.add(header("Docker-Content-Digest", None), "PUT", BLOBS)
    client.put_blob(begin(client, server), lambda: [b"x"], 1, digest_of(b"x"))


@pytest.mark.parametrize(
    ("location", "words"),
    [
        (None, "does not return its location"),
        ("ftp://x/", "not a valid URL"),
        ("http://ada:x@127.0.0.1/", "not a valid URL"),
    ],
)
def test_start_upload_without_a_location_is_an_error(
    location: str | None, words: str, server: RegistryServer, client: RegistryClient
) -> None:
    server.add(header("Location", location), "POST")
    with pytest.raises(RegistryError, match=words):
        client.start_upload(app(server))


def test_start_upload_with_a_relative_location_is_absolute(server: RegistryServer, client: RegistryClient) -> None:
    server.add(header("Location", "/elsewhere/1?state=a%2Fb"), "POST")
    upload = begin(client, server)
    assert upload.location == f"http://{server.host}/elsewhere/1?state=a%2Fb"
    assert "state" not in repr(upload)
    server.add(header("Location", "/elsewhere/1"), "POST")
    with pytest.raises(NotFound):
        client.put_blob(begin(client, server), lambda: [b"x"], 1, digest_of(b"x"))
    assert server.seen[-1].path == f"/elsewhere/1?digest={digest_of(b'x')}"


@pytest.mark.parametrize("refused", [False, True])
def test_start_upload_mounts_or_begins(refused: bool, server: RegistryServer, client: RegistryClient) -> None:
    digest = server.put_blob("base", b"x")
    source = app(server, path="base")
    if refused:
        server.add(status(403), "POST", "mount=")
    upload = client.start_upload(app(server), digest, source)
    assert (upload is None) == (not refused)
    assert f"?mount={digest}&from=base" in server.seen[1].path
    assert client.start_upload(app(server), OTHER, source) is not None
    assert client.start_upload(app(server), digest, source.with_digest(OTHER)) is None
    count = server.count("POST", "mount=")
    assert client.start_upload(app(server), digest) is not None
    elsewhere = app(RegistryServer(host="127.0.0.1:1"), path="base")
    assert client.start_upload(app(server), digest, elsewhere) is not None
    assert server.count("POST", "mount=") == count


def test_start_upload_that_is_refused_is_an_error(server: RegistryServer, client: RegistryClient) -> None:
    server.add(status(405), "POST", times=ALWAYS)
    with pytest.raises(RegistryError) as caught:
        client.start_upload(app(server))
    assert caught.value.status == 405


def test_cancel_upload_makes_the_registry_forget_it(server: RegistryServer, client: RegistryClient) -> None:
    upload = begin(client, server)
    client.cancel_upload(upload)
    assert server.uploads == {}
    client.cancel_upload(upload)
    for fault in (reset_before, status(503)):
        server.add(fault, "DELETE")
        client.cancel_upload(begin(client, server))
    # It is not worth another try.
    assert server.count("DELETE") == 4


# What a refusal means


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (status(403), "AuthenticationError", "no permission to read it without credentials"),
        (as_json(403, {"errors": [{"message": "quota \x1b[1m"}]}), "AuthenticationError", r"quota \\x1b"),
        (status(401), "AuthenticationError", "imgref login"),
        (status(429, Retry_After="3600"), "RateLimited", "after 3600 s"),
        (status(429), "RateLimited", "later$"),
        (status(500), "RegistryUnavailable", "status 500"),
        (status(408), "RegistryUnavailable", "status 408"),
        (as_json(418, {"errors": [{"code": "TEAPOT"}, {"message": "short"}]}), "RegistryError", "418 .*TEAPOT; short"),
        (as_json(418, {"errors": [{"message": 1}, 2]}), "RegistryError", "answers 418 to HEAD$|418"),
        (redirect("{path}"), "RegistryError", "more than 5 redirects"),
    ],
    ids=range(10),
)
def test_refusal_is_the_error_that_it_means(
    fault: Action, kind: str, words: str, server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.add(fault, "", MANIFESTS, ALWAYS)
    with pytest.raises(RegistryError, match=words) as caught:
        client.get_manifest(app(server, ":1"))
    assert type(caught.value).__name__ == kind
    assert str(caught.value).startswith(f"{app(server)}:1: ")
    assert "\x1b" not in str(caught.value)
    assert caught.value.method == "GET"
    assert caught.value.url == f"http://{server.host}/v2/app/manifests/1"


def test_refusal_to_write_is_described_as_one(server: RegistryServer, client: RegistryClient, image: Image) -> None:
    server.add(status(403), "PUT", MANIFESTS)
    with pytest.raises(RegistryError, match="no permission to write it without credentials"):
        client.put_manifest(app(server, ":2"), image.raw, image.media_type)
    server.add(status(429, Retry_After="3600"), "PUT", MANIFESTS)
    with pytest.raises(RateLimited) as caught:
        client.put_manifest(app(server, ":2"), image.raw, image.media_type)
    assert caught.value.retry_after == 3600.0


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/v2/x?s=a%2Fb", "https://r.example/v2/x?s=a%2Fb"),
        ("x", "https://r.example/v2/x"),
        ("https://r.example/x", "https://r.example/x"),
        # A registry behind a proxy that ends TLS names itself so.
        ("http://r.example/x?s=http", "https://r.example/x?s=http"),
        ("http://r.example:80/x", "http://r.example:80/x"),
        ("http://other.example/x", "http://other.example/x"),
    ],
)
def test_location_of_the_registry_itself_keeps_to_https(location: str, expected: str, client: RegistryClient) -> None:
    session = client._session
    assert session.located("https://r.example/v2/y", location) == expected
    assert session.located("http://r.example/v2/y", "http://r.example/x") == "http://r.example/x"


def test_client_that_is_left_closes_its_connections(server: RegistryServer, client: RegistryClient) -> None:
    put_image(server, "app", "1")
    with client as entered:
        assert entered.list_tags(app(server)) == ["1"]
    server.add(status(503), times=ALWAYS)
    with pytest.raises(RegistryUnavailable, match="closed"):
        client.list_tags(app(server))
    assert "s3cret" not in repr(client)
