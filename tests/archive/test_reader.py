from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zstandard
from images import (
    Link,
    as_json,
    blob_path,
    config_of,
    digest_of,
    layer_tar,
    new_save,
    oci_image,
    oci_layout,
    old_save,
    platforms_layout,
    tar_of,
    write_directory,
    write_tar,
)

from imgref.archive import storage
from imgref.archive.reader import open_archive
from imgref.errors import ArchiveError

if TYPE_CHECKING:
    from imgref.archive.image import Image

BASE, TOP, OTHER = layer_tar(b"base" * 500), layer_tar(b"top"), layer_tar(os.urandom(70_000))
Files = Mapping[str, bytes | Link]
Write = Callable[[Path, Files], str]


def content(image: Image) -> dict[str, bytes]:
    """Read every blob; what is wrong is told here."""
    read = {}
    for blob in (*image.layers, *image.configs):
        descriptor = blob.descriptor()
        data = b"".join(blob.chunks())
        assert len(data) == descriptor.size
        assert digest_of(data) == descriptor.digest
        read[descriptor.digest] = data
    return read


def reason(path: str, name: str | None = None) -> str:
    def read() -> None:
        with open_archive(path) as archive:
            image = archive.image(name)
            content(image)
            image.manifests()

    with pytest.raises(ArchiveError) as caught:
        read()
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(path)
    return text[len(path) :].lstrip(": ")


# docker save


def test_an_old_save_is_compressed_and_its_config_is_untouched(tmp_path: Path) -> None:
    files = old_save({"app:1": [BASE, TOP]})
    with open_archive(write_tar(tmp_path / "app.tar", files)) as archive:
        assert archive.names == ("app:1",)
        image = archive.image()
        (manifest,) = image.manifests()
        read = content(image)
    assert manifest.config is not None
    assert read[manifest.config.digest] == config_of([BASE, TOP], author="app:1")
    assert [gzip.decompress(read[layer.digest]) for layer in manifest.layers] == [BASE, TOP]
    assert [blob.label for blob in image.layers] == [digest_of(TOP)[7:19], digest_of(BASE)[7:19]]
    value = json.loads(manifest.raw)
    assert value["mediaType"] == "application/vnd.docker.distribution.manifest.v2+json"
    assert value["layers"][0]["mediaType"] == "application/vnd.docker.image.rootfs.diff.tar.gzip"
    assert value["config"]["mediaType"] == "application/vnd.docker.container.image.v1+json"


def test_the_same_image_gets_the_same_digest_from_every_save(tmp_path: Path) -> None:
    layers = [BASE, TOP, OTHER]
    kinds: list[Files] = [old_save({"app:1": layers}), new_save({"app:1": layers})]
    digests = set()
    for number, files in enumerate(kinds):
        path = write_tar(tmp_path / f"{number}.tar", files)
        for packed, pack in (("", bytes), (".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)):
            Path(path + packed).write_bytes(pack(Path(path).read_bytes()))
            with open_archive(path + packed) as archive:
                digests.add(archive.image().manifests()[-1].digest)
    assert len(digests) == 1


@pytest.mark.parametrize("hard", [False, True])
def test_layers_that_are_links(tmp_path: Path, hard: bool) -> None:
    files = old_save({"base:1": [BASE], "app:1": [BASE, TOP]})
    links = {name: data for name, data in files.items() if isinstance(data, Link)}
    assert len(links) == 1
    if hard:
        for name, link in links.items():
            files[name] = Link(link.target.removeprefix("../"), hard=True)
    with open_archive(write_tar(tmp_path / "two.tar", files)) as archive:
        assert archive.names == ("base:1", "app:1")
        base, app = archive.image("base:1").manifests()[0], archive.image("app:1").manifests()[0]
    assert base.layers == app.layers[:1]


def test_links_to_directories_are_followed(tmp_path: Path) -> None:
    config = config_of([BASE])
    files: Files = {
        "real/layer.tar": BASE,
        "first": Link("./second"),
        "second": Link("real"),
        f"{digest_of(config)[7:]}.json": config,
        "manifest.json": as_json([{"Config": f"{digest_of(config)[7:]}.json", "Layers": ["./first//layer.tar"]}]),
    }
    with open_archive(write_tar(tmp_path / "app.tar", files)) as archive:
        assert len(content(archive.image())) == 2


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_layer_that_is_compressed_is_checked_against_its_diff_id(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    files = old_save({"app:1": [BASE]})
    name = next(name for name in files if name.endswith("layer.tar"))
    files[name] = pack(BASE)
    with open_archive(write_tar(tmp_path / "app.tar", files)) as archive:
        image = archive.image()
        (layer,) = image.manifests()[0].layers
        assert gzip.decompress(content(image)[layer.digest]) == BASE
        assert layer.media_type.endswith(".gzip")
    files[name] = pack(TOP)
    assert "the config has" in reason(write_tar(tmp_path / "app.tar", files))
    files[name] = pack(OTHER)[:-5000]
    assert "is cut short" in reason(write_tar(tmp_path / "app.tar", files))


def test_zstd_layers_stay_as_they_are_in_a_manifest_that_has_a_type_for_them(tmp_path: Path) -> None:
    files = old_save({"app:1": [BASE, TOP]})
    name = next(name for name, data in files.items() if data == TOP)
    files[name] = zstandard.compress(TOP)
    with open_archive(write_tar(tmp_path / "app.tar", files)) as archive:
        (manifest,) = archive.image().manifests()
    assert manifest.media_type == "application/vnd.oci.image.manifest.v1+json"
    kinds = [layer.media_type.removeprefix("application/vnd.oci.image.layer.v1.") for layer in manifest.layers]
    assert kinds == ["tar+gzip", "tar+zstd"]
    for data, said in (
        (zstandard.compress(OTHER), "the config has"),
        (zstandard.compress(TOP)[:-3], "is cut short"),
        (b"\x28\xb5\x2f\xfd" + 99 * b"x", "is damaged"),
    ):
        files[name] = data
        assert said in reason(write_tar(tmp_path / "app.tar", files))


def test_an_archive_compressed_with_zstd_is_read(tmp_path: Path) -> None:
    whole = tar_of(old_save({"app:1": [BASE, TOP]}))
    path = tmp_path / "app.tar.zst"
    path.write_bytes(zstandard.compress(whole))
    with open_archive(str(path)) as archive:
        assert len(archive.image().layers) == 2
    path.write_bytes(zstandard.compress(whole)[:-20])
    assert "is cut short" in reason(str(path))


def test_zstd_without_the_extra_is_an_error_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "zstandard", None)
    files = old_save({"app:1": [BASE, TOP]})
    (tmp_path / "app.tar.zst").write_bytes(zstandard.compress(tar_of(files)))
    told = "is compressed with zstd; install 'imgref[zstd]', or unpack it first (unzstd)"
    assert reason(str(tmp_path / "app.tar.zst")) == told
    name = next(name for name, data in files.items() if data == TOP)
    files[name] = zstandard.compress(TOP)
    assert reason(write_tar(tmp_path / "app.tar", files)) == f"{name}: {told}"


def test_a_layer_that_comes_twice_is_one_blob(tmp_path: Path) -> None:
    with open_archive(write_tar(tmp_path / "app.tar", old_save({"app:1": [BASE, TOP, BASE]}))) as archive:
        image = archive.image()
        assert len(image.layers) == 2
        first, _, last = image.manifests()[0].layers
    assert first == last


def test_many_threads_get_one_compressed_layer(tmp_path: Path) -> None:
    with open_archive(write_tar(tmp_path / "app.tar", old_save({"app:1": [OTHER]}))) as archive:
        (layer,) = archive.image().layers
        found: list[object] = []
        threads = [threading.Thread(target=lambda: found.append(layer.descriptor())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [found[0]] * 4


def test_a_save_of_a_containerd_store_keeps_its_digest(tmp_path: Path) -> None:
    files = new_save({"app:1": [BASE, TOP]}, packed=True)
    with open_archive(write_tar(tmp_path / "app.tar", files)) as archive:
        manifest = archive.image("app:1").manifests()[-1]
    assert manifest.raw == files[blob_path(manifest.digest)]
    assert manifest.digest == oci_image([BASE, TOP], author="app:1").digest


# OCI layouts


@pytest.mark.parametrize("write", [write_tar, write_directory])
def test_a_layout_is_read_as_it_is(tmp_path: Path, write: Write) -> None:
    image = oci_image([BASE, TOP])
    with open_archive(write(tmp_path / "layout", oci_layout({"v1": image}))) as archive:
        assert archive.names == ("v1",)
        found = archive.image()
        assert [manifest.raw for manifest in found.manifests()] == [image.raw]
        assert set(content(found)) == {image.config, *image.layers}
        assert [blob.label for blob in found.layers] == [digest_of(TOP)[7:19], digest_of(BASE)[7:19]]


@pytest.mark.parametrize("write", [write_tar, write_directory])
def test_an_index_comes_after_its_children_and_shared_blobs_come_once(tmp_path: Path, write: Write) -> None:
    images = {"linux/amd64": oci_image([BASE, TOP]), "linux/arm64": oci_image([BASE, OTHER])}
    files, digest = platforms_layout(images)
    with open_archive(write(tmp_path / "layout", files)) as archive:
        image = archive.image("multi")
        assert [manifest.digest for manifest in image.manifests()] == [*(i.digest for i in images.values()), digest]
        assert len(image.layers) == 3
        assert len(content(image)) == 5


def test_an_index_of_which_only_a_part_is_there(tmp_path: Path) -> None:
    images = {"linux/amd64": oci_image([BASE, TOP]), "linux/arm64": oci_image([BASE, OTHER])}
    files, _ = platforms_layout(images)
    del files[blob_path(images["linux/amd64"].digest)]
    path = write_tar(tmp_path / "app.tar", files)
    arm = images["linux/arm64"].digest
    lacking = blob_path(images["linux/amd64"].digest)
    expected = f"{lacking}: is missing, but the image refers to it; --image {arm} takes a part of it, linux/arm64"
    assert reason(path) == expected
    with open_archive(path) as archive:
        assert [manifest.digest for manifest in archive.image(arm).manifests()] == [arm]


def test_a_save_whose_layout_lists_nothing(tmp_path: Path) -> None:
    files = new_save({"app:1": [BASE, TOP]}, packed=True)
    files["index.json"] = as_json({"schemaVersion": 2, "manifests": None})
    with open_archive(write_tar(tmp_path / "app.tar", files)) as archive:
        assert archive.names == ("app:1",)
        assert len(content(archive.image())) == 3


def test_uncompressed_layers_of_a_layout_stay_uncompressed(tmp_path: Path) -> None:
    image = oci_image([BASE], packed=False)
    with open_archive(write_directory(tmp_path / "layout", oci_layout({"": image}))) as archive:
        assert archive.names == (image.digest,)
        assert content(archive.image())[digest_of(BASE)] == BASE


def test_blobs_that_lie_elsewhere_need_not_be_there(tmp_path: Path) -> None:
    config = config_of([BASE])
    foreign = {
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "digest": digest_of(b"windows"),
        "size": 7,
        "urls": ["https://example.com/windows"],
    }
    described = {"mediaType": "application/vnd.oci.image.config.v1+json"}
    described |= {"digest": digest_of(config), "size": len(config)}  # type: ignore[dict-item]
    raw = as_json({"schemaVersion": 2, "config": described, "layers": [foreign]})
    files = {"index.json": as_json({"manifests": [{"digest": digest_of(raw), "size": len(raw)}]})}
    files |= {blob_path(digest_of(raw)): raw, blob_path(digest_of(config)): config}
    with open_archive(write_directory(tmp_path / "layout", files)) as archive:
        (layer,) = archive.image().layers
        assert layer.descriptor().foreign


# Which image


def test_several_images_need_a_name(tmp_path: Path) -> None:
    files = old_save({"base:1": [BASE], "registry.local:5001/app:2": [TOP]})
    path = write_tar(tmp_path / "two.tar", files)
    assert reason(path) == "holds 2 images; name one with --image: 'base:1', 'registry.local:5001/app:2'"
    assert reason(path, "base:2").startswith("holds no image called 'base:2', but 'base:1'")
    stem = next(name for name in files if name.endswith(".json"))[:12]
    with open_archive(path) as archive:
        expected = archive.image("base:1").manifests()[0].digest
        for name in ("base:1", "docker.io/library/base:1", stem, f"sha256:{stem}"):
            assert archive.image(name).manifests()[0].digest == expected


def test_unnamed_image_beside_a_named_one_is_an_image_of_its_own(tmp_path: Path) -> None:
    files = old_save({"base:1": [BASE], "": [TOP]})
    path = write_tar(tmp_path / "two.tar", files)
    *_, unnamed = json.loads(bytes(files["manifest.json"]))  # type: ignore[arg-type]
    image_id = f"sha256:{unnamed['Config'].removesuffix('.json')}"
    assert reason(path) == f"holds 2 images; name one with --image: 'base:1', '{image_id}'"
    with open_archive(path) as archive:
        assert archive.names == ("base:1", image_id)
        assert archive.image(image_id).manifests()[0].digest != archive.image("base:1").manifests()[0].digest


def test_one_image_under_several_names_is_one(tmp_path: Path) -> None:
    image = oci_image([BASE])
    layout = oci_layout({"v1": image, "v1.0": image})
    with open_archive(write_directory(tmp_path / "layout", layout)) as archive:
        assert archive.names == ("v1", "v1.0")
        assert archive.image().manifests()[0].digest == archive.image("v1.0").manifests()[0].digest
    both = oci_layout({"v1": image, "v2": oci_image([TOP])})
    path = write_directory(tmp_path / "both", both)
    assert reason(path).startswith("holds 2 images; name one with --image")
    assert reason(path, "sha256:").startswith("holds no image called")


# Bad input


@pytest.mark.parametrize("write", [write_tar, write_directory])
def test_a_blob_that_is_damaged_is_named(tmp_path: Path, write: Write) -> None:
    image = oci_image([OTHER])
    for digest in (image.layers[0], image.config, image.digest):
        files: dict[str, bytes | Link] = dict(oci_layout({"v1": image}))
        data = bytearray(image.files[blob_path(digest)])
        data[len(data) // 2] ^= 1
        files[blob_path(digest)] = bytes(data)
        place = tmp_path / digest[7:17]
        told = reason(write(place, files))
        assert told.startswith(f"{blob_path(digest)}: is damaged: its digest is {digest_of(bytes(data))}")


def test_last_bytes_of_a_damaged_blob_are_never_returned(tmp_path: Path) -> None:
    image = oci_image([OTHER])
    files: dict[str, bytes | Link] = dict(oci_layout({"v1": image}))
    name = blob_path(image.layers[0])
    files[name] = image.files[name][:-1] + b"?"
    given: list[bytes] = []
    with open_archive(write_tar(tmp_path / "app.tar", files)) as archive:
        (layer,) = archive.image().layers
        with pytest.raises(ArchiveError, match="is damaged"):
            given.extend(layer.chunks())
        assert sum(map(len, given)) < layer.descriptor().size


@pytest.mark.parametrize("write", [write_tar, write_directory])
def test_a_blob_that_is_missing_or_has_another_size_is_named(tmp_path: Path, write: Write) -> None:
    image = oci_image([BASE])
    for digest in (image.layers[0], image.config, image.digest):
        files: dict[str, bytes | Link] = dict(oci_layout({"v1": image}))
        data = files.pop(blob_path(digest))
        told = reason(write(tmp_path / f"without-{digest[7:17]}", files))
        assert told == f"{blob_path(digest)}: is missing, but the image refers to it"
        assert isinstance(data, bytes)
        files[blob_path(digest)] = data + b"x"
        told = reason(write(tmp_path / f"longer-{digest[7:17]}", files))
        assert told == f"{blob_path(digest)}: has {len(data) + 1} bytes, but the image's descriptor has {len(data)}"


def test_a_tar_that_is_cut_short(tmp_path: Path) -> None:
    kinds: list[Files] = [oci_layout({"v1": oci_image([OTHER, BASE])}), old_save({"app:1": [OTHER, BASE]})]
    for files in kinds:
        whole = tar_of(files)
        end = len(whole.rstrip(b"\0"))
        path = tmp_path / "cut.tar"
        for size in (512, 700, 1024, 5000, end - 600, end - 512, end, end // 2 // 512 * 512):
            path.write_bytes(whole[:size])
            assert "is cut short" in reason(str(path)), size
        path.write_bytes(gzip.compress(whole)[:-20])
        assert "is cut short" in reason(str(path))
        path.write_bytes(bz2.compress(whole)[:-20])
        assert "is cut short" in reason(str(path))


def test_values_that_are_not_images_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for data in (b"", b"hello", os.urandom(4000), tar_of({"hello": b"world"})):
        path.write_bytes(data)
        assert reason(str(path)) == "is neither an OCI layout nor a tar of docker save"
    path.write_bytes(gzip.compress(b"hello"))
    assert reason(str(path)) == "is neither an OCI layout nor a tar of docker save"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + b"x" * 600)
    assert "is damaged" in reason(str(path))
    path.write_bytes(gzip.compress(b"hello" * 999)[:20] + b"x" * 50)
    assert "is damaged" in reason(str(path))
    assert reason(str(tmp_path)) == "is neither an OCI layout nor a tar of docker save"
    assert reason(str(tmp_path / "none")) == "cannot be read: No such file or directory"
    path.write_bytes(tar_of({"repositories": b"{}"}))
    assert "older than 1.10" in reason(str(path))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"../evil": b"", "index.json": b"{}"}, "'../evil' leads out of the archive"),
        ({"a/../../evil": b"", "index.json": b"{}"}, "'a/../../evil' leads out of the archive"),
        ({"index.json": Link("../../etc/passwd")}, "index.json: links to a file outside of the archive"),
        ({"index.json": Link("/etc/passwd")}, "index.json: links to a file outside of the archive"),
        ({"index.json": Link("../x", hard=True)}, "index.json: links to a file outside of the archive"),
        ({"index.json": Link("index.json")}, "index.json: is a link that ends nowhere: a loop"),
        ({"index.json": Link("a"), "a": Link("./b"), "b": Link("a")}, "index.json: is a link that ends nowhere"),
        ({"index.json": Link("a/b"), "a": Link("a/b")}, "index.json: is a link that ends nowhere: a loop"),
    ],
)  # fmt: skip
def test_names_and_links_that_lead_out_or_round(tmp_path: Path, files: Files, expected: str) -> None:
    assert reason(write_tar(tmp_path / "app.tar", files)).startswith(expected)


@pytest.mark.parametrize("layer", ["../../../etc/passwd", "/etc/passwd", "a/../../b"])
def test_a_layer_that_leads_out(tmp_path: Path, layer: str) -> None:
    config = config_of([BASE])
    files: Files = {"config": config, "manifest.json": as_json([{"Config": "config", "Layers": [layer]}])}
    assert reason(write_tar(tmp_path / "app.tar", files)) == f"{layer!r} leads out of the archive"
    assert reason(write_directory(tmp_path / "app", files)) == f"{layer!r} leads out of the directory"


def test_links_of_a_directory_that_lead_out_or_round(tmp_path: Path) -> None:
    image = oci_image([BASE])
    path = tmp_path / "layout"
    write_directory(path, oci_layout({"v1": image}))
    blob = path / blob_path(image.layers[0])
    inside = blob.rename(blob.with_name("moved"))
    blob.symlink_to("moved")
    with open_archive(str(path)) as archive:
        assert len(content(archive.image())) == 2
    outside = inside.rename(tmp_path / "outside")
    blob.unlink()
    blob.symlink_to(outside)
    assert reason(str(path)) == f"{blob_path(image.layers[0])}: links to a file outside of the directory"
    blob.unlink()
    blob.symlink_to(blob.name)
    assert reason(str(path)) == f"{blob_path(image.layers[0])}: is a link that ends nowhere: a loop"
    blob.unlink()
    os.mkfifo(blob)
    assert "has 0 bytes" in reason(str(path))


EMPTY = digest_of(b"").encode()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"{", "index.json: is not valid JSON"),
        (b"[]", "index.json: is not a JSON object"),
        (b"[" * 100_000, "index.json: is nested too deeply"),
        (b'{"manifests": {}}', "index.json: lists no manifests"),
        (b'{"manifests": []}', "holds no image"),
        (b'{"manifests": [1]}', "index.json: has a descriptor without"),
        (b'{"manifests": [{"digest": "sha256:../../x", "size": 1}]}', "index.json: has a descriptor without"),
        (b'{"manifests": [{"digest": "%s", "size": -1}]}' % EMPTY, "index.json: has no valid size for"),
        (b'{"manifests": [{"digest": "%s", "size": true}]}' % EMPTY, "index.json: has no valid size for"),
        (b"\xff\xfe", "index.json: is not valid JSON"),
    ],
)  # fmt: skip
def test_an_index_that_is_none(tmp_path: Path, value: bytes, expected: str) -> None:
    assert reason(write_tar(tmp_path / "app.tar", {"index.json": value})).startswith(expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"manifests": [], "layers": []}, "has the parts of an image, but its media type is"),
        ({}, "is of type ''"),
        ({"schemaVersion": 1, "fsLayers": []}, "is a Docker schema 1 manifest"),
        ({"layers": 1}, "has layers, which must be a list"),
        (
            {"layers": [], "mediaType": "application/vnd.oci.image.index.v1+json"},
            "has the parts of an image, but its media type is",
        ),
        ({"manifests": [], "mediaType": "application/vnd.oci.image.manifest.v1+json"}, "has the parts of an index"),
    ],
)
def test_a_manifest_that_is_none(tmp_path: Path, value: object, expected: str) -> None:
    raw = as_json(value)
    index = as_json({"manifests": [{"digest": digest_of(raw), "size": len(raw)}]})
    told = reason(write_tar(tmp_path / "app.tar", {"index.json": index, blob_path(digest_of(raw)): raw}))
    assert told.startswith(f"{blob_path(digest_of(raw))}: {expected}")


@pytest.mark.parametrize(
    ("manifest", "config", "expected"),
    [
        (b"{}", b"{}", "manifest.json: is not a list of images"),
        (b"[1]", b"{}", "manifest.json: describes an image without Config and Layers"),
        (b"[" * 100_000, b"{}", "manifest.json: is nested too deeply"),
        (b'[{"Config": 1}]', b"{}", "manifest.json: describes an image without Config and Layers"),
        (b'[{"Config": "c", "Layers": [1]}]', b"{}", "manifest.json: describes an image without Config and Layers"),
        (b"[]", b"{}", "holds no image"),
        (b'[{"Config": "d", "Layers": []}]', b"{}", "d: is missing"),
        (b'[{"Config": "c", "Layers": ["l"]}]', config_of([BASE]), "l: is missing, though manifest.json names it"),
        (b'[{"Config": "c", "Layers": []}]', config_of([BASE]), "c: names 1 layers, but manifest.json 0"),
        (b'[{"Config": "c", "Layers": []}]', b"x", "c: is not valid JSON"),
        (b'[{"Config": "c", "Layers": []}]', b'{"rootfs": {"diff_ids": ["x"]}}', "c: names no layers by digest"),
    ],
)
def test_a_save_that_is_none(tmp_path: Path, manifest: bytes, config: bytes, expected: str) -> None:
    path = write_tar(tmp_path / "app.tar", {"manifest.json": manifest, "c": config})
    assert reason(path).startswith(expected)


def test_a_save_that_is_damaged(tmp_path: Path) -> None:
    files = old_save({"app:1": [BASE]})
    config = next(name for name in files if name.endswith(".json"))
    layer = next(name for name in files if name.endswith("layer.tar"))
    damaged = {**files, layer: TOP}
    told = reason(write_tar(tmp_path / "layer.tar", damaged))
    assert told == f"{layer}: is damaged: its digest is {digest_of(TOP)}, but the config has {digest_of(BASE)}"
    damaged = {**files, config: config_of([BASE], author="someone")}
    assert reason(write_tar(tmp_path / "config.tar", damaged)).startswith(f"{config}: is damaged: its digest is")


def test_names_from_an_archive_cannot_draw_on_a_terminal(tmp_path: Path) -> None:
    evil = "a\x1b[31m\nb"
    manifest = as_json([{"Config": evil, "RepoTags": [evil], "Layers": []}, {"Config": "x", "RepoTags": ["\ud800"]}])
    path = write_tar(tmp_path / "app.tar", {"manifest.json": manifest})
    assert reason(path).isprintable()
    assert reason(path, evil).isprintable()


def test_a_pipe_is_read_too(tmp_path: Path) -> None:
    whole = tar_of(old_save({"app:1": [OTHER]}))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(whole))
    writer.start()
    with open_archive(str(pipe)) as archive:
        writer.join()
        assert len(content(archive.image())) == 2


def test_no_space_to_compress_in(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    from imgref.archive.storage import Tar, spool_to

    path = write_tar(tmp_path / "app.tar", {"index.json": b"{}"})
    files = Tar(path, None)
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(ArchiveError, match="no space left in"):
        spool_to(files, iter([b"x" * 100]), full)
    files.close()


def test_reading_returns_the_digest_of_any_algorithm(tmp_path: Path) -> None:
    image = oci_image([BASE])
    raw = image.raw
    strong = f"sha512:{hashlib.sha512(raw).hexdigest()}"
    files = dict(image.files)
    files["index.json"] = as_json({"manifests": [{"digest": strong, "size": len(raw)}]})
    files[blob_path(strong)] = raw
    for write in (write_tar, write_directory):
        with open_archive(write(tmp_path / write.__name__, files)) as archive:
            assert archive.image().manifests()[0].digest == strong


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("what", ["archive", "layer"])
def test_what_unpacks_to_far_more_than_its_size_is_refused(
    pack: Callable[[bytes], bytes], what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_ALWAYS_UNPACKED", 1 << 20)
    layer = layer_tar(bytes(8 << 20))
    files = old_save({"app:v1": [layer]})
    if what == "layer":
        name = next(name for name, data in files.items() if data == layer)
        files[name] = pack(layer)
    path = Path(write_tar(tmp_path / "app.tar", files))
    if what == "archive":
        path.write_bytes(pack(path.read_bytes()))

    def read() -> None:
        with open_archive(str(path)) as archive:
            for blob in archive.image().layers:
                blob.descriptor()

    with pytest.raises(ArchiveError, match="unpacks to more than 1 GiB and 100 times its size"):
        read()
    monkeypatch.undo()
    read()
