"""``pin``, ``unpin``, ``update`` and ``outdated`` against a real registry."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from e2e.commands import Home
from e2e.images import link_tags, put_image, put_index
from e2e.servers import Registry

pytestmark = pytest.mark.e2e

Unique = Callable[[str], str]


def write(home: Home, name: str, text: str) -> Path:
    file = home.path / "work" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    return file


def test_pin_then_unpin_of_an_index_restores_the_bytes(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    index = put_index(plain, path, "1.2.3")
    text = f"FROM {plain.host}/{path}:1.2.3 AS build\r\nRUN true\r\nFROM build"
    file = write(home, "Dockerfile", text)
    diff = home.imgref("pin", "--diff")
    assert (diff.code, file.read_bytes()) == (1, text.encode())
    assert f"+FROM {plain.host}/{path}:1.2.3@{index.digest}" in diff.out
    ran = home.imgref("pin")
    assert ran.code == 0, ran.err
    old, new = f"{plain.host}/{path}:1.2.3", f"{plain.host}/{path}:1.2.3@{index.digest}"
    assert ran.out == f"Dockerfile:1:6: {old} -> {new}\n"
    assert "1 reference pinned in 1 file, 0 already pinned" in ran.err
    assert file.read_bytes() == text.replace(":1.2.3", f":1.2.3@{index.digest}").encode()
    again = home.imgref("pin")
    assert (again.code, again.out) == (0, "")
    assert home.imgref("unpin").code == 0
    assert file.read_bytes() == text.encode()


def test_pin_of_missing_images_leaves_them_alone(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    put_image(plain, path, "1")
    file = write(home, "compose.yaml", f"services:\n  a: {{image: '{plain.host}/{path}:2'}}\n")
    before = file.read_bytes()
    ran = home.imgref("pin")
    assert (ran.code, ran.out) == (0, "")
    assert f"compose.yaml:2:15: left alone: {plain.host}/{path}:2" in ran.err
    assert home.imgref("pin", "--strict").code == 1
    assert file.read_bytes() == before


@pytest.mark.usefixtures("short_waits")
def test_pin_with_a_registry_that_fails_writes_the_rest(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    image = put_image(plain, path, "1")
    text = f"FROM localhost:1/dead:1\nFROM {plain.host}/{path}:1\n"
    file = write(home, "Dockerfile", text)
    ran = home.imgref("pin")
    assert ran.code == 3, ran.err
    assert file.read_text() == f"FROM localhost:1/dead:1\nFROM {plain.host}/{path}:1@{image.digest}\n"
    assert "localhost:1" in ran.err


def test_update_moves_the_tag_and_its_digest(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    old = put_image(plain, path, "1.25.3-alpine", text="old")
    new = put_image(plain, path, "1.27.0-alpine", text="new")
    for tag in ("2.0.0-alpine", "1.28.0", "1.28.0rc1-alpine"):
        put_image(plain, path, tag, text=tag)
    name = f"{plain.host}/{path}"
    file = write(home, "Dockerfile", f"ARG V=1.25.3-alpine\nFROM {name}:${{V}}\nCOPY --from=x/y:latest . .\n")
    pinned = write(home, "k8s.yaml", "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n"
                   f"  - image: {name}:1.25.3-alpine@{old.digest}\n")  # fmt: skip
    ran = home.imgref("update")
    assert ran.code == 0, ran.err
    assert file.read_text() == f"ARG V=1.27.0-alpine\nFROM {name}:${{V}}\nCOPY --from=x/y:latest . .\n"
    assert f"{name}:1.27.0-alpine@{new.digest}\n" in pinned.read_text()
    assert "its tag has no version" in ran.err
    assert home.imgref("update", "--to", "major").code == 0
    assert "ARG V=2.0.0-alpine" in file.read_text()


def test_pin_edits_the_env_file_of_compose_and_shows_nothing_else_of_it(
    plain: Registry, home: Home, unique: Unique
) -> None:
    path = unique("app")
    image = put_image(plain, path, "1.2.3")
    name = f"{plain.host}/{path}"
    text = f"PASSWORD=hunter2\nIMAGE={name}:1.2.3 # web\nTOKEN=x\n"
    write(home, "compose.yaml", "services:\n  web:\n    image: $IMAGE\n")
    env = write(home, ".env", text)
    diff = home.imgref("pin", "--diff")
    pinned = f"IMAGE={name}:1.2.3@{image.digest} # web\n"
    assert diff.code == 1
    assert diff.out == f"--- a/.env\n+++ b/.env\n@@ -2 +2 @@\n-IMAGE={name}:1.2.3 # web\n+{pinned}"
    write(home, ".gitignore", ".env\n")
    ignored = home.imgref("pin")
    assert (ignored.code, ignored.out, env.read_text()) == (0, "", text)
    assert "git ignores the file .env, which is not edited" in ignored.err
    write(home, ".gitignore", "other\n")
    ran = home.imgref("pin")
    assert (ran.code, ran.out) == (0, f".env:2:7: {name}:1.2.3 -> {name}:1.2.3@{image.digest}\n")
    assert env.read_text() == f"PASSWORD=hunter2\n{pinned}TOKEN=x\n"
    assert home.imgref("unpin").code == 0
    assert env.read_text() == text


def many_files(home: Home, registry: Registry, path: str) -> dict[Path, tuple[bytes, bytes]]:
    """Write 100 files with 60 images, and return their bytes before and after ``pin``."""
    image = put_image(registry, path, "0")
    link_tags(registry, path, image, [str(number) for number in range(60)])
    found = {}
    for number in range(100):
        text = f"FROM {registry.host}/{path}:{number % 60}\r\n# {number}"
        file = write(home, f"{number}/Dockerfile", text)
        found[file] = (text.encode(), text.replace("\r", f"@{image.digest}\r").encode())
    return found


def test_pin_of_many_files_asks_for_each_image_once(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    files = many_files(home, plain, path)
    ran = home.imgref("pin", "-v")
    assert ran.code == 0, ran.err
    assert "100 references pinned in 100 files" in ran.err
    heads = [line for line in ran.err.splitlines() if "HEAD" in line and f"{path}/manifests/" in line]
    assert len(heads) == 60
    assert all(file.read_bytes() == after for file, (_, after) in files.items())


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("moment", ["asking", "writing"])
def test_pin_that_is_interrupted_leaves_whole_files(
    moment: str, kind: signal.Signals, plain: Registry, home: Home, unique: Unique
) -> None:
    files = many_files(home, plain, unique("app"))
    count = random.randrange(1, 50)
    command = [sys.executable, "-m", "imgref", "pin", "-v"]
    with subprocess.Popen(
        command, cwd=home.path / "work", env=home.environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        if moment == "asking":
            for _ in range(count):
                process.stderr.readline()
        else:
            drain = threading.Thread(target=process.stderr.read)
            drain.start()
            # Busy, since the moments between two files are short.
            while process.poll() is None and changed(files) < count:
                pass
        process.send_signal(kind)
        process.wait()
        if moment == "writing":
            drain.join()
        else:
            process.stderr.read()
    assert all(file.read_bytes() in states for file, states in files.items()), count
    if kind != signal.SIGKILL:
        assert not list((home.path / "work").rglob("*.tmp"))
    assert home.imgref("pin").code == 0
    assert changed(files) == len(files)


def changed(files: dict[Path, tuple[bytes, bytes]]) -> int:
    return sum(file.read_bytes() != before for file, (before, _) in files.items())


def test_pin_through_a_link_edits_the_target_once(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    image = put_image(plain, path, "1")
    file = write(home, "Dockerfile", f"FROM {plain.host}/{path}:1\n")
    link = home.path / "work" / "a.Dockerfile"
    link.symlink_to("Dockerfile")
    ran = home.imgref("pin")
    assert (ran.code, ran.out.count("->")) == (0, 1), ran.err
    assert ran.out.startswith("Dockerfile:1:6:")
    assert link.is_symlink()
    assert image.digest in file.read_text()


def test_pin_exact_names_the_version_behind_a_floating_tag(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    put_image(plain, path, "1.26.0", text="old")
    image = put_image(plain, path, "1.27.3", text="new")
    for tag in ("latest", "1.27", "1"):
        plain.put_manifest(path, tag, image.raw, image.media_type)
    file = write(home, "Dockerfile", f"FROM {plain.host}/{path}\n")
    ran = home.imgref("pin", "--exact")
    assert ran.code == 0, ran.err
    assert file.read_text() == f"FROM {plain.host}/{path}:1.27.3@{image.digest}\n"


def test_outdated_lists_images_and_exits_1(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    old = put_image(plain, path, "1.2.3", text="old")
    new = put_image(plain, path, "1.3.0", text="new")
    newest = put_image(plain, path, "2.0.0", text="newest")
    plain.put_manifest(path, "latest", newest.raw, newest.media_type)
    name = f"{plain.host}/{path}"
    file = write(home, "Dockerfile", f"FROM {name}:1.2.3\nFROM {name}:2.0.0\n")
    ran = home.imgref("outdated", "--format", "json")
    assert ran.code == 1, ran.err
    assert ran.json[0] == {
        "reference": f"{name}:1.2.3",
        "tag": "1.2.3",
        "allowed": "1.3.0",
        "newest": "2.0.0",
        "digest": old.digest,
        "allowed_digest": new.digest,
        "reason": None,
        "places": [{"path": "Dockerfile", "line": 1, "column": 6}],
    }
    assert (ran.json[1]["allowed"], ran.json[1]["newest"]) == ("2.0.0", "2.0.0")
    assert file.read_text() == f"FROM {name}:1.2.3\nFROM {name}:2.0.0\n"
    table = home.imgref("outdated")
    assert (table.code, "1.3.0" in table.out) == (1, True)
    given = home.imgref("outdated", f"{name}:2.0.0", "--format", "json")
    assert (given.code, given.json[0]["places"]) == (0, [])
    missing = home.imgref("outdated", f"{name}-nowhere:1.0")
    assert missing.code == 4, missing.err


def test_outdated_warns_of_a_version_above_latest(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    put_image(plain, path, "1.2.3", text="old")
    put_image(plain, path, "1.4.0", text="other")
    latest = put_image(plain, path, "1.3.0", text="latest")
    plain.put_manifest(path, "latest", latest.raw, latest.media_type)
    ran = home.imgref("outdated", f"{plain.host}/{path}:1.2.3")
    assert ran.code == 1
    assert "1.4.0 is above the version of latest, 1.3.0" in ran.err


def test_update_with_min_age_holds_images_of_unknown_age(plain: Registry, home: Home, unique: Unique) -> None:
    path = unique("app")
    put_image(plain, path, "1.2.3", text="old")
    put_image(plain, path, "1.3.0", text="new")
    file = write(home, "Dockerfile", f"FROM {plain.host}/{path}:1.2.3\n")
    write(home, ".imgref.toml", '[update]\nmin-age = "7d"\n')
    ran = home.imgref("update")
    assert ran.code == 0
    assert "1.3.0 is of unknown age" in ran.err
    assert file.read_text() == f"FROM {plain.host}/{path}:1.2.3\n"
