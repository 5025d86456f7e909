"""Sending an image to a repository: what is there, mounted or sent, in which order, and after which failures."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from e2e.images import OCI, put_image
from faults import Action, Exchange, lost, reset_before, reset_in_request, status
from images import (
    OciImage,
    layer_tar,
    oci_image,
    oci_layout,
    platforms_layout,
    write_directory,
)
from registry.kit import ALWAYS, Clock, Connect, app
from registry.server import OpaqueTokens, RegistryServer, digest_of

from imgref.archive.image import Blob, Image
from imgref.archive.reader import open_archive
from imgref.errors import ArchiveError, AuthenticationError, RegistryError, RegistryUnavailable, TagConflict
from imgref.reference import ImageReference
from imgref.registry.client import RegistryClient
from imgref.registry.transfer.mount_cache import PushedBlobs
from imgref.registry.transfer.moves import copy, push
from imgref.registry.transfer.progress import LayerOutcome, Nobody, Transferred
from imgref.registry.transfer.uploads import _may_pass
from imgref.registry.transport import Event

BLOBS, MANIFESTS, UPLOADS = "/blobs/sha256", "/manifests/", "/blobs/uploads/"


class Recorder(Nobody):
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, list[str]]] = []
        self.moved: dict[str, list[tuple[int, int]]] = {}
        self.ended: list[LayerOutcome] = []
        self.arrived: list[Transferred] = []

    def begins(self, repository: ImageReference, layers: Sequence[Blob]) -> None:
        self.begun.append((str(repository), [layer.label for layer in layers]))

    def advances(self, blob: Blob, done: int, size: int) -> None:
        self.moved.setdefault(blob.descriptor().digest, []).append((done, size))

    def ends(self, layer: LayerOutcome) -> None:
        self.ended.append(layer)

    def arrives(self, image: Transferred) -> None:
        self.arrived.append(image)


def made(*contents: bytes) -> OciImage:
    return oci_image([layer_tar(content) for content in contents])


def opened(path: Path, image: OciImage) -> Image:
    return open_archive(write_directory(path, oci_layout({"": image}))).image()


@pytest.fixture
def oci() -> OciImage:
    return made(os.urandom(300_000), b"small")


@pytest.fixture
def image(oci: OciImage, tmp_path: Path) -> Image:
    return opened(tmp_path / "layout", oci)


def requests(server: RegistryServer) -> list[str]:
    """Return the method and the last part of the path of each request after the first contact."""
    return [
        f"{seen.method} {seen.path.partition('?')[0].rpartition('/')[2] or 'uploads'}"
        for seen in server.seen
        if seen.path != "/v2/"
    ]


def test_push_sends_layers_then_configs_then_the_manifest(
    server: RegistryServer, client: RegistryClient, image: Image, oci: OciImage
) -> None:
    watcher = Recorder()
    (done,) = push(client, image, [app(server, ":v1")], jobs=1, watcher=watcher)
    assert (done.digest, done.size) == (oci.digest, oci.size)
    assert [layer.status for layer in done.layers] == ["pushed", "pushed"]
    sent = [request for request in requests(server) if not request.startswith("PUT ")]
    blobs = [*reversed(oci.layers), oci.config]
    expected = ["HEAD v1", *(part for blob in blobs for part in (f"HEAD {blob}", "POST uploads")), "HEAD v1", "HEAD v1"]
    assert sent == expected
    assert requests(server)[-2] == "PUT v1"
    assert server.raw_manifest("app", "v1") == oci.raw
    assert set(server.repositories["app"].blobs) == set(blobs)
    assert server.uploads == {}
    # Told of as it happens.
    assert [name for name, _ in watcher.begun] == [str(app(server))]
    assert [layer.digest for layer in watcher.ended] == list(reversed(oci.layers))
    assert watcher.arrived == [done]
    for moved in watcher.moved.values():
        assert moved[0][0] == 0
        assert moved[-1][0] == moved[-1][1]
        assert moved == sorted(moved)


def test_push_of_what_is_there_sends_nothing(server: RegistryServer, client: RegistryClient, image: Image) -> None:
    push(client, image, [app(server, ":v1")])
    server.seen.clear()
    (done,) = push(client, image, [app(server, ":v1")])
    assert [layer.status for layer in done.layers] == ["exists", "exists"]
    assert server.count("POST") == 0
    assert server.count("PUT", BLOBS) == 0


def test_push_of_an_index_puts_its_children_first(
    server: RegistryServer, client: RegistryClient, tmp_path: Path
) -> None:
    images = {"linux/amd64": made(b"a", b"both"), "linux/arm64": made(b"b", b"both")}
    files, digest = platforms_layout(images)
    image = open_archive(write_directory(tmp_path / "layout", files)).image()
    done = push(client, image, [app(server, ":v1"), app(server, ":v2"), app(server)])
    assert [one.digest for one in done] == [digest] * 3
    puts = [request.removeprefix("PUT ") for request in requests(server) if request.startswith("PUT")]
    manifests = [point for point in puts if point in ("v1", "v2", digest, *(one.digest for one in images.values()))]
    assert manifests == [*(one.digest for one in images.values()), "v1", "v2", digest]
    # The layer that both have goes once.
    assert len(done[0].layers) == 3


def test_push_without_a_tag_puts_the_digest_only(
    server: RegistryServer, client: RegistryClient, image: Image, oci: OciImage
) -> None:
    push(client, image, [app(server)])
    push(client, image, [app(server, f"@{oci.digest}")])
    assert server.tags_of("app") == {}
    assert server.count("PUT", f"/manifests/{oci.digest}") == 2
    other = digest_of(oci.raw, "sha512")
    push(client, image, [app(server, f"@{other}")])
    assert server.count("PUT", f"/manifests/{other}") == 1


# Failures

PASSING = {
    "reset before": reset_before,
    "reset in the body": reset_in_request,
    "404": status(404),
    "408": status(408),
    "409": status(409),
    "416": status(416),
    "429": status(429),
    "500": status(500),
    "502": status(502),
    "503": status(503),
    "504": status(504),
    "400": status(400),
}


@pytest.mark.parametrize("fault", PASSING)
def test_push_that_fails_begins_a_new_upload(
    fault: str, server: RegistryServer, client: RegistryClient, image: Image, oci: OciImage, events: list[Event]
) -> None:
    server.add(PASSING[fault], "PUT", UPLOADS, 2)
    (done,) = push(client, image, [app(server, ":v1")], jobs=1)
    assert {layer.status for layer in done.layers} == {"pushed"}
    assert server.raw_manifest("app", "v1") == oci.raw
    places = [seen.path for seen in server.seen if seen.method == "PUT" and UPLOADS in seen.path]
    assert len(places) == len(set(places)) == 5
    assert [event.kind for event in events] == ["retry", "retry"]
    assert events[0].message.startswith(f"{app(server)}@{oci.layers[-1]}: ")
    assert events[0].message.count(oci.layers[-1]) == 1
    # What was given up is cancelled.
    assert server.uploads == {}
    assert server.count("DELETE", UPLOADS) == 2


@pytest.mark.parametrize(("code", "tries"), [(401, 2), (403, 1), (413, 1), (422, 1), (501, 1), (400, 3), (503, 5)])
def test_push_that_fails_for_good_tags_nothing(
    code: int, tries: int, server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.add(status(code), "PUT", UPLOADS, ALWAYS)
    with pytest.raises(RegistryError) as caught:
        push(client, image, [app(server, ":v1")], jobs=1)
    assert caught.value.status == code
    assert server.count("PUT", UPLOADS) == (1 if code == 401 else tries)
    assert server.count("PUT", MANIFESTS) == 0
    assert server.uploads == {}


def test_push_waits_as_long_as_the_registry_asks(
    server: RegistryServer, client: RegistryClient, image: Image, clock: Clock
) -> None:
    server.add(status(429, Retry_After="77"), "PUT", UPLOADS)
    push(client, image, [app(server, ":v1")], jobs=1)
    assert 77.0 <= clock.waits[0] <= 77.2


def test_push_whose_answer_is_lost_is_not_sent_again(
    server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.add(lost, "PUT", UPLOADS)
    (done,) = push(client, image, [app(server, ":v1")], jobs=1)
    assert server.count("PUT", UPLOADS) == 3
    assert {layer.status for layer in done.layers} == {"pushed"}


def test_push_to_a_registry_without_uploads_reports_that(
    server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.add(status(405), "POST", times=ALWAYS)
    with pytest.raises(RegistryError, match="read-only") as caught:
        push(client, image, [app(server, ":v1")])
    assert caught.value.status == 405
    assert (caught.value.method, caught.value.url) == ("POST", f"http://{server.host}/v2/app/blobs/uploads/")
    server.faults.clear()
    server.add(status(403), "POST", times=ALWAYS)
    with pytest.raises(AuthenticationError, match="no permission to write"):
        push(client, image, [app(server, ":v1")])


def test_push_that_is_interrupted_cancels_its_uploads(
    server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    class Impatient(Nobody):
        def advances(self, blob: Blob, done: int, size: int) -> None:
            if done:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push(client, image, [app(server, ":v1")], jobs=2, watcher=Impatient())
    assert server.count("POST") >= 1
    assert server.count("PUT", MANIFESTS) == 0
    assert server.uploads == {}


def test_push_that_is_interrupted_cancels_an_upload_that_waits(
    server: RegistryServer, client: RegistryClient, image: Image, oci: OciImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgref.registry.threads._PATIENCE", 0.05)
    waiting, gate = threading.Event(), threading.Event()

    def silent(exchange: Exchange) -> None:
        waiting.set()
        gate.wait()
        exchange.reset()

    class Impatient(Nobody):
        def ends(self, layer: LayerOutcome) -> None:
            waiting.wait()
            raise KeyboardInterrupt

    server.add(silent, "PUT", oci.layers[0])
    with pytest.raises(KeyboardInterrupt):
        push(client, image, [app(server, ":v1")], jobs=2, watcher=Impatient())
    assert server.count("DELETE", UPLOADS) == 1
    assert server.uploads == {}
    gate.set()


@pytest.mark.parametrize("jobs", [1, 4])
def test_push_of_a_damaged_blob_tags_nothing(
    jobs: int, server: RegistryServer, client: RegistryClient, oci: OciImage, tmp_path: Path
) -> None:
    layout = write_directory(tmp_path / "layout", oci_layout({"": oci}))
    blob = Path(layout, "blobs", *oci.layers[0].split(":"))
    image = open_archive(layout).image()
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    with pytest.raises(ArchiveError, match=oci.layers[0].partition(":")[2]):
        push(client, image, [app(server, ":v1")], jobs=jobs)
    assert server.count("PUT", MANIFESTS) == 0


# Mounts


def test_push_mounts_from_the_only_source_without_a_look(
    server: RegistryServer, client: RegistryClient, image: Image, oci: OciImage
) -> None:
    push(client, image, [app(server, path="base")])
    server.seen.clear()
    (done,) = push(client, image, [app(server, ":v1")], mount_from=[app(server, ":any", "base")])
    assert [(layer.status, str(layer.source)) for layer in done.layers] == [
        ("mounted", str(app(server, path="base")))
    ] * 2
    assert server.count("HEAD", "/base/") == 0
    assert server.count("POST", "mount=.*&from=base") == 3
    assert server.raw_manifest("app", "v1") == oci.raw


def test_push_with_several_sources_mounts_from_the_one_that_has_it(
    server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    push(client, image, [app(server, path="base")])
    server.add(status(403), "HEAD", "/secret/", ALWAYS)
    sources = [app(server, path=path) for path in ("empty", "secret", "base", "last")]
    (done,) = push(client, image, [app(server, ":v1")], mount_from=sources)
    assert {str(layer.source) for layer in done.layers} == {str(app(server, path="base"))}
    assert server.count("POST", "from=(empty|secret|last)") == 0
    push(
        client, image, [app(server, ":v1", "second")], mount_from=[app(server, path=path) for path in ("empty", "base")]
    )
    assert server.count("POST", "from=empty") == 0


def test_push_that_may_not_mount_sends_the_blob(
    server: RegistryServer, client: RegistryClient, image: Image, oci: OciImage
) -> None:
    push(client, image, [app(server, path="base")])
    server.mounts = False
    (done,) = push(client, image, [app(server, ":v1")], mount_from=[app(server, path="base")])
    assert [(layer.status, layer.source) for layer in done.layers] == [("pushed", None)] * 2
    server.mounts = True
    server.add(status(403), "POST", "mount=", ALWAYS)
    (done,) = push(client, image, [app(server, ":v2", "third")], mount_from=[app(server, path="base")])
    assert {layer.status for layer in done.layers} == {"pushed"}
    assert server.raw_manifest("third", "v2") == oci.raw


def test_push_with_a_token_that_is_refused_for_a_source_goes_on(
    guarded: RegistryServer, tokens: OpaqueTokens, connect: Connect, image: Image
) -> None:
    def refuse(exchange: Exchange) -> None:
        if "base" in exchange.path:
            status(403)(exchange)
        else:
            exchange.give(exchange.ask())

    tokens.add(refuse, times=ALWAYS)
    (done,) = push(connect(guarded.host), image, [app(guarded, ":v1")], mount_from=[app(guarded, path="base")])
    assert {layer.status for layer in done.layers} == {"pushed"}


def test_push_to_several_repositories_mounts_from_the_first(
    server: RegistryServer, other: RegistryServer, client: RegistryClient, image: Image
) -> None:
    done = push(
        client, image, [app(server, ":v1"), app(other, ":v1"), app(server, ":v1", "second"), app(server, ":v2")]
    )
    assert [str(one.reference) for one in done] == [
        str(app(server, ":v1")), str(app(server, ":v2")), str(app(other, ":v1")), str(app(server, ":v1", "second"))
    ]  # fmt: skip
    assert [{layer.status for layer in one.layers} for one in done] == [{"pushed"}, {"pushed"}, {"pushed"}, {"mounted"}]
    assert server.count("POST", "mount=.*&from=app$") == 3
    assert other.count("POST", "mount=") == 0


def test_push_remembers_where_blobs_are(
    server: RegistryServer, client: RegistryClient, image: Image, tmp_path: Path, oci: OciImage
) -> None:
    file = tmp_path / "pushed.json"
    push(client, image, [app(server, ":v1", "first")], pushed=PushedBlobs(file))
    for digest in (*oci.layers, oci.config):
        assert PushedBlobs(file).places(server.host, digest) == ["first"]
    (done,) = push(client, image, [app(server, ":v1")], pushed=PushedBlobs(file))
    assert {str(layer.source) for layer in done.layers} == {str(app(server, path="first"))}
    assert PushedBlobs(file).places(server.host, oci.config) == ["app", "first"]
    # A repository is no source for itself, and what is gone there is sent.
    server.repositories["app"].blobs.clear()
    server.repositories["first"].blobs.clear()
    (done,) = push(client, image, [app(server, ":v1")], pushed=PushedBlobs(file))
    assert {layer.status for layer in done.layers} == {"pushed"}
    assert server.count("POST", "from=app") == 0


def test_push_leaves_layers_that_lie_elsewhere(
    server: RegistryServer, other: RegistryServer, client: RegistryClient, tmp_path: Path
) -> None:
    base = json.loads(put_image(other, "app", None).raw)
    foreign = {
        "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "digest": "sha256:" + 64 * "f",
        "size": 5,
        "urls": ["https://elsewhere.example/layer"],
    }
    base["layers"].append(foreign)
    other.put_manifest("app", "v1", json.dumps(base).encode(), OCI["manifest"])
    file = tmp_path / "pushed.json"
    (done,) = copy(client, app(other, ":v1"), [app(server, ":v1")])
    assert {layer.digest: layer.status for layer in done.layers} == {
        foreign["digest"]: "skipped", base["layers"][0]["digest"]: "pushed"
    }  # fmt: skip
    assert not any(str(foreign["digest"]) in seen.path for seen in (*server.seen, *other.seen))
    assert PushedBlobs(file).places(server.host, str(foreign["digest"])) == []


# Tags that someone else sets meanwhile


def meanwhile(server: RegistryServer, tag: str) -> Action:
    """Set a tag to another image, then answer."""

    def act(exchange: Exchange) -> None:
        theirs = put_image(server, "app", None, text="theirs")
        server.put_manifest("app", tag, theirs.raw, theirs.media_type)
        exchange.give(exchange.ask())

    return act


def test_push_of_a_version_that_is_released_meanwhile_is_refused(
    server: RegistryServer, client: RegistryClient, image: Image, oci: OciImage
) -> None:
    server.add(meanwhile(server, "1.2.3"), "POST")
    with pytest.raises(TagConflict, match=r":1\.2\.3: already points to"):
        push(client, image, [app(server, ":1.2.3")])
    assert server.raw_manifest("app", "1.2.3") != oci.raw
    server.repositories.clear()
    server.add(meanwhile(server, "new"), "POST")
    done = push(client, image, [app(server, ":new"), app(server, ":other")], overwrite="never")
    assert [str(one.reference) for one in done] == [str(app(server, ":other"))]
    server.repositories.clear()
    server.add(meanwhile(server, "1.2.3"), "POST")
    push(client, image, [app(server, ":1.2.3")], overwrite="always")
    assert server.raw_manifest("app", "1.2.3") == oci.raw


def test_push_of_a_signature_makes_it_known(
    server: RegistryServer, client: RegistryClient, oci: OciImage, image: Image, tmp_path: Path
) -> None:
    push(client, image, [app(server, ":v1")])
    server.referrers = False
    signature = oci_image([layer_tar(b"signature")], subject=oci)
    signed = opened(tmp_path / "signature", signature)
    for _ in range(2):
        push(client, signed, [app(server)])
    fallback = json.loads(server.raw_manifest("app", oci.digest.replace(":", "-")))
    assert [entry["digest"] for entry in fallback["manifests"]] == [signature.digest]


def test_transfer_fails_as_the_registry_does(server: RegistryServer, client: RegistryClient, image: Image) -> None:
    server.add(reset_before, "HEAD", BLOBS, ALWAYS)
    with pytest.raises(RegistryUnavailable):
        push(client, image, [app(server, ":v1")])


def test_push_never_mounts_from_another_registry(
    server: RegistryServer, other: RegistryServer, client: RegistryClient, image: Image
) -> None:
    push(client, image, [app(server, ":v1")], mount_from=[app(other, path="base"), app(other, path="second")])
    assert server.count("POST", "mount=") == 0
    assert other.seen == []


def test_error_without_a_status_passes_only_if_the_registry_is_unavailable() -> None:
    assert not _may_pass(RegistryError("no answer that can be used"), 1)
    assert _may_pass(RegistryUnavailable("no answer"), 1)
    assert not _may_pass(RegistryUnavailable("no such host", permanent=True), 1)
