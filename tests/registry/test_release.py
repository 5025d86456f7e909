"""Releases: which tags are set, in which order, and that none moves backwards, whatever the registry or others do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection
from typing import Any

import pytest
from e2e.images import DOCKER, OCI, Image, put_image, put_index
from faults import Action, Exchange, reset_before, status
from histories import expected, history
from registry.kit import ALWAYS, Clock, Connect, app
from registry.server import RegistryServer

from imgref.errors import InvalidTag, InvalidVersion, RegistryError, TagConflict, UnreliableTagList
from imgref.registry.client import RegistryClient
from imgref.registry.listing import existing_tags, find_digests
from imgref.registry.release import Release, TagOutcome, apply_release, plan_release
from imgref.registry.transport import Event
from imgref.tags import ExistingTags, TagPolicy, derive_tags
from imgref.versions import read_version

LIST, MANIFESTS = "/tags/list", "/manifests/"
LABEL = "org.opencontainers.image.version"


def image_of(server: RegistryServer, text: str, **more: Any) -> Image:
    return put_image(server, "app", None, text=text, **more)


def put_tags(server: RegistryServer, image: Image, *tags: str) -> None:
    for tag in tags:
        server.put_manifest("app", tag, image.raw, image.media_type)


def release(client: RegistryClient, server: RegistryServer, version: str, image: Image, **more: Any) -> Release:
    return apply_release(client, plan_release(client, app(server), version, image.digest, **more))


def said(done: Release) -> list[tuple[str, str, str | None]]:
    return [(outcome.tag, outcome.action, outcome.because) for outcome in done.outcomes]


def puts(server: RegistryServer) -> list[str]:
    return [seen.path.rpartition("/")[2] for seen in server.seen if seen.method == "PUT"]


@pytest.fixture
def first(server: RegistryServer) -> Image:
    return image_of(server, "first")


@pytest.fixture
def second(server: RegistryServer) -> Image:
    return image_of(server, "second")


# What a release does


def test_release_sets_the_exact_tag_first_and_latest_last(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    done = release(client, server, "2.1.106", first)
    assert puts(server) == ["2.1.106", "2.1", "2", "latest"]
    assert said(done) == [(tag, "created", None) for tag in puts(server)]
    assert all((outcome.before, outcome.after) == (None, first.digest) for outcome in done.outcomes)
    assert server.raw_manifest("app", "latest") == first.raw
    # The same again changes nothing.
    server.seen.clear()
    assert {action for _, action, _ in said(release(client, server, "2.1.106", first))} == {"unchanged"}
    assert puts(server) == []
    # What is older takes only what is its own.
    done = release(client, server, "1.9.7", second)
    assert said(done) == [
        ("1.9.7", "created", None),
        ("1.9", "created", None),
        ("1", "created", None),
        ("latest", "held", "2.1.106"),
    ]
    held = done.outcomes[-1]
    assert (held.before, held.after) == (first.digest, None)
    # What is newer takes over.
    done = release(client, server, "2.1.107", second)
    assert said(done)[1:] == [("2.1", "moved", None), ("2", "moved", None), ("latest", "moved", None)]
    assert {(outcome.before, outcome.after) for outcome in done.outcomes[1:]} == {(first.digest, second.digest)}


def test_plan_release_sets_nothing(server: RegistryServer, client: RegistryClient, first: Image) -> None:
    plan = plan_release(client, app(server), "1.2.3", first.digest)
    assert said(plan) == [(tag, "created", None) for tag in ("1.2.3", "1.2", "1", "latest")]
    assert plan.exact == ("1.2.3",)
    assert puts(server) == []
    # Nor does the image have to be there yet.
    digest = "sha256:" + 64 * "0"
    assert plan_release(client, app(server, path="none"), "1.2.3", digest).digest == digest


def test_release_reports_each_outcome_as_it_happens(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    release(client, server, "2.0.0", first)
    told: list[tuple[TagOutcome, int]] = []
    plan = plan_release(client, app(server), "1.0.0", second.digest)
    server.seen.clear()
    done = apply_release(client, plan, on_outcome=lambda outcome: told.append((outcome, len(puts(server)))))
    assert tuple(outcome for outcome, _ in told) == done.outcomes
    assert [number for _, number in told] == [1, 2, 3, 3]


def test_release_of_an_index_sets_the_index(server: RegistryServer, client: RegistryClient) -> None:
    index = put_index(server, "app", "build", DOCKER)
    release(client, server, "1.0.0", index)
    assert server.raw_manifest("app", "1.0.0") == server.raw_manifest("app", "latest") == index.raw
    sent = {seen.headers["Content-Type"] for seen in server.seen if seen.method == "PUT"}
    assert sent == {DOCKER["index"]}


def test_release_with_a_prefix_is_held_by_newer_tags_of_the_registry(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    """Tags never carry the prefix, so the registry's are compared without it."""
    policy = TagPolicy(prefix="app-")
    release(client, server, "app-v2.0.0", first, policy=policy)
    assert set(server.tags_of("app")) == {"2.0.0", "2.0", "2", "latest"}
    done = release(client, server, "app-v1.0.0", second, policy=policy)
    assert said(done)[-1] == ("latest", "held", "2.0.0")
    assert server.tags_of("app")["latest"] == first.digest
    # What the list explains is found by the same names.
    done = release(client, server, "app-2.0.1", second, policy=policy)
    assert said(done)[-1] == ("latest", "moved", None)
    with pytest.raises(InvalidVersion, match="prefix"):
        plan_release(client, app(server), "2.0.2", second.digest, policy=policy)


def test_release_of_the_exact_tag_alone_leaves_floating_tags(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    release(client, server, "2.0.0", first)
    before = server.tags_of("app")
    done = release(client, server, "2.1.0", second, only_exact=True)
    assert said(done) == [("2.1.0", "created", None)]
    assert server.tags_of("app") == {**before, "2.1.0": second.digest}
    # Held tags are floating tags too.
    assert said(release(client, server, "1.0.0", second, only_exact=True)) == [("1.0.0", "created", None)]


def test_release_knows_the_versions_of_other_sources(
    server: RegistryServer, client: RegistryClient, first: Image
) -> None:
    done = release(client, server, "2.0.0", first, existing=[ExistingTags(("3.0.0",), "file", "list")])
    assert said(done)[-1] == ("latest", "held", "3.0.0")
    assert set(server.tags_of("app")) == {"2.0.0", "2.0", "2"}


# The exact tag does not move


def test_release_of_a_version_that_is_there_is_refused(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    release(client, server, "2.1.3", first)
    server.seen.clear()
    with pytest.raises(
        TagConflict, match=rf":2\.1\.3: already points to {first.digest}.*{second.digest}.*--force-exact"
    ):
        plan_release(client, app(server), "2.1.3", second.digest)
    assert puts(server) == []
    done = release(client, server, "2.1.3", second, force_exact=True)
    # Last: until then, it explains where the floating tags point.
    assert puts(server) == ["2.1", "2", "latest", "2.1.3"]
    assert {action for _, action, _ in said(done)} == {"moved"}
    assert set(server.tags_of("app").values()) == {second.digest}


@pytest.mark.parametrize("done", range(4))
def test_release_with_force_exact_that_is_interrupted_can_be_repeated(
    done: int, server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    release(client, server, "1.0.0", first)
    server.add(status(501), "PUT", MANIFESTS, ALWAYS, after=done)
    with pytest.raises(RegistryError):
        release(client, server, "1.0.0", second, force_exact=True)
    order = ["1.0", "1", "latest", "1.0.0"]
    assert [tag for tag in order if server.tags_of("app")[tag] == second.digest] == order[:done]
    server.faults.clear()
    release(client, server, "1.0.0", second, force_exact=True)
    assert set(server.tags_of("app").values()) == {second.digest}


@pytest.mark.parametrize("done", range(4))
def test_release_that_is_interrupted_can_be_repeated(
    done: int, server: RegistryServer, client: RegistryClient, first: Image
) -> None:
    server.add(status(501), "PUT", MANIFESTS, ALWAYS, after=done)
    with pytest.raises(RegistryError):
        release(client, server, "1.2.3", first)
    tags = ["1.2.3", "1.2", "1", "latest"]
    assert set(server.tags_of("app")) == set(tags[:done])
    server.faults.clear()
    actions = [action for _, action, _ in said(release(client, server, "1.2.3", first))]
    assert actions == ["unchanged"] * done + ["created"] * (4 - done)


def test_release_whose_exact_tag_someone_takes_since_the_plan_is_refused(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    plan = plan_release(client, app(server), "1.0.0", first.digest)
    put_tags(server, second, "1.0.0")
    with pytest.raises(TagConflict, match=f"already points to {second.digest}"):
        apply_release(client, plan)
    assert server.tags_of("app") == {"1.0.0": second.digest}
    # Also if it was to move: not from where it is now.
    third = image_of(server, "third")
    plan = plan_release(client, app(server), "1.0.0", first.digest, force_exact=True)
    put_tags(server, third, "1.0.0")
    with pytest.raises(TagConflict, match=f"already points to {third.digest}"):
        apply_release(client, plan)


@pytest.mark.parametrize("moment", ["1.0.0", "latest"])
def test_release_whose_exact_tag_someone_takes_at_the_same_time_is_refused(
    moment: str, server: RegistryServer, client: RegistryClient, first: Image, second: Image, clock: Clock
) -> None:
    def take(exchange: Exchange) -> None:
        exchange.give(exchange.ask())
        put_tags(server, second, "1.0.0")

    server.add(take, "PUT", f"{MANIFESTS}{moment}$")
    with pytest.raises(TagConflict, match=f"already points to {second.digest}"):
        release(client, server, "1.0.0", first)
    assert server.tags_of("app")["1.0.0"] == second.digest


def test_release_on_a_registry_that_takes_a_moment_waits(
    server: RegistryServer, client: RegistryClient, first: Image, clock: Clock
) -> None:
    server.add(status(404), "HEAD", "/manifests/1.0.0$", 2, after=2)
    assert said(release(client, server, "1.0.0", first))[0] == ("1.0.0", "created", None)
    assert clock.waits[:2] == [0.2, 1.0]


def test_release_whose_exact_tag_cannot_be_read_back_fails(
    server: RegistryServer, client: RegistryClient, first: Image, clock: Clock
) -> None:
    server.add(status(404), "HEAD", "/manifests/1.0.0$", ALWAYS, after=2)
    with pytest.raises(RegistryError, match=r":1\.0\.0: was set, but cannot be read back"):
        release(client, server, "1.0.0", first)
    assert clock.waits == [0.2, 1.0, 2.0]
    assert puts(server) == ["1.0.0"]


def test_release_with_several_exact_tags_moves_all_of_them_last(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    policy = TagPolicy(v="both")
    release(client, server, "1.0.0", first)
    server.seen.clear()
    done = release(client, server, "1.0.0", second, policy=policy, force_exact=True)
    assert set(puts(server)[-2:]) == {"1.0.0", "v1.0.0"}
    assert len(puts(server)) == len(done.outcomes)
    assert set(server.tags_of("app").values()) == {second.digest}


def test_release_whose_exact_tag_is_held_leaves_it(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    """1.2 is a version of its own, and the floating tag of 1.2.3: the version does not move to 1.2.3."""
    policy = TagPolicy(scheme="numeric")
    put_tags(server, first, "1.2")
    put_tags(server, second, "1.2.3", "1", "latest", "1.1.0")
    put_tags(server, image_of(server, "third"), "1.1.9")
    assert said(plan_release(client, app(server), "1.2", first.digest, policy=policy))[0] == ("1.2", "held", "1.2.3")


# Lists of tags that are wrong


def listed(names: list[str] | None) -> Action:
    return status(200, json.dumps({"name": "app", "tags": names}).encode())


def hiding(prefix: str) -> Action:
    """Pass a list of tags on without those that begin with a prefix, as a stale cache does."""

    def act(exchange: Exchange) -> None:
        names = json.loads(exchange.ask().body)["tags"] or []
        listed([name for name in names if not name.startswith(prefix)])(exchange)

    return act


WRONG = {
    "not found": status(404),
    "not known": status(404, b'{"errors": [{"code": "NAME_UNKNOWN"}]}'),
    "nothing": status(200, b"{}"),
    "null": listed(None),
    "empty": listed([]),
    "not a list": status(200, b'{"tags": "2.0.0"}'),
    "lacks latest": listed(["1.0.0", "2.0.0"]),
    "lacks the newer one": listed(["latest", "1"]),
    "a link that cannot be read": status(200, b'{"tags": []}', Link="garbage"),
}


@pytest.fixture
def released(server: RegistryServer, first: Image) -> Image:
    """An image that is released as 2.0.0."""
    put_tags(server, first, *derive_tags("2.0.0"))
    return first


@pytest.mark.parametrize("fault", WRONG)
def test_release_with_a_wrong_list_of_tags_moves_nothing(
    fault: str, server: RegistryServer, client: RegistryClient, released: Image, second: Image, clock: Clock
) -> None:
    before = server.tags_of("app")
    server.add(WRONG[fault], "GET", LIST, ALWAYS)
    settings: list[dict[str, Any]] = [{}, {"force_exact": True}, {"force_floating": ["1.0"]}]
    for more in settings:
        started = clock.now
        with pytest.raises((UnreliableTagList, TagConflict)) as caught:
            release(client, server, "1.0.0", second, **more)
        assert 3 <= clock.now - started < 40
        assert str(caught.value).startswith(str(app(server)))
    assert server.tags_of("app") == before
    assert puts(server) == []


@pytest.mark.parametrize("fault", WRONG)
def test_release_with_a_list_of_tags_that_becomes_right_goes_on(
    fault: str, server: RegistryServer, client: RegistryClient, released: Image, second: Image, events: list[Event]
) -> None:
    server.add(WRONG[fault], "GET", LIST, 3)
    server.add(WRONG[fault], "GET", LIST, 3, after=1)
    done = release(client, server, "1.0.0", second)
    assert said(done)[-1] == ("latest", "held", "2.0.0")
    assert server.tags_of("app")["latest"] == released.digest
    # Told once for each time of waiting.
    assert 1 <= len([event for event in events if event.kind == "retry"]) <= 2
    assert all("listing the tags again" in event.message for event in events)


@pytest.mark.parametrize("fault", ["not found", "null", "lacks the newer one"])
def test_release_whose_list_of_tags_becomes_wrong_leaves_latest(
    fault: str, server: RegistryServer, client: RegistryClient, released: Image, second: Image
) -> None:
    plan = plan_release(client, app(server), "1.0.0", second.digest)
    server.add(WRONG[fault], "GET", LIST, ALWAYS)
    with pytest.raises((UnreliableTagList, TagConflict)):
        apply_release(client, plan)
    assert server.tags_of("app")["latest"] == released.digest


def test_release_of_a_tag_that_the_list_lacks_is_refused(
    server: RegistryServer, client: RegistryClient, first: Image
) -> None:
    put_tags(server, first, "build-7")
    server.add(listed([]), "GET", LIST, ALWAYS)
    with pytest.raises(UnreliableTagList, match="build-7: the tag exists, but the registry's list of tags lacks it"):
        release(client, server, "1.0.0", first, known=["build-7"])


def test_release_of_a_tag_that_is_listed_but_not_there_is_refused(
    server: RegistryServer, client: RegistryClient, released: Image, second: Image
) -> None:
    server.add(status(404), "HEAD", "/manifests/(2.0.0|latest)$", ALWAYS)
    with pytest.raises(UnreliableTagList, match="the tag does not exist, but the registry's list of tags has it"):
        plan_release(client, app(server), "2.0.0", second.digest)
    # Unless these are the ones that the user wants to set.
    forced = ["2.0", "2", "latest"]
    plan = plan_release(client, app(server), "2.0.0", second.digest, force_exact=True, force_floating=forced)
    assert said(plan)[0] == ("2.0.0", "created", None)


def test_release_into_an_empty_repository_is_the_first_one(
    server: RegistryServer, client: RegistryClient, first: Image
) -> None:
    for answer in (status(404), listed(None), listed([])):
        server.repositories["app"].tags.clear()
        server.add(answer, "GET", LIST)
        release(client, server, "1.0.0", first)
        assert server.tags_of("app") == dict.fromkeys(("1.0.0", "1.0", "1", "latest"), first.digest)


def test_release_on_a_registry_that_fails_is_that_failure(
    server: RegistryServer, client: RegistryClient, first: Image
) -> None:
    for fault in (status(403), status(503), reset_before):
        server.add(fault, "GET", LIST, ALWAYS)
        with pytest.raises(RegistryError) as caught:
            release(client, server, "1.0.0", first)
        assert not isinstance(caught.value, UnreliableTagList)
        server.faults.clear()


# Floating tags that nothing explains


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ({}, "not one of the versions that the registry lists; it could"),
        ({LABEL: "2.0.0"}, f"its label {LABEL} is '2.0.0', a version that the list may lack"),
        ({LABEL: "main"}, f"its label {LABEL} is 'main', so it looks like a branch build"),
    ],
    ids=["none", "version", "branch"],
)
@pytest.mark.parametrize("index", [False, True])
def test_release_that_would_move_an_unexplained_floating_tag_is_refused(
    index: bool,
    labels: dict[str, str],
    words: str,
    server: RegistryServer,
    client: RegistryClient,
    first: Image,
    second: Image,
    clock: Clock,
) -> None:
    put_tags(server, first, *derive_tags("1.0.0"))
    branch = image_of(server, "branch", labels=labels)
    if index:
        child = {"mediaType": OCI["manifest"], "digest": branch.digest, "size": len(branch.raw)}
        document = {"schemaVersion": 2, "mediaType": OCI["index"], "manifests": [child]}
        branch = Image(json.dumps(document).encode(), OCI["index"])
    put_tags(server, branch, "latest")
    before = server.tags_of("app")
    forced: list[Collection[str]] = [(), ("1.0",)]
    for force in forced:
        started = clock.now
        with pytest.raises(TagConflict, match=words) as caught:
            plan_release(client, app(server), "1.0.1", second.digest, force_floating=force)
        assert str(caught.value).startswith(f"{app(server)}:latest: points to {branch.digest}, ")
        assert "--force-floating latest" in str(caught.value)
        # The list may lag behind, but rarely does.
        assert 3 <= clock.now - started < 10
    assert server.tags_of("app") == before
    done = release(client, server, "1.0.1", second, force_floating=["latest"])
    assert said(done)[-1] == ("latest", "moved", None)
    assert server.tags_of("app")["latest"] == second.digest


def test_release_names_floating_tags_only_to_force(
    server: RegistryServer, client: RegistryClient, first: Image
) -> None:
    for tag in ("1.0.0", "main", "2", "v1.0"):
        with pytest.raises(InvalidTag, match=r"1\.0, 1, latest"):
            plan_release(client, app(server), "1.0.0", first.digest, force_floating=["latest", tag])
    with pytest.raises(InvalidTag, match="'a'"):
        plan_release(client, app(server), "1.0.0", first.digest, force_floating=["d", "c", "b", "a", "e", "f"])


def test_release_explains_a_floating_tag_with_one_request(
    server: RegistryServer, client: RegistryClient, first: Image
) -> None:
    images = {f"1.0.{number}": image_of(server, str(number)) for number in range(20)}
    for version, image in images.items():
        put_tags(server, image, *derive_tags(version))
    last = image_of(server, "last")
    plan = plan_release(client, app(server), "1.0.20", last.digest)
    assert {outcome.action for outcome in plan.outcomes[1:]} == {"moved"}
    assert server.count("HEAD", "/manifests/1.0.19$") == 1
    assert server.count("HEAD", r"/manifests/1\.0\.([0-9]|1[0-8])$") == 0


def test_find_digests_returns_the_first_tag_of_each(server: RegistryServer, client: RegistryClient) -> None:
    images = [image_of(server, str(number)) for number in range(9)]
    for number, image in enumerate(images):
        put_tags(server, image, f"a{number}", f"b{number}")
    tags = [f"{letter}{number}" for number in range(9) for letter in "ab"]
    wanted = {images[0].digest, images[5].digest}
    assert find_digests(client, app(server), tags, wanted) == {images[0].digest: "a0", images[5].digest: "a5"}
    # One alone, then ever more at once.
    assert server.count("HEAD") == 1 + 2 + 4 + 8
    assert find_digests(client, app(server), ["none"], wanted) == {}
    assert find_digests(client, app(server), tags, ()) == {}


def test_existing_tags_are_compared_with_the_real_ones(
    server: RegistryServer, client: RegistryClient, released: Image, clock: Clock
) -> None:
    found = existing_tags(client, app(server), "1.0.0", TagPolicy())
    assert set(found.names) == {"2.0.0", "2.0", "2", "latest"}
    assert str(app(server)) in found.source
    server.add(listed([]), "GET", LIST, ALWAYS)
    started = clock.now
    with pytest.raises(UnreliableTagList):
        existing_tags(client, app(server), "1.0.0", TagPolicy(), patience=7.0)
    assert 7 <= clock.now - started < 8


# Tags that move meanwhile


def test_release_of_a_later_version_in_the_middle_keeps_its_floating_tags(
    server: RegistryServer, client: RegistryClient, connect: Connect, first: Image, second: Image
) -> None:
    def meanwhile(exchange: Exchange) -> None:
        release(connect(), server, "2.0.0", second)
        exchange.give(exchange.ask())

    server.add(meanwhile, "PUT", "/manifests/1.0.0$")
    told: list[TagOutcome] = []
    done = apply_release(client, plan_release(client, app(server), "1.0.0", first.digest), on_outcome=told.append)
    assert said(done)[-1] == ("latest", "held", "2.0.0")
    assert (done.outcomes[-1].before, done.outcomes[-1].after) == (None, second.digest)
    assert server.tags_of("app") == {
        **dict.fromkeys(("1.0.0", "1.0", "1"), first.digest),
        **dict.fromkeys(("2.0.0", "2.0", "2", "latest"), second.digest),
    }
    # Never set to 1.0.0 and back: it was not where the plan found it.
    assert puts(server).count("latest") == 1


def test_release_that_set_latest_before_a_later_version_shows_corrects_it(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    """The later version has its exact tag, and its release was killed before its floating tags."""

    def meanwhile(exchange: Exchange) -> None:
        exchange.give(exchange.ask())
        put_tags(server, second, "2.0.0")

    server.add(meanwhile, "PUT", "/manifests/latest$")
    told: list[TagOutcome] = []
    done = apply_release(client, plan_release(client, app(server), "1.0.0", first.digest), on_outcome=told.append)
    assert server.tags_of("app")["latest"] == second.digest
    assert done.outcomes[-1] == TagOutcome("latest", "held", None, second.digest, "2.0.0")
    assert [outcome.action for outcome in told if outcome.tag == "latest"] == ["created", "held"]


def test_release_that_sees_an_unexplained_move_at_the_end_leaves_it(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    def meanwhile(exchange: Exchange) -> None:
        exchange.give(exchange.ask())
        put_tags(server, second, "2.0.0", "latest")

    server.add(meanwhile, "PUT", "/manifests/latest$")
    server.add(hiding("2"), "GET", LIST, ALWAYS)
    with pytest.raises(TagConflict, match="--force-floating latest"):
        release(client, server, "1.0.0", first)
    assert server.tags_of("app")["latest"] == second.digest


def test_release_whose_tags_keep_moving_gives_up(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image, clock: Clock
) -> None:
    put_tags(server, second, "0.9.0")

    def moving(exchange: Exchange) -> None:
        put_tags(server, second, "latest")
        exchange.give(exchange.ask())

    plan = plan_release(client, app(server), "1.0.0", first.digest)
    server.add(moving, "GET", LIST, ALWAYS)
    with pytest.raises(RegistryError, match="keep moving") as caught:
        apply_release(client, plan)
    assert not isinstance(caught.value, TagConflict)
    assert server.count("GET", LIST) == 21
    assert sum(clock.waits) < 60


def test_release_whose_tag_moves_between_the_list_and_its_correction_looks_again(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    third = image_of(server, "third")
    put_tags(server, second, "0.9.0")
    put_tags(server, third, "0.8.0")
    plan = plan_release(client, app(server), "1.0.0", first.digest)

    def moving(image: Image) -> Action:
        def act(exchange: Exchange) -> None:
            put_tags(server, image, "latest")
            exchange.give(exchange.ask())

        return act

    server.add(moving(second), "GET", LIST)
    # The first is asked for before it is set, the second by the list.
    server.add(moving(third), "HEAD", "/manifests/latest$", after=2)
    assert said(apply_release(client, plan))[-1] == ("latest", "created", None)
    assert server.tags_of("app")["latest"] == first.digest


def test_release_that_is_held_by_a_version_that_vanishes_looks_again(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    """The list still has 2.0.0, which was deleted: the next list shows that."""
    plan = plan_release(client, app(server), "1.0.0", first.digest)
    names = ["1.0.0", "1.0", "1", "latest", "2.0.0"]
    server.add(listed(names), "GET", LIST, 2)
    done = apply_release(client, plan)
    assert said(done)[-1] == ("latest", "created", None)
    assert server.count("GET", LIST) == 4


# Registries whose tags do not move


@pytest.mark.parametrize("code", [400, 403, 405, 409, 412])
def test_release_on_a_registry_with_immutable_tags_names_the_refused_tags(
    code: int, server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    release(client, server, "1.0.0", first)
    body = b'{"errors": [{"message": "tag is immutable"}]}'
    server.add(status(code, body), "PUT", "/manifests/(latest|1)$", ALWAYS)
    done = release(client, server, "1.1.0", second)
    assert said(done) == [
        ("1.1.0", "created", None),
        ("1.1", "created", None),
        ("1", "refused", None),
        ("latest", "refused", None),
    ]
    assert all("immutable" in str(outcome.reason) for outcome in done.outcomes[2:])
    # Refused once is not tried again.
    assert server.count("PUT", "/manifests/latest$") == 2
    assert said(release(client, server, "1.1.0", second))[-1] == ("latest", "refused", None)


@pytest.mark.parametrize(("code", "moved"), [(403, False), (404, True), (422, True), (503, True)])
def test_release_whose_tags_cannot_be_set_fails(
    code: int, moved: bool, server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    server.add(status(code), "PUT", MANIFESTS, ALWAYS)
    with pytest.raises(RegistryError) as caught:
        release(client, server, "1.0.0", first)
    assert caught.value.status == code
    put_tags(server, first, *derive_tags("1.0.0"))
    if moved:
        with pytest.raises(RegistryError):
            release(client, server, "1.0.0", second, force_exact=True)
    else:
        done = release(client, server, "1.0.0", second, force_exact=True)
        assert {action for _, action, _ in said(done)} == {"refused"}


def test_release_whose_tags_cannot_be_moved_back_prints_where_they_are(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    put_tags(server, first, *derive_tags("1.0.0"))
    server.add(status(403), "PUT", "/manifests/1.0.0$", ALWAYS)
    server.add(status(403), "PUT", "/manifests/latest$", ALWAYS, after=1)
    plan, told = plan_release(client, app(server), "1.0.0", second.digest, force_exact=True), list[TagOutcome]()
    apply_release(client, plan, on_outcome=told.append)
    ends = [(o.action, o.before, o.after) for o in told if o.tag == "latest"]
    assert ends == [("moved", first.digest, second.digest), ("refused", second.digest, first.digest)]
    assert server.tags_of("app")["latest"] == second.digest
    assert server.tags_of("app")["1"] == first.digest


def test_release_whose_tag_someone_else_moved_meanwhile_leaves_it_there(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    third = image_of(server, "third")
    put_tags(server, first, *derive_tags("1.0.0"))
    server.add(status(403), "PUT", "/manifests/1.0.0$", ALWAYS)
    plan, told = plan_release(client, app(server), "1.0.0", second.digest, force_exact=True), list[TagOutcome]()

    def move(outcome: TagOutcome) -> None:
        told.append(outcome)
        if outcome.tag == "latest" and outcome.action == "moved":
            put_tags(server, third, "latest")

    apply_release(client, plan, on_outcome=move)
    assert server.tags_of("app")["latest"] == third.digest
    assert [(o.action, o.after, o.reason) for o in told if o.tag == "latest"][1:] == [
        ("refused", None, "someone else moved the tag")
    ]


# Repairs


def test_release_of_an_older_version_corrects_floating_tags_that_were_moved_by_hand(
    server: RegistryServer, client: RegistryClient
) -> None:
    images = {version: image_of(server, version) for version in ("1.9.0", "1.10.0", "2.0.0")}
    for version, image in images.items():
        release(client, server, version, image)
    right, old = server.tags_of("app"), images["1.9.0"]
    put_tags(server, old, "1", "latest")
    done = release(client, server, "1.9.0", old)
    assert said(done) == [
        ("1.9.0", "unchanged", None),
        ("1.9", "unchanged", None),
        ("1", "moved", "1.10.0"),
        ("latest", "moved", "2.0.0"),
    ]
    assert (done.outcomes[2].before, done.outcomes[2].after) == (old.digest, images["1.10.0"].digest)
    assert server.tags_of("app") == right
    # What no version explains is left alone.
    branch = image_of(server, "branch")
    put_tags(server, branch, "latest")
    done = release(client, server, "1.9.0", old)
    assert said(done)[-1] == ("latest", "held", "2.0.0")
    assert server.tags_of("app")["latest"] == branch.digest
    # And what was deleted is not set again.
    del server.repositories["app"].tags["latest"]
    done = release(client, server, "1.9.0", old)
    assert done.outcomes[-1] == TagOutcome("latest", "held", None, None, "2.0.0")


def test_release_leaves_a_floating_tag_at_any_build_of_the_newer_version(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    put_tags(server, first, "2.0.0")
    put_tags(server, second, "v2.0.0", "2.0", "2", "latest")
    done = release(client, server, "1.0.0", image_of(server, "third"))
    assert said(done)[-1] == ("latest", "held", "2.0.0")
    assert server.tags_of("app")["latest"] == second.digest


def test_release_never_moves_a_channel_to_a_stable_version(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    policy = TagPolicy(channels=True)
    release(client, server, "2.0.0-rc.1", first, policy=policy)
    release(client, server, "2.0.0", second, policy=policy)
    done = release(client, server, "2.0.0-rc.1", first, policy=policy)
    assert server.tags_of("app")["rc"] == server.tags_of("app")["2.0-rc"] == first.digest
    assert {because for _, action, because in said(done) if action == "held"} <= {"2.0.0"}


# Any history


@pytest.mark.parametrize("seed", range(9))
def test_release_in_any_order_never_moves_a_tag_backwards(
    seed: int, server: RegistryServer, client: RegistryClient
) -> None:
    versions, policy = history(seed)
    images = {version: image_of(server, version) for version in versions}
    digests = {version: image.digest for version, image in images.items()}
    order = {digests[version]: read_version(version, "semver").order for version in versions}
    before: dict[str, str] = {}
    for version in versions:
        release(client, server, version, images[version], policy=policy)
        now = server.tags_of("app")
        assert all(order[now[tag]] >= order[digest] for tag, digest in before.items())
        before = now
    assert before == expected(digests, policy)


@pytest.mark.parametrize("seed", range(6))
def test_release_by_two_at_once_ends_as_if_one_had_waited(seed: int, server: RegistryServer, connect: Connect) -> None:
    versions, policy = history(seed)
    images = {version: image_of(server, version) for version in versions}
    failures: list[BaseException] = []

    def work(client: RegistryClient, share: list[str]) -> None:
        try:
            for version in share:
                release(client, server, version, images[version], policy=policy)
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failures.append(error)

    targets: list[Callable[[], None]] = []
    for share in (versions[::2], versions[1::2]):
        client = connect()
        targets.append(lambda client=client, share=share: work(client, share))  # type: ignore[misc]
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert server.tags_of("app") == expected({version: image.digest for version, image in images.items()}, policy)


def test_release_with_channels_whose_release_comes_in_the_middle_keeps_them(
    server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    """A stable version ends a channel, and is never what the channel points to."""

    def meanwhile(exchange: Exchange) -> None:
        exchange.give(exchange.ask())
        put_tags(server, second, "2.0.0")

    policy = TagPolicy(channels=True)
    server.add(meanwhile, "PUT", "/manifests/rc$")
    done = release(client, server, "2.0.0-rc.1", first, policy=policy)
    assert {action for _, action, _ in said(done)} == {"created"}
    assert server.tags_of("app")["rc"] == server.tags_of("app")["2.0-rc"] == first.digest


@pytest.mark.parametrize("entries", [[], [{"mediaType": OCI["manifest"], "digest": "sha256:" + 64 * "0", "size": 2}]])
def test_release_that_finds_an_unexplained_index_without_images_is_refused(
    entries: list[dict[str, object]], server: RegistryServer, client: RegistryClient, first: Image, second: Image
) -> None:
    put_tags(server, first, *derive_tags("1.0.0"))
    raw = json.dumps({"schemaVersion": 2, "mediaType": OCI["index"], "manifests": entries}).encode()
    server.put_manifest("app", "latest", raw, OCI["index"])
    with pytest.raises(TagConflict, match="lists; it could"):
        plan_release(client, app(server), "1.0.1", second.digest)
