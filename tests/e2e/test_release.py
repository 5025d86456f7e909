"""Releases against a real registry: what one does, and how any number of them at once must end."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections.abc import Callable

import pytest
from e2e.commands import Home
from e2e.fault_proxy import Exchange, FaultProxy
from e2e.images import put_image, put_index
from e2e.servers import Registry
from e2e.test_transfer import good
from e2e.test_transfer_faults import Gate, running
from histories import expected, history
from images import digest_of, layer_tar, oci_image, oci_layout, old_save, write_directory, write_tar

from imgref.errors import TagConflict
from imgref.reference import ImageReference, parse
from imgref.registry.client import RegistryClient
from imgref.registry.credentials import Credentials
from imgref.registry.hosts import Hosts
from imgref.registry.release import Release, apply_release, plan_release
from imgref.tags import TagPolicy
from imgref.versions import read_version

pytestmark = pytest.mark.e2e

Unique = Callable[[str], str]

HISTORIES = int(os.environ.get("IMGREF_TEST_HISTORIES", "8"))


def tags_of(registry: Registry, path: str) -> dict[str, str]:
    """Return every tag with its digest, asked for without imgref."""
    status, _, body = registry.request("GET", f"/v2/{path}/tags/list")
    if status == 404:
        return {}
    accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, "
    accept += "application/vnd.docker.distribution.manifest.v2+json"
    return {
        tag: registry.request("HEAD", f"/v2/{path}/manifests/{tag}", headers={"Accept": accept})[1][
            "docker-content-digest"
        ]
        for tag in json.loads(body)["tags"] or ()
    }


def test_release_moves_its_own_tags_and_holds_the_others(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    repository = f"{plain.host}/{path}"
    new, old = put_image(plain, path, "build-1"), put_image(plain, path, "build-2", text="old")
    ran = home.imgref("release", f"{repository}@{new.digest}", "2.1.106")
    assert good(ran) == [f"{tag}: created {new.digest}" for tag in ("2.1.106", "2.1", "2", "latest")]
    ran = home.imgref("release", f"{repository}:build-2", "1.9.7")
    assert good(ran) == [
        f"1.9.7: created {old.digest}",
        f"1.9: created {old.digest}",
        f"1: created {old.digest}",
        "latest: held (2.1.106 is newer)",
    ]
    assert "held: latest (2.1.106 is newer)" in ran.err
    expected = {"2.1.106", "2.1", "2", "latest", "build-1"}
    found = tags_of(plain, path)
    assert found == {tag: new.digest if tag in expected else old.digest for tag in found}
    # Again: nothing to do, and the same end.
    assert good(home.imgref("release", f"{repository}:build-2", "1.9.7"))[0] == f"1.9.7: unchanged {old.digest}"
    assert tags_of(plain, path) == found
    ran = home.imgref("release", f"{repository}:build-2", "2.1.107")
    assert good(ran)[1] == f"2.1: moved {new.digest} → {old.digest}"


def test_an_exact_tag_does_not_move(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    repository = f"{plain.host}/{path}"
    first, second = put_image(plain, path, "a"), put_index(plain, path, "b", text="other")
    good(home.imgref("release", f"{repository}:a", "2.1.3"))
    before = tags_of(plain, path)
    for more in ((), ("--dry-run",), ("--format", "json")):
        ran = home.imgref("release", f"{repository}:b", "2.1.3", *more)
        assert (ran.code, ran.out) == (1, "")
        assert f"{repository}:2.1.3: already points to {first.digest}" in ran.err
        assert "--force-exact" in ran.err
        assert tags_of(plain, path) == before
    assert good(home.imgref("release", f"{repository}:b", "2.1.3", "--force-exact", "--dry-run"))[0] == (
        f"2.1.3: would be moved {first.digest} → {second.digest}"
    )
    assert tags_of(plain, path) == before
    good(home.imgref("release", f"{repository}:b", "2.1.3", "--force-exact"))
    assert set(tags_of(plain, path)) == {"a", "b", "2.1.3", "2.1", "2", "latest"}
    assert all(digest == second.digest for tag, digest in tags_of(plain, path).items() if tag != "a")


def test_a_release_is_data(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    repository = f"{plain.host}/{path}"
    image = put_image(plain, path, "a")
    put_image(plain, path, "3.0.0", text="three")
    ran = home.imgref("release", f"{repository}:a", "2.1.3", "--format", "json", "--dry-run")
    assert json.loads("".join(good(ran))) == {
        "repository": repository,
        "version": "2.1.3",
        "digest": image.digest,
        "dry_run": True,
        "tags": [{"tag": tag, "action": "created", "from": None, "to": image.digest} for tag in ("2.1.3", "2.1", "2")],
        "held": [{"tag": "latest", "because": "3.0.0"}],
    }
    assert set(tags_of(plain, path)) == {"a", "3.0.0"}
    good(home.imgref("release", f"{repository}:a", "2.1.3", "--format", "json"))
    assert set(tags_of(plain, path)) == {"a", "3.0.0", "2.1.3", "2.1", "2"}


def test_an_image_on_disk_is_released(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    repository = f"{plain.host}/{path}"
    layers = [layer_tar(os.urandom(9000))]
    image = oci_image(layers)
    layout = write_directory(home.path / "work" / "layout", oci_layout({"": image}))
    ran = home.imgref("release", layout, "1.0.0", "--image", repository, "--dry-run")
    assert good(ran)[0] == f"1.0.0: would be created {image.digest}"
    assert plain.request("HEAD", f"/v2/{path}/blobs/{image.layers[0]}")[0] == 404
    assert good(home.imgref("release", layout, "1.0.0", "--image", repository))[0] == f"1.0.0: created {image.digest}"
    assert set(tags_of(plain, path)) == {"1.0.0", "1.0", "1", "latest"}
    save = write_tar(home.path / "work" / "save.tar", old_save({"a:1": layers, "b:1": [*layers, layer_tar(b"b")]}))
    ran = home.imgref("release", save, "1.0.0", "--image", repository, "--pick", "b:1")
    assert (ran.code, ran.out) == (1, "")
    assert f"1.0.0: already points to {image.digest}" in ran.err
    good(home.imgref("release", save, "1.1.0", "--image", repository, "--pick", "b:1"))
    assert tags_of(plain, path)["latest"] == tags_of(plain, path)["1.1.0"] != image.digest


def test_the_options_of_the_plan(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    repository = f"{plain.host}/{path}"
    put_image(plain, path, "a")
    options = ("--prefix", "app-", "--suffix", "alpine", "--suffix", "", "--v", "both", "--latest", "never")
    good(home.imgref("release", f"{repository}:a", "app-v1.2.3", *options))
    wanted = {f"{v}{name}{suffix}" for v in ("", "v") for name in ("1.2.3", "1.2", "1") for suffix in ("", "-alpine")}
    assert set(tags_of(plain, path)) == {"a", *wanted}
    (home.path / "work" / "known").write_text("3.0.0\n")
    ran = home.imgref("release", f"{repository}:a", "2.0.0", "--existing", "known")
    assert good(ran)[-1] == "latest: held (3.0.0 is newer)"
    (home.path / "work" / ".imgref.toml").write_text('[tags]\nscheme = "numeric"\nexisting = ["registry", "known"]\n')
    assert good(home.imgref("release", f"{repository}:a", "2024.01.15"))[:2] == [
        f"2024.01.15: created {tags_of(plain, path)['a']}",
        f"2024.01: created {tags_of(plain, path)['a']}",
    ]
    ran = home.imgref("release", f"{repository}:a", "2024.01")
    assert (ran.code, ran.out.splitlines()[0]) == (0, "2024.01: held (2024.01.15 is newer)") or ran.code == 1


def test_release_existing_list_is_read_with_certainty_or_refused(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    repository = f"{plain.host}/{path}"
    put_image(plain, path, "a")
    command = ("release", f"{repository}:a", "2.0.0", "--existing", "known")
    for wrong in ("", "unauthorized\n", f"{plain.host}/{path}-other:3.0.0\n"):
        (home.path / "work" / "known").write_text(wrong)
        ran = home.imgref(*command)
        assert (ran.code, ran.out, set(tags_of(plain, path))) == (2, "", {"a"})
    (home.path / "work" / "known").write_text(f"{repository}:3.0.0\n")
    assert good(home.imgref(*command))[-1] == "latest: held (3.0.0 is newer)"
    (home.path / "work" / "known").write_text("")
    good(home.imgref(*command, "--allow-empty"))
    assert "latest" in tags_of(plain, path)


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("REPO:a", "1.2"), 2, "invalid version '1.2'"),
        (("REPO", "1.2.3"), 2, "name the image to release by its tag or digest"),
        (("REPO:none", "1.2.3"), 4, "REPO:none: no such tag"),
        (("REPO:a", "1.2.3", "--pick", "x"), 2, "--pick goes with --image"),
        (("none.tar", "1.2.3", "--image", "REPO"), 2, "none.tar: cannot be read"),
        (("none.tar", "1.2.3", "--image", "REPO:1"), 2, "without tag and digest"),
        (("REPO:a",), 2, "no VERSION given"),
    ],
)
def test_bad_input(
    arguments: tuple[str, ...], code: int, text: str, plain: Registry, home: Home, unique: Unique
) -> None:
    path = unique("x")
    put_image(plain, path, "a")
    ran = home.imgref("release", *(word.replace("REPO", f"{plain.host}/{path}") for word in arguments))
    assert (ran.code, ran.out) == (code, "")
    assert text.replace("REPO", f"{plain.host}/{path}") in ran.err
    assert set(tags_of(plain, path)) == {"a"}


def test_release_with_ci_takes_the_version_from_the_git_tag(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    put_image(plain, path, "a")
    source = f"{plain.host}/{path}:a"
    home.environ |= {"GITLAB_CI": "true", "CI_COMMIT_TAG": "app-v1.2.3"}
    good(home.imgref("release", source, "--ci", "--prefix", "app-"))
    assert set(tags_of(plain, path)) == {"a", "1.2.3", "1.2", "1", "latest"}
    ran = home.imgref("release", source, "1.2.3", "--ci", "--prefix", "app-")
    assert (ran.code, ran.out) == (2, "")
    del home.environ["CI_COMMIT_TAG"]
    home.environ["CI_COMMIT_BRANCH"] = "main"
    ran = home.imgref("release", source, "--ci")
    assert (ran.code, ran.out) == (2, "")
    assert "this build (branch) is not that of a git tag" in ran.err


def test_a_release_that_is_interrupted_anywhere_is_finished_by_the_next(
    plain: Registry, faulty: FaultProxy, home: Home, unique: Unique
) -> None:
    path = unique("app")
    image = put_image(plain, path, "a")
    tags = ("1.2.3", "1.2", "1", "latest")
    for done in range(len(tags)):
        gate = Gate()
        faulty.faults.clear()
        faulty.add(gate.hold_request, "PUT", "/manifests/", after=1 if done else 0)
        with running(home, "release", f"{faulty.host}/{path}:a", "1.2.3") as process:
            assert gate.reached.wait(20)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=15)
            assert process.returncode == 130
        gate.opened.set()
        assert set(tags_of(plain, path)) == {"a", *tags[:done]}
    faulty.faults.clear()
    good(home.imgref("release", f"{plain.host}/{path}:a", "1.2.3"))
    assert tags_of(plain, path) == dict.fromkeys(("a", *tags), image.digest)


# Many at once


def client() -> RegistryClient:
    return RegistryClient(Hosts(), Credentials({}))


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_two_releasers_at_once_end_as_if_one_had_waited(seed: int, plain: Registry, unique: Unique) -> None:
    path = unique("app")
    repository = parse(f"{plain.host}/{path}", default_tag=None)
    versions, policy = history(seed)
    digests = {version: put_image(plain, path, None, text=version).digest for version in versions}
    failures: list[BaseException] = []

    def work(share: list[str]) -> None:
        try:
            with client() as speaker:
                for version in share:
                    release_once(speaker, repository, version, digests[version], policy)
        except BaseException as error:  # noqa: BLE001 - told by the test
            failures.append(error)

    chance = random.Random(seed)
    shares: list[list[str]] = [[], []]
    for version in versions:
        chance.choice(shares).append(version)
    threads = [threading.Thread(target=work, args=(share,)) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert tags_of(plain, path) == expected(digests, policy)


@pytest.mark.parametrize("seed", range(max(1, HISTORIES // 4)))
def test_one_releaser_never_moves_a_float_backwards(seed: int, plain: Registry, unique: Unique) -> None:
    path = unique("app")
    repository = parse(f"{plain.host}/{path}", default_tag=None)
    versions, _ = history(999 + 3 * seed)
    digests = {version: put_image(plain, path, None, text=version).digest for version in versions}
    order = {digests[version]: read_version(version, "semver").order for version in versions}
    before: dict[str, str] = {}
    with client() as speaker:
        for version in versions:
            release_once(speaker, repository, version, digests[version], TagPolicy())
            now = tags_of(plain, path)
            assert all(order[now[tag]] >= order[digest] for tag, digest in before.items())
            before = now
    assert before == expected(digests, TagPolicy())


def release_once(
    speaker: RegistryClient, repository: ImageReference, version: str, digest: str, policy: TagPolicy
) -> Release:
    return apply_release(speaker, plan_release(speaker, repository, version, digest, policy=policy))


def test_a_later_version_that_appears_in_the_middle_keeps_its_floats(
    plain: Registry, faulty: FaultProxy, unique: Unique
) -> None:
    """The plan of 1.0.0 was made before 2.0.0 came, and puts latest after it: it puts it back."""
    path = unique("app")
    first, second = (put_image(plain, path, None, text=text).digest for text in ("1", "2"))
    direct = parse(f"{plain.host}/{path}", default_tag=None)

    def meanwhile(exchange: Exchange) -> None:
        with client() as speaker:
            release_once(speaker, direct, "2.0.0", second, TagPolicy())
        exchange.give(exchange.ask())

    faulty.add(meanwhile, "PUT", "/manifests/1.0.0")
    with client() as speaker:
        repository = parse(f"{faulty.host}/{path}", default_tag=None)
        done = release_once(speaker, repository, "1.0.0", first, TagPolicy())
    assert [(outcome.tag, outcome.action, outcome.because) for outcome in done.outcomes] == [
        ("1.0.0", "created", None),
        ("1.0", "created", None),
        ("1", "created", None),
        ("latest", "held", "2.0.0"),
    ]
    assert tags_of(plain, path) == {
        **dict.fromkeys(("1.0.0", "1.0", "1"), first),
        **dict.fromkeys(("2.0.0", "2.0", "2", "latest"), second),
    }


def test_an_exact_tag_that_someone_else_takes_in_the_middle(
    plain: Registry, faulty: FaultProxy, unique: Unique
) -> None:
    path = unique("app")
    mine, theirs = put_image(plain, path, None, text="mine"), put_image(plain, path, None, text="theirs")
    repository = parse(f"{faulty.host}/{path}", default_tag=None)
    with client() as speaker:
        plan = plan_release(speaker, repository, "1.0.0", mine.digest)
        plain.put_manifest(path, "1.0.0", theirs.raw, theirs.media_type)
        with pytest.raises(TagConflict, match=f"already points to {theirs.digest}"):
            apply_release(speaker, plan)
    assert tags_of(plain, path) == {"1.0.0": theirs.digest}
    assert digest_of(theirs.raw) == theirs.digest
