"""The client as a library: blobs, uploads and mounts, from several threads, with digests verified."""

from __future__ import annotations

import hashlib
import json
import random
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from e2e import fault_proxy as faults
from e2e.commands import Home
from e2e.fault_proxy import FaultProxy
from e2e.images import OCI, digest_of, link_tags, put_image, put_index
from e2e.servers import PASSWORD, USER, Registry
from vectors import ROOT

import imgref
from imgref.errors import NotFound, RegistryError, RegistryUnavailable
from imgref.platforms import Platform
from imgref.registry.client import RegistryClient
from imgref.registry.credentials import Credentials
from imgref.registry.hosts import Hosts
from imgref.registry.transport import Event

pytestmark = pytest.mark.e2e

Unique = Callable[[str], str]
DATA = random.Random(5).randbytes(3_000_000)


def client_for(host: str, events: list[Event] | None = None) -> RegistryClient:
    environ = {"HOME": "/nowhere", "IMGREF_USERNAME": USER, "IMGREF_PASSWORD": PASSWORD, "IMGREF_REGISTRY": host}
    return RegistryClient(Hosts(), Credentials(environ), None if events is None else events.append, timeout=10)


@pytest.fixture
def client(registry: Registry) -> Iterator[RegistryClient]:
    with client_for(registry.host) as client:
        yield client


def send(client: RegistryClient, repository: imgref.ImageReference, data: bytes) -> str:
    upload = client.start_upload(repository)
    assert upload is not None
    client.put_blob(upload, lambda: [data[:1000], data[1000:]], len(data), digest_of(data))
    return digest_of(data)


def test_blobs(client: RegistryClient, registry: Registry, unique: Unique) -> None:
    repository = imgref.parse(f"{registry.host}/{unique('app')}")
    other = imgref.parse(f"{registry.host}/{unique('other')}")
    assert client.blob_exists(repository, digest_of(DATA)) is None
    digest = send(client, repository, DATA)
    assert client.blob_exists(repository, digest) == len(DATA)
    assert b"".join(client.open_blob(repository, digest, size=len(DATA))) == DATA
    assert b"".join(client.open_blob(repository, send(client, repository, b""))) == b""
    hasher = hashlib.sha256(DATA[:1_000_000])
    assert b"".join(client.open_blob(repository, digest, 1_000_000, hasher=hasher)) == DATA[1_000_000:]

    assert client.blob_exists(other, digest) is None
    assert client.start_upload(other, mount=digest, source=repository) is None
    assert client.blob_exists(other, digest) == len(DATA)
    upload = client.start_upload(other, mount="sha256:" + 64 * "0", source=repository)
    assert upload is not None
    client.cancel_upload(upload)
    with pytest.raises(RegistryError):
        client.put_blob(upload, lambda: [DATA], len(DATA), digest)


def test_wrong_content_is_not_taken(client: RegistryClient, registry: Registry, unique: Unique) -> None:
    repository = imgref.parse(f"{registry.host}/{unique('app')}")
    upload = client.start_upload(repository)
    assert upload is not None
    with pytest.raises(RegistryError, match="answers 400 to PUT"):
        client.put_blob(upload, lambda: [b"x"], 1, "sha256:" + 64 * "0")
    digest = send(client, repository, DATA)
    with pytest.raises(RegistryError, match="more than the 10 bytes"):
        b"".join(client.open_blob(repository, digest, size=10))
    with pytest.raises(RegistryError, match="the content that came is sha256:"):
        b"".join(client.open_blob(repository, digest, 9, hasher=hashlib.sha256(b"something")))
    with pytest.raises(NotFound, match="no such blob"):
        b"".join(client.open_blob(repository, "sha256:" + 64 * "0"))


def test_four_at_a_time(client: RegistryClient, registry: Registry, unique: Unique) -> None:
    repository = imgref.parse(f"{registry.host}/{unique('app')}")
    blobs = [bytes([number]) * 700_000 for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        digests = list(pool.map(lambda data: send(client, repository, data), blobs))
        assert digests == [digest_of(data) for data in blobs]
        read = pool.map(lambda digest: b"".join(client.open_blob(repository, digest)), digests)
        assert list(read) == blobs


@pytest.mark.usefixtures("short_waits")
def test_a_blob_is_taken_up_where_it_broke(faulty: FaultProxy, plain: Registry, unique: Unique) -> None:
    path = unique("app")
    digest = plain.put_blob(path, DATA)
    events: list[Event] = []
    faulty.add(faults.reset_in_answer, "GET", "/blobs/", times=3)
    with client_for(faulty.host, events) as client:
        assert b"".join(client.open_blob(imgref.parse(f"{faulty.host}/{path}"), digest)) == DATA
    ranges = [seen.headers.get("Range") for seen in faulty.seen if "/blobs/" in seen.path]
    assert ranges[0] is None
    starts = [int(str(text).removeprefix("bytes=").removesuffix("-")) for text in ranges[1:]]
    assert starts == sorted(starts)
    assert starts[0] > 0
    assert [event.kind for event in events] == ["retry"] * 3


def test_last_chunk_of_a_damaged_blob_is_not_yielded(faulty: FaultProxy, plain: Registry, unique: Unique) -> None:
    path = unique("app")
    digest = plain.put_blob(path, DATA)
    faulty.add(faults.damaged, "GET", "/blobs/")
    given: list[bytes] = []
    with client_for(faulty.host) as client, pytest.raises(RegistryError, match="the content that came is"):
        given.extend(client.open_blob(imgref.parse(f"{faulty.host}/{path}"), digest))
    assert sum(map(len, given)) < len(DATA)


def test_a_blob_elsewhere_is_asked_for_without_credentials(htpasswd: Registry, unique: Unique) -> None:
    path = unique("app")
    digest = htpasswd.put_blob(path, DATA)
    with faults.run_fault_proxy(htpasswd.host) as registry, faults.run_fault_proxy(htpasswd.host) as store:
        registry.add(faults.redirect(f"http://{store.host}/bucket?signature=a%2Bb"), "GET", "/blobs/")
        store.add(faults.status(200, DATA))
        with client_for(registry.host) as client:
            assert b"".join(client.open_blob(imgref.parse(f"{registry.host}/{path}"), digest)) == DATA
    assert [seen.path for seen in store.seen] == ["/bucket?signature=a%2Bb"]
    assert "Authorization" not in store.seen[0].headers


def test_a_body_is_sent_again_after_a_401(token: Registry, unique: Unique) -> None:
    assert token.tokens is not None
    with faults.run_fault_proxy(token.host) as registry, client_for(registry.host) as client:
        repository = imgref.parse(f"{registry.host}/{unique('app')}")
        challenge = f'Bearer realm="{token.tokens.realm}",service="{token.tokens.service}"'
        registry.add(faults.status(401, WWW_Authenticate=challenge), "PUT", "/uploads/")
        digest = send(client, repository, DATA)
        assert client.blob_exists(repository, digest) == len(DATA)
        assert registry.count("PUT", "/uploads/") == 2
        assert registry.count("POST", "/uploads/") == 1


def test_a_closed_client_does_not_wait(faulty: FaultProxy, plain: Registry, unique: Unique) -> None:
    path = unique("app")
    put_image(plain, path, "1")
    faulty.add(faults.status(503, Retry_After="60"), "GET", "/tags/", times=-1)
    with client_for(faulty.host) as client, ThreadPoolExecutor(1) as pool:
        listing = pool.submit(client.list_tags, imgref.parse(f"{faulty.host}/{path}"))
        while not faulty.count("GET", "/tags/"):
            time.sleep(0.01)
        client.close()
        with pytest.raises(RegistryUnavailable, match="the client was closed"):
            listing.result(20)


LS = {
    (): "2.0.0 1.11.0-rc.1 1.10.0 1.9.0 1.2.0 1.2 20240115 edge latest",
    ("--range", ">=1.2,<2"): "1.10.0 1.9.0 1.2.0 1.2",
    ("--range", ">=1.2,<2", "--pre"): "1.11.0-rc.1 1.10.0 1.9.0 1.2.0 1.2",
    ("--range", ">=1.11.0-rc.1"): "2.0.0 1.11.0-rc.1",
    ("--limit", "2"): "2.0.0 1.11.0-rc.1",
    ("--include", r"^1\.", "--exclude", "rc"): "1.10.0 1.9.0 1.2.0 1.2",
    ("--sort", "name"): "1.10.0 1.11.0-rc.1 1.2 1.2.0 1.9.0 2.0.0 20240115 edge latest",
    ("--scheme", "numeric", "--range", ">1.9,<=2"): "2.0.0 1.10.0",
}


def test_ls(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    image = put_image(plain, path, "latest")
    names = ["1.2.0", "1.10.0", "1.9.0", "2.0.0", "1.11.0-rc.1", "edge", "1.2", "20240115"]
    link_tags(plain, path, image, names)
    repository = f"{plain.host}/{path}"
    for options, listed in LS.items():
        assert home.imgref("ls", repository, *options).out.split() == listed.split(), options
    assert home.imgref("ls", repository, "--limit", "1", "--full").out == f"{repository}:2.0.0\n"
    assert home.imgref("ls", repository, "--limit", "1", "--format", "json").json == [
        {"tag": "2.0.0", "reference": f"{repository}:2.0.0", "version": "2.0.0", "prerelease": False, "variant": None}
    ]
    assert set(home.imgref("ls", repository, "--sort", "none").out.split()) == {*names, "latest"}


def test_the_example_of_the_docs_runs(
    plain: Registry, unique: Unique, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = re.search(r"^```py\n(.*?)^```$", (ROOT / "docs/registries.md").read_text(), re.MULTILINE | re.DOTALL)
    assert found
    monkeypatch.setenv("HOME", str(tmp_path))
    path = unique("ui")
    index = put_index(plain, path, "2.1")
    exec(found[1].replace("registry.example/gallery/ui", f"{plain.host}/{path}"), {})
    tags, digest = capsys.readouterr().out.splitlines()
    assert tags == "['2.1']"
    assert digest in index.raw.decode()
    with client_for(plain.host) as client:
        assert client.resolve(imgref.parse(f"{plain.host}/{path}:stable")).digest == index.digest


@pytest.mark.parametrize("reverse", [False, True])
def test_resolve_takes_the_nearest_platform_whatever_the_order(
    client: RegistryClient, registry: Registry, unique: Unique, reverse: bool
) -> None:
    path = unique("app")
    offered = ["linux/arm/v5", "linux/arm/v6", "linux/armhf", "linux/amd64/v3", "linux/x86_64", "macos/aarch64/8"]
    images = {text: put_image(registry, path, None, text=text) for text in offered}
    manifests = [
        {
            "mediaType": image.media_type,
            "digest": image.digest,
            "size": len(image.raw),
            "platform": dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False)),
        }
        for text, image in images.items()
    ]
    document = {"schemaVersion": 2, "mediaType": OCI["index"], "manifests": manifests[:: -1 if reverse else 1]}
    registry.put_manifest(path, "1", json.dumps(document).encode(), OCI["index"])
    ref = imgref.parse(f"{registry.host}/{path}:1")
    wanted = {
        "linux/arm": "linux/armhf",
        "armel": "linux/arm/v6",
        "arm64": "linux/armhf",
        "Linux/AMD64": "linux/x86_64",
        "linux/amd64/v4": "linux/amd64/v3",
        "macos/arm64": "macos/aarch64/8",
    }
    for text, taken in wanted.items():
        assert client.resolve(ref, Platform.parse(text)).digest == images[taken].digest, text
    with pytest.raises(NotFound, match="no image for linux/s390x"):
        client.resolve(ref, Platform.parse("s390x"))
