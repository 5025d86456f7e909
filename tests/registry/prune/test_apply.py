"""Deleting what a plan selects, while the repository changes and the registry fails."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from e2e.images import put_index
from faults import Exchange, lost, reset_before, status
from registry.kit import ALWAYS, Connect, app
from registry.prune.conftest import Pruned
from registry.prune.test_reader import put_entries, put_referrer
from registry.server import RegistryServer

from imgref.errors import AuthenticationError, NotFound, RegistryError, UnreliableTagList


def then(change: Callable[[], object]) -> Callable[[Exchange], None]:
    """Answer properly, and change something before the client reads the answer."""

    def act(exchange: Exchange) -> None:
        answer = exchange.ask()
        change()
        exchange.give(answer)

    return act


def test_apply_deletes_manifests_with_their_children_and_referrers(pruned: Pruned) -> None:
    index = put_index(pruned.server, "app", "pr-1")
    signature = put_referrer(pruned.server, index.digest)
    kept = pruned.image("main", "pr-2")
    plan = pruned.plan("pr-*")
    assert pruned.apply(plan) == [each.digest for each in plan.delete]
    assert signature in [each.digest for each in plan.delete]
    assert pruned.manifests == {kept.digest}
    assert pruned.tags == {"main": kept.digest, "pr-2": kept.digest}


def test_apply_deletes_parents_first(pruned: Pruned) -> None:
    index = put_index(pruned.server, "app", "pr-1")
    deleted = pruned.apply(pruned.plan("pr-*"))
    assert deleted[0] == index.digest
    assert len(deleted) == 3


@pytest.mark.parametrize("tag", ["latest", "fresh", "pr-9"])
def test_apply_leaves_a_manifest_to_which_a_tag_points_since_the_plan(tag: str, pruned: Pruned) -> None:
    """An existing tag that moves, a new one, and one that was selected where it pointed before."""
    one, two = pruned.image("pr-1"), pruned.image("pr-2")
    pruned.image("latest")
    pruned.image("pr-9")
    plan = pruned.plan("pr-[12]", "pr-9")
    order = [each.digest for each in plan.delete]
    second = next(digest for digest in order[1:] if digest in (one.digest, two.digest))
    move = then(lambda: pruned.server.repositories["app"].tags.__setitem__(tag, second))
    pruned.server.add(move, "DELETE")
    assert second not in pruned.apply(plan)
    assert pruned.tags[tag] == second
    assert f"{tag} points to it now" in pruned.reasons


def test_apply_leaves_what_a_new_index_needs(pruned: Pruned) -> None:
    index = put_index(pruned.server, "app", "pr-1")
    children = [entry["digest"] for entry in json.loads(index.raw)["manifests"]]
    signature = put_referrer(pruned.server, children[0])

    def push() -> None:
        found = pruned.server.repositories["app"].manifests
        entry = {"mediaType": found[children[0]][0], "digest": children[0], "size": len(found[children[0]][1])}
        put_entries(pruned.server, "fresh", entry)

    plan = pruned.plan("pr-*")
    pruned.server.add(then(push), "DELETE", index.digest)
    assert pruned.apply(plan) == [index.digest, children[1]]
    assert {children[0], signature} < pruned.manifests


def test_apply_leaves_what_is_signed_since_the_plan(pruned: Pruned) -> None:
    image, signature = pruned.image("pr-1"), pruned.image(text="signature")
    plan = pruned.plan("pr-*")
    pruned.server.repositories["app"].tags[image.digest.replace(":", "-") + ".sig"] = signature.digest
    assert pruned.apply(plan) == []
    assert len(pruned.reasons) == 1


def test_apply_leaves_a_manifest_whose_tag_moved_or_vanished_with_all_that_it_needs(pruned: Pruned) -> None:
    put_index(pruned.server, "app", "pr-1", text="one")
    put_index(pruned.server, "app", "pr-2", text="two")
    put_index(pruned.server, "app", "pr-3", text="three")
    other = pruned.image("main")
    plan = pruned.plan("pr-*")
    pruned.server.repositories["app"].tags["pr-1"] = other.digest
    del pruned.server.repositories["app"].tags["pr-2"]
    assert len(pruned.apply(plan)) == 3
    assert len(pruned.manifests) == 7
    assert f"pr-1 points to {other.digest} now" in pruned.reasons
    assert "pr-2 does not exist any more" in pruned.reasons


def test_apply_deletes_signatures_that_only_two_signed_images_share_with_the_last_one(pruned: Pruned) -> None:
    one, two, bill = pruned.image("pr-1"), pruned.image("main"), pruned.image(text="bill")
    for image in (one, two):
        pruned.server.repositories["app"].tags[image.digest.replace(":", "-") + ".sbom"] = bill.digest
    assert pruned.apply(pruned.plan("pr-*")) == [one.digest]
    assert pruned.reasons == []


def test_apply_looks_again_before_another_attempt(pruned: Pruned) -> None:
    image = pruned.image("pr-1")
    plan = pruned.plan("pr-*")

    def fail(exchange: Exchange) -> None:
        pruned.server.repositories["app"].tags["latest"] = image.digest
        status(503)(exchange)

    pruned.server.add(fail, "DELETE")
    assert pruned.apply(plan) == []
    assert pruned.manifests == {image.digest}
    assert pruned.server.count("DELETE") == 1


@pytest.mark.parametrize("fault", [lost, reset_before, status(503), status(429)])
def test_apply_repeats_what_may_pass(fault: Callable[[Exchange], None], pruned: Pruned) -> None:
    image = pruned.image("pr-1", "pr-2")
    pruned.image("main")
    plan = pruned.plan("pr-*")
    pruned.server.add(fault, "DELETE")
    assert pruned.apply(plan) == [image.digest]
    assert set(pruned.tags) == {"main"}


def test_apply_counts_what_someone_else_deleted_as_deleted(pruned: Pruned) -> None:
    image = pruned.image("pr-1")
    pruned.image("main")
    plan = pruned.plan("pr-*")
    pruned.server.add(then(lambda: None), "DELETE")
    pruned.client.delete_manifest(app(pruned.server, f"@{image.digest}"))
    assert pruned.apply(plan) == [image.digest]


def test_apply_stops_at_the_first_refusal(pruned: Pruned) -> None:
    for number in range(4):
        pruned.image(f"pr-{number}")
    plan = pruned.plan("pr-*")
    pruned.server.add(status(405), "DELETE", times=ALWAYS, after=1)
    with pytest.raises(RegistryError, match="does not support deleting manifests") as caught:
        pruned.apply(plan)
    assert caught.value.status == 405
    assert pruned.server.count("DELETE") == 2
    assert len(pruned.deletions) == 1
    assert len(pruned.manifests) == 3


def test_apply_stops_at_a_404_for_a_manifest_that_exists(pruned: Pruned) -> None:
    image = pruned.image("pr-1")
    plan = pruned.plan("pr-*")
    pruned.server.add(status(404, b"404 page not found"), "DELETE", times=ALWAYS)
    with pytest.raises(RegistryError, match="answers 404 to DELETE, but the manifest exists") as caught:
        pruned.apply(plan)
    assert not isinstance(caught.value, NotFound)
    assert pruned.manifests == {image.digest}


def test_apply_stops_if_the_list_of_tags_cannot_be_relied_on(pruned: Pruned) -> None:
    pruned.image("pr-1")
    pruned.image("main")
    plan = pruned.plan("pr-*")
    pruned.server.add(status(404), "HEAD", "manifests/main", times=ALWAYS)
    with pytest.raises(UnreliableTagList):
        pruned.apply(plan)
    assert pruned.server.count("DELETE") == 0


def test_apply_interrupted_anywhere_can_be_repeated(pruned: Pruned) -> None:
    for number in range(3):
        put_index(pruned.server, "app", f"pr-{number}", text=str(number))
    kept = pruned.image("main")
    for _ in range(3):
        pruned.server.faults.clear()
        pruned.server.add(status(500), "DELETE", times=ALWAYS, after=3)
        if pruned.plan("pr-*").delete:
            pruned.deletions.clear()
            with pytest.raises(RegistryError):
                pruned.apply(pruned.plan("pr-*"))
    pruned.server.faults.clear()
    pruned.apply(pruned.plan("pr-*"))
    assert pruned.tags == {"main": kept.digest}


def test_delete_manifest_requires_the_right_to_delete(guarded: RegistryServer, connect: Connect) -> None:
    pruned = Pruned(guarded, connect(guarded.host))
    image = pruned.image("pr-1")
    pruned.client.delete_manifest(app(guarded, f":pr-1@{image.digest}"))
    assert pruned.manifests == set()


def test_delete_manifest_reports_what_is_missing_or_forbidden(pruned: Pruned) -> None:
    image = pruned.image("pr-1")
    with pytest.raises(ValueError, match="deleted by its digest"):
        pruned.client.delete_manifest(app(pruned.server, ":pr-1"))
    pruned.client.delete_manifest(app(pruned.server, f"@{image.digest}"))
    with pytest.raises(NotFound):
        pruned.client.delete_manifest(app(pruned.server, f"@{image.digest}"))
    pruned.server.add(status(404, b"<html>"), "DELETE")
    with pytest.raises(RegistryError, match="HTML page"):
        pruned.client.delete_manifest(app(pruned.server, f"@{image.digest}"))
    pruned.server.add(status(403), "DELETE")
    with pytest.raises(AuthenticationError):
        pruned.client.delete_manifest(app(pruned.server, f"@{image.digest}"))
