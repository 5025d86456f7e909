"""Transfers: running tasks, remembering what was pushed where, copying and pulling."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest
from e2e.images import DOCKER, OCI, Image, put_image, put_index
from registry.kit import app
from registry.server import RegistryServer, digest_of
from registry.test_referrers import put_signature

from imgref.archive.manifest import Manifest
from imgref.archive.reader import open_archive
from imgref.errors import NotFound, RegistryError
from imgref.platforms import Platform
from imgref.reference import parse
from imgref.registry.client import RegistryClient
from imgref.registry.referrers import add_referrer, referrers_of
from imgref.registry.threads import run_all
from imgref.registry.transfer.mount_cache import PushedBlobs
from imgref.registry.transfer.moves import copy, pull, push, remote_image
from imgref.registry.transfer.progress import Nobody, Transferred

DIGEST = "sha256:" + 64 * "a"


def test_tasks_run_some_at_a_time_and_are_reported_as_they_end() -> None:
    active, most = [0], [0]
    told: list[int] = []
    lock = threading.Lock()

    def task(number: int) -> int:
        with lock:
            active[0] += 1
            most[0] = max(most[0], active[0])
        time.sleep(0.01)
        with lock:
            active[0] -= 1
        return number

    tasks = [lambda number=number: task(number) for number in range(12)]
    assert run_all(3, tasks, threading.Event(), told.append) == tuple(range(12))
    assert sorted(told) == list(range(12))
    assert most == [3]
    assert run_all(3, [], threading.Event()) == ()


def test_the_first_error_stops_the_rest_and_is_raised() -> None:
    done: list[int] = []
    stop = threading.Event()

    def fail() -> None:
        raise RuntimeError("first")

    tasks = [fail, *(lambda number=number: done.append(number) for number in range(1000))]
    with pytest.raises(RuntimeError, match="first"):
        run_all(1, tasks, stop)
    assert stop.is_set()
    assert done == []


def test_exception_in_the_callback_stops_the_tasks() -> None:
    stop = threading.Event()

    def interrupt(result: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_all(2, [lambda: None] * 5, stop, interrupt)
    assert stop.is_set()


def test_an_interrupt_while_threads_start_goes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def interrupted(thread: threading.Thread) -> None:
        if started:
            raise KeyboardInterrupt
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_all(4, [lambda: None] * 8, threading.Event())


def test_the_last_repositories_of_a_blob_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "pushed.json"
    for name in ("a", "b", "c", "a"):
        PushedBlobs(file).remember(parse(f"registry.local:5001/x/{name}", default_tag=None), [DIGEST])
    assert PushedBlobs(file).places("registry.local:5001", DIGEST) == ["x/a", "x/c"]
    assert PushedBlobs(file).places("registry.local:5002", DIGEST) == []
    assert [path.name for path in file.parent.iterdir()] == ["pushed.json"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "[" * 100_000, '{"r d": 1}', f'{{"registry.local:5001 {DIGEST}": ["../x", 1]}}'],
)
def test_cache_that_is_damaged_is_ignored(tmp_path: Path, text: str) -> None:
    file = tmp_path / "pushed.json"
    file.write_text(text)
    assert PushedBlobs(file).places("registry.local:5001", DIGEST) == []
    PushedBlobs(file).remember(parse("registry.local:5001/x/a", default_tag=None), [DIGEST])
    assert PushedBlobs(file).places("registry.local:5001", DIGEST) == ["x/a"]


def test_cache_that_cannot_be_written_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = PushedBlobs(tmp_path / "file" / "pushed.json")
    memory.remember(parse("registry.local:5001/x/a", default_tag=None), [DIGEST])
    assert memory.places("registry.local:5001", DIGEST) == ["x/a"]


@pytest.fixture
def image(server: RegistryServer) -> Image:
    return put_image(server, "app", "1")


# Copies


@pytest.mark.parametrize("types", [OCI, DOCKER], ids=["oci", "docker"])
@pytest.mark.parametrize("elsewhere", [True, False])
def test_copy_keeps_every_byte(
    types: dict[str, str], elsewhere: bool, server: RegistryServer, other: RegistryServer, client: RegistryClient
) -> None:
    index = put_index(server, "app", "multi", types)
    to = other if elsewhere else server
    (done,) = copy(client, app(server, ":multi"), [app(to, ":1", "copied")])
    assert (done.digest, str(done.reference), done.referrers) == (index.digest, str(app(to, ":1", "copied")), ())
    assert to.raw_manifest("copied", "1") == index.raw
    assert to.repositories["copied"].blobs == server.repositories["app"].blobs
    assert {layer.status for layer in done.layers} == {"pushed" if elsewhere else "mounted"}
    # The ids are those that Docker shows, of layers as they are unpacked.
    config = json.loads(next(data for data in to.repositories["copied"].blobs.values() if data[:1] == b"{"))
    assert config["rootfs"]["diff_ids"][0][7:19] in {layer.id for layer in done.layers}


def test_copy_for_a_platform_is_that_image(
    server: RegistryServer, other: RegistryServer, client: RegistryClient
) -> None:
    put_index(server, "app", "multi")
    arm = Platform("linux", "arm64")
    (done,) = copy(client, app(server, ":multi"), [app(other, ":1")], platform=arm)
    assert done.digest == client.resolve(app(server, ":multi"), arm).digest
    assert len(other.repositories["app"].manifests) == 1
    with pytest.raises(NotFound):
        copy(client, app(server, ":multi"), [app(other, ":1")], platform=Platform("linux", "s390x"))


@pytest.mark.parametrize("lists", [(True, True), (False, False), (True, False), (False, True)], ids=str)
def test_copy_with_referrers_takes_all_that_refers_to_the_image(
    lists: tuple[bool, bool], server: RegistryServer, other: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.referrers, other.referrers = lists
    signature = put_signature(server, image)
    of_signature = put_signature(server, signature, "t")
    if not lists[0]:
        for one in (signature, of_signature):
            add_referrer(client, app(server), Manifest.read(one.raw))
    done = copy(client, app(server, ":1"), [app(other, ":1"), app(other, ":2"), app(other, ":1", "b")], referrers=True)
    assert [set(one.referrers) for one in done] == [{signature.digest, of_signature.digest}] * 3
    for path in ("app", "b"):
        assert {signature.digest, of_signature.digest} <= other.repositories[path].manifests.keys()
        found = referrers_of(client, app(other, f"@{image.digest}", path))
        assert [one.digest for one in found] == [signature.digest]
    (plain,) = copy(client, app(server, ":1"), [app(other, ":3")])
    assert plain.referrers == ()


def test_copy_of_a_damaged_image_tags_nothing(
    server: RegistryServer, other: RegistryServer, client: RegistryClient, image: Image
) -> None:
    layer = json.loads(image.raw)["layers"][0]
    data = server.repositories["app"].blobs[layer["digest"]]
    server.repositories["app"].blobs[layer["digest"]] = data[:-1] + b"!"
    with pytest.raises(RegistryError, match="the content that came is"):
        copy(client, app(server, ":1"), [app(other, ":1")])
    assert other.tags_of("app") == {}


def test_remote_image_reads_small_blobs_once(
    server: RegistryServer, other: RegistryServer, client: RegistryClient, image: Image
) -> None:
    push(client, remote_image(client, app(server, ":1")), [app(other, ":1")])
    config = json.loads(image.raw)["config"]["digest"]
    assert server.count("GET", f"/blobs/{config}") == 1
    server.seen.clear()
    big = server.put_blob("app", bytes(100_000))
    document = json.loads(image.raw)
    document["layers"].append({"mediaType": OCI["layer"], "digest": big, "size": 100_000})
    raw = json.dumps(document).encode()
    server.put_manifest("app", "big", raw, OCI["manifest"])
    copy(client, app(server, ":big"), [app(other, ":big")], diff_ids=False)
    assert server.count("GET", f"/blobs/{big}") == 1
    assert other.raw_manifest("app", "big") == raw


# Pulls


class Told(Nobody):
    """A watcher that keeps the images that arrived."""

    def __init__(self) -> None:
        self.arrived: list[Transferred] = []

    def arrives(self, image: Transferred) -> None:
        self.arrived.append(image)


@pytest.mark.parametrize("target", ["layout", "layout.tar"])
def test_pull_writes_a_layout_that_can_be_pushed(
    target: str, server: RegistryServer, other: RegistryServer, client: RegistryClient, image: Image, tmp_path: Path
) -> None:
    path, told = str(tmp_path / target), Told()
    done = pull(client, app(server, ":1"), path, watcher=told)
    assert told.arrived == [done]
    assert (done.digest, [layer.status for layer in done.layers]) == (image.digest, ["pulled"])
    with open_archive(path) as archive:
        push(client, archive.image(), [app(other, ":1")])
    assert other.raw_manifest("app", "1") == image.raw
    if target == "layout":
        server.seen.clear()
        done = pull(client, app(server, ":1"), path)
        assert [layer.status for layer in done.layers] == ["exists"]
        layer = json.loads(image.raw)["layers"][0]["digest"]
        assert server.count("GET", layer) == 0


def test_pull_of_a_damaged_image_leaves_nothing(
    server: RegistryServer, client: RegistryClient, image: Image, tmp_path: Path
) -> None:
    layer = json.loads(image.raw)["layers"][0]
    server.repositories["app"].blobs[layer["digest"]] = bytes(layer["size"])
    for target in ("layout", "layout.tar"):
        with pytest.raises(RegistryError, match="the content that came is"):
            pull(client, app(server, ":1"), str(tmp_path / target))
    assert list(tmp_path.iterdir()) == []


def test_pull_leaves_layers_that_lie_elsewhere(
    server: RegistryServer, client: RegistryClient, image: Image, tmp_path: Path
) -> None:
    document = json.loads(image.raw)
    foreign = digest_of(b"foreign")
    kind = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    document["layers"].append({"mediaType": kind, "digest": foreign, "size": 7, "urls": ["https://x.example/"]})
    server.put_manifest("app", "f", json.dumps(document).encode(), OCI["manifest"])
    done = pull(client, app(server, ":f"), str(tmp_path / "layout"))
    assert {layer.digest: layer.status for layer in done.layers}[foreign] == "skipped"
    assert server.count("GET", foreign) == 0


def test_memory_of_pushes_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imgref.registry.transfer.mount_cache._MOST_BLOBS", 3)
    file = tmp_path / "pushed.json"
    repository = parse("registry.local:5001/x/a", default_tag=None)
    digests = [digest_of(bytes([number])) for number in range(5)]
    PushedBlobs(file).remember(repository, digests)
    # The oldest are forgotten.
    assert [bool(PushedBlobs(file).places(repository.registry, digest)) for digest in digests] == [False] * 2 + [
        True
    ] * 3
    monkeypatch.setattr("imgref.registry.transfer.mount_cache._LARGEST", 10)
    assert PushedBlobs(file).places(repository.registry, digests[-1]) == []


def test_copy_that_skips_some_tags_sets_the_others(
    server: RegistryServer, other: RegistryServer, client: RegistryClient, image: Image
) -> None:
    old = put_image(other, "app", "1", text="old")
    done = copy(client, app(server, ":1"), [app(other, ":1"), app(other, ":2")], overwrite="never")
    assert [str(one.reference) for one in done] == [str(app(other, ":2"))]
    assert other.tags_of("app") == {"1": old.digest, "2": image.digest}
    other.seen.clear()
    assert copy(client, app(server, ":1"), [app(other, ":1")], overwrite="never") == ()
    # Nothing is sent for a tag that is skipped.
    assert [seen.path for seen in other.seen if "/blobs/" in seen.path] == []


def test_copy_with_referrers_that_refer_to_each_other_ends(
    server: RegistryServer, other: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.referrers = False
    signature = put_signature(server, image)
    add_referrer(client, app(server), Manifest.read(signature.raw))
    # The tag that lists what refers to the signature lists the signature itself.
    listed = server.raw_manifest("app", image.digest.replace(":", "-"))
    server.put_manifest("app", signature.digest.replace(":", "-"), listed, OCI["index"])
    (done,) = copy(client, app(server, ":1"), [app(other, ":1")], referrers=True)
    assert done.referrers == (signature.digest,)
