"""Tags that push, copy and tag would move: released versions do not."""

from __future__ import annotations

import json
import os

import pytest
from e2e.commands import Home
from e2e.fault_proxy import Exchange, FaultProxy
from e2e.images import put_image
from e2e.servers import Registry
from e2e.test_release import Unique, tags_of
from e2e.test_transfer import good
from images import layer_tar, oci_image, oci_layout, write_directory

pytestmark = pytest.mark.e2e

COMMANDS = ("push", "copy", "copy-elsewhere", "tag", "tag-elsewhere")


class Setup:
    """An image under some tags, and a command that would set them to another image."""

    def __init__(self, command: str, plain: Registry, home: Home, path: str) -> None:
        self.plain, self.home, self.path = plain, home, path
        self.old = put_image(plain, path, None, text="old")
        for tag in ("1.2.3", "v1.2.3", "1.2", "1.2.4-rc.1", "main"):
            plain.put_manifest(path, tag, self.old.raw, self.old.media_type)
        layers = [layer_tar(os.urandom(2000))]
        image = oci_image(layers)
        layout = write_directory(home.path / "work" / "layout", oci_layout({"": image}))
        self.digest = image.digest
        source = f"{path}-source" if command.endswith("elsewhere") else path
        good(home.imgref("push", layout, f"{plain.host}/{source}:new"))
        verb = command.partition("-")[0]
        self.words = (verb, layout) if verb == "push" else (verb, f"{plain.host}/{source}:new")

    def refs(self, *tags: str, host: str = "") -> tuple[str, ...]:
        return tuple(f"{host or self.plain.host}/{self.path}:{tag}" for tag in tags)

    @property
    def tags(self) -> dict[str, str]:
        return {tag: digest for tag, digest in tags_of(self.plain, self.path).items() if tag != "new"}


@pytest.fixture(params=COMMANDS)
def setup(request: pytest.FixtureRequest, plain: Registry, home: Home, unique: Unique) -> Setup:
    return Setup(request.param, plain, home, unique("app"))


@pytest.mark.parametrize("version", ["1.2.3", "v1.2.3"])
def test_command_that_would_move_a_released_version_is_refused_and_changes_nothing(version: str, setup: Setup) -> None:
    before = setup.tags
    for more in ((), ("--dry-run",)):
        ran = setup.home.imgref(*setup.words, *setup.refs("1.2", "fresh", version), *more)
        assert (ran.code, ran.out) == (1, "")
        assert f":{version}: already points to {setup.old.digest}, and a released version does not move" in ran.err
        assert "--force" in ran.err
        assert setup.tags == before


def test_command_with_force_moves_a_released_version(setup: Setup) -> None:
    good(setup.home.imgref(*setup.words, *setup.refs("1.2.3"), "--force"))
    assert setup.tags["1.2.3"] == setup.digest


def test_command_moves_what_is_not_a_released_version(setup: Setup) -> None:
    good(setup.home.imgref(*setup.words, *setup.refs("1.2", "1.2.4-rc.1", "main", "9.9.9")))
    assert [setup.tags[tag] for tag in ("1.2", "1.2.4-rc.1", "main", "9.9.9")] == [setup.digest] * 4


def test_command_that_sets_a_released_version_again_changes_nothing(setup: Setup) -> None:
    good(setup.home.imgref(*setup.words, *setup.refs("9.9.9")))
    before = setup.tags
    good(setup.home.imgref(*setup.words, *setup.refs("9.9.9")))
    assert setup.tags == before


def test_command_with_if_absent_skips_tags_that_exist(setup: Setup) -> None:
    ran = setup.home.imgref(*setup.words, *setup.refs("1.2.3", "main", "fresh"), "--if-absent")
    good(ran)
    for skipped in setup.refs("1.2.3", "main"):
        assert f"{skipped}: skipped, because it exists" in ran.err
    assert "fresh: skipped" not in ran.err
    assert setup.tags == {
        **dict.fromkeys(("1.2.3", "v1.2.3", "1.2", "1.2.4-rc.1", "main"), setup.old.digest),
        "fresh": setup.digest,
    }


def test_command_with_dry_run_shows_each_tag_and_changes_nothing(setup: Setup) -> None:
    before = setup.tags
    main, fresh = setup.refs("main", "fresh")
    assert good(setup.home.imgref(*setup.words, main, fresh, "--dry-run")) == [
        f"{main}: would be moved {setup.old.digest} → {setup.digest}",
        f"{fresh}: would be created {setup.digest}",
    ]
    assert good(setup.home.imgref(*setup.words, main, "--dry-run", "--if-absent")) == [
        f"{main}: would be skipped, it points to {setup.old.digest}"
    ]
    if setup.words[0] != "tag":
        line = good(setup.home.imgref(*setup.words, main, "--dry-run", "--format", "json"))[0]
        assert json.loads(line) == {
            "reference": main, "action": "moved", "from": setup.old.digest, "to": setup.digest, "dry_run": True
        }  # fmt: skip
    assert setup.tags == before


def test_command_with_force_and_if_absent_is_bad_usage(setup: Setup) -> None:
    ran = setup.home.imgref(*setup.words, *setup.refs("main"), "--force", "--if-absent")
    assert (ran.code, ran.out) == (2, "")
    assert "--force and --if-absent cannot be used together" in ran.err


def test_push_checks_again_once_the_layers_are_sent(
    plain: Registry, faulty: FaultProxy, home: Home, unique: Unique
) -> None:
    """Someone releases the version while the layers are on their way."""
    setup = Setup("push", plain, home, unique("app"))
    layout = write_directory(home.path / "work" / "other", oci_layout({"": oci_image([layer_tar(os.urandom(3000))])}))

    def meanwhile(exchange: Exchange) -> None:
        plain.put_manifest(setup.path, "2.0.0", setup.old.raw, setup.old.media_type)
        exchange.give(exchange.ask())

    faulty.add(meanwhile, "PUT", "/blobs/uploads/")
    ran = home.imgref("push", layout, *setup.refs("2.0.0", host=faulty.host))
    assert ran.code == 1
    assert setup.tags["2.0.0"] == setup.old.digest
