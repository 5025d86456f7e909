"""``imgref copy --from-file``: a list of images, mirrored from one real registry to others."""

from __future__ import annotations

import json

import pytest
from e2e.commands import Home
from e2e.fault_proxy import run_fault_proxy, status
from e2e.images import put_image, put_index
from e2e.servers import Registry
from e2e.test_prune import Repository
from e2e.test_release import Unique, tags_of
from e2e.test_transfer import good, raw_manifest

pytestmark = pytest.mark.e2e


def test_copy_from_file_mirrors_images_below_a_prefix(plain: Registry, home: Home, unique: Unique) -> None:
    path, prefix = unique("app"), unique("mirror")
    index, image = put_index(plain, path, "1"), put_image(plain, path, None, text="other")
    names = [f"{plain.host}/{path}:1", f"{plain.host}/{path}@{image.digest}"]
    text = f"# images\n{names[0]}  # the app\n\n{names[1]}\n{names[0]} {plain.host}/{prefix}/renamed:2\n"
    command = ("copy", "--from-file", "-", "--to", f"{plain.host}/{prefix}")
    dry = good(home.imgref(*command, "--dry-run", input=text))
    assert dry[0] == f"{plain.host}/{prefix}/{path}:1: would be created {index.digest}"
    assert tags_of(plain, f"{prefix}/{path}") == {}
    assert good(home.imgref(*command, input=text)) == [
        f"{plain.host}/{prefix}/{path}:1: created {index.digest}",
        f"{plain.host}/{prefix}/{path}@{image.digest}: created {image.digest}",
        f"{plain.host}/{prefix}/renamed:2: created {index.digest}",
    ]
    Repository(plain, f"{prefix}/{path}").check_whole("1")
    assert raw_manifest(plain, f"{prefix}/{path}", image.digest) == image.raw
    mirrored = home.imgref("parse", "--to-registry", f"{plain.host}/{prefix}", names[0])
    assert mirrored.out.strip() == f"{plain.host}/{prefix}/{path}:1"
    # It follows the source, also if a released version has moved, and does nothing twice.
    moved = put_image(plain, path, "1", text="new")
    lines = good(home.imgref(*command, input=text))
    assert lines[0] == f"{plain.host}/{prefix}/{path}:1: moved {index.digest} → {moved.digest}"
    assert lines[1] == f"{plain.host}/{prefix}/{path}@{image.digest}: unchanged {image.digest}"
    put_image(plain, path, "1", text="newer")
    lines = good(home.imgref(*command, "--missing", input=text))
    assert lines[0] == f"{plain.host}/{prefix}/{path}:1: skipped, it points to {moved.digest}"
    # The same as data.
    text = f"{names[0]}\n{plain.host}/{path}:none\n"
    ran = home.imgref(*command, "--format", "json", "--dry-run", input=text)
    newer, missing = map(json.loads, ran.out.splitlines())
    target = f"{plain.host}/{prefix}/{path}"
    assert (ran.code, newer["action"], newer["from"], newer["dry_run"]) == (3, "moved", moved.digest, True)
    assert (newer["source"], newer["reference"]) == (names[0], f"{target}:1")
    assert missing.items() >= {"reference": f"{target}:none", "action": "failed", "dry_run": True}.items()
    assert missing["error"] in ran.err


def test_copy_from_file_goes_on_after_a_failure_and_can_be_repeated(
    plain: Registry, home: Home, unique: Unique
) -> None:
    path, prefix = unique("app"), unique("mirror")
    for tag in "abc":
        put_image(plain, path, tag, text=tag)
    (home.path / "work" / "list").write_text("".join(f"{plain.host}/{path}:{tag}\n" for tag in ("a", "none", "b", "c")))
    with run_fault_proxy(plain.host) as proxy:
        proxy.add(status(400), "PUT", f"{prefix}/{path}/manifests/b")
        command = ("copy", "--from-file", "list", "--to", f"{proxy.host}/{prefix}")
        ran = home.imgref(*command)
        assert ran.code == 3
        wanted = f"error: 2 of 4 images were not copied: {plain.host}/{path}:none, {plain.host}/{path}:b"
        assert wanted in ran.err
        assert set(tags_of(plain, f"{prefix}/{path}")) == {"a", "c"}
        ran = home.imgref(*command)
    assert ran.code == 3
    assert [line.split(" ")[1] for line in ran.out.splitlines()] == ["unchanged", "created", "unchanged"]


def test_copy_from_file_selects_tags_by_version(plain: Registry, home: Home, unique: Unique) -> None:
    path, prefix = unique("app"), unique("mirror")
    for tag in ("1.0.0", "1.2.0", "1.3.0", "2.0.0", "main"):
        put_image(plain, path, tag, text=tag)
    command = ("copy", "--from-file", "-", "--to", f"{plain.host}/{prefix}", "--tags", ">=1.2,<2")
    good(home.imgref(*command, input=f"{plain.host}/{path}\n"))
    assert set(tags_of(plain, f"{prefix}/{path}")) == {"1.2.0", "1.3.0"}


def test_images_of_a_tree_are_mirrored_with_their_referrers(plain: Registry, home: Home, unique: Unique) -> None:
    path, prefix = unique("app"), unique("mirror")
    base, app = Repository(plain, f"{path}/base"), Repository(plain, f"{path}/web")
    child = base.put_image("base")
    index = base.put_index([child, base.put_image("other")])
    signature = base.put_referrer(index)
    of_child, of_signature = base.put_referrer(child), base.put_referrer(signature)
    base.tag("1", index)
    pinned = app.put_image("web")
    tree = home.path / "work"
    (tree / "Dockerfile").write_text(f"FROM {base.name}:1 AS build\nFROM scratch\nCOPY --from=build / /\n")
    compose = f"services: {{web: {{image: '{app.name}@{pinned.digest}'}}, db: {{image: '{base.name}:1'}}}}\n"
    (tree / "compose.yaml").write_text(compose)
    listed = home.imgref("images", "--format", "lines")
    assert listed.out.splitlines() == [f"{base.name}:1", f"{app.name}@{pinned.digest}"]
    command = ("copy", "--from-file", "-", "--to", f"{plain.host}/{prefix}", "--referrers")
    assert good(home.imgref(*command, input=listed.out)) == [
        f"{plain.host}/{prefix}/{path}/base:1: created {index.digest}",
        f"{plain.host}/{prefix}/{path}/web@{pinned.digest}: created {pinned.digest}",
    ]
    Repository(plain, f"{prefix}/{path}/base").check_whole("1")
    for referrer in (signature, of_child, of_signature):
        assert raw_manifest(plain, f"{prefix}/{path}/base", referrer.digest) == referrer.raw
    # A signature that is added later arrives with the next run, although the image is there.
    later = app.put_referrer(pinned)
    lines = good(home.imgref(*command, input=listed.out))
    assert [line.split(" ")[1] for line in lines] == ["unchanged", "unchanged"]
    assert raw_manifest(plain, f"{prefix}/{path}/web", later.digest) == later.raw


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("", ["--to", "localhost:1"], "there are no images in the list"),
        ("app:1\n", [], "line 1: there is no DST, and no --to HOST[/PREFIX]"),
        ("app:1\nApp\n", ["--to", "localhost:1"], "line 2: "),
        ("a b c\n", [], "line 1: a line is a reference, or SRC DST"),
        ("app:1\n", ["--to", "nowhere"], "line 1: "),
        ("ghcr.io/a/b:1\nquay.io/a/b:1\n", ["--to", "localhost:1"], "would both be copied to localhost:1/a/b:1"),
        ("app:1\n", ["app:2"], "--from-file cannot be used with arguments"),
        ("app:1\n", ["--force"], "--from-file cannot be used with --force"),
        ("app:1\n", ["--to", "localhost:1", "--tags", "x"], "a range is comparisons"),
    ],
)
def test_copy_from_file_with_bad_input_copies_nothing(text: str, options: list[str], said: str, home: Home) -> None:
    ran = home.imgref("copy", "--from-file", "-", *options, input=text)
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err


def test_options_of_lists_need_a_list(home: Home) -> None:
    for options in (["--to", "localhost:1"], ["--tags", ">=1"], ["--missing"]):
        ran = home.imgref("copy", "app:1", "app:2", *options)
        assert ran.code == 2
        assert f"{options[0]} goes with --from-file" in ran.err
    assert "no SRC is given" in home.imgref("copy").err
