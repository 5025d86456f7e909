from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from images import (
    Link,
    blob_path,
    digest_of,
    layer_tar,
    oci_image,
    oci_layout,
    old_save,
    platforms_layout,
    write_directory,
    write_tar,
)

from imgref._utils.locks import locked
from imgref.archive.image import Image, SourceBlob
from imgref.archive.manifest import OCI_MANIFEST, Descriptor, Manifest
from imgref.archive.reader import open_archive
from imgref.archive.writer import LayoutWriter, layout_writer
from imgref.errors import ArchiveError
from imgref.reference import parse

BASE, TOP, OTHER = layer_tar(b"base" * 500), layer_tar(b"top"), layer_tar(os.urandom(70_000))
TARGETS = ["out", "out.tar"]


def copy(source: str, target: str, reference: str, name: str | None = None) -> int:
    """Write an image of one archive to another; give how many blobs were not there yet."""
    with open_archive(source) as archive:
        image = archive.image(name)
        with layout_writer(target, image, parse(reference)) as writer:
            for blob in (*image.layers, *image.configs):
                if blob.descriptor().digest in writer.missing:
                    writer.write(blob.descriptor(), blob.chunks())
            writer.finish()
            return len(writer.missing)


def everything(path: Path) -> dict[str, bytes | str]:
    """All files below a directory, with their bytes, to see whether anything changed."""
    return {
        str(file.relative_to(path)): str(file.readlink()) if file.is_symlink() else file.read_bytes()
        for file in path.rglob("*")
        if not file.is_dir() or file.is_symlink()
    } | {f"{file.relative_to(path)}/": "" for file in path.rglob("*") if file.is_dir()}


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_written_reads_back_with_the_same_digests(tmp_path: Path, target: str) -> None:
    layouts: list[tuple[Mapping[str, bytes | Link], str]] = [
        (oci_layout({"v1": oci_image([BASE, TOP])}), "v1"),
        (oci_layout({"v1": oci_image([BASE, TOP], packed=False)}), "v1"),
        (platforms_layout({"linux/amd64": oci_image([BASE]), "linux/arm64": oci_image([TOP])})[0], "multi"),
        (old_save({"app:v1": [BASE, TOP, BASE]}), "v1"),
        (oci_layout({"v1": oci_image([])}), "v1"),
    ]
    for number, (files, tag) in enumerate(layouts):
        source = write_tar(tmp_path / f"{number}.tar", files)
        place = str(tmp_path / f"{number}-{target}")
        copy(source, place, f"registry.local:5001/app:{tag}")
        with open_archive(source) as before, open_archive(place) as after:
            assert after.names == (f"registry.local:5001/app:{tag}", tag)
            assert [m.raw for m in after.image().manifests()] == [m.raw for m in before.image().manifests()]
    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


@pytest.mark.parametrize("target", TARGETS)
def test_the_same_image_is_the_same_file(tmp_path: Path, target: str) -> None:
    source = write_tar(tmp_path / "in.tar", oci_layout({"v1": oci_image([BASE, TOP])}))
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        copy(source, str(tmp_path / folder / target), "app:v1")
    assert everything(tmp_path / "a") == everything(tmp_path / "b")


@pytest.mark.parametrize("target", TARGETS)
def test_blobs_that_are_there_are_kept(tmp_path: Path, target: str) -> None:
    first = write_tar(tmp_path / "1.tar", oci_layout({"v1": oci_image([BASE, OTHER])}))
    second = write_tar(tmp_path / "2.tar", oci_layout({"v2": oci_image([BASE, OTHER, TOP])}))
    place = tmp_path / target
    assert copy(first, str(place), "app:v1") == 3
    assert copy(first, str(place), "app:v1") == 0
    assert copy(second, str(place), "app:v2") == 2
    with open_archive(str(place)) as archive:
        assert archive.image("v2").layers
        # A directory collects images; a tar is the one image that was asked for.
        assert ("v1" in archive.names) is (target == "out")


@pytest.mark.parametrize("target", TARGETS)
def test_a_blob_that_is_there_but_damaged_is_put_right(tmp_path: Path, target: str) -> None:
    image = oci_image([OTHER])
    source = write_tar(tmp_path / "in.tar", oci_layout({"v1": image}))
    place = tmp_path / target
    copy(source, str(place), "app:v1")
    file = place / blob_path(image.layers[0]) if place.is_dir() else place
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    assert copy(source, str(place), "app:v1") == 1
    with open_archive(str(place)) as archive:
        assert digest_of(b"".join(archive.image().layers[0].chunks())) == image.layers[0]


def test_a_tag_that_comes_again_replaces_its_line(tmp_path: Path) -> None:
    place = tmp_path / "out"
    for layers, reference in (([BASE], "app:v1"), ([TOP], "app:v1"), ([BASE], "other:v1"), ([TOP], "app:v2")):
        copy(write_tar(tmp_path / "in.tar", oci_layout({"": oci_image(layers)})), str(place), reference)
    names = [entry["RepoTags"] for entry in json.loads((place / "manifest.json").read_bytes())]
    assert names == [["app:v1"], ["other:v1"], ["app:v2"]]
    with open_archive(str(place)) as archive:
        assert archive.image("app:v1").manifests()[0].digest == oci_image([TOP]).digest
        assert archive.image("other:v1").manifests()[0].digest == oci_image([BASE]).digest


def test_digest_alone_has_no_name(tmp_path: Path) -> None:
    image = oci_image([BASE])
    source = write_tar(tmp_path / "in.tar", oci_layout({"": image}))
    for target in TARGETS:
        for _ in range(2):
            copy(source, str(tmp_path / target), f"app@{image.digest}")
        with open_archive(str(tmp_path / target)) as archive:
            assert archive.names == (image.digest,)


def test_docker_loads_the_image_for_this_machine(tmp_path: Path) -> None:
    here = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    images = {"linux/s390x": oci_image([TOP]), f"linux/{here}": oci_image([BASE])}
    source = write_tar(tmp_path / "in.tar", platforms_layout(images)[0])
    copy(source, str(tmp_path / "out"), "registry.local:5001/app:v1")
    (entry,) = json.loads((tmp_path / "out" / "manifest.json").read_bytes())
    assert entry == {
        "Config": blob_path(images[f"linux/{here}"].config),
        "RepoTags": ["registry.local:5001/app:v1"],
        "Layers": [blob_path(digest) for digest in images[f"linux/{here}"].layers],
    }


def test_long_names_fit_into_a_tar(tmp_path: Path) -> None:
    import hashlib

    raw = oci_image([BASE]).raw
    files = dict(oci_image([BASE]).files)
    strong = f"sha512:{hashlib.sha512(raw).hexdigest()}"
    files[blob_path(strong)] = raw
    files["index.json"] = json.dumps({"manifests": [{"digest": strong, "size": len(raw)}]}).encode()
    copy(write_directory(tmp_path / "in", files), str(tmp_path / "out.tar"), "app:v1")
    with tarfile.open(tmp_path / "out.tar") as tar:
        assert blob_path(strong) in tar.getnames()


# Whole, or not at all


def broken(target: Path, action: Callable[[LayoutWriter, list[str]], None]) -> None:
    """Begin to write an image, and let something happen before it is whole."""
    image = oci_image([BASE, OTHER, TOP])
    source = write_tar(target.parent.parent / "in.tar", oci_layout({"v9": image}))
    with open_archive(source) as archive:
        found = archive.image()
        with layout_writer(str(target), found, parse("app:v9")) as writer:
            for blob in found.layers[:2]:
                if blob.descriptor().digest in writer.missing:
                    writer.write(blob.descriptor(), blob.chunks())
            action(writer, [blob.descriptor().digest for blob in found.layers])


def interrupt(writer: LayoutWriter, layers: list[str]) -> None:
    raise KeyboardInterrupt


def give_wrong_bytes(writer: LayoutWriter, layers: list[str]) -> None:
    last = writer._blobs[layers[-1]]
    writer.write(last, [b"x" * last.size])


def give_too_much(writer: LayoutWriter, layers: list[str]) -> None:
    writer.write(writer._blobs[layers[-1]], [b"x" * 5_000_000])


def give_too_little_verified(writer: LayoutWriter, layers: list[str]) -> None:
    last = writer._blobs[layers[-1]]
    writer.write(last, [b"x" * (last.size - 1)], verified=True)


def give_too_much_verified(writer: LayoutWriter, layers: list[str]) -> None:
    last = writer._blobs[layers[-1]]
    writer.write(last, [b"x" * last.size, b"x"], verified=True)


def fill_the_disk(writer: LayoutWriter, layers: list[str]) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("action", "error", "text"),
    [
        (interrupt, KeyboardInterrupt, "^$"),
        (give_wrong_bytes, ArchiveError, "what came is not sha256:"),
        (give_too_much, ArchiveError, "what came is not sha256:"),
        (give_too_little_verified, ArchiveError, "what came is not sha256:"),
        (give_too_much_verified, ArchiveError, "what came is not sha256:"),
        (fill_the_disk, ArchiveError, "no space left; the image needs "),
    ],
)
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("before", [False, True])
def test_what_is_not_finished_leaves_no_trace(
    tmp_path: Path,
    before: bool,
    target: str,
    action: Callable[[LayoutWriter, list[str]], None],
    error: type[BaseException],
    text: str,
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    if before:
        copy(write_tar(tmp_path / "1.tar", oci_layout({"v1": oci_image([BASE])})), str(folder / target), "app:v1")
    was = everything(folder)
    with pytest.raises(error, match=text):
        broken(folder / target, action)
    assert everything(folder) == was


def test_a_tar_asks_for_all_its_space_at_once(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    if os.system(f"mount -t tmpfs -o size=64k none {small} 2>/dev/null"):
        pytest.skip("cannot mount a small file system here")
    try:
        source = write_tar(tmp_path / "in.tar", oci_layout({"v1": oci_image([OTHER])}))
        for target in TARGETS:
            with pytest.raises(ArchiveError, match="no space left; the image needs "):
                copy(source, str(small / target), "app:v1")
            assert not everything(small)
    finally:
        os.system(f"umount {small}")


def test_existing_file_that_is_not_a_layout_is_not_touched(tmp_path: Path) -> None:
    source = write_tar(tmp_path / "in.tar", oci_layout({"v1": oci_image([BASE])}))
    (tmp_path / "notes").write_text("important")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes").write_text("important")
    (tmp_path / "data.tar").write_bytes(b"\0" * 10240)
    os.mkfifo(tmp_path / "pipe")
    was = everything(tmp_path / "folder")
    for target, text in (
        ("notes", "is neither an OCI layout nor"),
        ("folder", "is a directory with other things in it"),
        ("data.tar", "and no image; it is not replaced"),
        ("pipe", "is neither a file nor a directory"),
        ("none/out.tar", "cannot be written: No such file or directory"),
        ("none/out", "cannot be written: No such file or directory"),
        ("out.tar.gz", "the layers are compressed already"),
    ):
        with pytest.raises(ArchiveError, match=text):
            copy(source, str(tmp_path / target), "app:v1")
    assert (tmp_path / "notes").read_text() == "important"
    assert everything(tmp_path / "folder") == was


def test_an_empty_directory_and_a_link_to_a_layout_will_do(tmp_path: Path) -> None:
    source = write_tar(tmp_path / "in.tar", oci_layout({"v1": oci_image([BASE])}))
    (tmp_path / "empty").mkdir()
    copy(source, str(tmp_path / "empty"), "app:v1")
    for name in ("empty", "app.tar"):
        copy(source, str(tmp_path / name), "app:v1")
        (tmp_path / f"link-{name}").symlink_to(name)
        copy(source, str(tmp_path / f"link-{name}"), "app:v2")
        assert (tmp_path / f"link-{name}").is_symlink()
        with open_archive(str(tmp_path / name)) as archive:
            assert "v2" in archive.names
    assert oct((tmp_path / "app.tar").stat().st_mode) == oct(0o100666 & ~_umask())


def _umask() -> int:
    now = os.umask(0)
    os.umask(now)
    return now


# Several writers, and writers that are killed

WRITE = """
import sys, time
from pathlib import Path
from imgref._utils.locks import locked
from imgref.archive.image import Image, SourceBlob
from imgref.archive.manifest import OCI_MANIFEST, Descriptor, Manifest
from imgref.archive.reader import open_archive
from imgref.archive.writer import layout_writer
from imgref.reference import parse
source, target, reference, until = sys.argv[1:]
with open_archive(source) as archive:
    image = archive.image(reference.rpartition(":")[2])
    with layout_writer(target, image, parse(reference)) as writer:
        for blob in (*image.layers, *image.configs):
            if blob.descriptor().digest in writer.missing:
                writer.write(blob.descriptor(), blob.chunks())
        print("written", flush=True)
        while not Path(until).exists():
            time.sleep(0.01)
        writer.finish()
"""


class Writer:
    """A process that writes an image, and waits for a file before it finishes."""

    def __init__(self, source: str, target: str, reference: str, until: Path) -> None:
        command = [sys.executable, "-c", WRITE, source, target, reference, str(until)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "written\n"

    def end(self) -> tuple[int, str]:
        told = self.process.communicate(timeout=60)[1]
        return self.process.returncode, told

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.mark.parametrize("before", ["nothing", "an empty directory", "a layout"])
def test_images_that_are_pulled_at_the_same_time_are_all_kept(before: str, tmp_path: Path) -> None:
    tags = [f"v{number}" for number in range(6)]
    images = {tag: oci_image([BASE, layer_tar(tag.encode())]) for tag in [*tags, "old"]}
    source = write_tar(tmp_path / "in.tar", oci_layout(images))
    target = tmp_path / "here" / "out"
    target.parent.mkdir()
    if before == "an empty directory":
        target.mkdir()
    if before == "a layout":
        copy(source, str(target), "app:old", "old")
    until = tmp_path / "until"
    writers = [Writer(source, str(target), f"app:{tag}", until) for tag in tags]
    until.touch()
    assert [writer.end() for writer in writers] == [(0, "")] * len(tags)
    expected = [*tags, "old"] if before == "a layout" else tags
    with open_archive(str(target)) as archive:
        assert sorted(name for name in archive.names if "/" not in name) == sorted(expected)
        for tag in expected:
            assert archive.image(tag).manifests()[-1].digest == images[tag].digest
    loadable = json.loads((target / "manifest.json").read_bytes())
    assert sorted(entry["RepoTags"][0] for entry in loadable) == sorted(f"app:{tag}" for tag in expected)
    assert sorted(file.name for file in target.iterdir()) == ["blobs", "index.json", "manifest.json", "oci-layout"]
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("before", ["nothing", "an empty directory", "a layout"])
@pytest.mark.parametrize("target", TARGETS)
def test_what_a_killed_writer_left_is_removed_by_the_next_one(before: str, target: str, tmp_path: Path) -> None:
    source = write_tar(tmp_path / "in.tar", oci_layout({"v1": oci_image([BASE, TOP]), "v2": oci_image([OTHER])}))
    place = tmp_path / "here" / target
    place.parent.mkdir()
    if before == "an empty directory" and not target.endswith(".tar"):
        place.mkdir()
    if before == "a layout":
        copy(source, str(place), "app:v2", "v2")
    never, until = tmp_path / "never", tmp_path / "until"
    for _ in range(2):
        Writer(source, str(place), "app:v1", never).kill()
    left = [file for file in place.parent.rglob(".*") if file.parent in (place, place.parent)]
    assert len(left) == 1
    alive = Writer(source, str(place), "app:v1", until)
    copy(source, str(place), "app:v2", "v2")
    until.touch()
    assert alive.end() == (0, "")
    assert not list(place.parent.rglob(".*"))
    with open_archive(str(place)) as archive:
        assert "v1" in archive.names


def test_files_that_only_look_like_a_stage_are_kept(tmp_path: Path) -> None:
    source = write_tar(tmp_path / "in.tar", oci_layout({"v1": oci_image([BASE])}))
    here = tmp_path / "here"
    here.mkdir()
    names = [
        ".out.12345678",
        ".other.12345678.imgref",
        "out.12345678.imgref",
        ".out.123.imgref",
        ".outer.12345678.imgref",
    ]
    for name in names:
        (here / name).mkdir()
    copy(source, str(here / "out"), "app:v1")
    assert sorted(file.name for file in here.iterdir()) == sorted([*names, "out"])


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("sizes", [[(1 << 63) - 1], [1 << 62] * 3, [1 << 50]])
def test_image_that_is_larger_than_any_disk_is_an_error(sizes: list[int], target: str, tmp_path: Path) -> None:
    layers = [Descriptor("", f"sha256:{number:064}", size) for number, size in enumerate(sizes)]
    raw = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "layers": [{"digest": layer.digest, "size": layer.size} for layer in layers],
        }
    )
    manifest = Manifest.read(raw.encode())
    blobs = tuple(SourceBlob(layer, None, "x") for layer in layers)  # type: ignore[arg-type]
    image = Image(blobs, (), lambda: (manifest,))
    place = tmp_path / "here" / target
    place.parent.mkdir()
    with pytest.raises(ArchiveError), layout_writer(str(place), image, parse("app:v1")) as writer:
        writer.write(layers[0], [b"x"])
    assert list(place.parent.iterdir()) == []


@pytest.mark.parametrize("exists", [False, True])
def test_writer_finishes_only_under_the_lock(exists: bool, tmp_path: Path) -> None:
    source = write_tar(tmp_path / "in.tar", oci_layout({"v1": oci_image([BASE]), "v2": oci_image([TOP])}))
    target = tmp_path / "here" / "out"
    target.parent.mkdir()
    if exists:
        copy(source, str(target), "app:v2", "v2")
    until = tmp_path / "until"
    writer = Writer(source, str(target), "app:v1", until)
    with locked(target if exists else target.parent):
        until.touch()
        with pytest.raises(subprocess.TimeoutExpired):
            writer.process.wait(0.5)
        if not exists:
            (tmp_path / "other").mkdir()
            copy(source, str(tmp_path / "other" / "out"), "app:v2", "v2")
            (tmp_path / "other" / "out").rename(target)
    assert writer.end() == (0, "")
    with open_archive(str(target)) as archive:
        assert {"v1", "v2"} <= set(archive.names)


@pytest.mark.parametrize("target", TARGETS)
def test_layer_with_urls_of_its_own_is_not_missing(tmp_path: Path, target: str) -> None:
    kind = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    foreign = {"mediaType": kind, "digest": digest_of(b"foreign"), "size": 7, "urls": ["https://elsewhere.example/"]}
    image = oci_image([BASE])
    document = json.loads(image.raw)
    document["layers"].append(foreign)
    raw = json.dumps(document).encode()
    manifest = Manifest.read(raw, OCI_MANIFEST, digest_of(raw))
    with open_archive(write_directory(tmp_path / "in", oci_layout({"a": image}))) as archive:
        whole = archive.image()
        away = SourceBlob(Descriptor.read(foreign), None, "away")  # type: ignore[arg-type]
        changed = Image((*whole.layers, away), whole.configs, lambda: (manifest,))
        with layout_writer(str(tmp_path / target), changed, parse("app:1")) as writer:
            assert writer.missing == {blob.descriptor().digest for blob in (*whole.layers, *whole.configs)}
