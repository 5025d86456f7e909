"""What refers to an image, on registries with lists of it and on those without."""

from __future__ import annotations

import json

import pytest
from e2e.images import OCI, Image, put_image
from faults import status
from registry.kit import ALWAYS, app
from registry.server import RegistryServer, digest_of

from imgref.archive.manifest import Manifest
from imgref.errors import RegistryError
from imgref.registry.client import RegistryClient
from imgref.registry.referrers import add_referrer, referrers_of

SIGNATURE = "application/x-signature"


def put_signature(server: RegistryServer, subject: Image, text: str = "s", path: str = "app") -> Image:
    config = server.put_blob(path, text.encode())
    document = {
        "schemaVersion": 2,
        "mediaType": OCI["manifest"],
        "artifactType": SIGNATURE,
        "config": {"mediaType": "application/x-config", "digest": config, "size": len(text)},
        "layers": [],
        "subject": {"mediaType": subject.media_type, "digest": subject.digest, "size": len(subject.raw)},
        "annotations": {"by": text},
    }
    image = Image(json.dumps(document).encode(), OCI["manifest"])
    server.put_manifest(path, image.digest, image.raw, image.media_type)
    return image


@pytest.fixture
def image(server: RegistryServer) -> Image:
    return put_image(server, "app", "1")


def fallback(image: Image) -> str:
    return image.digest.replace(":", "-")


def test_referrers_of_are_those_that_the_registry_lists(
    server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    ref = app(server, f"@{image.digest}")
    assert referrers_of(client, ref) == ()
    signature = put_signature(server, image)
    assert [found.digest for found in referrers_of(client, ref)] == [signature.digest]
    add_referrer(client, app(server), Manifest.read(signature.raw))
    assert server.tags_of("app") == {"1": image.digest}


def test_referrers_without_lists_are_kept_in_a_tag(
    server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.referrers = False
    ref = app(server, f"@{image.digest}")
    assert referrers_of(client, ref) == ()
    signatures = [put_signature(server, image, text) for text in "ab"]
    for signature in (*signatures, signatures[0]):
        add_referrer(client, app(server), Manifest.read(signature.raw))
    found = referrers_of(client, ref)
    assert [(one.digest, one.artifact_type, one.annotations) for one in found] == [
        (signature.digest, SIGNATURE, {"by": text}) for signature, text in zip(signatures, "ab", strict=True)
    ]
    entry = json.loads(server.raw_manifest("app", fallback(image)))["manifests"][0]
    assert entry["mediaType"] == OCI["manifest"]
    assert entry["size"] == len(signatures[0].raw)
    # What has no subject refers to nothing.
    seen = len(server.seen)
    add_referrer(client, app(server), Manifest.read(image.raw))
    assert len(server.seen) == seen


def test_referrers_in_a_tag_keep_what_is_there(server: RegistryServer, client: RegistryClient, image: Image) -> None:
    server.referrers = False
    entry = {"mediaType": OCI["manifest"], "digest": image.digest, "size": len(image.raw), "x-unknown": 1}
    index = {"schemaVersion": 2, "mediaType": OCI["index"], "manifests": [entry]}
    server.put_manifest("app", fallback(image), json.dumps(index).encode(), OCI["index"])
    add_referrer(client, app(server), Manifest.read(put_signature(server, image).raw))
    kept = json.loads(server.raw_manifest("app", fallback(image)))["manifests"]
    assert kept[0] == entry
    assert len(kept) == 2


def test_referrers_that_cannot_be_read_are_an_error(
    server: RegistryServer, client: RegistryClient, image: Image
) -> None:
    server.add(status(403), "GET", "/referrers/", ALWAYS)
    with pytest.raises(RegistryError):
        referrers_of(client, app(server, f"@{image.digest}"))
    server.faults.clear()
    server.referrers = False
    server.add(status(403), "GET", "/manifests/sha256-", ALWAYS)
    with pytest.raises(RegistryError):
        referrers_of(client, app(server, f"@{image.digest}"))
    with pytest.raises(RegistryError):
        add_referrer(client, app(server), Manifest.read(put_signature(server, image).raw))


def test_referrer_with_few_fields_is_listed_with_them(server: RegistryServer, client: RegistryClient) -> None:
    server.referrers = False
    subject = "sha512:" + 128 * "a"
    descriptor = {"mediaType": OCI["manifest"], "digest": subject, "size": 2}
    document = {"schemaVersion": 2, "mediaType": OCI["index"], "manifests": [], "subject": descriptor}
    raw = json.dumps(document).encode()
    server.put_manifest("app", digest_of(raw), raw, OCI["index"])
    add_referrer(client, app(server), Manifest.read(raw))
    # A tag has 128 characters at the most.
    assert json.loads(server.raw_manifest("app", f"sha512-{121 * 'a'}")) == {
        "schemaVersion": 2,
        "mediaType": OCI["index"],
        "manifests": [{"mediaType": OCI["index"], "digest": digest_of(raw), "size": len(raw)}],
    }
