"""What a prune reads of a repository: every tag, every manifest, and when images were created."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from e2e.images import OCI, put_index
from faults import header, status, without_tags
from registry.kit import ALWAYS, Clock
from registry.prune.conftest import Pruned
from registry.server import OCI_INDEX, RegistryServer, digest_of

from imgref.errors import NotFound, RegistryError, UnreliableTagList

OCI_MANIFEST = OCI["manifest"]


def test_tags_are_all_with_their_digests(pruned: Pruned) -> None:
    pruned.server.page = 2
    one = pruned.image("1.0.0", "1.0", "1", "latest")
    two = pruned.image("0.9.0")
    assert pruned.reader.tags() == {**dict.fromkeys(("1.0.0", "1.0", "1", "latest"), one.digest), "0.9.0": two.digest}


def test_tags_of_no_repository_are_an_error(pruned: Pruned) -> None:
    with pytest.raises(NotFound):
        pruned.reader.tags()


def test_tags_with_one_that_does_not_exist_are_an_error_after_some_time(pruned: Pruned, clock: Clock) -> None:
    pruned.image("1.0.0")
    pruned.server.add(status(404), "HEAD", "manifests/1.0.0", times=ALWAYS)
    with pytest.raises(UnreliableTagList, match="the tag does not exist, but the registry's list of tags has it"):
        pruned.reader.tags()
    assert 25 < sum(clock.waits) < 35


def test_tags_wait_for_a_tag_that_appears(pruned: Pruned) -> None:
    image = pruned.image("1.0.0")
    pruned.server.add(status(404), "HEAD", "manifests/1.0.0", times=2)
    assert pruned.reader.tags() == {"1.0.0": image.digest}


def test_tags_that_are_known_need_not_be_listed(pruned: Pruned) -> None:
    image = pruned.image("1.0.0")
    for action in (without_tags, status(404, b'{"errors": []}')):
        pruned.server.add(action, "GET", "tags/list")
        assert pruned.reader.tags(["1.0.0", "2.0.0"]) == {"1.0.0": image.digest}


def test_tags_that_were_deleted_may_be_listed(pruned: Pruned) -> None:
    pruned.image("1.0.0")
    pruned.server.add(status(404), "HEAD", "manifests/1.0.0", times=ALWAYS)
    assert pruned.reader.tags((), {"1.0.0"}) == {}


def test_check_unlisted_finds_a_tag_that_the_list_lacks(pruned: Pruned) -> None:
    pruned.image("1.0.0", "latest")
    pruned.reader.check_unlisted(["1.0"])
    with pytest.raises(UnreliableTagList, match="latest: the tag exists, but the registry's list of tags lacks it"):
        pruned.reader.check_unlisted(["1.0", "latest"])


def put_referrer(server: RegistryServer, subject: str, *, children: list[str] | None = None, tag: str = "") -> str:
    """Put a manifest that refers to another one, an index if it has children, and return its digest."""
    found = server.repositories["app"].manifests
    named = [{"mediaType": found[child][0], "digest": child, "size": 1} for child in children or []]
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST if children is None else OCI_INDEX,
        "subject": {"mediaType": OCI_MANIFEST, "digest": subject, "size": 1},
        **({"layers": []} if children is None else {"manifests": named}),
    }
    raw = json.dumps(document).encode()
    server.put_manifest("app", tag or digest_of(raw), raw, str(document["mediaType"]))
    return digest_of(raw)


def test_load_follows_children_referrers_and_subjects(pruned: Pruned) -> None:
    index = put_index(pruned.server, "app", "1.0.0")
    child = json.loads(index.raw)["manifests"][0]["digest"]
    signature = put_referrer(pruned.server, child)
    second = put_referrer(pruned.server, signature)
    other = pruned.image(text="other")
    tagged = put_referrer(pruned.server, other.digest, tag="report")
    pruned.reader.load(pruned.reader.tags())
    graph = pruned.reader.graph
    assert set(graph.nodes) == pruned.manifests
    assert set(graph.referrers(child)) == {signature}
    assert set(graph.referrers(signature)) == {second}
    assert graph.subject(tagged) == other.digest
    before = len(pruned.server.seen)
    pruned.reader.load(pruned.reader.tags())
    assert {seen.method for seen in pruned.server.seen[before:]} == {"HEAD", "GET"}
    assert not [seen for seen in pruned.server.seen[before:] if seen.method == "GET" and "/manifests/" in seen.path]


def test_load_asks_a_registry_without_lists_of_referrers_about_few(pruned: Pruned) -> None:
    pruned.server.referrers = False
    for number in range(40):
        pruned.image(f"1.0.{number}")
    pruned.reader.load(pruned.reader.tags())
    assert pruned.server.count("GET", "/referrers/") <= 16


def put_entries(server: RegistryServer, tag: str, *entries: dict[str, object]) -> str:
    raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
    server.put_manifest("app", tag, raw, OCI_INDEX)
    return digest_of(raw)


def test_load_takes_missing_children_and_blobs_for_what_cannot_be_deleted(pruned: Pruned) -> None:
    missing = {"mediaType": OCI_MANIFEST, "digest": digest_of(b"missing"), "size": 7}
    blob = {"mediaType": OCI["layer"], "digest": pruned.server.put_blob("app", b"layer"), "size": 5}
    index = put_entries(pruned.server, "old", missing, blob)
    plan = pruned.plan("old")
    assert [each.digest for each in plan.delete] == [index]
    assert plan.keep == ()


def test_load_fails_for_a_tag_that_cannot_be_read(pruned: Pruned) -> None:
    pruned.image("1.0.0")
    pruned.server.add(status(500), "GET", "manifests/sha256", times=ALWAYS)
    with pytest.raises(RegistryError):
        pruned.reader.load(pruned.reader.tags())


def test_load_fails_for_a_tag_whose_manifest_is_gone(pruned: Pruned) -> None:
    pruned.image("1.0.0")
    tags = pruned.reader.tags()
    pruned.server.repositories["app"].manifests.clear()
    with pytest.raises(NotFound):
        pruned.reader.load(tags)


def test_load_fails_for_a_child_if_no_registry_answers(pruned: Pruned) -> None:
    index = put_index(pruned.server, "app", "1.0.0")
    child = json.loads(index.raw)["manifests"][0]["digest"]
    pruned.server.add(status(404, b"<html>"), "GET", f"manifests/{child}", times=ALWAYS)
    with pytest.raises(RegistryError, match="HTML page"):
        pruned.reader.load(pruned.reader.tags())


BEFORE = datetime(2024, 2, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("created", "goes"),
    [
        ("2024-01-31T23:59:59Z", True),
        ("2024-02-01T00:00:00Z", False),
        ("2024-02-01T00:30:00+01:00", True),
        ("1970-01-01T00:00:00Z", False),
        ("1999-12-31T23:59:59Z", False),
        ("0001-01-01T00:00:00Z", False),
        ("soon", False),
        (None, False),
    ],
)
def test_narrow_leaves_images_that_are_not_known_to_be_older(pruned: Pruned, created: str | None, goes: bool) -> None:
    pruned.image("pr-1", created=created)
    assert [each.tags for each in pruned.plan("pr-*", before=BEFORE).delete] == ([("pr-1",)] if goes else [])


@pytest.mark.parametrize(
    ("times", "goes"),
    [
        (("2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"), True),
        (("2024-01-01T00:00:00Z", "2024-03-01T00:00:00Z"), False),
        (("2024-01-01T00:00:00Z", None), False),
        ((), False),
    ],
)
def test_narrow_takes_the_last_of_several_platforms(pruned: Pruned, times: tuple[str | None, ...], goes: bool) -> None:
    images = [pruned.image(text=str(number), created=time) for number, time in enumerate(times)]
    named: list[dict[str, object]] = [
        {"mediaType": image.media_type, "digest": image.digest, "size": len(image.raw)} for image in images
    ]
    put_entries(pruned.server, "pr-1", *named)
    assert bool(pruned.plan("pr-*", before=BEFORE).delete) == goes


def test_narrow_leaves_out_attestations(pruned: Pruned) -> None:
    image = pruned.image(text="old", created="2024-01-01T00:00:00Z")
    attestation = pruned.image(text="attestation")
    put_entries(
        pruned.server,
        "pr-1",
        {"mediaType": image.media_type, "digest": image.digest, "size": len(image.raw)},
        {
            "mediaType": attestation.media_type,
            "digest": attestation.digest,
            "size": len(attestation.raw),
            "platform": {"os": "unknown", "architecture": "unknown"},
        },
    )
    assert len(pruned.plan("pr-*", before=BEFORE).delete) == 3


def test_narrow_returns_the_reason(pruned: Pruned) -> None:
    pruned.image("pr-1", created="2024-03-01T00:00:00Z")
    pruned.image("pr-2")
    assert sorted(each.because for each in pruned.plan("pr-*", before=BEFORE).keep) == [
        "pr-1: matches pr-*, but it was created on 2024-03-01, not before 2024-02-01",
        "pr-2: matches pr-*, but it was created at an unknown time",
    ]


def test_tags_need_no_digest_in_the_answer_to_head(pruned: Pruned) -> None:
    image = pruned.image("1.0.0")
    pruned.server.add(header("Docker-Content-Digest", None), "HEAD", times=ALWAYS)
    assert pruned.reader.tags() == {"1.0.0": image.digest}
