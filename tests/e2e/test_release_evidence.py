"""Releases against registries whose list of tags is wrong, or that do not let tags move."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time

import pytest
from e2e.commands import Home, Ran
from e2e.fault_proxy import Action, Answer, Exchange, FaultProxy, reset_before, status
from e2e.images import DOCKER, Image, put_image
from e2e.servers import Registry
from e2e.test_release import Unique, client, release_once, tags_of
from e2e.test_transfer import good
from e2e.test_transfer_faults import running

from imgref.errors import TagConflict
from imgref.reference import parse
from imgref.registry.release import apply_release, plan_release
from imgref.registry.release.model import WAITS
from imgref.tags import TagPolicy, derive_tags

pytestmark = pytest.mark.e2e

LIST = "/tags/list"
ALWAYS = -1


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let releases in this process wait no longer than a moment for a list of tags to become right."""
    for error in WAITS:
        monkeypatch.setitem(WAITS, error, 0.1)


def quick(home: Home, *arguments: str, patience: float = 0.05) -> Ran:
    """Run imgref that waits no longer than so many seconds for a list of tags to become right."""
    return home.imgref(*arguments, first=f"from e2e.waits import patience; patience({patience})")


def listed(names: list[str] | None) -> Action:
    """Answer with a list of tags."""
    return status(200, json.dumps({"name": "x", "tags": names}).encode())


def hiding(prefix: str) -> Action:
    """Pass a list of tags on without those that begin with a prefix, as a stale cache does."""

    def act(exchange: Exchange) -> None:
        names = json.loads(exchange.ask().body)["tags"]
        listed([name for name in names if not name.startswith(prefix)])(exchange)

    return act


def linked(link: str) -> Action:
    """Pass a list of tags on, with one name only and a ``Link``."""

    def act(exchange: Exchange) -> None:
        data = json.loads(exchange.ask().body)
        data["tags"] = data["tags"][:1]
        headers = [("Content-Type", "application/json"), ("Link", link)]
        exchange.give(Answer(200, headers, json.dumps(data).encode()))

    return act


WRONG_LISTS: dict[str, Action] = {
    "404": status(404),
    "404-empty": status(404, b""),
    "404-errors": status(404, b'{"errors": [{"code": "NAME_UNKNOWN"}]}'),
    "404-page": status(404, b"<html>gone</html>", Content_Type="text/html"),
    "empty-object": status(200, b"{}"),
    "maintenance": status(200, b'{"message": "maintenance"}'),
    "maintenance-404": status(404, b'{"message": "maintenance"}'),
    "null": listed(None),
    "no-tags": listed([]),
    "text": status(200, b'{"tags": "2.0.0"}'),
    "not-strings": status(200, b'{"tags": ["a", null]}'),
    "list": status(200, b'["2.0.0"]'),
    "lacks-latest": listed(["1.0.0", "2.0.0"]),
    "link-without-relation": linked("</v2/x/tags/list?last=a>"),
    "link-garbage": linked("</v2/x/tags/list?last=a; rel=next"),
    "link-elsewhere": linked('<http://example.invalid/v2/x/tags/list>; rel="next"'),
    "link-to-itself": linked('<>; rel="next"'),
}


@pytest.fixture
def released(plain: Registry, unique: Unique) -> tuple[str, Image, Image]:
    """A repository in which 2.0.0 is released, and an older image that is not; the path and both."""
    path = unique("app")
    new, old = (put_image(plain, path, None, text=text) for text in ("new", "old"))
    for tag in derive_tags("2.0.0"):
        plain.put_manifest(path, tag, new.raw, new.media_type)
    return path, new, old


@pytest.mark.parametrize("fault", WRONG_LISTS)
def test_release_with_a_wrong_tag_list_moves_nothing(
    fault: str, plain: Registry, faulty: FaultProxy, home: Home, released: tuple[str, Image, Image]
) -> None:
    path, _, old = released
    before = tags_of(plain, path)
    faulty.add(WRONG_LISTS[fault], "GET", LIST, times=ALWAYS)
    for more in ((), ("--dry-run",), ("--force-exact",), ("--force-floating", "latest"), ("--format", "json")):
        ran = quick(home, "release", f"{faulty.host}/{path}@{old.digest}", "1.0.0", *more)
        assert (ran.code, ran.out) == (1, ""), ran.err
        assert "error:" in ran.err
        assert tags_of(plain, path) == before
    assert faulty.count("PUT") == 0


@pytest.mark.usefixtures("short_waits")
@pytest.mark.parametrize("fault", WRONG_LISTS)
def test_release_with_a_tag_list_that_recovers_goes_on(
    fault: str, plain: Registry, faulty: FaultProxy, home: Home, released: tuple[str, Image, Image]
) -> None:
    path, new, old = released
    faulty.add(WRONG_LISTS[fault], "GET", LIST, times=2)
    ran = quick(home, "release", f"{faulty.host}/{path}@{old.digest}", "1.0.0", patience=10)
    assert good(ran)[-1] == "latest: held (2.0.0 is newer)"
    assert tags_of(plain, path) == {
        **dict.fromkeys(("2.0.0", "2.0", "2", "latest"), new.digest),
        **dict.fromkeys(("1.0.0", "1.0", "1"), old.digest),
    }


@pytest.mark.parametrize("fault", WRONG_LISTS)
def test_release_whose_last_tag_list_is_wrong_fails(
    fault: str, plain: Registry, faulty: FaultProxy, home: Home, released: tuple[str, Image, Image]
) -> None:
    path, new, old = released
    faulty.add(WRONG_LISTS[fault], "GET", LIST, times=ALWAYS, after=1)
    ran = quick(home, "release", f"{faulty.host}/{path}@{old.digest}", "1.0.0")
    assert ran.code == 1, ran.err
    assert tags_of(plain, path)["latest"] == new.digest
    faulty.faults.clear()
    assert good(home.imgref("release", f"{faulty.host}/{path}@{old.digest}", "1.0.0"))


@pytest.mark.parametrize(
    "empty",
    [status(404, b'{"errors": [{"code": "NAME_UNKNOWN"}]}'), status(404, b""), listed(None), listed([])],
    ids=["404", "404-empty", "null", "no-tags"],
)
def test_release_into_an_empty_repository_is_the_first_one(
    empty: Action, plain: Registry, faulty: FaultProxy, home: Home, unique: Unique
) -> None:
    path = unique("app")
    image = put_image(plain, path, None)
    faulty.add(empty, "GET", LIST, times=1)
    assert good(home.imgref("release", f"{faulty.host}/{path}@{image.digest}", "1.0.0"))
    assert tags_of(plain, path) == dict.fromkeys(("1.0.0", "1.0", "1", "latest"), image.digest)


def test_release_of_a_tag_that_the_list_lacks_is_refused(
    plain: Registry, faulty: FaultProxy, home: Home, unique: Unique
) -> None:
    """The source's own tag proves that the list is wrong, even if no tag of the plan exists."""
    path = unique("app")
    put_image(plain, path, "build-7")
    faulty.add(listed([]), "GET", LIST, times=ALWAYS)
    ran = quick(home, "release", f"{faulty.host}/{path}:build-7", "1.0.0")
    assert (ran.code, ran.out) == (1, "")
    assert "build-7: the tag exists, but the registry's list of tags lacks it" in ran.err
    assert set(tags_of(plain, path)) == {"build-7"}


def test_release_of_a_tag_that_is_listed_but_not_found_is_refused(
    plain: Registry, faulty: FaultProxy, home: Home, released: tuple[str, Image, Image]
) -> None:
    path, new, old = released
    faulty.add(status(404, b""), "HEAD", "/manifests/(2.0.0|latest)$", times=ALWAYS)
    ran = quick(home, "release", f"{faulty.host}/{path}@{old.digest}", "2.0.0")
    assert (ran.code, ran.out) == (1, "")
    assert "the tag does not exist, but the registry's list of tags has it" in ran.err
    assert set(tags_of(plain, path).values()) == {new.digest}


def stale(plain: Registry, path: str, label: str | None) -> tuple[Image, Image]:
    """Release 1.0.0, then 2.0.0 with a version label; return 2.0.0 and an image for 1.0.1."""
    first, later = (put_image(plain, path, None, text=text) for text in ("1.0.0", "1.0.1"))
    second = put_image(plain, path, None, DOCKER, text="2.0.0", labels={} if label is None else {LABEL: label})
    for image, version in ((first, "1.0.0"), (second, "2.0.0")):
        for tag in derive_tags(version):
            plain.put_manifest(path, tag, image.raw, image.media_type)
    return second, later


LABEL = "org.opencontainers.image.version"


@pytest.mark.parametrize(
    ("label", "words"),
    [
        (None, "not one of the versions that the registry lists; it could"),
        ("2.0.0", f"its label {LABEL} is '2.0.0', a version that the list may lack"),
        ("main", f"its label {LABEL} is 'main', so it looks like a branch build"),
    ],
)
def test_release_that_would_move_an_unexplained_floating_tag_is_refused(
    label: str | None, words: str, plain: Registry, faulty: FaultProxy, home: Home, unique: Unique
) -> None:
    path = unique("app")
    second, later = stale(plain, path, label)
    before = tags_of(plain, path)
    faulty.add(hiding("2"), "GET", LIST, times=ALWAYS)
    source = f"{faulty.host}/{path}@{later.digest}"
    for more in ((), ("--dry-run",), ("--force-floating", "1.0")):
        ran = quick(home, "release", source, "1.0.1", *more)
        assert (ran.code, ran.out) == (1, "")
        assert words in ran.err
        assert f":latest: points to {second.digest}" in ran.err
        assert "--force-floating latest" in ran.err
        assert tags_of(plain, path) == before
    # A branch build is moved where the user says so.
    ran = quick(home, "release", source, "1.0.1", "--force-floating", "latest")
    assert f"latest: moved {second.digest} → {later.digest}" in good(ran)


def test_release_names_floating_tags_only_to_force(
    plain: Registry, home: Home, released: tuple[str, Image, Image]
) -> None:
    path, _, old = released
    for tag in ("1.0.0", "main", "2"):
        ran = home.imgref("release", f"{plain.host}/{path}@{old.digest}", "1.0.0", "--force-floating", tag)
        assert (ran.code, ran.out) == (2, "")
        assert "it is not a floating tag of this version, which are 1.0, 1, latest" in ran.err


def test_release_explains_floating_tags_with_one_request(plain: Registry, faulty: FaultProxy, unique: Unique) -> None:
    path = unique("app")
    repository = parse(f"{faulty.host}/{path}", default_tag=None)
    images = {f"1.0.{number}": put_image(plain, path, None, text=str(number)) for number in range(12)}
    with client() as speaker:
        for version, image in images.items():
            release_once(speaker, repository, version, image.digest, TagPolicy())
        faulty.seen.clear()
        last = put_image(plain, path, None, text="last")
        plan_release(speaker, repository, "1.0.12", last.digest)
    assert faulty.count("HEAD", "/manifests/1.0.11$") == 1
    assert faulty.count("HEAD", r"/manifests/1\.0\.[0-9]$") == 0


@pytest.mark.usefixtures("impatient")
def test_release_that_sees_an_unexplained_move_at_the_end_leaves_it(
    plain: Registry, faulty: FaultProxy, unique: Unique
) -> None:
    """Someone releases 2.0.0 in the middle, and the list of tags never shows it."""
    path = unique("app")
    first, second = (put_image(plain, path, None, text=text) for text in ("1", "2"))

    def meanwhile(exchange: Exchange) -> None:
        exchange.give(exchange.ask())
        plain.put_manifest(path, "2.0.0", second.raw, second.media_type)
        plain.put_manifest(path, "latest", second.raw, second.media_type)

    faulty.add(meanwhile, "PUT", "/manifests/latest$")
    faulty.add(listed(["1.0.0", "1.0", "1", "latest"]), "GET", LIST, times=ALWAYS, after=1)
    with client() as speaker:
        plan = plan_release(speaker, parse(f"{faulty.host}/{path}", default_tag=None), "1.0.0", first.digest)
        with pytest.raises(TagConflict, match="--force-floating latest"):
            apply_release(speaker, plan)
    assert tags_of(plain, path)["latest"] == second.digest


def test_release_that_finds_a_tag_moved_since_the_plan_never_moves_it_back(
    plain: Registry, faulty: FaultProxy, unique: Unique
) -> None:
    """Not even for a moment: no request sets latest to 1.0.0 after 2.0.0 took it."""
    path = unique("app")
    first, second = (put_image(plain, path, None, text=text) for text in ("1", "2"))
    repository = parse(f"{faulty.host}/{path}", default_tag=None)
    with client() as speaker:
        plan = plan_release(speaker, repository, "1.0.0", first.digest)
        release_once(speaker, parse(f"{plain.host}/{path}", default_tag=None), "2.0.0", second.digest, TagPolicy())
        done = apply_release(speaker, plan)
    assert faulty.count("PUT", "/manifests/latest") == 0
    assert (done.outcomes[-1].tag, done.outcomes[-1].action, done.outcomes[-1].because) == ("latest", "held", "2.0.0")


# Tags that do not move


@pytest.mark.parametrize("code", [400, 403, 405, 409, 412])
def test_release_on_a_registry_with_immutable_tags_prints_the_outcomes(
    code: int, plain: Registry, faulty: FaultProxy, home: Home, unique: Unique
) -> None:
    path = unique("app")
    first, second = (put_image(plain, path, None, text=text) for text in ("1", "2"))
    good(home.imgref("release", f"{plain.host}/{path}@{first.digest}", "1.0.0"))
    body = b'{"errors": [{"code": "DENIED", "message": "tag is immutable"}]}'
    faulty.add(status(code, body), "PUT", "/manifests/(latest|1)$", times=ALWAYS)
    ran = home.imgref("release", f"{faulty.host}/{path}@{second.digest}", "1.1.0")
    assert ran.code == 1
    assert ran.out.splitlines() == [
        f"1.1.0: created {second.digest}",
        f"1.1: created {second.digest}",
        "1: refused by the registry",
        "latest: refused by the registry",
    ]
    assert "the registry refused to set 1, latest" in ran.err
    assert "--only-exact" in ran.err
    ran = home.imgref("release", f"{faulty.host}/{path}@{second.digest}", "1.1.0", "--format", "json")
    assert ran.code == 1
    actions = [(tag["tag"], tag["action"]) for tag in ran.json["tags"]]
    assert actions == [("1.1.0", "unchanged"), ("1.1", "unchanged"), ("1", "refused"), ("latest", "refused")]
    assert "immutable" in ran.json["tags"][-1]["reason"]


def test_release_of_the_exact_tag_alone_leaves_floating_tags(
    plain: Registry, home: Home, released: tuple[str, Image, Image]
) -> None:
    path, new, old = released
    ran = home.imgref("release", f"{plain.host}/{path}@{old.digest}", "2.1.0", "--only-exact")
    assert good(ran) == [f"2.1.0: created {old.digest}"]
    assert tags_of(plain, path) == {**dict.fromkeys(("2.0.0", "2.0", "2", "latest"), new.digest), "2.1.0": old.digest}


def test_release_shows_outcomes_as_they_happen(
    plain: Registry, faulty: FaultProxy, home: Home, released: tuple[str, Image, Image]
) -> None:
    path, _, old = released
    faulty.add(status(500), "PUT", "/manifests/1$", times=ALWAYS)
    with running(home, "release", f"{faulty.host}/{path}@{old.digest}", "1.0.0") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline().decode().strip() for _ in range(2)]
        process.kill()
    assert lines == [f"1.0.0: created {old.digest}", f"1.0: created {old.digest}"]


# Repairs


def test_release_of_an_older_version_corrects_floating_tags_that_were_moved_by_hand(
    plain: Registry, home: Home, unique: Unique
) -> None:
    path = unique("app")
    images = {version: put_image(plain, path, None, text=version) for version in ("1.9.0", "1.10.0", "2.0.0")}
    digests = {version: image.digest for version, image in images.items()}
    for version, digest in digests.items():
        good(home.imgref("release", f"{plain.host}/{path}@{digest}", version))
    old = images["1.9.0"]
    right = tags_of(plain, path)
    for tag in ("1.9", "1", "latest"):
        plain.put_manifest(path, tag, old.raw, old.media_type)
    source = f"{plain.host}/{path}:1.9.0"
    ran = home.imgref("release", source, "1.9.0", "--dry-run")
    assert f"latest: would be moved {old.digest} → {digests['2.0.0']} (2.0.0 is newer)" in good(ran)
    assert good(home.imgref("release", source, "1.9.0")) == [
        f"1.9.0: unchanged {old.digest}",
        f"1.9: unchanged {old.digest}",
        f"1: moved {old.digest} → {digests['1.10.0']} (1.10.0 is newer)",
        f"latest: moved {old.digest} → {digests['2.0.0']} (2.0.0 is newer)",
    ]
    assert tags_of(plain, path) == right
    branch = put_image(plain, path, "main", text="main")
    plain.put_manifest(path, "latest", branch.raw, branch.media_type)
    assert good(home.imgref("release", source, "1.9.0"))[-1] == "latest: held (2.0.0 is newer)"
    assert tags_of(plain, path)["latest"] == branch.digest


def test_release_never_moves_a_channel_to_a_stable_version(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    candidate, stable = (put_image(plain, path, None, text=text) for text in ("rc", "stable"))
    source = f"{plain.host}/{path}@"
    good(home.imgref("release", source + candidate.digest, "2.0.0-rc.1", "--channels"))
    good(home.imgref("release", source + stable.digest, "2.0.0", "--channels"))
    good(home.imgref("release", source + candidate.digest, "2.0.0-rc.1", "--channels"))
    assert tags_of(plain, path)["rc"] == tags_of(plain, path)["2.0-rc"] == candidate.digest


@pytest.mark.parametrize("done", range(4))
def test_release_with_force_exact_sets_the_exact_tag_last_and_can_be_repeated(
    done: int, plain: Registry, faulty: FaultProxy, home: Home, unique: Unique
) -> None:
    path = unique("app")
    first, second = (put_image(plain, path, None, text=text) for text in ("1", "2"))
    good(home.imgref("release", f"{plain.host}/{path}@{first.digest}", "1.0.0"))
    source = f"{faulty.host}/{path}@{second.digest}"
    faulty.add(reset_before, "PUT", "/manifests/", times=ALWAYS, after=done)
    with running(home, "release", source, "1.0.0", "--force-exact") as process:
        while faulty.count("PUT", "/manifests/") <= done:
            time.sleep(0.01)
        process.kill()
    order = ["1.0", "1", "latest", "1.0.0"]
    moved = {tag for tag, digest in tags_of(plain, path).items() if digest == second.digest}
    assert moved == set(order[:done])
    faulty.faults.clear()
    good(home.imgref("release", source, "1.0.0", "--force-exact"))
    assert set(tags_of(plain, path).values()) == {second.digest}


# Killed at random, with a faulty list


def sometimes_wrong(chance: random.Random, rate: float) -> Action:
    """Answer some listings with one of the wrong lists."""
    faults = [WRONG_LISTS[name] for name in ("404", "null", "empty-object", "no-tags", "link-garbage")]

    def act(exchange: Exchange) -> None:
        if chance.random() < rate:
            chance.choice(faults)(exchange)
        else:
            exchange.give(exchange.ask())

    return act


@pytest.mark.parametrize("seed", range(3))
def test_two_releasers_that_are_killed_at_random_with_a_faulty_list_end_right(
    seed: int, plain: Registry, faulty: FaultProxy, home: Home, unique: Unique
) -> None:
    path, chance = unique("app"), random.Random(seed)
    versions = ["1.0.0", "1.0.1", "1.1.0", "2.0.0", "2.0.1"]
    digests = {version: put_image(plain, path, None, text=version).digest for version in versions}
    faulty.add(sometimes_wrong(chance, 0.3), "GET", LIST, times=ALWAYS)
    shares: list[list[str]] = [[], []]
    for version in chance.sample(versions, len(versions)):
        chance.choice(shares).append(version)
    for _ in range(40):
        processes = [(share, started(home, faulty, path, share[0], digests[share[0]])) for share in shares if share]
        if not processes:
            break
        for share, process in processes:
            if chance.random() < 0.4:
                # At a random request of the two: a release makes about thirty.
                last = len(faulty.seen) + chance.randrange(40)
                while len(faulty.seen) < last and process.poll() is None:
                    time.sleep(0.005)
                process.send_signal(chance.choice([signal.SIGKILL, signal.SIGINT]))
            if process.wait(60) == 0:
                share.pop(0)
    assert shares == [[], []]
    wanted: dict[str, str] = {}
    for number, version in enumerate(versions):
        wanted.update(dict.fromkeys(derive_tags(version, existing=versions[:number]), digests[version]))
    assert tags_of(plain, path) == wanted


def started(home: Home, faulty: FaultProxy, path: str, version: str, digest: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "imgref", "release", f"{faulty.host}/{path}@{digest}", version]
    return subprocess.Popen(command, env=home.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# What does not explain a floating tag, and attempts that are not repeated blindly


def test_release_is_refused_if_only_a_candidate_explains_latest(
    plain: Registry, faulty: FaultProxy, home: Home, unique: Unique
) -> None:
    """2.0.0 has the image of its release candidate, and the list lacks 2.0.0."""
    path = unique("app")
    new, old = (put_image(plain, path, None, text=text) for text in ("new", "old"))
    for tag in ("2.0.0-rc.1", "4711", *derive_tags("2.0.0")):
        plain.put_manifest(path, tag, new.raw, new.media_type)
    faulty.add(listed(["2.0.0-rc.1", "4711", "latest"]), "GET", LIST, times=ALWAYS)
    ran = quick(home, "release", f"{faulty.host}/{path}@{old.digest}", "1.9.1")
    assert (ran.code, ran.out) == (1, "")
    assert tags_of(plain, path)["latest"] == new.digest


def test_release_after_a_shorter_version_moves_its_tag(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    for version in ("1.2", "1.2.3"):
        image = put_image(plain, path, None, text=version)
        good(home.imgref("release", f"{plain.host}/{path}@{image.digest}", version, "--scheme", "numeric"))
    assert tags_of(plain, path)["1.2"] == image.digest


def test_release_whose_reader_stops_is_finished(
    plain: Registry, home: Home, released: tuple[str, Image, Image]
) -> None:
    path, _, old = released
    command = f"{sys.executable} -m imgref release {plain.host}/{path}@{old.digest} 1.0.0"
    ran = home.run("bash", "-c", f"set -o pipefail; {command} | head -1; exit ${{PIPESTATUS[0]}}")
    assert ran.code == 0, ran.err
    assert [tags_of(plain, path)[tag] for tag in ("1.0.0", "1.0", "1")] == [old.digest] * 3


@pytest.mark.parametrize("command", ["release", "tag"])
def test_released_version_that_appears_between_two_attempts_is_kept(
    command: str, plain: Registry, faulty: FaultProxy, home: Home, unique: Unique
) -> None:
    path = unique("app")
    mine, theirs = (put_image(plain, path, None, text=text) for text in ("mine", "theirs"))

    def meanwhile(exchange: Exchange) -> None:
        plain.put_manifest(path, "1.0.0", theirs.raw, theirs.media_type)
        status(503)(exchange)

    faulty.add(meanwhile, "PUT", "/manifests/1.0.0$")
    ran = home.imgref(command, f"{faulty.host}/{path}@{mine.digest}", "1.0.0")
    assert ran.code == 1
    assert f"already points to {theirs.digest}" in ran.err
    assert tags_of(plain, path)["1.0.0"] == theirs.digest


def test_released_version_that_a_page_hides_is_kept(
    plain: Registry, faulty: FaultProxy, home: Home, released: tuple[str, Image, Image]
) -> None:
    path, new, old = released
    for page in (status(404, b"<html>", Content_Type="text/html"), status(404, b"")):
        faulty.faults.clear()
        faulty.add(page, "HEAD", "/manifests/2.0.0$", times=ALWAYS)
        ran = quick(home, "tag", f"{faulty.host}/{path}@{old.digest}", "2.0.0")
        assert ran.code == 3, ran.err
        assert tags_of(plain, path)["2.0.0"] == new.digest


def test_release_moves_floating_tags_back_if_the_exact_tag_is_refused(
    plain: Registry, faulty: FaultProxy, home: Home, released: tuple[str, Image, Image]
) -> None:
    path, _, old = released
    before = tags_of(plain, path)
    faulty.add(status(403), "PUT", "/manifests/2.0.0$", times=ALWAYS)
    ran = home.imgref("release", f"{faulty.host}/{path}@{old.digest}", "2.0.0", "--force-exact")
    assert ran.code == 1
    assert tags_of(plain, path) == before
