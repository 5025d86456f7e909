"""Images moved to, from and between real registries; skopeo and umoci are the witnesses."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from e2e.commands import Home, Ran
from e2e.fault_proxy import Exchange, FaultProxy, run_fault_proxy
from e2e.servers import PASSWORD, USER, Registry, require, run_registry
from images import (
    OciImage,
    blob_path,
    digest_of,
    layer_tar,
    new_save,
    oci_image,
    oci_layout,
    old_save,
    platforms_layout,
    write_directory,
    write_tar,
)

pytestmark = pytest.mark.e2e

Unique = Callable[[str], str]

BASE, TOP = layer_tar(os.urandom(200_000), "base"), layer_tar(b"top", "top")
IDS = {"base": digest_of(BASE)[7:19], "top": digest_of(TOP)[7:19]}


def logged_in(home: Home, registry: Registry) -> Home:
    if registry.credentials:
        ran = home.imgref("login", registry.host, "-u", USER, "--password-stdin", input=f"{PASSWORD}\n")
        assert ran.code == 0, ran.err
    return home


def good(ran: Ran) -> list[str]:
    assert ran.code == 0, ran.err
    return ran.out.splitlines()


def raw_manifest(registry: Registry, path: str, point: str) -> bytes:
    accept = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    accept += "application/vnd.docker.distribution.manifest.v2+json"
    status, _, body = registry.request("GET", f"/v2/{path}/manifests/{point}", headers={"Accept": accept})
    assert status == 200, body
    return body


def exists(registry: Registry, path: str, point: str) -> bool:
    accept = "application/vnd.oci.image.manifest.v1+json"
    return registry.request("HEAD", f"/v2/{path}/manifests/{point}", headers={"Accept": accept})[0] == 200


def skopeo(*arguments: str) -> str:
    import subprocess

    ran = subprocess.run([require("skopeo"), *arguments], capture_output=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode()


SOURCES: dict[str, Callable[[Path], str]] = {
    "layout": lambda path: write_directory(path / "app", oci_layout({"v1": oci_image([BASE, TOP])})),
    "layout tar": lambda path: write_tar(path / "app.tar", oci_layout({"v1": oci_image([BASE, TOP])})),
    "docker save": lambda path: write_tar(path / "app.tar", old_save({"app:v1": [BASE, TOP]})),
    "docker 25 save": lambda path: write_tar(path / "app.tar", new_save({"app:v1": [BASE, TOP]})),
    "containerd save": lambda path: write_tar(path / "app.tar", new_save({"app:v1": [BASE, TOP]}, packed=True)),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_push_pull_and_push_again_have_the_same_digest(
    kind: str, registry: Registry, home: Home, unique: Unique, tmp_path: Path
) -> None:
    logged_in(home, registry)
    path = unique("app")
    reference = f"{registry.host}/{path}:v1"
    lines = good(home.imgref("push", SOURCES[kind](tmp_path), reference))
    raw = raw_manifest(registry, path, "v1")
    assert lines[0] == f"The push refers to repository [{registry.host}/{path}]"
    assert sorted(lines[1:3]) == sorted([f"{IDS['base']}: Pushed", f"{IDS['top']}: Pushed"])
    assert lines[3:] == [f"v1: digest: {digest_of(raw)} size: {len(raw)}"]
    for target in ("pulled", "pulled.tar"):
        lines = good(home.imgref("pull", reference, target))
        assert lines[0] == f"v1: Pulling from {path}"
        assert sorted(lines[1:3]) == sorted([f"{IDS['base']}: Pull complete", f"{IDS['top']}: Pull complete"])
        assert lines[3:] == [f"v1: digest: {digest_of(raw)} size: {len(raw)}"]
        again = good(home.imgref("pull", reference, target))
        assert sorted(again[1:3]) == sorted([f"{IDS['base']}: Already exists", f"{IDS['top']}: Already exists"])
        other = unique(f"again-{target}")
        assert good(home.imgref("push", "--quiet", target, f"{registry.host}/{other}:v2")) == [digest_of(raw)]
        assert raw_manifest(registry, other, "v2") == raw


def test_words_of_docker_for_each_layer(plain: Registry, home: Home, unique: Unique, tmp_path: Path) -> None:
    base, app, other = unique("base"), unique("app"), unique("other")
    files = oci_layout({"base": oci_image([BASE]), "app": oci_image([BASE, TOP])})
    layout = write_directory(tmp_path / "layout", files)
    good(home.imgref("push", layout, "--image", "base", f"{plain.host}/{base}:1"))
    lines = good(
        home.imgref("push", layout, "--image", "app", f"{plain.host}/{app}:1", "--mount-from", f"{plain.host}/{base}")
    )
    assert sorted(lines[1:3]) == sorted([f"{IDS['top']}: Pushed", f"{IDS['base']}: Mounted from {base}"])
    lines = good(home.imgref("push", layout, "--image", "app", f"{plain.host}/{app}:2", f"{plain.host}/{other}:1"))
    assert sorted(lines[1:3]) == sorted(f"{shown}: Layer already exists" for shown in IDS.values())
    assert lines[4] == f"The push refers to repository [{plain.host}/{other}]"
    assert all(line.partition(": ")[2].startswith("Mounted from ") for line in lines[5:7])


def test_a_mount_asks_for_both_repositories(registry: Registry, home: Home, unique: Unique, tmp_path: Path) -> None:
    logged_in(home, registry)
    layout = write_directory(tmp_path / "layout", oci_layout({"": oci_image([layer_tar(os.urandom(999))])}))
    first, second = f"{registry.host}/{unique('one')}:1", f"{registry.host}/{unique('two')}:1"
    good(home.imgref("push", layout, first))
    lines = good(home.imgref("copy", first, second))
    assert lines[1].endswith(f": Mounted from {unique('one')}")


def test_blob_that_was_pushed_before_is_mounted_without_an_option(
    plain: Registry, home: Home, unique: Unique, tmp_path: Path
) -> None:
    layout = write_directory(tmp_path / "layout", oci_layout({"": oci_image([layer_tar(os.urandom(1000))])}))
    good(home.imgref("push", layout, f"{plain.host}/{unique('first')}:1"))
    lines = good(home.imgref("push", layout, f"{plain.host}/{unique('second')}:1"))
    assert lines[1].endswith(f": Mounted from {unique('first')}")
    (home.path / "home" / ".cache" / "imgref" / "pushed.json").write_text("{damaged")
    assert good(home.imgref("push", layout, f"{plain.host}/{unique('third')}:1"))[1].endswith(": Pushed")


def test_json_and_quiet(plain: Registry, home: Home, unique: Unique, tmp_path: Path) -> None:
    image = oci_image([BASE, TOP])
    layout = write_directory(tmp_path / "layout", oci_layout({"": image}))
    repository = f"{plain.host}/{unique('app')}"
    lines = [json.loads(line) for line in good(home.imgref("push", layout, f"{repository}:1", "--format", "json"))]
    assert {(line["id"], line["status"], line["digest"]) for line in lines[:2]} == {
        (IDS["base"], "pushed", image.layers[0]),
        (IDS["top"], "pushed", image.layers[1]),
    }
    assert lines[2:] == [{"reference": f"{repository}:1", "digest": image.digest, "size": image.size}]
    other = f"{plain.host}/{unique('other')}:1"
    lines = [json.loads(line) for line in good(home.imgref("copy", f"{repository}:1", other, "--format", "json"))]
    assert [(line["status"], line["from"]) for line in lines[:2]] == [("mounted", repository)] * 2
    lines = [json.loads(line) for line in good(home.imgref("pull", other, "out", "--format", "json"))]
    assert [line["status"] for line in lines[:2]] == ["pulled"] * 2
    assert good(home.imgref("copy", "-q", f"{repository}:1", f"{repository}:2", f"{repository}:3")) == [image.digest]
    assert good(home.imgref("pull", "-q", other, "out")) == [image.digest]


def test_a_tar_comes_from_standard_input(plain: Registry, home: Home, unique: Unique, tmp_path: Path) -> None:
    import subprocess

    path = unique("app")
    with Path(SOURCES["docker save"](tmp_path)).open("rb") as tar:
        command = [sys.executable, "-m", "imgref", "push", "-q", "-", f"{plain.host}/{path}:v1"]
        ran = subprocess.run(command, stdin=tar, capture_output=True, env=home.environ, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    assert digest_of(raw_manifest(plain, path, "v1")) == ran.stdout.decode().strip()


def test_a_tar_goes_to_standard_output(plain: Registry, home: Home, unique: Unique, tmp_path: Path) -> None:
    path = unique("app")
    digest = good(home.imgref("push", "-q", SOURCES["layout"](tmp_path), f"{plain.host}/{path}:v1"))[0]
    ran = home.imgref("pull", f"{plain.host}/{path}:v1", "-")
    assert ran.code == 0, ran.err
    (tmp_path / "out.tar").write_bytes(ran.raw)
    assert good(home.imgref("push", "-q", str(tmp_path / "out.tar"), f"{plain.host}/{path}:v2")) == [digest]
    ran = home.imgref("pull", f"{plain.host}/{path}:none", "-")
    assert (ran.code, ran.raw) == (4, b"")


def test_skopeo_and_umoci_read_what_was_pulled(plain: Registry, home: Home, unique: Unique, tmp_path: Path) -> None:
    path = unique("app")
    layout = SOURCES["layout"](tmp_path)
    good(home.imgref("push", layout, f"{plain.host}/{path}:v1"))
    for target in ("out", "out.tar"):
        good(home.imgref("pull", f"{plain.host}/{path}:v1", target))
    out = home.path / "work"
    for place in (f"oci:{out}/out:v1", f"oci-archive:{out}/out.tar:v1", f"oci-archive:{out}/out.tar"):
        assert skopeo("inspect", "--raw", place).encode() == raw_manifest(plain, path, "v1")
    skopeo("copy", "--dest-tls-verify=false", f"oci:{out}/out:v1", f"docker://{plain.host}/{unique('back')}:v1")
    assert raw_manifest(plain, unique("back"), "v1") == raw_manifest(plain, path, "v1")
    ran = home.run(require("umoci"), "unpack", "--rootless", "--image", f"{out}/out:v1", str(tmp_path / "bundle"))
    assert ran.code == 0, ran.err
    assert (tmp_path / "bundle" / "rootfs" / "top").read_bytes() == b"top"


def test_images_that_are_pulled_into_one_layout_at_once_are_read_by_skopeo(
    plain: Registry, home: Home, unique: Unique, tmp_path: Path
) -> None:
    tags = [f"v{number}" for number in range(5)]
    path = unique("app")
    for tag in tags:
        layout = write_directory(
            tmp_path / tag, oci_layout({tag: oci_image([layer_tar(b"base"), layer_tar(tag.encode())])})
        )
        good(home.imgref("push", layout, f"{plain.host}/{path}:{tag}"))
    with ThreadPoolExecutor(len(tags)) as pool:
        pulls = list(pool.map(lambda tag: home.imgref("pull", f"{plain.host}/{path}:{tag}", "out"), tags))
    for ran in pulls:
        good(ran)
    out = home.path / "work" / "out"
    assert sorted(file.name for file in out.iterdir()) == ["blobs", "index.json", "manifest.json", "oci-layout"]
    for tag in tags:
        assert skopeo("inspect", "--raw", f"oci:{out}:{tag}").encode() == raw_manifest(plain, path, tag)


def test_images_that_umoci_and_skopeo_made(plain: Registry, home: Home, unique: Unique, tmp_path: Path) -> None:
    umoci = require("umoci")
    layout = tmp_path / "layout"
    (tmp_path / "file").write_text("hello")
    for command in (
        ("init", "--layout", str(layout)),
        ("new", "--image", f"{layout}:one"),
        ("insert", "--rootless", "--image", f"{layout}:one", str(tmp_path / "file"), "/file"),
        ("config", "--image", f"{layout}:one", "--tag", "two", "--config.label", "a=b"),
    ):
        ran = home.run(umoci, *command)
        assert ran.code == 0, ran.err
    path = unique("app")
    assert "name one with --image: 'one', 'two'" in home.imgref("push", str(layout), f"{plain.host}/{path}:1").err
    digest = good(home.imgref("push", "-q", str(layout), "--image", "two", f"{plain.host}/{path}:2"))[0]
    assert json.loads(skopeo("inspect", "--tls-verify=false", f"docker://{plain.host}/{path}:2"))["Digest"] == digest
    assert good(home.imgref("pull", "-q", f"{plain.host}/{path}:2", str(layout))) == [digest]
    archive = tmp_path / "docker.tar"
    skopeo("copy", f"oci:{layout}:two", f"docker-archive:{archive}:app:2")
    good(home.imgref("push", "-q", str(archive), f"{plain.host}/{path}:3"))
    config = json.loads(skopeo("inspect", "--tls-verify=false", "--config", f"docker://{plain.host}/{path}:3"))
    assert config["config"]["Labels"] == {"a": "b"}


# Indexes, other registries, referrers


def multi() -> tuple[dict[str, OciImage], dict[str, bytes], str]:
    images = {
        "linux/amd64": oci_image([BASE, TOP], architecture="amd64"),
        "linux/arm64": oci_image([BASE, layer_tar(b"arm")], architecture="arm64"),
    }
    return images, *platforms_layout(images)


def test_an_index_is_copied_whole_between_registries(
    plain: Registry, tls: Registry, home: Home, unique: Unique, tmp_path: Path
) -> None:
    images, files, digest = multi()
    path = unique("app")
    good(home.imgref("push", write_directory(tmp_path / "layout", files), f"{plain.host}/{path}:1"))
    lines = good(home.imgref("copy", f"{plain.host}/{path}:1", f"{tls.host}/{path}:1"))
    assert lines[0] == f"The push refers to repository [{tls.host}/{path}]"
    assert sorted(line.partition(": ")[2] for line in lines[1:4]) == ["Pushed"] * 3
    assert digest_of(raw_manifest(tls, path, "1")) == digest
    for image in images.values():
        assert raw_manifest(tls, path, image.digest) == image.raw
        for blob in (image.config, *image.layers):
            assert digest_of(tls.request("GET", f"/v2/{path}/blobs/{blob}")[2]) == blob
    arm = images["linux/arm64"]
    for platform in ("linux/arm64", "linux/arm64/v8", "arm64"):
        other = f"{tls.host}/{path}:{platform.replace('/', '-')}"
        assert good(home.imgref("copy", "-q", f"{plain.host}/{path}:1", other, "--platform", platform)) == [arm.digest]
        assert good(home.imgref("pull", "-q", f"{tls.host}/{path}:1", "arm.tar", "--platform", platform)) == [
            arm.digest
        ]
    assert home.imgref("copy", f"{plain.host}/{path}:1", f"{tls.host}/{path}:2", "--platform", "linux/s390x").code == 4
    assert not exists(tls, path, "2")
    assert good(home.imgref("pull", "-q", f"{tls.host}/{path}:1", "all.tar")) == [digest]


def test_copying_on_one_registry_moves_no_blob(plain: Registry, home: Home, unique: Unique, tmp_path: Path) -> None:
    path, other = unique("app"), unique("other")
    images, files, digest = multi()
    with run_fault_proxy(plain.host) as proxy:
        good(home.imgref("push", write_directory(tmp_path / "layout", files), f"{proxy.host}/{path}:1"))
        proxy.seen.clear()
        lines = good(home.imgref("copy", f"{proxy.host}/{path}:1", f"{proxy.host}/{other}:1", f"{proxy.host}/{path}:2"))
        assert sum(line.endswith(f"Mounted from {path}") for line in lines) == 3
        assert sum(line.endswith("Layer already exists") for line in lines) == 3
        layers = {layer for image in images.values() for layer in image.layers}
        assert not any(layer in seen.path for seen in proxy.seen if seen.method == "GET" for layer in layers)
        assert proxy.count("PUT", "/blobs/") == 0
        assert proxy.count("PATCH") == 0
    assert digest_of(raw_manifest(plain, other, "1")) == digest


def test_referrers_go_with_an_image(plain: Registry, tls: Registry, home: Home, unique: Unique, tmp_path: Path) -> None:
    path = unique("app")
    image = oci_image([BASE])
    signature = oci_image([layer_tar(b"signature")], subject=image)
    on_signature = oci_image([layer_tar(b"countersigned")], subject=signature)
    for number, (pushed, tag) in enumerate(((image, "1"), (signature, "s"), (on_signature, "t"))):
        layout = write_directory(tmp_path / str(number), oci_layout({"": pushed}))
        good(home.imgref("push", layout, f"{plain.host}/{path}:{tag}"))
    # This registry keeps no lists of referrers, so that they stand under a tag.
    listed = json.loads(raw_manifest(plain, path, image.digest.replace(":", "-")))["manifests"]
    assert [(entry["digest"], entry["artifactType"]) for entry in listed] == [(signature.digest, "application/example")]
    good(home.imgref("copy", f"{plain.host}/{path}:1", f"{tls.host}/{path}:1"))
    assert not exists(tls, path, signature.digest)
    ran = home.imgref("copy", "--referrers", f"{plain.host}/{path}:1", f"{tls.host}/{path}:1")
    good(ran)
    assert "2 referrers copied" in ran.err
    for referrer in (signature, on_signature):
        assert raw_manifest(tls, path, referrer.digest) == referrer.raw
    good(home.imgref("copy", "--referrers", f"{plain.host}/{path}:1", f"{tls.host}/{path}:1"))
    listed = json.loads(raw_manifest(tls, path, image.digest.replace(":", "-")))["manifests"]
    assert [entry["digest"] for entry in listed] == [signature.digest]


# Bad input: nothing is tagged


def test_a_damaged_blob_is_named_and_nothing_is_tagged(
    plain: Registry, home: Home, unique: Unique, tmp_path: Path
) -> None:
    image = oci_image([BASE, TOP])
    for digest in (*image.layers, image.config):
        # Another repository each time: a layer that is there already is not read here.
        path = unique(digest[7:17])
        files: dict[str, bytes] = oci_layout({"v1": image})
        data = bytearray(files[blob_path(digest)])
        data[len(data) // 2] ^= 1
        files[blob_path(digest)] = bytes(data)
        ran = home.imgref("push", write_tar(tmp_path / "app.tar", files), f"{plain.host}/{path}:v1")
        assert ran.code == 2
        assert f"{blob_path(digest)}: is damaged" in ran.err
        assert "Traceback" not in ran.err
        assert not exists(plain, path, "v1")
        assert plain.request("HEAD", f"/v2/{path}/blobs/{digest}")[0] == 404


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("push", "app.tar"), 2, "no REF is given"),
        (("push", "none.tar", "HOST/a:1"), 2, "none.tar: cannot be read: No such file or directory"),
        (("push", "app.tar", "HOST/a:1", "--image", "x"), 2, "app.tar: holds no image called 'x', but 'v1'"),
        (("push", "app.tar", "HOST/UPPER:1"), 2, "must be lowercase"),
        (("push", "app.tar", "HOST/a@sha256:" + 64 * "0"), 2, "the image's digest is sha256:"),
        (("push", "app.tar", "HOST/a:1", "--jobs", "0"), 2, "--jobs"),
        (("push", "cut.tar", "HOST/a:1"), 2, "cut.tar: is cut short"),
        (("pull", "HOST/a:none", "out"), 4, "HOST/a:none: no such"),
        (("pull", "HOST/a:1", "notes"), 2, "notes: is neither"),
        (("copy", "HOST/a:1"), 2, "no DST is given"),
        (("copy", "HOST/a:1", "HOST/a@sha256:" + 64 * "0"), 2, "DST must be a tag"),
        (("copy", "HOST/none:1", "HOST/a:2"), 4, "HOST/none:1: no such"),
    ],
)
def test_bad_input_has_its_own_message(
    arguments: tuple[str, ...], code: int, text: str, plain: Registry, home: Home, unique: Unique
) -> None:
    host = f"{plain.host}/{unique('x')}"
    work = home.path / "work"
    whole = Path(write_tar(work / "app.tar", oci_layout({"v1": oci_image([TOP])}))).read_bytes()
    (work / "cut.tar").write_bytes(whole[:2000])
    (work / "notes").write_text("important")
    good(home.imgref("push", "app.tar", f"{host}/a:1"))
    before = sorted(str(file) for file in work.rglob("*"))
    ran = home.imgref(*(argument.replace("HOST", host) for argument in arguments))
    assert ran.code == code, ran.err
    assert text.replace("HOST", host) in ran.err
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert sorted(str(file) for file in work.rglob("*")) == before


def test_push_to_a_read_only_registry_reports_that(home: Home, tmp_path: Path, unique: Unique) -> None:
    (tmp_path / "registry").mkdir()
    layout = SOURCES["layout"](tmp_path)
    with run_registry(tmp_path / "registry", read_only=True) as registry:
        ran = home.imgref("push", layout, f"{registry.host}/app:1")
        assert ran.code == 3
        assert f"{registry.host}/app: {registry.host} is read-only; it takes no push" in ran.err
        assert ran.err.count("\n") == 1


def test_who_reads_the_output_may_leave(plain: Registry, home: Home, unique: Unique, tmp_path: Path) -> None:
    path = unique("app")
    ran = home.run(
        "sh", "-c", f"{sys.executable} -m imgref push {SOURCES['layout'](tmp_path)} {plain.host}/{path}:v1 | true"
    )
    assert ran.code == 0
    deadline = time.monotonic() + 10
    while not exists(plain, path, "v1") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert exists(plain, path, "v1")
    assert "Traceback" not in ran.err


def test_bars_are_drawn_on_a_terminal(faulty: FaultProxy, home: Home, unique: Unique, tmp_path: Path) -> None:
    def later(exchange: Exchange) -> None:
        time.sleep(0.8)
        exchange.give(exchange.ask())

    require("script")
    faulty.add(later, "PUT", "/blobs/", times=-1)
    reference = f"{faulty.host}/{unique('app')}:v1"
    home.environ["TERM"] = "xterm"
    layout = SOURCES["layout"](tmp_path)
    ran = home.run("script", "-qec", f"{sys.executable} -m imgref push {layout} {reference}", "/dev/null")
    assert ran.code == 0
    assert f"{IDS['base']}: Pushing" in ran.out
    assert "\x1b[" in ran.out
    shown = ran.out.replace("\r", "").splitlines()
    assert shown[-1].removeprefix("\x1b[?25h").startswith("v1: digest: sha256:")
    last = "\n".join(shown[-4:])
    assert f"{IDS['base']}: Pushed" in last
    assert f"{IDS['top']}: Pushed" in last
