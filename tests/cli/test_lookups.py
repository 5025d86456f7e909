"""What commands ask about many images: the same facts as every other command finds."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from e2e.images import OCI, put_image
from registry.server import RegistryServer, run_server
from vectors import imgref

from imgref.cli._lookups import Lookups
from imgref.reference import parse
from imgref.registry.credentials import Credentials
from imgref.registry.hosts import Hosts
from imgref.registry.lookup import Lookup
from imgref.registry.mirrors import Mirrors


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    with run_server() as server:
        yield server


@pytest.mark.parametrize("order", [("amd64", "arm64"), ("arm64", "amd64")])
def test_created_of_an_index_is_what_ls_shows(order: tuple[str, str], server: RegistryServer) -> None:
    times = {"amd64": "2024-03-01T10:20:30Z", "arm64": "2024-05-05T05:05:05Z"}
    children = []
    for architecture in order:
        image = put_image(server, "app", None, architecture=architecture, more={"created": times[architecture]})
        platform = {"os": "linux", "architecture": architecture}
        size = len(image.raw)
        children.append({"mediaType": image.media_type, "digest": image.digest, "size": size, "platform": platform})
    index = {"schemaVersion": 2, "mediaType": OCI["index"], "manifests": children}
    server.put_manifest("app", "1.0.0", json.dumps(index).encode(), OCI["index"])
    (row,) = json.loads(imgref("ls", f"{server.host}/app", "--long", "--format", "json").stdout)
    ref = parse(f"{server.host}/app:1.0.0")
    with Lookup(Hosts(), Credentials({}), Mirrors()) as lookup:
        created = Lookups(lambda: lookup, 2).created([ref])[ref]
    assert row["created"] == times["amd64"]
    assert str(created) == "2024-03-01 10:20:30+00:00"
